# Höflich mit „Sie“. Zahlen und Zeiten so, wie die Stimme sie richtig ausspricht.

## Chat: was der Absender über eine aufbewahrte Nachricht liest

status-held = { $callee } ist offline. Ihre Nachricht wird aufbewahrt, bis { $callee } online ist.
status-waiting-gathering = { $callee } ist offline. Ihre Nachricht wird aufbewahrt; { $callee } wird { $when } angerufen.
status-waiting-quiet = { $callee } ist offline und wird zu dieser Tageszeit nicht angerufen. Ihre Nachricht wird aufbewahrt; { $callee } wird { $when } angerufen.
status-waiting-throttled = { $callee } ist offline und wurde vorerst oft genug angerufen. Ihre Nachricht wird aufbewahrt; { $callee } wird { $when } angerufen.
status-waiting-retry = Ihre Nachricht wird aufbewahrt. { $callee } wird { $when } noch einmal angerufen.
status-calling = { $callee } ist offline. Ihre Nachricht wird aufbewahrt; { $callee } wird gerade angerufen.
status-ringing = Das Telefon von { $callee } klingelt.
status-answered = Am Telefon von { $callee } wurde abgehoben.
status-heard = { $callee } hat Ihre Nachricht gehört.
status-passed = { $callee } hat am Telefon von Ihrer Nachricht erfahren, sie aber nicht angehört. Sie bleibt aufbewahrt.
status-not-reached = { $why } { $next }
status-delivered = { $callee } war online und hat Ihre Nachricht, zugestellt { $when }.
status-calls-switched-off = { $callee } hat Anrufe abgeschaltet. Ihre Nachricht wird aufbewahrt, bis { $callee } online ist.
status-not-taken = Ihre Nachricht an { $callee } konnte noch nicht zugestellt werden. Sie bleibt aufbewahrt und wird erneut zugestellt.
status-left-with-server = { $callee } war nicht rechtzeitig online. Ihre Nachricht wurde dem Server von { $callee } übergeben, der sie aufbewahren kann; hier wird sie nicht länger aufbewahrt.
status-expired = { $callee } war nicht rechtzeitig zu erreichen. Ihre Nachricht wird nicht länger aufbewahrt.
status-set-aside = Anrufe bei { $callee } wegen Ihrer Nachricht sind abgebrochen. Ein weiterer Anruf ist nicht geplant; Ihre Nachricht bleibt aufbewahrt.
status-taken-back = Zurückgenommen; { $callee } hat nichts davon erfahren.
status-taken-back-unheard = Zurückgenommen; { $callee } hat die Nachricht nicht gehört.
status-heard-before-correction = { $callee } hat Ihre Nachricht am Telefon im früheren Wortlaut gehört.
status-heard-before-retraction = Zurückgenommen, doch { $callee } hat die Nachricht am Telefon gehört. Zugestellt wird sie nicht.

next-call = Der nächste Anruf erfolgt { $when }.
next-call-none = Ein weiterer Anruf ist nicht geplant; Ihre Nachricht bleibt aufbewahrt.

## Wann: innerhalb eines Satzes

when-today = um { $time } Uhr
when-tomorrow = morgen um { $time } Uhr
when-this-week = am { $weekday } um { $time } Uhr
when-later = am { $day }. { $month } um { $time } Uhr

## Warum ein Anruf nicht erreicht hat

not-reached-not-heard = Am Telefon von { $callee } wurde abgehoben, Ihre Nachricht aber nicht angehört.
not-reached-heard-in-part = { $callee } hat den Anfang Ihrer Nachricht gehört; der Anruf endete vor dem Rest.
not-reached-no-answer = { $callee } ist nicht ans Telefon gegangen.
not-reached-machine = Für { $callee } hat ein Anrufbeantworter abgenommen. Ihre Nachricht wurde ihm nicht vorgelesen.
not-reached-busy = Der Anschluss von { $callee } ist besetzt.
not-reached-declined = { $callee } hat den Anruf abgelehnt.
not-reached-wrong-number = { $callee } ist telefonisch nicht zu erreichen: Die Nummer funktioniert nicht.
not-reached-no-sound = Am Telefon von { $callee } wurde abgehoben, aber die Verbindung übertrug keinen Ton.
not-reached-trunk-failed = Der Anruf bei { $callee } kam nicht zustande.
not-reached-cancelled = Der Anruf bei { $callee } wurde abgebrochen.
not-reached-interrupted = Der Anruf bei { $callee } wurde unterbrochen.

## Chat: gesprochene Antworten

voice-note = Gesprochene Antwort von { $callee }, { $seconds } s.
voice-note-cut = Gesprochene Antwort von { $callee }, { $seconds } s. Der Anruf brach ab.
voice-transcript = { $note } Vermutlich: { $text }
voice-late = { $callee } hat eine Antwort aufgesprochen, { $seconds } s. Sie konnte noch nicht übermittelt werden; sie wird aufbewahrt, und der Versuch wird wiederholt.
voice-no-way = { $callee } hat eine Antwort aufgesprochen, { $seconds } s, doch hier ist nichts eingerichtet, um sie zu übermitteln. Sie wird aufbewahrt; bitte fragen Sie den Betreiber.

## Chat: was der Empfänger liest

calls-switched-off = Anrufe wegen Nachrichten sind jetzt abgeschaltet. Senden Sie „on“, um sie wieder einzuschalten.

## Chat: Kontakte

reachable = Telefonisch erreichbar
reachable-later = Nachrichten werden aufbewahrt
reachable-elsewhere = Nachrichten werden weitergeleitet
component = Senden Sie „help“, um die Befehle zu sehen
subscribe = Offhook möchte sehen, wann Sie online sind, um Sie nur dann anzurufen, wenn Sie es nicht sind.

## Chat: was bei einem Fehler gesagt wird

error-nobody = Unter dieser Adresse ist hier niemand bekannt.
error-own-address = Bitte schreiben Sie direkt an { $jid }.
error-not-stored = Der Empfänger ist offline, und die Nachricht darf nicht gespeichert werden.
error-to-oneself = Diese Adresse steht für Sie selbst.
error-too-large = Die Nachricht ist zu groß.
error-too-many = Zu viele Nachrichten in kurzer Zeit. Bitte warten Sie ein wenig.
error-recipient-full = Für diese Person wartet schon so viel, dass nichts mehr aufbewahrt werden kann. Bitte versuchen Sie es später noch einmal.
error-sender-full = Von Ihnen warten schon so viele Nachrichten, dass keine mehr aufbewahrt werden kann. Bitte versuchen Sie es später noch einmal.
error-not-held = Die Nachricht konnte nicht aufbewahrt werden. Bitte versuchen Sie es später noch einmal.

## Chat: Antworten auf Befehle, höchstens sechs Zeilen auf einmal

help =
    Ich bewahre Nachrichten für Sie auf, während Sie offline sind, und rufe Sie deswegen an.
    phone +49… - Ihre Nummer; ich rufe dort an und nenne einen Code
    on / off - anrufen, oder Nachrichten nur aufbewahren
    quiet 22:00-07:30 - keine Anrufe in dieser Zeit
    show - was eingestellt ist; test - jetzt anrufen
    help more - weitere Befehle
help-operator = { " " }(Betreiber: people, all calls, test-call JID, suspend, resume)
help-more =
    second +49… - eine zweite Nummer, wenn niemand abnimmt; second off
    pin 4821 - wird am Telefon verlangt; pin off
    timezone Europe/Berlin; language de
    allow JID; block JID; report JID; unblock JID; everyone; contacts; rules - wer mein Telefon klingeln lassen darf
    calls - die letzten Anrufe
    forget me - alles über mich löschen
welcome = Willkommen. Senden Sie „help“ für alles, was ich kann. Bitte nehmen Sie meine Kontaktanfrage an, damit ich Sie nur anrufe, während Sie offline sind.
stranger = Ich kenne Sie noch nicht. Bitte lassen Sie sich vom Betreiber dieses Servers für Anrufe einrichten.
operator-only = Das darf nur der Betreiber.
number-first = Es gibt noch keine Nummer. Senden Sie „phone“ und Ihre Nummer mit + und Landesvorwahl.
nobody-known = Hier ist niemand bekannt.
not-stored = Das konnte nicht gespeichert werden. Bitte versuchen Sie es später noch einmal.
invalid-command = Diesen Befehl kenne ich nicht. Senden Sie „help“ für alle, die ich kenne.
invalid-command-near = Diesen Befehl kenne ich nicht. Meinten Sie „{ $near }“? Senden Sie „hilfe“ für alle, die ich kenne.
invalid-number = Eine Nummer beginnt mit + und der Landesvorwahl, etwa +493012345678.
invalid-number-near = Meinten Sie { $number }? Dann senden Sie das: Eine Nummer beginnt mit + und der Landesvorwahl.
invalid-code = Der Code hat sechs Ziffern, etwa code 012345.
invalid-quiet = Ruhezeiten sind eine Zeit des Tages, etwa ruhe 22:00-07:30 oder ruhe 22-7; oder „ruhe aus“, oder „ruhe standard“.
invalid-timezone = Diese Zeitzone kenne ich nicht. Ich kenne große Städte wie Berlin, Namen wie Europe/Berlin, und UTC+2.
invalid-timezone-near = Diese Zeitzone kenne ich nicht. Meinten Sie { $zone }? Dann senden Sie „zeitzone { $zone }“.
invalid-language = Diese Sprache kenne ich nicht. Ich kenne: { $known }.
trivial-pin = Diese PIN würde jeder zuerst raten. Bitte nehmen Sie eine, die keine Reihe, kein Jahr, keine Wiederholung und kein Teil Ihrer Nummer ist.
invalid-pin = Eine PIN hat 4 bis 8 Ziffern; oder „pin off“.
invalid-jid = Das ist keine Adresse einer Person, wie etwa alice@example.org.
show =
    Anrufe: { $calls }. { $presence }
    Nummer: { $number }; zweite: { $second }
    Ruhezeit: { $quiet } ({ $zone })
    Wer Ihr Telefon klingeln lassen darf: { $senders }
    { $pin } Sprache: { $language }
    { $agreed }
show-none = keine
show-on = an
show-off = aus
show-domain = Leute Ihres Servers
show-contacts = Ihre Kontakte
show-everyone = alle
show-operators = die des Betreibers
show-pin = Eine PIN ist gesetzt.
show-no-pin = Keine PIN ist gesetzt.
show-agreed = Diesen Anrufen haben Sie am { $date } zugestimmt, indem Sie einen Code zurückgeschickt haben.
show-not-agreed = Der Betreiber hat Ihre Anrufe eingerichtet.
show-online = Sie sind online.
show-offline = Sie sind offline.
show-unseen = Ich sehe nicht, ob Sie online sind: Bitte nehmen Sie meine Kontaktanfrage an.
changed-phone = Sie werden angerufen, wenn eine Nachricht kommt, während Sie offline sind.
changed-no-number = Anrufe sind an, aber es gibt keine Nummer. Senden Sie „phone“ und Ihre Nummer.
changed-blocked = { $sender } darf Ihr Telefon nicht mehr klingeln lassen.
reported = { $sender } darf Ihr Telefon nicht mehr klingeln lassen, und die Betreiber dieses Dienstes erfahren davon.
changed-allowed = { $sender } darf Ihr Telefon klingeln lassen.
changed-store = Sie werden nicht angerufen. Nachrichten werden aufbewahrt, bis Sie online sind. Senden Sie „an“, um wieder angerufen zu werden.
changed-nothing = Es wurde nichts geändert.
changed-default = Wie der Betreiber es eingestellt hat: { $words }
changed-quiet = Ruhezeit ist von { $from } bis { $until } Uhr, { $zone }.
changed-quiet-off = Es gibt keine Ruhezeit: Ihr Telefon darf jederzeit klingeln.
changed-timezone = Ihre Zeitzone ist { $zone }; dort ist es { $time } Uhr.
changed-language = Ihre Sprache ist { $language }.
changed-language-default = Sie haben nun keine eigene Sprache: Was Sie lesen, ist in der Sprache, die Ihr Programm nennt, und Anrufe sind in der des Betreibers.
changed-pin = Ihre PIN ist gesetzt. Sie wird am Telefon verlangt, bevor jemand genannt wird.
changed-pin-off = Am Telefon wird keine PIN verlangt.
changed-domain = Leute Ihres Servers dürfen Ihr Telefon klingeln lassen.
changed-contacts = Ihre Kontakte dürfen Ihr Telefon klingeln lassen.
changed-everyone = Alle dürfen Ihr Telefon klingeln lassen.
changed-no-rule = Für { $sender } gibt es keine Regel mehr. { $others }
changed-number-off = Ihre Nummer ist gelöscht. Sie werden nicht angerufen.
changed-number-default = Ihre Nummer ist gelöscht. Sie werden unter der angerufen, die der Betreiber eingestellt hat.
changed-second-off = Ihre zweite Nummer ist gelöscht.
code-calling = Ich rufe { $number } jetzt an. Drücken Sie dort eine Taste, um einen Code zu hören, und senden Sie ihn mir.
code-not-allowed = Diese Nummer darf von hier nicht gewählt werden.
code-type-refused = { $type ->
    [premium_rate] Das ist eine Premiumnummer; sie wird von hier nicht angerufen.
    [shared_cost] Das ist eine Nummer mit geteilten Kosten; sie wird von hier nicht angerufen.
    [personal_number] Das ist eine persönliche Nummer mit eigenem Preis; sie wird von hier nicht angerufen.
    [satellite] Das ist die Nummer eines Satellitennetzes; sie wird von hier nicht angerufen.
    [pager] Das ist ein Funkrufempfänger; er wird von hier nicht angerufen.
    [voicemail] Das ist eine Mailbox; sie wird von hier nicht angerufen.
    [uan] Das ist eine Firmennummer mit eigenem Preis; sie wird von hier nicht angerufen.
    [short_code] Diese Nummer ist zu kurz, um jemandes Telefon zu sein.
    [emergency] Das gleicht einer Notrufnummer; sie wird von hier nicht angerufen.
    [own] Das ist unsere eigene Nummer.
   *[other] Diese Nummer gibt es nicht. Stimmt eine Ziffer nicht?
}
code-suspended = Der Betreiber hat alle Anrufe ausgesetzt. Bitte versuchen Sie es später noch einmal.
code-too-soon = Ich habe gerade erst angerufen. Bitte warten Sie eine Minute und senden Sie es dann noch einmal.
code-too-many = Heute gab es zu viele solche Anrufe. Bitte versuchen Sie es morgen noch einmal.
code-quiet = Bei dieser Nummer ist jetzt Nachtruhe. Bitte versuchen Sie es am Tag noch einmal.
code-throttled = In letzter Zeit gab es zu viele Anrufe, bei dieser Nummer, für Sie oder insgesamt. Bitte versuchen Sie es später noch einmal.
code-heard = Bitte senden Sie mir die sechs Ziffern, die Sie gehört haben. Sie gelten 15 Minuten.
code-not-heard = Es wurde abgenommen, aber keine Taste gedrückt. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-busy = Die Leitung ist besetzt. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-no-answer = Niemand hat abgenommen. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-declined = Der Anruf wurde abgelehnt.
code-wrong-number = Diese Nummer funktioniert nicht.
code-no-sound = Der Anruf wurde angenommen, aber die Verbindung übertrug keinen Ton. Bitte versuchen Sie es später noch einmal.
code-failed = Der Anruf kam nicht zustande. Bitte versuchen Sie es später noch einmal.
code-right = Bestätigt: { $number }. Dort werden Sie angerufen, wenn eine Nachricht kommt, während Sie offline sind. Senden Sie „off“, wenn Sie das nicht wollen.
code-right-second = Bestätigt: { $number }. Sie wird angerufen, wenn unter der ersten niemand abnimmt.
code-wrong = { $left ->
    [0] Das ist nicht der Code; er gilt nun nicht mehr. Senden Sie „phone“ und die Nummer für einen neuen.
    [one] Das ist nicht der Code. Sie haben noch einen Versuch.
   *[other] Das ist nicht der Code. Sie haben noch { $left } Versuche.
}
code-none = Ich warte auf keinen Code. Senden Sie zuerst „phone“ und Ihre Nummer; ein Code gilt 15 Minuten.
number-lost = Ihre Nummer hat soeben jemand anderes bestätigt; sie gehört hier nicht mehr Ihnen. Ist das falsch, senden Sie „phone“ und Ihre Nummer.
number-changed = Ihre Nummer wurde soeben geändert. Waren Sie das nicht, ändern Sie das Passwort Ihres Kontos und senden Sie „phone“ und Ihre Nummer.
test-message = Dies ist der Testanruf, um den Sie gebeten haben.
test-coming = Ihr Telefon klingelt wie bei einer wartenden Nachricht. Wie es ausging, lesen Sie hier.
no-calls = Es gab keine Anrufe.
no-rules = Es gibt keine Regeln für einzelne Absender. Senden Sie „allow“ oder „block“ und eine Adresse für eine Regel.
call-answered = { $at } angenommen, { $seconds } s
call-no-answer = { $at } nicht angenommen
call-machine = { $at } ein Anrufbeantworter, { $seconds } s
call-busy = { $at } besetzt
call-declined = { $at } abgelehnt
call-wrong-number = { $at } Nummer funktioniert nicht
call-no-sound = { $at } angenommen, aber die Verbindung übertrug keinen Ton
call-failed = { $at } kam nicht zustande
call-cancelled = { $at } abgebrochen
call-running = { $at } jetzt
forget-sure = Das löscht Ihre Nummer, Ihre Einstellungen und jede Nachricht, die für Sie aufbewahrt wird oder von Ihnen ist, auch die, die auf andere warten. Senden Sie „forget me now“, wenn Sie sicher sind.
forget-later = Gerade läuft ein Anruf mit Ihnen oder wegen einer Nachricht von Ihnen. Bitte fragen Sie danach noch einmal.
forgotten = Alles über Sie ist gelöscht. Was bleibt, trägt keinen Namen: wie oft Telefone geklingelt haben, dreißig Tage lang, und dass Sie darum gebeten haben, neunzig.
forgotten-but-configured = Alles, was Sie eingestellt oder geschrieben haben, ist gelöscht. Was bleibt, trägt keinen Namen: wie oft Telefone geklingelt haben, dreißig Tage lang, und dass Sie darum gebeten haben, neunzig. Auch der Betreiber hat Sie eingerichtet; bitte lassen Sie das vom Betreiber beenden.
suspended = Ab jetzt wird nicht mehr angerufen. Nachrichten bleiben aufbewahrt. Senden Sie „resume“, damit es weitergeht.
resumed = Es wird wieder angerufen.

gateway-description = Nachrichten an diese Person werden aufbewahrt und am Telefon gesagt, während sie offline ist.

## Chat: was Betreibern und Leuten ungefragt gesagt wird

alert-calls = { $percent } % der Anrufe eines Tages ({ $max }) sind gemacht.
alert-calls-to = { $percent } % der Anrufe eines Tages nach { $prefix } ({ $max }) sind gemacht.
alert-minutes = { $percent } % der Minuten eines Tages ({ $max }) sind verbraucht.
alert-minutes-to = { $percent } % der Minuten eines Tages nach { $prefix } ({ $max }) sind verbraucht.
alert-limit-reached = Weitere Anrufe warten, bis wieder Platz ist.
alert-codes = { $count } Codes wurden innerhalb einer Stunde angefordert, und keiner davon kam zurück. „offhook calls“ zeigt, von wem.
alert-number = { $count } Konten haben einen Code unter einer Nummer angefordert, die mit +{ $area } beginnt. „offhook calls“ zeigt, welche.
alert-pin-locked = Für { $person } wurden zu viele falsche PINs eingegeben. Am Telefon wird einen Tag lang nichts vorgelesen, oder bis eine andere PIN gesetzt ist.
alert-wrong-pin = Am Telefon wurde für Ihre Nachrichten eine falsche PIN eingegeben. Wenn Sie das nicht waren, senden Sie „pin“ und andere Ziffern.
alert-your-pin-locked = Am Telefon wurden für Ihre Nachrichten zu viele falsche PINs eingegeben. Dort wird einen Tag lang nichts vorgelesen, oder bis Sie „pin“ und andere Ziffern senden.
alert-trunk-failed = Der Trunk { $trunk } versagt. Anrufe nehmen einen anderen oder warten.
alert-trunk-works = Der Trunk { $trunk } vermittelt wieder Anrufe.
alert-reported = { $person } meldet { $sender } und hat die Adresse gesperrt.

## Formulare

command-settings = Einstellungen
command-number = Meine Telefonnummer setzen
command-code = Den gehörten Code eingeben
command-show = Zeigen, was eingestellt ist
command-sender = Wer mein Telefon klingeln lassen darf
command-rules = Regeln für einzelne Absender
command-test = Jetzt anrufen
command-calls = Die letzten Anrufe
command-forget = Alles über mich löschen
command-people = Betreiber: Leute
command-all-calls = Betreiber: die letzten Anrufe
command-test-call = Betreiber: Testanruf
command-suspend = Betreiber: Anrufe aussetzen oder fortsetzen
instructions-settings = Für ein leeres Feld gilt die Einstellung des Betreibers. Eine neue Nummer wird zuerst angerufen und nennt einen Code.
instructions-number = Ihre Nummer, mit + und Landesvorwahl. Sie wird zuerst angerufen und nennt einen Code.
instructions-code = Die sechs Ziffern, die am Telefon genannt wurden.
instructions-sender = Eine Regel für einen Absender, oder für alle anderen.
instructions-forget = Das löscht Ihre Nummer, Ihre Einstellungen und jede Nachricht, die für Sie aufbewahrt wird oder von Ihnen ist, auch die, die auf andere warten.
instructions-test-call = Wer angerufen werden soll.
instructions-suspend = Solange Anrufe ausgesetzt sind, bleiben Nachrichten aufbewahrt.
field-number = Nummer
field-offline = Wenn ich offline bin
field-phone = Anrufen
field-store = Nachrichten nur aufbewahren
field-quiet = Ruhezeit, etwa 22:00-07:30, oder off
field-timezone = Zeitzone, etwa Europe/Berlin
field-language = Sprache, etwa de
field-pin = PIN, 4 bis 8 Ziffern; leer für keine
field-code = Code
field-rule = Regel
field-allow = Dieser Absender darf
field-block = Dieser Absender darf nicht
field-report = Diesen Absender sperren und melden
field-no-rule = Keine Regel für diesen Absender
field-everyone = Alle dürfen
field-contacts = Meine Kontakte dürfen
field-domain = Leute meines Servers dürfen
field-default = Wie der Betreiber es eingestellt hat
field-jid = Adresse
field-sure = Sind Sie sicher?
field-yes = Ja
field-no = Nein
field-suspended = Anrufe
field-suspend = Aussetzen
field-resume = Fortsetzen

## Telefon: eine Nummer bestätigen

code-question = Guten Tag. Dies ist ein Anruf von { $domain }, wegen Chat-Nachrichten. Jemand hat um einen Code für diese Nummer gebeten. Um den Code zu hören, drücken Sie die { $hear }. Wenn Sie nicht darum gebeten haben, drücken Sie zweimal die { $stop }: Diese Nummer wird dann nicht mehr wegen eines Codes angerufen.
code-refuse-question = Damit diese Nummer nie wieder wegen eines Codes angerufen wird, drücken Sie noch einmal die { $stop }. Um den Code zu hören, drücken Sie die { $hear }.
code-refused = Diese Nummer wird nie wieder wegen eines Codes angerufen. Auf Wiederhören.
code-spoken = Der Code ist: { $digits } Noch einmal: { $digits } Bitte senden Sie ihn im Chat. Auf Wiederhören.
code-goodbye = Auf Wiederhören.
pin-question = { $count ->
    [one] Guten Tag. Eine Nachricht wartet. Bitte geben Sie Ihre PIN ein.
   *[other] Guten Tag. { $count } Nachrichten warten. Bitte geben Sie Ihre PIN ein.
}
pin-wrong = Das ist nicht die PIN.
pin-locked = { $count ->
    [one] Hallo. Es wartet 1 Nachricht. Es wurden zu viele falsche PINs eingegeben; darum wird sie jetzt nicht am Telefon vorgelesen. Bitte lesen Sie sie im Chat. Auf Wiederhören.
   *[other] Hallo. Es warten { $count } Nachrichten. Es wurden zu viele falsche PINs eingegeben; darum werden sie jetzt nicht am Telefon vorgelesen. Bitte lesen Sie sie im Chat. Auf Wiederhören.
}
pin-needed = Hallo. Nachrichten werden hier nur nach einer PIN vorgelesen, und Sie haben noch keine. Bitte senden Sie diesem Dienst im Chat das Wort pin und vier bis acht Ziffern. Rufen Sie dann wieder an. Auf Wiederhören.

## Chat und Telefon

attachment-audio = Eine Sprachnachricht oder ein anderer Ton.
attachment-image = Ein Bild.
attachment-video = Ein Video.
attachment-file = Eine Datei.
encrypted = Die Nachricht ist verschlüsselt und kann nicht vorgelesen werden.

## Telefon: der Anruf

phone-greeting = Hallo, { $callee }. { $count ->
    [one] { $arrival }
   *[other] Es sind { $count } Nachrichten gekommen. Die erste: { $arrival }
}
phone-greeting-continued = Hallo, { $callee }. Dies ist die Fortsetzung eines früheren Anrufs. { $count ->
    [one] { $arrival }
   *[other] Es sind { $count } Nachrichten gekommen. Die erste: { $arrival }
}
phone-number-question = Guten Tag. Bitte geben Sie Ihre Telefonnummer mit Landesvorwahl ein und drücken Sie dann die { $enter }.
phone-whose-pin-question = Bitte geben Sie Ihre PIN ein und drücken Sie dann die { $enter }.
phone-not-known = Nummer und PIN passen nicht zusammen.
phone-nothing-waits = Guten Tag. Es wartet keine Nachricht. Auf Wiederhören.
phone-next = Die nächste Nachricht. { $arrival }
phone-just-arrived = Gerade ist noch eine Nachricht gekommen. { $arrival }
phone-press-to-hear = Um sie zu hören, drücken Sie die { $hear }.
phone-menu = { $choices } Um die Nachricht noch einmal zu hören, drücken Sie die { $repeat }. Um fortzufahren, drücken Sie die { $skip }.
phone-menu-with-voice = { $choices } Um eine Antwort aufzusprechen, drücken Sie die { $record }. Um die Nachricht noch einmal zu hören, drücken Sie die { $repeat }. Um fortzufahren, drücken Sie die { $skip }.
phone-choice = { $say }, drücken Sie die { $key }.
phone-key-star = Stern-Taste
phone-key-hash = Raute-Taste
phone-no-match = Diese Taste hat hier keine Bedeutung.
phone-explanation = Dies ist ein Anruf wegen Nachrichten im Chat, die gekommen sind, während Sie offline waren. Die { $repeat } wiederholt, die { $skip } führt zur nächsten Nachricht. Um diese Anrufe für immer abzuschalten, drücken Sie zweimal die { $stop }.
phone-explanation-hear-first = Dies ist ein Anruf wegen Nachrichten im Chat, die gekommen sind, während Sie offline waren. Die { $hear } liest die Nachricht vor. Die { $repeat } wiederholt, die { $skip } führt zur nächsten Nachricht. Um diese Anrufe für immer abzuschalten, drücken Sie zweimal die { $stop }.
phone-stop-question = Um diese Anrufe für immer abzuschalten, drücken Sie noch einmal die { $stop }. Um fortzufahren, drücken Sie die { $skip }.
phone-stopped = Diese Anrufe sind abgeschaltet. Ihre Nachrichten warten im Chat auf Sie. Auf Wiederhören.
phone-thanks = { $words } Vielen Dank.
phone-not-stored = Leider konnte Ihre Auswahl nicht gespeichert werden. Bitte antworten Sie im Chat. Auf Wiederhören.
phone-unspeakable = Diese Nachricht kann nicht vorgelesen werden. Sie wartet im Chat auf Sie.
phone-machine = Guten Tag. Dies ist ein automatischer Anruf. Jemand hat versucht, Sie zu erreichen. Bitte schauen Sie in Ihren Chat. Auf Wiederhören.
phone-goodbye = Das war alles. Auf Wiederhören.
phone-goodbye-unanswered = Ihre Nachrichten warten im Chat auf Sie. Auf Wiederhören.

## Telefon: gesprochene Antworten

phone-consent = Ihre Antwort wird an { $sender } gesendet. Sprechen Sie nach dem Signalton, und drücken Sie die { $end-recording }, wenn Sie fertig sind.
phone-speak-again = Sprechen Sie nach dem Signalton, und drücken Sie die { $end-recording }, wenn Sie fertig sind.
phone-too-short = Das war zu kurz.
phone-send-question = Um Ihre Antwort zu senden, drücken Sie die { $send }. Um sie anzuhören, drücken Sie die { $listen }. Um sie neu aufzunehmen, drücken Sie die { $record-again }.
phone-voice-sent = Ihre Antwort wird an { $sender } gesendet.

## Telefon: wer geschrieben hat, und wann

phone-arrived-today = Um { $time } kam eine Nachricht von { $sender } an.
phone-arrived-yesterday = Gestern um { $time } kam eine Nachricht von { $sender } an.
phone-arrived-this-week = Am { $weekday } um { $time } kam eine Nachricht von { $sender } an.
phone-arrived-before = Am { $day } { $month } um { $time } kam eine Nachricht von { $sender } an.
phone-sender-elsewhere = { $name } bei { $domain }

# „14:05 Uhr“ und „2. November“ spricht die Stimme falsch aus.
time-full-hour = { $hour ->
    [1] ein
   *[other] { $hour }
} Uhr
time = { $hour ->
    [1] ein
   *[other] { $hour }
} Uhr { $minute }
day-of-month = { $day ->
    [1] ersten
    [2] zweiten
    [3] dritten
    [4] vierten
    [5] fünften
    [6] sechsten
    [7] siebten
    [8] achten
    [9] neunten
    [10] zehnten
    [11] elften
    [12] zwölften
    [13] dreizehnten
    [14] vierzehnten
    [15] fünfzehnten
    [16] sechzehnten
    [17] siebzehnten
    [18] achtzehnten
    [19] neunzehnten
    [20] zwanzigsten
    [21] einundzwanzigsten
    [22] zweiundzwanzigsten
    [23] dreiundzwanzigsten
    [24] vierundzwanzigsten
    [25] fünfundzwanzigsten
    [26] sechsundzwanzigsten
    [27] siebenundzwanzigsten
    [28] achtundzwanzigsten
    [29] neunundzwanzigsten
    [30] dreißigsten
   *[31] einunddreißigsten
}
weekday = { $day ->
    [1] Montag
    [2] Dienstag
    [3] Mittwoch
    [4] Donnerstag
    [5] Freitag
    [6] Samstag
   *[7] Sonntag
}
month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}

## Telefon: anstelle dessen, was nicht vorgelesen werden kann

spoken-link-to = ein Link zu { $host }
spoken-link = ein Link
spoken-dot = Punkt
spoken-code = Etwas Programmcode.
spoken-log = Zeilen aus einem Protokoll.
spoken-rest = Der Rest steht in Ihrem Chat.

## Das Menü, wenn der Betreiber kein anderes schreibt: was vor „drücken Sie die 1“ gesagt wird, und was der Absender liest

choice-message = Um per Nachricht zu antworten
choice-message-reply = { $callee } antwortet per Nachricht.
choice-call-back = Um zurückzurufen
choice-call-back-reply = { $callee } ruft zurück.
choice-later = Um später zu antworten
choice-later-reply = { $callee } kann gerade nicht sprechen und meldet sich später.
