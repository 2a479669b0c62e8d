# Each sentence is one line, unless its reader is to see several. Names in braces are filled in; what stands in
# quotation marks inside braces is taken as it is. A language that is added here is a file and a line in mod.rs.

## The chat: what the sender reads about a held message

status-held = { $callee } is offline. Your message is held until { $callee } is online.
status-waiting-gathering = { $callee } is offline. Your message is held; { $callee } will be phoned at { $time }.
status-waiting-quiet = { $callee } is offline and is not phoned at this time of day. Your message is held; { $callee } will be phoned at { $time }.
status-waiting-throttled = { $callee } is offline and has been phoned often enough for now. Your message is held; { $callee } will be phoned at { $time }.
status-waiting-retry = Your message is held. { $callee } will be phoned again at { $time }.
status-calling = { $callee } is offline. Your message is held; { $callee } is being phoned.
status-ringing = { $callee }'s phone is ringing.
status-answered = { $callee }'s phone was answered.
status-heard = { $callee } has heard your message.
status-passed = { $callee } was told of your message by phone but did not listen to it. It stays held.
status-not-reached = { $why } { $next }
status-delivered = { $callee } is online and has your message.
status-calls-switched-off = { $callee } has switched phone calls off. Your message is held until { $callee } is online.
status-expired = { $callee } could not be reached in time. Your message is no longer held.
status-set-aside = Your message could not be handled. It was set aside for the operator.

next-call = The next call is at { $time }.
next-call-none = No further call is planned; your message stays held.

not-reached-not-heard = { $callee }'s phone was answered, but your message was not heard.
not-reached-no-answer = { $callee } did not answer the phone.
not-reached-busy = { $callee }'s line is busy.
not-reached-declined = { $callee } declined the call.
not-reached-wrong-number = { $callee } cannot be phoned: the number does not work.
not-reached-trunk-failed = The call to { $callee } could not be placed.
not-reached-cancelled = The call to { $callee } was cancelled.
not-reached-interrupted = The call to { $callee } was interrupted.

## The chat: voice answers

voice-note = Voice answer from { $callee }, { $seconds } s.
voice-note-cut = Voice answer from { $callee }, { $seconds } s. The call broke off.
voice-transcript = { $note } Probably: { $text }
voice-late = { $callee } has recorded a voice answer, { $seconds } s. It could not be passed on yet; it is kept and tried again.
voice-no-way = { $callee } has recorded a voice answer, { $seconds } s, but nothing is set up here to pass it on. It is kept; please ask the operator.

## The chat: what the recipient reads

calls-switched-off = Phone calls about messages are off now. Send "on" to switch them on again.
set-aside = A message from { $sender } could not be handled. It was set aside for the operator.

help =
    I hold messages for you while you are offline and phone you about them.
    on - phone me when I am offline
    off - only hold my messages
    show - show my settings
    help - show this text
unknown-command = I do not know that command. Send "help" for those I know.
stranger = I do not know you yet. Please ask the operator of this server to set up phone calls for you.

switched-on = You will be phoned when a message comes while you are offline.
switched-on-without-number = Calls are on, but there is no number to phone. Please ask the operator to set one.
switched-off = You will not be phoned. Messages are held until you are online.

settings =
    Name: { $name }
    Phone calls: { $calls ->
        [on] on
       *[off] off
    }
    Number: { $number ->
        [set] set
       *[unset] not set
    }
    { $presence ->
        [seen] I can see whether you are online.
       *[unseen] I cannot see whether you are online: please accept my contact request.
    }

## The chat: contacts

reachable = Reachable by phone
reachable-later = Messages are held
reachable-elsewhere = Messages are passed on
component = Send "help" for the commands
subscribe = Offhook asks to see when you are online, so that it phones you only when you are not.

## The chat: what is said in an error

error-nobody = Nobody here is known by that address.
error-not-stored = The recipient is offline, and the message may not be stored.
error-to-oneself = This address stands for yourself.
error-too-large = The message is too large.
error-too-many = Too many messages in a short time. Please wait a little.
error-not-held = The message could not be held. Please try again later.

## The chat and the phone

encrypted = The message is encrypted and cannot be read aloud.

## The phone: the call

phone-greeting = Hello, { $callee }. { $count ->
    [one] { $arrival }
   *[other] { $count } messages have arrived. The first: { $arrival }
}
phone-greeting-continued = Hello, { $callee }. This continues an earlier call. { $count ->
    [one] { $arrival }
   *[other] { $count } messages have arrived. The first: { $arrival }
}
phone-next = Next message. { $arrival }
phone-just-arrived = Another message has just come in. { $arrival }
phone-press-to-hear = Press 5 to hear it.
phone-menu = { $choices } To hear it again, press star. To go on, press hash.
phone-menu-with-voice = { $choices } To record a voice answer, press 7. To hear it again, press star. To go on, press hash.
phone-choice = { $say }, press { $key }.
phone-no-match = That key has no meaning here.
phone-explanation = This is a call about chat messages that came while you were offline. Star repeats, hash goes on to the next message. Press 9 twice to stop these calls for good.
phone-explanation-hear-first = This is a call about chat messages that came while you were offline. 5 reads the message. Star repeats, hash goes on to the next message. Press 9 twice to stop these calls for good.
phone-stop-question = To stop these calls for good, press 9 again. To go on, press hash.
phone-stopped = These calls are switched off. Your messages wait in your chat. Goodbye.
phone-thanks = { $words } Thank you.
phone-not-stored = I am sorry, your choice could not be stored. Please answer in your chat. Goodbye.
phone-unspeakable = This message can't be read aloud. It waits in your chat.
phone-goodbye = That was all. Goodbye.
phone-goodbye-unanswered = Your messages wait in your chat. Goodbye.

## The phone: voice answers

phone-consent = Your answer will be sent to { $sender }. Speak after the tone, and press 8 when you have finished.
phone-speak-again = Speak after the tone, and press 8 when you have finished.
phone-too-short = That was too short.
phone-send-question = To send your answer, press 1. To listen to it, press 2. To record it again, press 3.
phone-voice-sent = Your answer will be sent to { $sender }.

## The phone: who wrote, and when

phone-arrived-today = At { $time } a message from { $sender } arrived.
phone-arrived-yesterday = Yesterday at { $time } a message from { $sender } arrived.
phone-arrived-this-week = On { $weekday } at { $time } a message from { $sender } arrived.
phone-arrived-before = On { $month } { $day } at { $time } a message from { $sender } arrived.
phone-sender-elsewhere = { $name } at { $domain }

time-full-hour = { $hour }:00
time = { $hour }:{ $minute }
day-of-month = { $day }
weekday = { $day ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
}
month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}

## The phone: in place of what cannot be read aloud

spoken-link-to = a link to { $host }
spoken-link = a link
spoken-dot = dot
spoken-code = Some code.
spoken-rest = The rest is in your chat.

## The menu, where the operator writes no other: what is said before "press 1", and what the sender reads

choice-message = To answer by message
choice-message-reply = { $callee } will answer by message.
choice-call-back = To call back
choice-call-back-reply = { $callee } will phone you back.
choice-later = To answer later
choice-later-reply = { $callee } can't talk now and will get in touch later.
