# Höflich mit „Sie“. Zahlen und Zeiten so, wie die Stimme sie richtig ausspricht.

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
voice-late = { $callee } hat eine Antwort aufgesprochen, { $seconds } s. Sie konnte noch nicht übermittelt werden; sie wird aufbewahrt, und der Versuch wird wiederholt.
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

## Telefon: der Anruf

phone-greeting = Hallo, { $callee }. { $count ->
    [one] { $arrival }
   *[other] Es sind { $count } Nachrichten gekommen. Die erste: { $arrival }
}
phone-greeting-continued = Hallo, { $callee }. Dies ist die Fortsetzung eines früheren Anrufs. { $count ->
    [one] { $arrival }
   *[other] Es sind { $count } Nachrichten gekommen. Die erste: { $arrival }
}
phone-next = Die nächste Nachricht. { $arrival }
phone-just-arrived = Gerade ist noch eine Nachricht gekommen. { $arrival }
phone-press-to-hear = Um sie zu hören, drücken Sie die 5.
phone-menu = { $choices } Um die Nachricht noch einmal zu hören, drücken Sie die Stern-Taste. Um fortzufahren, drücken Sie die Raute-Taste.
phone-menu-with-voice = { $choices } Um eine Antwort aufzusprechen, drücken Sie die 7. Um die Nachricht noch einmal zu hören, drücken Sie die Stern-Taste. Um fortzufahren, drücken Sie die Raute-Taste.
phone-choice = { $say }, drücken Sie die { $key }.
phone-no-match = Diese Taste hat hier keine Bedeutung.
phone-explanation = Dies ist ein Anruf wegen Nachrichten im Chat, die gekommen sind, während Sie offline waren. Die Stern-Taste wiederholt, die Raute-Taste führt zur nächsten Nachricht. Um diese Anrufe für immer abzuschalten, drücken Sie zweimal die 9.
phone-explanation-hear-first = Dies ist ein Anruf wegen Nachrichten im Chat, die gekommen sind, während Sie offline waren. Die 5 liest die Nachricht vor. Die Stern-Taste wiederholt, die Raute-Taste führt zur nächsten Nachricht. Um diese Anrufe für immer abzuschalten, drücken Sie zweimal die 9.
phone-stop-question = Um diese Anrufe für immer abzuschalten, drücken Sie noch einmal die 9. Um fortzufahren, drücken Sie die Raute-Taste.
phone-stopped = Diese Anrufe sind abgeschaltet. Ihre Nachrichten warten im Chat auf Sie. Auf Wiederhören.
phone-thanks = { $words } Vielen Dank.
phone-not-stored = Leider konnte Ihre Auswahl nicht gespeichert werden. Bitte antworten Sie im Chat. Auf Wiederhören.
phone-unspeakable = Diese Nachricht kann nicht vorgelesen werden. Sie wartet im Chat auf Sie.
phone-goodbye = Das war alles. Auf Wiederhören.
phone-goodbye-unanswered = Ihre Nachrichten warten im Chat auf Sie. Auf Wiederhören.

## Telefon: gesprochene Antworten

phone-consent = Ihre Antwort wird an { $sender } gesendet. Sprechen Sie nach dem Signalton, und drücken Sie die 8, wenn Sie fertig sind.
phone-speak-again = Sprechen Sie nach dem Signalton, und drücken Sie die 8, wenn Sie fertig sind.
phone-too-short = Das war zu kurz.
phone-send-question = Um Ihre Antwort zu senden, drücken Sie die 1. Um sie anzuhören, drücken Sie die 2. Um sie neu aufzunehmen, drücken Sie die 3.
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
spoken-rest = Der Rest steht in Ihrem Chat.

## Das Menü, wenn der Betreiber kein anderes schreibt: was vor „drücken Sie die 1“ gesagt wird, und was der Absender liest

choice-message = Um per Nachricht zu antworten
choice-message-reply = { $callee } antwortet per Nachricht.
choice-call-back = Um zurückzurufen
choice-call-back-reply = { $callee } ruft zurück.
choice-later = Um später zu antworten
choice-later-reply = { $callee } kann gerade nicht sprechen und meldet sich später.
