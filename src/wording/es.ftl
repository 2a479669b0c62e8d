# De usted, en un español que se entiende en todas partes. Delante de un nombre que se rellena no va nada que dependa de él.

## El chat: lo que el remitente lee de un mensaje guardado

status-held = { $callee } no está en línea. Su mensaje queda guardado hasta que vuelva a estarlo.
status-waiting-gathering = { $callee } no está en línea. Su mensaje queda guardado; le llamaremos por teléfono { $when }.
status-waiting-quiet = { $callee } no está en línea y no recibe llamadas a estas horas. Su mensaje queda guardado; le llamaremos por teléfono { $when }.
status-waiting-throttled = { $callee } no está en línea y ya ha recibido bastantes llamadas por ahora. Su mensaje queda guardado; le llamaremos por teléfono { $when }.
status-waiting-retry = Su mensaje sigue guardado. { $callee } recibirá otra llamada { $when }.
status-calling = { $callee } no está en línea. Su mensaje queda guardado; le estamos llamando por teléfono.
status-ringing = Está sonando el teléfono de { $callee }.
status-answered = Han contestado al teléfono de { $callee }.
status-heard = { $callee } ha oído su mensaje.
status-heard-all = { $callee } ha oído sus { $all } mensajes.
status-heard-some = { $callee } ha oído { $told } de sus { $all } mensajes.
status-not-read-aloud = { $callee } supo por teléfono que usted le ha escrito. Su mensaje no se leyó en voz alta, está cifrado.
status-passed = { $callee } supo por teléfono de su mensaje, pero no lo escuchó. Sigue guardado.
status-not-reached = { $why } { $next }
status-delivered = { $callee } está de nuevo en línea y tiene su mensaje.
status-delivered-all = { $callee } está de nuevo en línea y tiene sus { $all } mensajes.
status-delivered-some = { $callee } está de nuevo en línea y tiene { $told } de sus { $all } mensajes.
status-calls-switched-off = { $callee } ha desactivado las llamadas. Su mensaje queda guardado hasta que vuelva a estar en línea.
status-not-taken = Su mensaje para { $callee } aún no se ha podido entregar. Sigue guardado y se volverá a intentar.
status-left-with-server = { $callee } no estuvo en línea a tiempo. Su mensaje se entregó al servidor de { $callee }, que quizá lo guarde; aquí ya no está guardado.
status-expired = No fue posible comunicar a tiempo con { $callee }. Su mensaje ya no está guardado.
status-set-aside = Las llamadas a { $callee } por su mensaje se cortaron. No está prevista ninguna otra; su mensaje sigue guardado.
status-taken-back = Retirado; { $callee } no supo nada de él.
status-taken-back-unheard = Retirado; { $callee } no lo oyó.
status-heard-before-correction = { $callee } oyó su mensaje por teléfono tal como estaba antes de la corrección.
status-heard-before-retraction = Retirado, pero { $callee } lo oyó por teléfono. No se entregará.

next-call = La próxima llamada será { $when }.
next-call-none = No está prevista ninguna otra llamada; su mensaje sigue guardado.

## Cuándo: dentro de una frase, sin «a las», que a la 01:00 no vale

when-today = hoy ({ $time } h)
when-tomorrow = mañana ({ $time } h)
when-this-week = el { $weekday } ({ $time } h)
when-later = el { $day } de { $month } ({ $time } h)
when-soon = { $minutes ->
    [one] dentro de un minuto
   *[other] dentro de { $minutes } minutos
}
when-there = { $when }, hora de { $callee }

## Por qué una llamada no llegó

not-reached-not-heard = Contestaron al teléfono de { $callee }, pero nadie escuchó su mensaje.
not-reached-heard-in-part = { $callee } oyó el principio de su mensaje; la llamada terminó antes del resto.
not-reached-no-answer = { $callee } no contestó al teléfono.
not-reached-machine = Un contestador atendió la llamada a { $callee }. No se le leyó su mensaje.
not-reached-busy = La línea de { $callee } está ocupada.
not-reached-declined = { $callee } rechazó la llamada.
not-reached-wrong-number = No se puede llamar a { $callee }: el número no funciona.
not-reached-no-sound = Contestaron al teléfono de { $callee }, pero la línea no transmitía sonido.
not-reached-trunk-failed = No se pudo hacer la llamada a { $callee }.
not-reached-cancelled = La llamada a { $callee } fue cancelada.
not-reached-interrupted = La llamada a { $callee } se interrumpió.

## El chat: respuestas de voz

voice-note = Respuesta de voz de { $callee }, { $seconds } s.
voice-note-cut = Respuesta de voz de { $callee }, { $seconds } s. La llamada se cortó.
voice-transcript = { $note } Probablemente: { $text }
voice-late = { $callee } grabó una respuesta de voz, { $seconds } s. Aún no se ha podido enviar; queda guardada y se volverá a intentar.
voice-no-way = { $callee } grabó una respuesta de voz, { $seconds } s, pero aquí no hay nada previsto para enviarla. Queda guardada; consulte al operador.

## El chat: lo que lee el destinatario

calls-switched-off = Las llamadas por mensajes están desactivadas. Envíe «on» para volver a activarlas.
call-missed = { $sender } intentó llamarle ({ $time } h).
invited = { $sender } le invita a la sala { $room }.

## El chat: contactos

reachable = Se le puede llamar por teléfono
reachable-later = Los mensajes se guardan
reachable-elsewhere = Los mensajes se transmiten
component-description = Le llama por teléfono cuando le esperan mensajes de chat.
component = Envíe «help» para ver las órdenes
subscribe = Offhook pide ver cuándo está usted en línea, para llamarle solo cuando no lo esté.

## El chat: lo que dice un error

error-nobody = Aquí no se conoce a nadie con esa dirección.
error-nobody-near = Aquí no se conoce a nadie con esa dirección. ¿Quiso decir { $address }?
error-malformed = Eso no es una dirección. A una persona se le escribe a bob@phone.example.org o a bob\40example.org@phone.example.org, con este servicio en lugar de phone.example.org.
error-own-address = Escriba directamente a { $jid }.
error-not-stored = El destinatario no está en línea, y el mensaje no se puede guardar.
error-to-oneself = Esta es su propia dirección.
error-too-large = El mensaje es demasiado largo.
error-too-many = Demasiados mensajes en poco tiempo. Espere un poco.
error-recipient-full = Hay tantos mensajes en espera para esta persona que no cabe ninguno más. Inténtelo más tarde.
error-sender-full = Hay tantos mensajes suyos en espera que no cabe ninguno más. Inténtelo más tarde.
error-not-held = No se pudo guardar el mensaje. Inténtelo más tarde.

## El chat: respuestas a las órdenes, seis renglones como mucho

help =
    Guardo los mensajes que le llegan cuando no está en línea, y le llamo por teléfono para leérselos.
    phone +34… - indica su número; lo llamo para decir un código
    on / off - llamarme, o solo guardar mis mensajes
    quiet 22:00-07:30 - sin llamadas a esas horas
    show - sus ajustes; test - llamarme ahora
    help more - otras órdenes
help-operator = { " " }(operador: people, all calls, test-call JID, suspend, resume)
help-more =
    second +34… - otro número, por si nadie contesta; second off
    pin 4821 - se pide por teléfono; pin off
    timezone Europe/Madrid; language es; slow - la voz habla despacio
    allow JID; block JID; report JID; unblock JID; everyone; contacts; rules - quién puede hacer sonar mi teléfono
    calls - las últimas llamadas
    forget me - borra todo lo mío
welcome = Le damos la bienvenida. Envíe «help» para saber qué puedo hacer. Acepte mi solicitud de contacto, para que le llame solo cuando no esté en línea.
stranger = Todavía no le conozco. Pida al operador de este servidor que configure las llamadas para usted.
operator-only = Eso solo puede hacerlo el operador.
number-first = Todavía no hay ningún número. Envíe «phone» y su número con + y el prefijo del país.
nobody-known = Aquí no se conoce a nadie.
not-stored = No se pudo guardar. Inténtelo más tarde.
invalid-command = No conozco esa orden. Envíe «help» para ver las que conozco.
invalid-command-near = No conozco esa orden. ¿Quiso decir «{ $near }»? Envíe «help» para ver las que conozco.
invalid-number = Un número se escribe con + y el prefijo del país, por ejemplo +34912345678.
invalid-number-near = ¿Quiso decir { $number }? Entonces envíelo así: un número se escribe con + y el prefijo del país.
invalid-code = El código tiene seis cifras, por ejemplo code 012345.
invalid-quiet = Las horas de silencio son una parte del día, por ejemplo quiet 22:00-07:30 o quiet 22-7; o «quiet off», o «quiet default».
invalid-timezone = No conozco esa zona horaria. Conozco ciudades grandes, como Madrid, nombres como Europe/Madrid, y UTC+2.
invalid-timezone-near = No conozco esa zona horaria. ¿Quiso decir { $zone }? Entonces envíe «timezone { $zone }».
invalid-language = No conozco ese idioma. Conozco: { $known }.
trivial-pin = Cualquiera probaría primero ese PIN. Elija uno que no sea una serie, ni un año, ni una repetición, ni parte de su número.
invalid-pin = Un PIN tiene de 4 a 8 cifras; o «pin off».
invalid-jid = Esa no es la dirección de una persona, como alice@example.org.
show =
    Llamadas: { $calls }. { $presence }
    Número: { $number }; segundo: { $second }
    Horas de silencio: { $quiet } ({ $zone })
    Quién puede hacer sonar su teléfono: { $senders }
    { $pin } Idioma: { $language }; { $pace }
    { $agreed }
show-none = ninguno
show-on = activadas
show-off = desactivadas
show-domain = las personas de su servidor
show-contacts = sus contactos
show-everyone = cualquiera
show-operators = según el operador
show-slow = voz lenta
show-usual-pace = voz a ritmo normal
show-pin = Hay un PIN.
show-no-pin = No hay PIN.
show-agreed = Usted aceptó estas llamadas el { $date }, al devolver un código.
show-not-agreed = El operador configuró sus llamadas.
show-online = Está usted en línea.
show-offline = No está usted en línea.
show-unseen = No puedo ver si está en línea: acepte mi solicitud de contacto.
changed-phone = Le llamaré cuando llegue un mensaje y no esté en línea.
changed-no-number = Las llamadas están activadas, pero no hay número al que llamar. Envíe «phone» y su número.
changed-blocked = { $sender } ya no puede hacer sonar su teléfono.
reported = { $sender } ya no puede hacer sonar su teléfono, y se avisa de ello a los operadores de este servicio.
changed-allowed = { $sender } puede hacer sonar su teléfono.
changed-store = No recibirá llamadas. Los mensajes se guardan hasta que esté en línea. Envíe «on» para volver a recibirlas.
changed-nothing = No ha cambiado nada.
changed-default = Según el ajuste del operador: { $words }
changed-quiet = Las horas de silencio van de { $from } a { $until }, { $zone }.
changed-quiet-off = No hay horas de silencio: su teléfono puede sonar a cualquier hora.
changed-timezone = Su zona horaria es { $zone }; la hora allí: { $time }.
changed-language = Su idioma es: { $language }.
changed-language-default = Ya no tiene un idioma propio: leerá en el que indique su cliente, y las llamadas serán en el del operador.
changed-slow = La voz del teléfono le habla despacio.
changed-slow-off = La voz del teléfono habla a su ritmo normal.
changed-pin = Su PIN está guardado. Se pide por teléfono antes de nombrar a nadie.
changed-pin-off = No se pide ningún PIN por teléfono.
changed-domain = Las personas de su servidor pueden hacer sonar su teléfono.
changed-contacts = Sus contactos pueden hacer sonar su teléfono.
changed-everyone = Cualquiera puede hacer sonar su teléfono.
changed-no-rule = Ya no hay regla para { $sender }. { $others }
changed-number-off = Su número se ha borrado. No recibirá llamadas.
changed-number-default = Su número se ha borrado. Le llamaré al que fijó el operador.
changed-second-off = Su segundo número se ha borrado.
code-calling = Estoy llamando al { $number }. Pulse allí una tecla para oír un código, y envíemelo.
code-not-allowed = A ese número no se puede llamar desde aquí.
code-type-refused = { $type ->
    [premium_rate] Es un número de tarificación adicional, al que no se llama desde aquí.
    [shared_cost] Es un número de coste compartido, al que no se llama desde aquí.
    [personal_number] Es un número personal con tarifa propia, al que no se llama desde aquí.
    [satellite] Es un número de una red por satélite, al que no se llama desde aquí.
    [pager] Es un buscapersonas, al que no se llama desde aquí.
    [voicemail] Es un buzón de voz, al que no se llama desde aquí.
    [uan] Es un número de empresa con tarifa propia, al que no se llama desde aquí.
    [short_code] Ese número es demasiado corto para ser un teléfono.
    [emergency] Parece un número de emergencias, al que no se llama desde aquí.
    [own] Es nuestro propio número.
   *[other] Ese número no existe. ¿Hay alguna cifra equivocada?
}
code-suspended = El operador ha suspendido todas las llamadas por ahora. Inténtelo más tarde.
code-too-soon = Acabo de llamar. Espere un minuto y vuelva a enviarlo.
code-too-many = Hoy ha habido demasiadas llamadas de este tipo. Inténtelo mañana.
code-quiet = En ese número es de noche. Inténtelo de día.
code-throttled = Ha habido demasiadas llamadas últimamente, a ese número, para usted o en total. Inténtelo más tarde.
code-heard = Envíeme las seis cifras que ha oído. Valen durante 15 minutos.
code-not-heard = Contestaron, pero nadie pulsó una tecla. Envíe «phone» y el número para intentarlo otra vez.
code-busy = La línea está ocupada. Envíe «phone» y el número para intentarlo otra vez.
code-no-answer = Nadie contestó. Envíe «phone» y el número para intentarlo otra vez.
code-declined = La llamada fue rechazada.
code-wrong-number = Ese número no funciona.
code-no-sound = Contestaron, pero la línea no transmitía sonido. Inténtelo más tarde.
code-failed = No se pudo hacer la llamada. Inténtelo más tarde.
code-right = Comprobado: { $number }. Le llamaré ahí cuando llegue un mensaje y no esté en línea. Envíe «off» si no lo desea.
code-right-second = Comprobado: { $number }. Se llama ahí cuando nadie contesta en el primero.
code-wrong = { $left ->
    [0] Ese no es el código, y ya no vale. Envíe «phone» y el número para recibir otro.
    [one] Ese no es el código. Le queda un intento.
   *[other] Ese no es el código. Le quedan { $left } intentos.
}
code-none = No espero ningún código. Envíe primero «phone» y su número; un código vale 15 minutos.
number-lost = Otra persona acaba de comprobar su número, y aquí ya no es suyo. Si es un error, envíe «phone» y su número.
number-changed = Su número acaba de cambiar. Si no fue usted, cambie la contraseña de su cuenta y envíe «phone» y su número.
test-message = Esta es la llamada de prueba que pidió.
test-coming = Su teléfono sonará como cuando hay un mensaje en espera. Aquí leerá cómo fue.
no-calls = No hubo llamadas.
no-rules = No hay reglas para remitentes concretos. Envíe «allow» o «block» y una dirección para fijar una.
call-answered = { $at } contestada, { $seconds } s
call-no-answer = { $at } sin respuesta
call-machine = { $at } un contestador, { $seconds } s
call-busy = { $at } ocupado
call-declined = { $at } rechazada
call-wrong-number = { $at } el número no funciona
call-no-sound = { $at } contestada, pero la línea no transmitía sonido
call-failed = { $at } no se pudo hacer
call-cancelled = { $at } cancelada
call-running = { $at } en curso
forget-sure = Esto borra su número, sus ajustes y todos los mensajes guardados para usted o escritos por usted, también los que esperan a otras personas. Para confirmarlo, envíe «forget me now».
forget-later = Hay una llamada en curso con usted, o por un mensaje suyo. Pídalo de nuevo cuando termine.
forgotten = Todo lo suyo se ha borrado. Lo que queda no lleva ningún nombre: cuántas veces sonaron los teléfonos, durante treinta días, y que usted pidió esto, durante noventa.
forgotten-but-configured = Todo lo que usted ha ajustado o escrito se ha borrado. Lo que queda no lleva ningún nombre: cuántas veces sonaron los teléfonos, durante treinta días, y que usted pidió esto, durante noventa. El operador también le dio de alta; pídale que lo deshaga.
suspended = Desde ahora no se hacen llamadas. Los mensajes siguen guardados. Envíe «resume» para continuar.
resumed = Se vuelven a hacer llamadas.

gateway-description = Los mensajes para esta persona se guardan y se anuncian por teléfono mientras no está en línea.

## El chat: lo que los operadores y las personas leen sin haberlo pedido

alert-calls = Ya se ha hecho el { $percent } % de las llamadas de un día ({ $max }).
alert-calls-to = Ya se ha hecho el { $percent } % de las llamadas de un día a { $prefix } ({ $max }).
alert-minutes = Ya se ha gastado el { $percent } % de los minutos de un día ({ $max }).
alert-minutes-to = Ya se ha gastado el { $percent } % de los minutos de un día a { $prefix } ({ $max }).
alert-limit-reached = Las demás llamadas esperan hasta que vuelva a haber sitio.
alert-codes = Se han pedido { $count } códigos en una hora, y no se ha devuelto ninguno. «offhook calls» muestra quién los pidió.
alert-number = { $count } cuentas han pedido un código para un mismo número que empieza por +{ $area }. «offhook calls» muestra cuáles.
alert-pin-locked = Se han marcado demasiados PIN equivocados para { $person }. No se le lee nada por teléfono durante un día, o hasta que ponga otro PIN.
alert-wrong-pin = Se ha marcado por teléfono un PIN equivocado para sus mensajes. Si no fue usted, envíe «pin» y otras cifras.
alert-your-pin-locked = Se han marcado por teléfono demasiados PIN equivocados para sus mensajes. No se leen allí durante un día, o hasta que usted envíe «pin» y otras cifras.
alert-trunk-failed = La troncal { $trunk } falla. Las llamadas van por otra, o esperan.
alert-trunk-works = La troncal { $trunk } vuelve a cursar llamadas.
alert-reported = { $person } denuncia a { $sender } y ha bloqueado esa dirección.

## Formularios

command-settings = Ajustes
command-number = Indicar mi número de teléfono
command-code = Escribir el código dicho por teléfono
command-show = Ver mis ajustes
command-sender = Quién puede hacer sonar mi teléfono
command-rules = Reglas para remitentes concretos
command-test = Llamarme ahora
command-calls = Las últimas llamadas
command-forget = Borrar todo lo mío
command-people = Operador: personas
command-all-calls = Operador: las últimas llamadas
command-test-call = Operador: llamada de prueba
command-suspend = Operador: suspender o reanudar todas las llamadas
instructions-settings = Un campo vacío toma el ajuste del operador. A un número nuevo se le llama primero para decir un código.
instructions-number = Su número, con + y el prefijo del país. Se le llama primero para decir un código.
instructions-code = Las seis cifras que se dijeron por teléfono.
instructions-sender = Una regla para un remitente, o para todos los demás.
instructions-forget = Esto borra su número, sus ajustes y todos los mensajes guardados para usted o escritos por usted, también los que esperan a otras personas.
instructions-test-call = A quién hay que llamar.
instructions-suspend = Mientras las llamadas están suspendidas, los mensajes siguen guardados.
field-number = Número
field-offline = Cuando no estoy en línea
field-phone = Llamarme
field-store = Solo guardar mis mensajes
field-quiet = Horas de silencio, por ejemplo 22:00-07:30, u off
field-timezone = Zona horaria, por ejemplo Europe/Madrid
field-language = Idioma, por ejemplo es
field-slow = Hablar despacio
field-pin = PIN, de 4 a 8 cifras; vacío para ninguno
field-code = Código
field-rule = Regla
field-allow = Este remitente puede
field-block = Este remitente no puede
field-report = Bloquear y denunciar a este remitente
field-no-rule = Sin regla para este remitente
field-everyone = Cualquiera puede
field-contacts = Mis contactos pueden
field-domain = Las personas de mi servidor pueden
field-default = Según el ajuste del operador
field-jid = Dirección
field-sure = ¿Lo confirma?
field-yes = Sí
field-no = No
field-suspended = Llamadas
field-suspend = Suspender
field-resume = Reanudar

## El teléfono: comprobar un número

code-question = Alguien ha pedido un código para usar este número. Para oír el código, pulse { $hear }. Si no lo ha pedido usted, pulse dos veces { $stop }: así no se volverá a llamar a este número por un código.
code-press-to-hear = Para oír el código, pulse { $hear }.
code-refuse-question = Para que nunca más se llame a este número por un código, pulse otra vez { $stop }. Para oír el código, pulse { $hear }.
code-refused = Nunca más se llamará a este número por un código. Adiós.
code-spoken = El código es: { $digits } Repito: { $digits } Envíelo por el chat. Adiós.
code-goodbye = Adiós.
pin-question = { $count ->
    [one] Le espera un mensaje. Marque su PIN.
   *[other] Le esperan { $count } mensajes. Marque su PIN.
}
pin-wrong = Ese no es el PIN.
pin-locked = { $count ->
    [one] Le espera un mensaje. Se han marcado demasiados PIN equivocados, así que ahora no se lee por teléfono. Léalo en el chat. Adiós.
   *[other] Le esperan { $count } mensajes. Se han marcado demasiados PIN equivocados, así que ahora no se leen por teléfono. Léalos en el chat. Adiós.
}
pin-needed = En esta línea los mensajes solo se leen después de un PIN, y usted todavía no tiene ninguno. Envíe a este servicio, por el chat, la palabra pin y de cuatro a ocho cifras. Después vuelva a llamar. Adiós.

## El chat y el teléfono

attachment-audio = Un mensaje de voz u otro sonido.
attachment-image = Una imagen.
attachment-video = Un vídeo.
attachment-file = Un archivo.
attachment-location = Una ubicación.
message-of-another-kind = Un mensaje de un tipo que solo se muestra en el chat.
encrypted = El mensaje está cifrado y no se puede leer en voz alta.

## El teléfono: la llamada

# Quién llama se dice en los dos primeros segundos, y quién escribió en los seis primeros.
phone-who-calls = Le habla el servicio de mensajes de { $domain }.
phone-greeting = Hola, { $callee }. { $arrival }
phone-greeting-continued = Hola de nuevo, { $callee }. { $arrival }
phone-number-question = Marque su número de teléfono con el prefijo del país y después pulse { $enter }.
phone-whose-pin-question = Marque su PIN y después pulse { $enter }.
phone-not-known = El número y el PIN no coinciden.
phone-nothing-waits = No le espera ningún mensaje. Adiós.
phone-press-to-hear = Para oírlo, pulse { $hear }.
phone-press-to-hear-them = Para oírlos, pulse { $hear }.
phone-message-end = Fin del mensaje.
phone-messages-end = Fin de los mensajes.
phone-menu = { $choices } Para más opciones, pulse { $explain }.
phone-menu-rest = { $choices } Para escuchar otra vez, pulse { $repeat }. Para continuar, pulse { $skip }. Para no recibir nunca más estas llamadas, pulse dos veces { $stop }.
phone-menu-rest-with-voice = { $choices } Para grabar una respuesta de voz, pulse { $record }. Para escuchar otra vez, pulse { $repeat }. Para continuar, pulse { $skip }. Para no recibir nunca más estas llamadas, pulse dos veces { $stop }.
phone-menu-short = Su respuesta, por favor.
phone-menu-hint = Para conocer las opciones, pulse { $explain }.
phone-own-answer = Su respuesta es: { $words }
phone-choice = { $say }, pulse { $key }.
phone-key-star = asterisco
phone-key-hash = almohadilla
phone-no-match = Esa tecla no tiene función aquí.
phone-explanation = Esta es una llamada sobre mensajes de chat que llegaron cuando usted no estaba en línea. Para oír el mensaje otra vez, pulse { $repeat }. Para pasar al siguiente mensaje, pulse { $skip }. Para no recibir nunca más estas llamadas, pulse dos veces { $stop }.
phone-explanation-hear-first = Esta es una llamada sobre mensajes de chat que llegaron cuando usted no estaba en línea. Para oír el mensaje, pulse { $hear }. Para oír otra vez quién escribió, pulse { $repeat }. Para pasar al siguiente mensaje, pulse { $skip }. Para no recibir nunca más estas llamadas, pulse dos veces { $stop }.
phone-stop-question = Para no recibir nunca más estas llamadas, pulse otra vez { $stop }. Para continuar, pulse { $skip }.
phone-stopped = Estas llamadas están desactivadas. Sus mensajes le esperan en el chat. Adiós.
phone-thanks = { $words } Gracias.
phone-not-stored = Lo siento, no se pudo guardar su elección. Responda por el chat. Adiós.
phone-unspeakable = Este mensaje no se puede leer en voz alta. Le espera en el chat.
phone-other-language = El mensaje está en otro idioma. Le espera en el chat.
phone-machine = Hola. Esta es una llamada automática. Alguien ha intentado comunicar con usted. Mire su chat. Adiós.
phone-time-over = El tiempo de esta llamada ha terminado. Adiós.
phone-goodbye = Eso era todo. Adiós.
phone-goodbye-unanswered = Sus mensajes le esperan en el chat. Adiós.

## El teléfono: respuestas de voz

phone-consent = Su respuesta se enviará a { $sender }. Hable después de la señal. Cuando haya terminado, pulse { $end-recording }.
phone-speak-again = Hable después de la señal. Cuando haya terminado, pulse { $end-recording }.
phone-too-short = Ha sido demasiado corto.
phone-send-question = Para enviar su respuesta, pulse { $send }. Para escucharla, pulse { $listen }. Para grabarla de nuevo, pulse { $record-again }.
phone-voice-sent = Su respuesta se enviará a { $sender }.

## El teléfono: quién escribió, y cuándo

phone-arrived-together = { $sender } le escribió { $together } mensajes. El último llegó { $came }.
phone-arrived-together-first = { $sender } escribió { $together } de los { $count } mensajes que le esperan. El último de ellos llegó { $came }.
phone-arrived = { $count ->
    [one] Tiene un mensaje de { $sender }. Llegó { $came }.
   *[other] Tiene un mensaje de { $sender }, el primero de { $count }. Llegó { $came }.
}
phone-next = El siguiente es de { $sender } y llegó { $came }.
phone-next-together = Después, { $sender } le escribió { $together } mensajes. El último llegó { $came }.
phone-just-arrived-together = Acaban de llegar más mensajes: { $sender } escribió { $together }.
phone-just-arrived = Acaba de llegar otro mensaje, de { $sender }.
phone-came-today = a { $time }
phone-came-yesterday = ayer a { $time }
phone-came-this-week = el { $weekday } a { $time }
phone-came-before = el { $day } de { $month } a { $time }
phone-sender-elsewhere = { $name } de { $domain }

# Con la parte del día: de «las 21» la voz haría «las veintiuno».
time-full-hour = { $hour ->
    [0] las 12 de la noche
    [1] la una de la madrugada
    [2] las 2 de la madrugada
    [3] las 3 de la madrugada
    [4] las 4 de la madrugada
    [5] las 5 de la madrugada
    [6] las 6 de la mañana
    [7] las 7 de la mañana
    [8] las 8 de la mañana
    [9] las 9 de la mañana
    [10] las 10 de la mañana
    [11] las 11 de la mañana
    [12] las 12 del mediodía
    [13] la una de la tarde
    [14] las 2 de la tarde
    [15] las 3 de la tarde
    [16] las 4 de la tarde
    [17] las 5 de la tarde
    [18] las 6 de la tarde
    [19] las 7 de la tarde
    [20] las 8 de la noche
    [21] las 9 de la noche
    [22] las 10 de la noche
   *[23] las 11 de la noche
}
time = { $hour ->
    [0] las 12 y { $minute } de la noche
    [1] la una y { $minute } de la madrugada
    [2] las 2 y { $minute } de la madrugada
    [3] las 3 y { $minute } de la madrugada
    [4] las 4 y { $minute } de la madrugada
    [5] las 5 y { $minute } de la madrugada
    [6] las 6 y { $minute } de la mañana
    [7] las 7 y { $minute } de la mañana
    [8] las 8 y { $minute } de la mañana
    [9] las 9 y { $minute } de la mañana
    [10] las 10 y { $minute } de la mañana
    [11] las 11 y { $minute } de la mañana
    [12] las 12 y { $minute } del mediodía
    [13] la una y { $minute } de la tarde
    [14] las 2 y { $minute } de la tarde
    [15] las 3 y { $minute } de la tarde
    [16] las 4 y { $minute } de la tarde
    [17] las 5 y { $minute } de la tarde
    [18] las 6 y { $minute } de la tarde
    [19] las 7 y { $minute } de la tarde
    [20] las 8 y { $minute } de la noche
    [21] las 9 y { $minute } de la noche
    [22] las 10 y { $minute } de la noche
   *[23] las 11 y { $minute } de la noche
}
minute = { $minute ->
    [15] cuarto
    [30] media
   *[other] { $minute }
}
day-of-month = { $day ->
    [1] primero
   *[other] { $day }
}
weekday = { $day ->
    [1] lunes
    [2] martes
    [3] miércoles
    [4] jueves
    [5] viernes
    [6] sábado
   *[7] domingo
}
month = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}

## El teléfono: en lugar de lo que no se puede leer

spoken-link-to = un enlace a { $host }
spoken-link = un enlace
spoken-dot = punto
spoken-code = Algo de código.
spoken-log = Renglones de un registro.
spoken-rest = El resto está en su chat.

## El menú, si el operador no escribe otro: lo que se dice antes de «pulse 1», lo que lee el remitente, y lo que oye quien recibe la llamada

choice-message = Para responder por mensaje
choice-message-reply = { $callee } responderá por mensaje.
choice-message-thanks = Usted responderá por mensaje.
choice-call-back = Para devolver la llamada
choice-call-back-reply = { $callee } le devolverá la llamada.
choice-call-back-thanks = Usted devolverá la llamada.
choice-later = Para responder más tarde
choice-later-reply = { $callee } no puede hablar ahora y se pondrá en contacto más tarde.
choice-later-thanks = Usted se pondrá en contacto más tarde.
