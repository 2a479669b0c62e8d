# On vouvoie. Devant un nom rempli, ni « de » ni « que », qu'une voyelle changerait.

## La messagerie : ce que l'expéditeur lit d'un message conservé

status-held = { $callee } est hors ligne. Votre message est conservé jusqu'à son retour en ligne.
status-waiting-gathering = { $callee } est hors ligne. Votre message est conservé ; un appel lui sera passé { $when }.
status-waiting-quiet = { $callee } est hors ligne et ne reçoit pas d'appel à cette heure-ci. Votre message est conservé ; un appel lui sera passé { $when }.
status-waiting-throttled = { $callee } est hors ligne et a reçu assez d'appels pour le moment. Votre message est conservé ; un appel lui sera passé { $when }.
status-waiting-retry = Votre message est conservé. { $callee } recevra un nouvel appel { $when }.
status-calling = { $callee } est hors ligne. Votre message est conservé ; un appel lui est passé en ce moment.
status-ringing = Le téléphone sonne chez { $callee }.
status-answered = On a décroché chez { $callee }.
status-heard = { $callee } a entendu votre message.
status-heard-all = { $callee } a entendu vos { $all } messages.
status-heard-some = { $callee } a entendu { $told } de vos { $all } messages.
status-not-read-aloud = { $callee } a appris par téléphone que vous avez écrit. Votre message n'a pas été lu à haute voix, il est chiffré.
status-passed = { $callee } a appris par téléphone l'arrivée de votre message, mais ne l'a pas écouté. Il reste conservé.
status-not-reached = { $why } { $next }
status-delivered = { $callee } est de nouveau en ligne et a reçu votre message.
status-delivered-all = { $callee } est de nouveau en ligne et a reçu vos { $all } messages.
status-delivered-some = { $callee } est de nouveau en ligne et a reçu { $told } de vos { $all } messages.
status-calls-switched-off = { $callee } a désactivé les appels. Votre message est conservé jusqu'à son retour en ligne.
status-not-taken = Votre message pour { $callee } n'a pas encore pu être remis. Il reste conservé et sera présenté à nouveau.
status-left-with-server = { $callee } n'était pas en ligne à temps. Votre message a été confié à son serveur, qui le garde peut-être ; il n'est plus conservé ici.
status-expired = Impossible de joindre { $callee } à temps. Votre message n'est plus conservé.
status-set-aside = Les appels vers { $callee } au sujet de votre message ont été interrompus. Aucun autre appel n'est prévu ; votre message reste conservé.
status-taken-back = Retiré ; { $callee } n'en a rien su.
status-taken-back-unheard = Retiré ; { $callee } ne l'a pas entendu.
status-heard-before-correction = { $callee } a entendu votre message au téléphone tel qu'il était avant la correction.
status-heard-before-retraction = Retiré, mais { $callee } l'a entendu au téléphone. Il ne sera pas remis.

next-call = Le prochain appel aura lieu { $when }.
next-call-none = Aucun autre appel n'est prévu ; votre message reste conservé.

## Quand : à l'intérieur d'une phrase

when-today = à { $time }
when-tomorrow = demain à { $time }
when-this-week = { $weekday } à { $time }
when-later = le { $day } { $month } à { $time }
when-soon = { $minutes ->
    [one] dans une minute
   *[other] dans { $minutes } minutes
}
when-there = { $when }, heure locale chez { $callee }

## Pourquoi un appel n'a pas abouti

not-reached-not-heard = On a décroché chez { $callee }, mais votre message n'a pas été écouté.
not-reached-heard-in-part = { $callee } a entendu le début de votre message ; l'appel s'est terminé avant la suite.
not-reached-no-answer = { $callee } n'a pas répondu au téléphone.
not-reached-machine = Un répondeur a pris l'appel destiné à { $callee }. Votre message ne lui a pas été lu.
not-reached-busy = La ligne est occupée chez { $callee }.
not-reached-declined = { $callee } a refusé l'appel.
not-reached-wrong-number = Impossible d'appeler { $callee } : le numéro ne fonctionne pas.
not-reached-no-sound = On a décroché chez { $callee }, mais la ligne ne transmettait aucun son.
not-reached-trunk-failed = L'appel vers { $callee } n'a pas pu être passé.
not-reached-cancelled = L'appel vers { $callee } a été annulé.
not-reached-interrupted = L'appel vers { $callee } a été interrompu.

## La messagerie : réponses vocales

voice-note = Réponse vocale : { $callee }, { $seconds } s.
voice-note-cut = Réponse vocale : { $callee }, { $seconds } s. L'appel a été coupé.
voice-transcript = { $note } Probablement : { $text }
voice-late = { $callee } a enregistré une réponse vocale, { $seconds } s. Elle n'a pas encore pu être transmise ; elle est conservée et sera présentée à nouveau.
voice-no-way = { $callee } a enregistré une réponse vocale, { $seconds } s, mais rien n'est prévu ici pour la transmettre. Elle est conservée ; adressez-vous à l'exploitant du service.

## La messagerie : ce que lit le destinataire

calls-switched-off = Les appels au sujet de vos messages sont désactivés. Envoyez « on » pour les réactiver.
call-missed = { $sender } a essayé de vous appeler à { $time }.
invited = { $sender } vous invite dans le salon { $room }.

## La messagerie : contacts

reachable = Joignable par téléphone
reachable-later = Les messages sont conservés
reachable-elsewhere = Les messages sont transmis
component-description = Vous appelle au téléphone quand des messages vous attendent.
component = Envoyez « help » pour la liste des commandes
subscribe = Offhook demande à voir si vous êtes en ligne, afin de ne vous appeler que si vous ne l'êtes pas.

## La messagerie : ce que dit une erreur

error-nobody = Personne n'est connu ici à cette adresse.
error-nobody-near = Personne n'est connu ici à cette adresse. Vouliez-vous dire { $address } ?
error-malformed = Ce n'est pas une adresse. On écrit à une personne sous la forme bob@phone.example.org ou bob\40example.org@phone.example.org, avec ce service à la place de phone.example.org.
error-own-address = Écrivez directement à { $jid }.
error-not-stored = Le destinataire est hors ligne, et le message ne doit pas être conservé.
error-to-oneself = Cette adresse est la vôtre.
error-too-large = Le message est trop long.
error-too-many = Trop de messages en peu de temps. Veuillez patienter un peu.
error-recipient-full = Tant de messages attendent cette personne que rien de plus ne peut être conservé. Réessayez plus tard.
error-sender-full = Tant de vos messages sont en attente qu'aucun autre ne peut être conservé. Réessayez plus tard.
error-not-held = Le message n'a pas pu être conservé. Réessayez plus tard.

## La messagerie : réponses aux commandes, six lignes au plus

help =
    Je conserve les messages qui arrivent pendant que vous êtes hors ligne, et je vous appelle pour vous les lire.
    phone +33… - indique votre numéro ; je l'appelle pour y dire un code
    on / off - m'appeler, ou seulement conserver mes messages
    quiet 22:00-07:30 - aucun appel à ces heures
    show - vos réglages ; test - m'appeler maintenant
    help more - les autres commandes
help-operator = { " " }(exploitant : people, all calls, test-call JID, suspend, resume)
help-more =
    second +33… - un autre numéro, si personne ne répond ; second off
    pin 4821 - demandé au téléphone ; pin off
    timezone Europe/Paris ; language fr ; slow - la voix parle lentement
    allow JID ; block JID ; report JID ; unblock JID ; everyone ; contacts ; rules - qui peut faire sonner mon téléphone
    calls - les derniers appels
    forget me - efface tout ce qui me concerne
welcome = Bienvenue. Envoyez « help » pour savoir ce que je peux faire. Acceptez ma demande de contact, afin que je ne vous appelle que lorsque vous êtes hors ligne.
stranger = Je ne vous connais pas encore. Demandez à l'exploitant de ce serveur de configurer les appels pour vous.
operator-only = Seul l'exploitant peut faire cela.
number-first = Il n'y a pas encore de numéro. Envoyez « phone » suivi de votre numéro avec + et l'indicatif du pays.
nobody-known = Personne n'est connu ici.
not-stored = Cela n'a pas pu être enregistré. Réessayez plus tard.
invalid-command = Je ne connais pas cette commande. Envoyez « help » pour la liste.
invalid-command-near = Je ne connais pas cette commande. Vouliez-vous dire « { $near } » ? Envoyez « help » pour la liste.
invalid-number = Un numéro s'écrit avec + et l'indicatif du pays, par exemple +33123456789.
invalid-number-near = Vouliez-vous dire { $number } ? Alors envoyez-le ainsi : un numéro s'écrit avec + et l'indicatif du pays.
invalid-code = Le code a six chiffres, par exemple code 012345.
invalid-quiet = Les heures de silence sont une plage de la journée, par exemple quiet 22:00-07:30 ou quiet 22-7 ; ou « quiet off », ou « quiet default ».
invalid-timezone = Je ne connais pas ce fuseau horaire. Je connais les grandes villes, comme Paris, des noms comme Europe/Paris, et UTC+2.
invalid-timezone-near = Je ne connais pas ce fuseau horaire. Vouliez-vous dire { $zone } ? Alors envoyez « timezone { $zone } ».
invalid-language = Je ne connais pas cette langue. Je connais : { $known }.
trivial-pin = Tout le monde essaierait d'abord ce code PIN. Choisissez-en un qui ne soit ni une suite, ni une année, ni une répétition, ni une partie de votre numéro.
invalid-pin = Un code PIN a de 4 à 8 chiffres ; ou « pin off ».
invalid-jid = Ce n'est pas l'adresse d'une personne, comme alice@example.org.
show =
    Appels : { $calls }. { $presence }
    Numéro : { $number } ; second : { $second }
    Heures de silence : { $quiet } ({ $zone })
    Qui peut faire sonner votre téléphone : { $senders }
    { $pin } Langue : { $language } ; { $pace }
    { $agreed }
show-none = aucun
show-on = activés
show-off = désactivés
show-domain = les personnes de votre serveur
show-contacts = vos contacts
show-everyone = tout le monde
show-operators = au choix de l'exploitant
show-slow = débit lent
show-usual-pace = débit habituel
show-pin = Un code PIN est défini.
show-no-pin = Aucun code PIN n'est défini.
show-agreed = Vous avez accepté ces appels le { $date }, en renvoyant un code.
show-not-agreed = L'exploitant a configuré vos appels.
show-online = Vous êtes en ligne.
show-offline = Vous êtes hors ligne.
show-unseen = Je ne peux pas voir si vous êtes en ligne : acceptez ma demande de contact.
changed-phone = Vous recevrez un appel quand un message arrivera pendant que vous êtes hors ligne.
changed-no-number = Les appels sont activés, mais il n'y a pas de numéro à appeler. Envoyez « phone » suivi de votre numéro.
changed-blocked = { $sender } ne peut plus faire sonner votre téléphone.
reported = { $sender } ne peut plus faire sonner votre téléphone, et les exploitants de ce service en sont informés.
changed-allowed = { $sender } peut faire sonner votre téléphone.
changed-store = Vous ne recevrez pas d'appels. Les messages sont conservés jusqu'à votre retour en ligne. Envoyez « on » pour recevoir de nouveau des appels.
changed-nothing = Rien n'a changé.
changed-default = Selon le réglage de l'exploitant : { $words }
changed-quiet = Les heures de silence vont de { $from } à { $until }, { $zone }.
changed-quiet-off = Il n'y a pas d'heures de silence : votre téléphone peut sonner à tout moment.
changed-timezone = Votre fuseau horaire est { $zone } ; il y est { $time }.
changed-language = Votre langue : { $language }.
changed-language-default = Vous n'avez plus de langue à vous : vous lirez celle que votre client indique, et les appels seront dans celle de l'exploitant.
changed-slow = La voix au téléphone vous parle lentement.
changed-slow-off = La voix au téléphone parle à son débit habituel.
changed-pin = Votre code PIN est défini. Il est demandé au téléphone avant que quiconque soit nommé.
changed-pin-off = Aucun code PIN n'est demandé au téléphone.
changed-domain = Les personnes de votre serveur peuvent faire sonner votre téléphone.
changed-contacts = Vos contacts peuvent faire sonner votre téléphone.
changed-everyone = Tout le monde peut faire sonner votre téléphone.
changed-no-rule = Il n'y a plus de règle pour { $sender }. { $others }
changed-number-off = Votre numéro est effacé. Vous ne recevrez pas d'appels.
changed-number-default = Votre numéro est effacé. Les appels iront à celui que l'exploitant a choisi.
changed-second-off = Votre second numéro est effacé.
code-calling = J'appelle maintenant le { $number }. Appuyez-y sur une touche pour entendre un code, et envoyez-le-moi.
code-not-allowed = Ce numéro ne peut pas être appelé d'ici.
code-type-refused = { $type ->
    [premium_rate] C'est un numéro surtaxé, qui n'est pas appelé d'ici.
    [shared_cost] C'est un numéro à coûts partagés, qui n'est pas appelé d'ici.
    [personal_number] C'est un numéro personnel à tarif propre, qui n'est pas appelé d'ici.
    [satellite] C'est un numéro d'un réseau satellite, qui n'est pas appelé d'ici.
    [pager] C'est un récepteur d'appels, qui n'est pas appelé d'ici.
    [voicemail] C'est une messagerie vocale, qui n'est pas appelée d'ici.
    [uan] C'est un numéro d'entreprise à tarif propre, qui n'est pas appelé d'ici.
    [short_code] Ce numéro est trop court pour être un téléphone.
    [emergency] Cela ressemble à un numéro d'urgence, qui n'est pas appelé d'ici.
    [own] C'est notre propre numéro.
   *[other] Ce numéro n'existe pas. Y a-t-il un chiffre faux ?
}
code-suspended = L'exploitant a suspendu tous les appels pour le moment. Réessayez plus tard.
code-too-soon = Je viens d'appeler. Attendez une minute, puis renvoyez-le.
code-too-many = Il y a eu trop d'appels de ce genre aujourd'hui. Réessayez demain.
code-quiet = Il fait nuit à ce numéro. Réessayez pendant la journée.
code-throttled = Il y a eu trop d'appels récemment, vers ce numéro, pour vous ou au total. Réessayez plus tard.
code-heard = Envoyez-moi les six chiffres que vous avez entendus. Ils sont valables 15 minutes.
code-not-heard = On a décroché, mais aucune touche n'a été pressée. Envoyez « phone » et le numéro pour réessayer.
code-busy = La ligne est occupée. Envoyez « phone » et le numéro pour réessayer.
code-no-answer = Personne n'a répondu. Envoyez « phone » et le numéro pour réessayer.
code-declined = L'appel a été refusé.
code-wrong-number = Ce numéro ne fonctionne pas.
code-no-sound = On a décroché, mais la ligne ne transmettait aucun son. Réessayez plus tard.
code-failed = L'appel n'a pas pu être passé. Réessayez plus tard.
code-right = Vérifié : { $number }. Vous y recevrez un appel quand un message arrivera pendant que vous êtes hors ligne. Envoyez « off » si vous ne le souhaitez pas.
code-right-second = Vérifié : { $number }. Il est appelé quand personne ne répond au premier.
code-wrong = { $left ->
    [0] Ce n'est pas le code, et il n'est plus valable. Envoyez « phone » et le numéro pour en recevoir un nouveau.
    [one] Ce n'est pas le code. Il vous reste un essai.
   *[other] Ce n'est pas le code. Il vous reste { $left } essais.
}
code-none = Je n'attends aucun code. Envoyez d'abord « phone » et votre numéro ; un code est valable 15 minutes.
number-lost = Votre numéro vient d'être vérifié par quelqu'un d'autre et n'est plus le vôtre ici. Si c'est une erreur, envoyez « phone » et votre numéro.
number-changed = Votre numéro vient d'être changé. Si ce n'était pas vous, changez le mot de passe de votre compte et envoyez « phone » et votre numéro.
test-message = Voici l'appel d'essai que vous avez demandé.
test-coming = Votre téléphone va sonner comme pour un message en attente. Vous lirez ici ce qu'il en a été.
no-calls = Il n'y a pas eu d'appel.
no-rules = Il n'y a pas de règle pour un expéditeur particulier. Envoyez « allow » ou « block » et une adresse pour en fixer une.
call-answered = { $at } décroché, { $seconds } s
call-no-answer = { $at } pas de réponse
call-machine = { $at } un répondeur, { $seconds } s
call-busy = { $at } occupé
call-declined = { $at } refusé
call-wrong-number = { $at } le numéro ne fonctionne pas
call-no-sound = { $at } décroché, mais la ligne ne transmettait aucun son
call-failed = { $at } n'a pas pu être passé
call-cancelled = { $at } annulé
call-running = { $at } en cours
forget-sure = Cela efface votre numéro, vos réglages et tous les messages conservés pour vous ou écrits par vous, y compris ceux qui attendent d'autres personnes. Pour confirmer, envoyez « forget me now ».
forget-later = Un appel avec vous, ou au sujet d'un de vos messages, est en cours. Redemandez quand il sera terminé.
forgotten = Tout ce qui vous concerne est effacé. Ce qui reste ne porte aucun nom : combien de fois des téléphones ont sonné, pendant trente jours, et le fait que vous avez demandé cet effacement, pendant quatre-vingt-dix.
forgotten-but-configured = Tout ce que vous avez réglé ou écrit est effacé. Ce qui reste ne porte aucun nom : combien de fois des téléphones ont sonné, pendant trente jours, et le fait que vous avez demandé cet effacement, pendant quatre-vingt-dix. L'exploitant a lui aussi configuré ce service pour vous ; demandez-lui d'y mettre fin.
suspended = Plus aucun appel n'est passé à partir de maintenant. Les messages restent conservés. Envoyez « resume » pour reprendre.
resumed = Les appels reprennent.

gateway-description = Les messages pour cette personne sont conservés et annoncés par téléphone tant qu'elle est hors ligne.

## La messagerie : ce que l'exploitant et chacun apprennent sans l'avoir demandé

alert-calls = { $percent } % des appels d'une journée ({ $max }) ont été passés.
alert-calls-to = { $percent } % des appels d'une journée vers { $prefix } ({ $max }) ont été passés.
alert-minutes = { $percent } % des minutes d'une journée ({ $max }) sont utilisées.
alert-minutes-to = { $percent } % des minutes d'une journée vers { $prefix } ({ $max }) sont utilisées.
alert-limit-reached = Les appels suivants attendent qu'il y ait de nouveau de la place.
alert-codes = { $count } codes ont été demandés en une heure, et aucun n'a été renvoyé. « offhook calls » montre qui les a demandés.
alert-number = { $count } comptes ont demandé un code pour un même numéro qui commence par +{ $area }. « offhook calls » montre lesquels.
alert-pin-locked = Trop de codes PIN faux ont été composés pour { $person }. Rien ne lui est lu au téléphone pendant un jour, ou jusqu'à ce qu'un autre code PIN soit défini.
alert-wrong-pin = Un code PIN faux a été composé au téléphone pour vos messages. Si ce n'était pas vous, envoyez « pin » suivi d'autres chiffres.
alert-your-pin-locked = Trop de codes PIN faux ont été composés au téléphone pour vos messages. Ils n'y sont plus lus pendant un jour, ou jusqu'à ce que vous envoyiez « pin » suivi d'autres chiffres.
alert-trunk-failed = Le trunk { $trunk } est en panne. Les appels passent par un autre, ou attendent.
alert-trunk-works = Le trunk { $trunk } achemine de nouveau les appels.
alert-reported = { $person } signale { $sender } et a bloqué cette adresse.

## Formulaires

command-settings = Réglages
command-number = Indiquer mon numéro de téléphone
command-code = Saisir le code que j'ai entendu
command-show = Afficher mes réglages
command-sender = Qui peut faire sonner mon téléphone
command-rules = Règles pour certains expéditeurs
command-test = M'appeler maintenant
command-calls = Les derniers appels
command-forget = Effacer tout ce qui me concerne
command-people = Exploitant : personnes
command-all-calls = Exploitant : les derniers appels
command-test-call = Exploitant : appel d'essai
command-suspend = Exploitant : suspendre ou reprendre tous les appels
instructions-settings = Un champ vide prend le réglage de l'exploitant. Un nouveau numéro est d'abord appelé pour y dire un code.
instructions-number = Votre numéro, avec + et l'indicatif du pays. Il est d'abord appelé pour y dire un code.
instructions-code = Les six chiffres qui ont été dits au téléphone.
instructions-sender = Une règle pour un expéditeur, ou pour tous les autres.
instructions-forget = Cela efface votre numéro, vos réglages et tous les messages conservés pour vous ou écrits par vous, y compris ceux qui attendent d'autres personnes.
instructions-test-call = Qui doit être appelé.
instructions-suspend = Pendant que les appels sont suspendus, les messages restent conservés.
field-number = Numéro
field-offline = Quand je suis hors ligne
field-phone = M'appeler
field-store = Seulement conserver mes messages
field-quiet = Heures de silence, par exemple 22:00-07:30, ou off
field-timezone = Fuseau horaire, par exemple Europe/Paris
field-language = Langue, par exemple fr
field-slow = Parler lentement
field-pin = Code PIN, 4 à 8 chiffres ; vide pour aucun
field-code = Code
field-rule = Règle
field-allow = Cet expéditeur le peut
field-block = Cet expéditeur ne le peut pas
field-report = Bloquer et signaler cet expéditeur
field-no-rule = Aucune règle pour cet expéditeur
field-everyone = Tout le monde le peut
field-contacts = Mes contacts le peuvent
field-domain = Les personnes de mon serveur le peuvent
field-default = Selon le réglage de l'exploitant
field-jid = Adresse
field-sure = Confirmez-vous ?
field-yes = Oui
field-no = Non
field-suspended = Appels
field-suspend = Suspendre
field-resume = Reprendre

## Le téléphone : prouver un numéro

code-question = Quelqu'un a demandé un code pour utiliser ce numéro. Pour entendre le code, appuyez sur { $hear }. Si vous n'avez rien demandé, appuyez deux fois sur { $stop } : ce numéro ne sera alors plus appelé pour un code.
code-press-to-hear = Pour entendre le code, appuyez sur { $hear }.
code-refuse-question = Pour que ce numéro ne soit plus jamais appelé pour un code, appuyez encore une fois sur { $stop }. Pour entendre le code, appuyez sur { $hear }.
code-refused = Ce numéro ne sera plus jamais appelé pour un code. Au revoir.
code-spoken = Le code est : { $digits } Je répète : { $digits } Envoyez-le dans la messagerie. Au revoir.
code-goodbye = Au revoir.
pin-question = { $count ->
    [one] Un message vous attend. Composez votre code PIN.
   *[other] { $count } messages vous attendent. Composez votre code PIN.
}
pin-wrong = Ce n'est pas le bon code PIN.
pin-locked = { $count ->
    [one] Un message vous attend. Trop de codes PIN faux ont été composés, il n'est donc pas lu au téléphone maintenant. Lisez-le dans la messagerie. Au revoir.
   *[other] { $count } messages vous attendent. Trop de codes PIN faux ont été composés, ils ne sont donc pas lus au téléphone maintenant. Lisez-les dans la messagerie. Au revoir.
}
pin-needed = Sur cette ligne, les messages ne sont lus qu'après un code PIN, et vous n'en avez pas encore. Envoyez à ce service, dans la messagerie, le mot pin suivi de quatre à huit chiffres. Rappelez ensuite. Au revoir.

## La messagerie et le téléphone

attachment-audio = Un message vocal ou un autre son.
attachment-image = Une image.
attachment-video = Une vidéo.
attachment-file = Un fichier.
attachment-location = Une position géographique.
message-of-another-kind = Un message d'un type que seule la messagerie affiche.
encrypted = Le message est chiffré et ne peut pas être lu à haute voix.

## Le téléphone : l'appel

# Qui appelle se dit dans les deux premières secondes, et qui a écrit dans les six premières.
phone-who-calls = Ici le service de messages { $domain }.
phone-greeting = Bonjour, { $callee }. { $arrival }
phone-greeting-continued = Bonjour à nouveau, { $callee }. { $arrival }
phone-number-question = Composez votre numéro de téléphone avec l'indicatif du pays, puis appuyez sur { $enter }.
phone-whose-pin-question = Composez votre code PIN, puis appuyez sur { $enter }.
phone-not-known = Le numéro et le code PIN ne vont pas ensemble.
phone-nothing-waits = Aucun message ne vous attend. Au revoir.
phone-press-to-hear = Pour l'entendre, appuyez sur { $hear }.
phone-press-to-hear-them = Pour les entendre, appuyez sur { $hear }.
phone-message-end = Fin du message.
phone-messages-end = Fin des messages.
phone-menu = { $choices } Pour plus de choix, appuyez sur { $explain }.
phone-menu-rest = { $choices } Pour réécouter, appuyez sur { $repeat }. Pour continuer, appuyez sur { $skip }. Pour arrêter définitivement ces appels, appuyez deux fois sur { $stop }.
phone-menu-rest-with-voice = { $choices } Pour enregistrer une réponse vocale, appuyez sur { $record }. Pour réécouter, appuyez sur { $repeat }. Pour continuer, appuyez sur { $skip }. Pour arrêter définitivement ces appels, appuyez deux fois sur { $stop }.
phone-menu-short = Votre réponse, s'il vous plaît.
phone-menu-hint = Pour connaître les choix, appuyez sur { $explain }.
phone-own-answer = Votre réponse est : { $words }
phone-choice = { $say }, appuyez sur { $key }.
phone-key-star = étoile
phone-key-hash = dièse
phone-no-match = Cette touche n'a pas de fonction ici.
phone-explanation = Ceci est un appel au sujet de messages arrivés pendant que vous étiez hors ligne. Pour réentendre le message, appuyez sur { $repeat }. Pour passer au message suivant, appuyez sur { $skip }. Pour arrêter définitivement ces appels, appuyez deux fois sur { $stop }.
phone-explanation-hear-first = Ceci est un appel au sujet de messages arrivés pendant que vous étiez hors ligne. Pour entendre le message, appuyez sur { $hear }. Pour réentendre qui a écrit, appuyez sur { $repeat }. Pour passer au message suivant, appuyez sur { $skip }. Pour arrêter définitivement ces appels, appuyez deux fois sur { $stop }.
phone-stop-question = Pour arrêter définitivement ces appels, appuyez encore une fois sur { $stop }. Pour continuer, appuyez sur { $skip }.
phone-stopped = Ces appels sont désactivés. Vos messages vous attendent dans la messagerie. Au revoir.
phone-thanks = { $words } Merci.
phone-not-stored = Malheureusement, votre choix n'a pas pu être enregistré. Répondez dans la messagerie. Au revoir.
phone-unspeakable = Ce message ne peut pas être lu à haute voix. Il vous attend dans la messagerie.
phone-other-language = Le message est dans une autre langue. Il vous attend dans la messagerie.
phone-machine = Bonjour. Ceci est un appel automatique. Quelqu'un a essayé de vous joindre. Consultez votre messagerie. Au revoir.
phone-time-over = Le temps prévu pour cet appel est écoulé. Au revoir.
phone-goodbye = C'était tout. Au revoir.
phone-goodbye-unanswered = Vos messages vous attendent dans la messagerie. Au revoir.

## Le téléphone : réponses vocales

phone-consent = Votre réponse sera envoyée à { $sender }. Parlez après le signal sonore. Quand vous aurez terminé, appuyez sur { $end-recording }.
phone-speak-again = Parlez après le signal sonore. Quand vous aurez terminé, appuyez sur { $end-recording }.
phone-too-short = C'était trop court.
phone-send-question = Pour envoyer votre réponse, appuyez sur { $send }. Pour l'écouter, appuyez sur { $listen }. Pour l'enregistrer à nouveau, appuyez sur { $record-again }.
phone-voice-sent = Votre réponse sera envoyée à { $sender }.

## Le téléphone : qui a écrit, et quand

phone-arrived-together = { $sender } vous a envoyé { $together } messages. Le dernier est arrivé { $came }.
phone-arrived-together-first = { $sender } vous a envoyé { $together } de vos { $count } messages. Le dernier d'entre eux est arrivé { $came }.
phone-arrived = { $count ->
    [one] { $sender } vous a envoyé un message. Il est arrivé { $came }.
   *[other] { $sender } vous a envoyé un message, le premier sur { $count }. Il est arrivé { $came }.
}
phone-next = Message suivant : { $sender }, { $came }.
phone-next-together = Ensuite, { $sender } vous a envoyé { $together } messages. Le dernier est arrivé { $came }.
phone-just-arrived-together = D'autres messages viennent d'arriver : { $sender } en a écrit { $together }.
phone-just-arrived = Un autre message vient d'arriver : { $sender } vous a écrit.
phone-came-today = à { $time }
phone-came-yesterday = hier à { $time }
phone-came-this-week = { $weekday } à { $time }
phone-came-before = le { $day } { $month } à { $time }
phone-sender-elsewhere = { $name } chez { $domain }

# De « 1 heure » et de « 21 heures », la voix fait « un heure » et « vingt et un heures ».
time-full-hour = { $hour ->
    [0] minuit
    [1] une heure
    [12] midi
    [21] vingt et une heures
   *[other] { $hour } heures
}
time = { $hour ->
    [0] 0 heure
    [1] une heure
    [21] vingt et une heures
   *[other] { $hour } heures
} { $minute }
minute = { $minute ->
    [1] une
    [21] vingt et une
    [31] trente et une
    [41] quarante et une
    [51] cinquante et une
   *[other] { $minute }
}
day-of-month = { $day ->
    [1] premier
   *[other] { $day }
}
weekday = { $day ->
    [1] lundi
    [2] mardi
    [3] mercredi
    [4] jeudi
    [5] vendredi
    [6] samedi
   *[7] dimanche
}
month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}

## Le téléphone : à la place de ce qui ne peut pas être lu

spoken-link-to = un lien vers { $host }
spoken-link = un lien
spoken-dot = point
spoken-code = Du code informatique.
spoken-log = Des lignes d'un journal.
spoken-rest = La suite est dans votre messagerie.

## Le menu, si l'exploitant n'en écrit pas d'autre : ce qui est dit avant « appuyez sur 1 », ce que l'expéditeur lit, et ce que l'appelé entend

choice-message = Pour répondre par message
choice-message-reply = { $callee } répondra par message.
choice-message-thanks = Vous répondrez par message.
choice-call-back = Pour rappeler
choice-call-back-reply = { $callee } vous rappellera.
choice-call-back-thanks = Vous rappellerez.
choice-later = Pour répondre plus tard
choice-later-reply = { $callee } ne peut pas parler pour l'instant et vous recontactera plus tard.
choice-later-thanks = Vous reprendrez contact plus tard.
