## Chat: was bei einem Fehler gesagt wird

nobody = Unter dieser Adresse ist hier niemand bekannt.

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
    allow JID; block JID; everyone; contacts - wer mein Telefon klingeln lassen darf
    calls - die letzten Anrufe
    forget me - alles über mich löschen
welcome = Willkommen. Senden Sie „help“ für alles, was ich kann. Bitte nehmen Sie meine Kontaktanfrage an, damit ich Sie nur anrufe, während Sie offline sind.
stranger = Ich kenne Sie noch nicht. Bitte lassen Sie sich vom Betreiber dieses Servers für Anrufe einrichten.
operator-only = Das darf nur der Betreiber.
number-first = Es gibt noch keine Nummer. Senden Sie „phone“ und Ihre Nummer mit + und Landesvorwahl.
nobody-known = Hier ist niemand bekannt.
not-stored = Das konnte nicht gespeichert werden. Bitte versuchen Sie es später noch einmal.
odd-command = Diesen Befehl kenne ich nicht. Senden Sie „help“ für alle, die ich kenne.
odd-number = Eine Nummer beginnt mit + und der Landesvorwahl, etwa phone +493012345678.
odd-code = Der Code hat sechs Ziffern, etwa code 012345.
odd-quiet = Ruhezeiten schreibt man 22:00-07:30; oder „quiet off“, oder „quiet default“.
odd-timezone = Eine Zeitzone ist ein Name wie Europe/Berlin.
odd-language = Eine Sprache ist ein Kürzel wie en, de oder ja.
odd-pin = Eine PIN hat 4 bis 8 Ziffern; oder „pin off“.
odd-jid = Das ist keine Adresse einer Person, wie etwa alice@example.org.
show =
    Anrufe: { $calls }. { $presence }
    Nummer: { $number }; zweite: { $second }
    Ruhezeit: { $quiet } ({ $zone })
    Wer Ihr Telefon klingeln lassen darf: { $senders }
    { $pin } Sprache: { $language }
show-none = keine
show-on = an
show-off = aus
show-domain = Leute Ihres Servers
show-contacts = Ihre Kontakte
show-everyone = alle
show-pin = Eine PIN ist gesetzt.
show-no-pin = Keine PIN ist gesetzt.
show-online = Sie sind online.
show-offline = Sie sind offline.
show-unseen = Ich sehe nicht, ob Sie online sind: Bitte nehmen Sie meine Kontaktanfrage an.
changed-phone = Sie werden angerufen, wenn eine Nachricht kommt, während Sie offline sind.
changed-no-number = Anrufe sind an, aber es gibt keine Nummer. Senden Sie „phone“ und Ihre Nummer.
changed-store = Sie werden nicht angerufen. Nachrichten werden aufbewahrt, bis Sie online sind.
code-calling = Ich rufe { $number } jetzt an. Drücken Sie dort eine Taste, um einen Code zu hören, und senden Sie ihn mir.
code-not-allowed = Diese Nummer darf von hier nicht gewählt werden.
code-suspended = Der Betreiber hat alle Anrufe ausgesetzt. Bitte versuchen Sie es später noch einmal.
code-too-soon = Ich habe gerade erst angerufen. Bitte warten Sie eine Minute.
code-too-many = Heute gab es zu viele solche Anrufe. Bitte versuchen Sie es morgen noch einmal.
code-heard = Bitte senden Sie mir die sechs Ziffern, die Sie gehört haben. Sie gelten 15 Minuten.
code-not-heard = Es wurde abgenommen, aber keine Taste gedrückt. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-busy = Die Leitung ist besetzt. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-no-answer = Niemand hat abgenommen. Senden Sie „phone“ und die Nummer für einen neuen Versuch.
code-declined = Der Anruf wurde abgelehnt.
code-wrong-number = Diese Nummer funktioniert nicht.
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
call-answered = { $at } angenommen, { $seconds } s
call-no-answer = { $at } nicht angenommen
call-busy = { $at } besetzt
call-declined = { $at } abgelehnt
call-wrong-number = { $at } Nummer funktioniert nicht
call-failed = { $at } kam nicht zustande
call-cancelled = { $at } abgebrochen
call-running = { $at } jetzt
forget-sure = Das löscht Ihre Nummer, Ihre Einstellungen und jede Nachricht, die für Sie aufbewahrt wird oder von Ihnen ist. Senden Sie „forget me now“, wenn Sie sicher sind.
forget-later = Wir telefonieren gerade. Bitte fragen Sie nach dem Anruf noch einmal.
forgotten = Alles über Sie ist gelöscht.
forgotten-but-configured = Alles über Sie ist gelöscht. Auch der Betreiber hat Sie eingerichtet; bitte lassen Sie das von ihm beenden.
suspended = Ab jetzt wird nicht mehr angerufen. Nachrichten bleiben aufbewahrt. Senden Sie „resume“, damit es weitergeht.
resumed = Es wird wieder angerufen.

gateway-description = Nachrichten an diese Person werden aufbewahrt und am Telefon gesagt, während sie offline ist.

## Formulare

command-settings = Einstellungen
command-number = Meine Telefonnummer setzen
command-code = Den gehörten Code eingeben
command-show = Zeigen, was eingestellt ist
command-sender = Wer mein Telefon klingeln lassen darf
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
instructions-forget = Das löscht Ihre Nummer, Ihre Einstellungen und jede Nachricht, die für Sie aufbewahrt wird oder von Ihnen ist.
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
field-everyone = Alle dürfen
field-contacts = Meine Kontakte dürfen
field-jid = Adresse
field-sure = Sind Sie sicher?
field-yes = Ja
field-no = Nein
field-suspended = Anrufe
field-suspend = Aussetzen
field-resume = Fortsetzen

## Telefon: eine Nummer bestätigen

code-question = Guten Tag. Dies ist ein Anruf von { $house }, wegen Chat-Nachrichten. Jemand hat um einen Code für diese Nummer gebeten. Um den Code zu hören, drücken Sie die 5.
code-spoken = Der Code ist: { $digits } Noch einmal: { $digits } Bitte senden Sie ihn im Chat. Auf Wiederhören.
code-goodbye = Auf Wiederhören.
pin-question = { $count ->
    [one] Guten Tag. Eine Nachricht wartet. Bitte geben Sie Ihre PIN ein.
   *[other] Guten Tag. { $count } Nachrichten warten. Bitte geben Sie Ihre PIN ein.
}
pin-wrong = Das ist nicht die PIN.
