## Chat: was der Absender über eine aufbewahrte Nachricht liest

status-held = { $callee } ist offline. Ihre Nachricht wird aufbewahrt, bis { $callee } online ist.
status-waiting-gathering = { $callee } ist offline. Ihre Nachricht wird aufbewahrt; { $callee } wird um { $time } Uhr angerufen.
status-waiting-quiet = { $callee } ist offline und wird zu dieser Tageszeit nicht angerufen. Ihre Nachricht wird aufbewahrt; { $callee } wird um { $time } Uhr angerufen.
status-waiting-throttled = { $callee } ist offline und wurde vorerst oft genug angerufen. Ihre Nachricht wird aufbewahrt; { $callee } wird um { $time } Uhr angerufen.
status-waiting-retry = Ihre Nachricht wird aufbewahrt. { $callee } wird um { $time } Uhr noch einmal angerufen.
status-calling = { $callee } ist offline. Ihre Nachricht wird aufbewahrt; { $callee } wird gerade angerufen.
status-ringing = Das Telefon von { $callee } klingelt.
status-answered = Am Telefon von { $callee } wurde abgehoben.
status-heard = { $callee } hat Ihre Nachricht gehört.
status-passed = { $callee } hat am Telefon von Ihrer Nachricht erfahren, sie aber nicht angehört. Sie bleibt aufbewahrt.
status-not-reached = { $why } { $next }
status-delivered = { $callee } ist online und hat Ihre Nachricht.
status-calls-switched-off = { $callee } hat Anrufe abgeschaltet. Ihre Nachricht wird aufbewahrt, bis { $callee } online ist.
status-expired = { $callee } war nicht rechtzeitig zu erreichen. Ihre Nachricht wird nicht länger aufbewahrt.
status-set-aside = Ihre Nachricht konnte nicht verarbeitet werden. Sie wurde für den Betreiber beiseitegelegt.

next-call = Der nächste Anruf erfolgt um { $time } Uhr.
next-call-none = Ein weiterer Anruf ist nicht geplant; Ihre Nachricht bleibt aufbewahrt.

not-reached-not-heard = Am Telefon von { $callee } wurde abgehoben, Ihre Nachricht aber nicht angehört.
not-reached-no-answer = { $callee } ist nicht ans Telefon gegangen.
not-reached-busy = Der Anschluss von { $callee } ist besetzt.
not-reached-declined = { $callee } hat den Anruf abgelehnt.
not-reached-wrong-number = { $callee } ist telefonisch nicht zu erreichen: Die Nummer funktioniert nicht.
not-reached-trunk-failed = Der Anruf bei { $callee } kam nicht zustande.
not-reached-cancelled = Der Anruf bei { $callee } wurde abgebrochen.
not-reached-interrupted = Der Anruf bei { $callee } wurde unterbrochen.

## Chat: gesprochene Antworten

voice-note = Gesprochene Antwort von { $callee }, { $seconds } s.
voice-note-cut = Gesprochene Antwort von { $callee }, { $seconds } s. Der Anruf brach ab.
voice-transcript = { $note } Vermutlich: { $text }
voice-late = { $callee } hat eine Antwort aufgesprochen, { $seconds } s. Sie konnte noch nicht übermittelt werden; sie wird aufbewahrt und erneut versucht.
voice-no-way = { $callee } hat eine Antwort aufgesprochen, { $seconds } s, doch hier ist nichts eingerichtet, um sie zu übermitteln. Sie wird aufbewahrt; bitte fragen Sie den Betreiber.

## Chat: was der Empfänger liest

calls-switched-off = Anrufe wegen Nachrichten sind jetzt abgeschaltet. Senden Sie „on“, um sie wieder einzuschalten.
set-aside = Eine Nachricht von { $sender } konnte nicht verarbeitet werden. Sie wurde für den Betreiber beiseitegelegt.

help =
    Ich bewahre Nachrichten für Sie auf, während Sie offline sind, und rufe Sie ihretwegen an.
    on - mich anrufen, wenn ich offline bin
    off - meine Nachrichten nur aufbewahren
    show - meine Einstellungen zeigen
    help - diesen Text zeigen
unknown-command = Diesen Befehl kenne ich nicht. Senden Sie „help“, um zu sehen, welche ich kenne.
stranger = Ich kenne Sie noch nicht. Bitten Sie den Betreiber dieses Servers, Anrufe für Sie einzurichten.

switched-on = Sie werden angerufen, wenn eine Nachricht kommt, während Sie offline sind.
switched-on-without-number = Anrufe sind eingeschaltet, aber es ist keine Telefonnummer hinterlegt. Bitten Sie den Betreiber, eine einzutragen.
switched-off = Sie werden nicht angerufen. Nachrichten werden aufbewahrt, bis Sie online sind.

settings =
    Name: { $name }
    Anrufe: { $calls ->
        [on] eingeschaltet
       *[off] abgeschaltet
    }
    Telefonnummer: { $number ->
        [set] hinterlegt
       *[unset] nicht hinterlegt
    }
    { $presence ->
        [seen] Ich kann sehen, ob Sie online sind.
       *[unseen] Ich kann nicht sehen, ob Sie online sind: Bitte nehmen Sie meine Kontaktanfrage an.
    }

## Chat: Kontakte

reachable = Telefonisch erreichbar
reachable-later = Nachrichten werden aufbewahrt
reachable-elsewhere = Nachrichten werden weitergeleitet
component = Senden Sie „help“, um die Befehle zu sehen
subscribe = Offhook möchte sehen, wann Sie online sind, um Sie nur dann anzurufen, wenn Sie es nicht sind.

## Chat: was bei einem Fehler gesagt wird

error-nobody = Unter dieser Adresse ist hier niemand bekannt.
error-not-stored = Der Empfänger ist offline, und die Nachricht darf nicht gespeichert werden.
error-to-oneself = Diese Adresse steht für Sie selbst.
error-too-large = Die Nachricht ist zu groß.
error-too-many = Zu viele Nachrichten in kurzer Zeit. Bitte warten Sie ein wenig.
error-not-held = Die Nachricht konnte nicht aufbewahrt werden. Bitte versuchen Sie es später noch einmal.

## Chat und Telefon

encrypted = Die Nachricht ist verschlüsselt und kann nicht vorgelesen werden.
