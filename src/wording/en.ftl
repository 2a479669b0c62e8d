# Each sentence is one line, unless its reader is to see several. Names in braces are filled in; what stands in
# quotation marks inside braces is taken as it is. A language that is added here is a file and a line in mod.rs.

## The chat: what the sender reads about a held message

status-held = { $callee } is offline. Your message is held until { $callee } is online.
status-waiting-gathering = { $callee } is offline. Your message is held; { $callee } will be phoned { $when }.
status-waiting-quiet = { $callee } is offline and is not phoned at this time of day. Your message is held; { $callee } will be phoned { $when }.
status-waiting-throttled = { $callee } is offline and has been phoned often enough for now. Your message is held; { $callee } will be phoned { $when }.
status-waiting-retry = Your message is held. { $callee } will be phoned again { $when }.
status-calling = { $callee } is offline. Your message is held; { $callee } is being phoned.
status-ringing = { $callee }'s phone is ringing.
status-answered = { $callee }'s phone was answered.
status-heard = { $callee } has heard your message.
status-passed = { $callee } was told of your message by phone but did not listen to it. It stays held.
status-not-reached = { $why } { $next }
status-delivered = { $callee } came online and has your message, delivered { $when }.
status-calls-switched-off = { $callee } has switched phone calls off. Your message is held until { $callee } is online.
status-not-taken = Your message to { $callee } could not be delivered yet. It stays held and is tried again.
status-left-with-server = { $callee } did not come online in time. Your message was passed to { $callee }'s server, which may keep it; it is no longer held here.
status-expired = { $callee } could not be reached in time. Your message is no longer held.
status-set-aside = Calls to { $callee } about your message broke off. No further call is planned; your message stays held.
status-taken-back = Taken back; { $callee } was not told.
status-taken-back-unheard = Taken back; { $callee } did not hear it.
status-heard-before-correction = { $callee } has heard your message by phone in its earlier wording.
status-heard-before-retraction = Taken back, but { $callee } has heard it by phone. It is not delivered.

next-call = The next call is { $when }.
next-call-none = No further call is planned; your message stays held.

## When: within a sentence

when-today = at { $time }
when-tomorrow = tomorrow at { $time }
when-this-week = on { $weekday } at { $time }
when-later = on { $month } { $day } at { $time }

## Why a call did not reach

not-reached-not-heard = { $callee }'s phone was answered, but your message was not heard.
not-reached-heard-in-part = { $callee } has heard the beginning of your message; the call ended before the rest.
not-reached-no-answer = { $callee } did not answer the phone.
not-reached-machine = An answering machine took the call for { $callee }. Your message was not read to it.
not-reached-busy = { $callee }'s line is busy.
not-reached-declined = { $callee } declined the call.
not-reached-wrong-number = { $callee } cannot be phoned: the number does not work.
not-reached-no-sound = { $callee }'s phone was answered, but the line carried no sound.
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

## The chat: contacts

reachable = Reachable by phone
reachable-later = Messages are held
reachable-elsewhere = Messages are passed on
component = Send "help" for the commands
subscribe = Offhook asks to see when you are online, so that it phones you only when you are not.

## The chat: what is said in an error

error-nobody = Nobody here is known by that address.
error-own-address = Please write to { $jid } itself.
error-not-stored = The recipient is offline, and the message may not be stored.
error-to-oneself = This address stands for yourself.
error-too-large = The message is too large.
error-too-many = Too many messages in a short time. Please wait a little.
error-recipient-full = So much is waiting for this person that nothing more can be held. Please try again later.
error-sender-full = So many of your messages are waiting that no more can be held. Please try again later.
error-not-held = The message could not be held. Please try again later.

## The chat: answers to commands, at most six lines at a time

help =
    I hold messages for you while you are offline and phone you about them.
    phone +81… - set your number; I call it with a code
    on / off - phone me, or only hold my messages
    quiet 22:00-07:30 - no calls in these hours
    show - what is set; test - phone me now
    help more - further commands
help-operator = { " " }(operator: people, all calls, test-call JID, suspend, resume)
help-more =
    second +81… - another number, for when nobody answers; second off
    pin 4821 - asked for on the phone; pin off
    timezone Asia/Tokyo; language ja
    allow JID; block JID; report JID; unblock JID; everyone; contacts; rules - who may make my phone ring
    calls - the last calls
    forget me - remove everything about me
welcome = Welcome. Send "help" for what I can do. Please accept my contact request, so that I phone you only while you are offline.
stranger = I do not know you yet. Please ask the operator of this server to set up phone calls for you.
operator-only = Only the operator may do that.
number-first = There is no number yet. Send "phone" and your number with + and the country code.
nobody-known = Nobody is known here.
not-stored = That could not be stored. Please try again later.
invalid-command = I do not know that command. Send "help" for those I know.
invalid-command-near = I do not know that command. Did you mean "{ $near }"? Send "help" for those I know.
invalid-number = A number is written with + and the country code, such as +81312345678.
invalid-number-near = Did you mean { $number }? Then send that: a number is written with + and the country code.
invalid-code = The code has six digits, such as code 012345.
invalid-quiet = Quiet hours are a span of the day, such as quiet 22:00-07:30 or quiet 10pm-7am; or "quiet off", or "quiet default".
invalid-timezone = I do not know that time zone. I know big cities, such as Berlin, names such as Asia/Tokyo, and UTC+2.
invalid-timezone-near = I do not know that time zone. Did you mean { $zone }? Then send "timezone { $zone }".
invalid-language = I do not know that language. I know: { $known }.
trivial-pin = Everybody would guess this PIN first. Please take one that is no row, no year, no repetition and no part of your number.
invalid-pin = A PIN has 4 to 8 digits; or "pin off".
invalid-jid = That is no address of a person, such as alice@example.org.
show =
    Phone calls: { $calls }. { $presence }
    Number: { $number }; second: { $second }
    Quiet hours: { $quiet } ({ $zone })
    Who may make your phone ring: { $senders }
    { $pin } Language: { $language }
    { $agreed }
show-none = none
show-on = on
show-off = off
show-domain = people of your server
show-contacts = your contacts
show-everyone = everyone
show-operators = the operator's
show-pin = A PIN is set.
show-no-pin = No PIN is set.
show-agreed = You agreed to these calls on { $date }, by sending back a code.
show-not-agreed = The operator has set up your calls.
show-online = You are online.
show-offline = You are offline.
show-unseen = I cannot see whether you are online: please accept my contact request.
changed-phone = You will be phoned when a message comes while you are offline.
changed-no-number = Calls are on, but there is no number to phone. Send "phone" and your number.
changed-blocked = { $sender } may not make your phone ring any more.
reported = { $sender } may not make your phone ring any more, and the operators of this service are told of it.
changed-allowed = { $sender } may make your phone ring.
changed-store = You will not be phoned. Messages are held until you are online. Send "on" to be phoned again.
changed-nothing = Nothing was changed.
changed-default = As the operator has set it: { $words }
changed-quiet = Quiet hours are { $from } to { $until }, { $zone }.
changed-quiet-off = There are no quiet hours: your phone may ring at any time.
changed-timezone = Your time zone is { $zone }; it is { $time } there.
changed-language = Your language is { $language }.
changed-language-default = You have no language of your own now: what you read is in the language that your client names, and calls are in the operator's.
changed-pin = Your PIN is set. It is asked for on the phone before anybody is named.
changed-pin-off = No PIN is asked for on the phone.
changed-domain = People of your server may make your phone ring.
changed-contacts = Your contacts may make your phone ring.
changed-everyone = Everyone may make your phone ring.
changed-no-rule = There is no rule for { $sender } any more. { $others }
changed-number-off = Your number is removed. You will not be phoned.
changed-number-default = Your number is removed. You will be phoned at the one that the operator has set.
changed-second-off = Your second number is removed.
code-calling = I am calling { $number } now. Press a key there to hear a code, and send it to me.
code-not-allowed = This number may not be dialled from here.
code-type-refused = { $type ->
    [premium_rate] This is a premium-rate number, which is not called from here.
    [shared_cost] This is a shared-cost number, which is not called from here.
    [personal_number] This is a personal number at a price of its own, which is not called from here.
    [satellite] This is a number of a satellite network, which is not called from here.
    [pager] This is a pager, which is not called from here.
    [voicemail] This is a voicemail box, which is not called from here.
    [uan] This is a company's number at a price of its own, which is not called from here.
    [short_code] This number is too short to be somebody's phone.
    [emergency] This is like an emergency number, which is not called from here.
    [own] This is our own number.
   *[other] There is no such number. Is a digit wrong?
}
code-suspended = The operator has stopped all calls for now. Please try again later.
code-too-soon = I have just called. Please wait a minute, then send it again.
code-too-many = There were too many such calls today. Please try again tomorrow.
code-quiet = It is night at that number. Please try again by day.
code-throttled = There were too many calls lately, to that number, for you or in all. Please try again later.
code-heard = Please send me the six digits you have heard. They are good for 15 minutes.
code-not-heard = The phone was answered, but no key was pressed. Send "phone" and the number to try again.
code-busy = The line is busy. Send "phone" and the number to try again.
code-no-answer = Nobody answered. Send "phone" and the number to try again.
code-declined = The call was declined.
code-wrong-number = That number does not work.
code-no-sound = The call was answered, but the line carried no sound. Please try again later.
code-failed = The call could not be placed. Please try again later.
code-right = Verified: { $number }. You will be phoned there when a message comes while you are offline. Send "off" if you do not want that.
code-right-second = Verified: { $number }. It is phoned when nobody answers at the first.
code-wrong = { $left ->
    [0] That is not the code, and it is void now. Send "phone" and the number for a new one.
    [one] That is not the code. You can try once more.
   *[other] That is not the code. You can try { $left } more times.
}
code-none = I wait for no code. Send "phone" and your number first; a code is good for 15 minutes.
number-lost = Your number was verified by somebody else just now and is no longer yours here. If that is wrong, send "phone" and your number.
number-changed = Your number was changed just now. If that was not you, change the password of your account and send "phone" and your number.
test-message = This is the test call you asked for.
test-coming = Your phone will ring as for a message that waits. You will read here how it went.
no-calls = There were no calls.
no-rules = There are no rules for single senders. Send "allow" or "block" and an address to set one.
call-answered = { $at } answered, { $seconds } s
call-no-answer = { $at } no answer
call-machine = { $at } an answering machine, { $seconds } s
call-busy = { $at } busy
call-declined = { $at } declined
call-wrong-number = { $at } number does not work
call-no-sound = { $at } answered, but the line carried no sound
call-failed = { $at } could not be placed
call-cancelled = { $at } cancelled
call-running = { $at } now
forget-sure = This removes your number, your settings and every message held for you or written by you, also those that wait for others. Send "forget me now" if you are sure.
forget-later = A call with you, or about a message of yours, is on the line. Please ask again after it.
forgotten = Everything about you is removed. What stays has no name on it: how often phones rang, for thirty days, and that you asked for this, for ninety.
forgotten-but-configured = Everything that you have set or written is removed. What stays has no name on it: how often phones rang, for thirty days, and that you asked for this, for ninety. The operator has set you up, too; please ask the operator to end that.
suspended = No calls are made from now on. Messages stay held. Send "resume" to go on.
resumed = Calls are made again.

gateway-description = Messages to this person are held and told by phone while the person is offline.

## The chat: what operators and people are told without having asked

alert-calls = { $percent } % of the calls of a day ({ $max }) are made.
alert-calls-to = { $percent } % of the calls of a day to { $prefix } ({ $max }) are made.
alert-minutes = { $percent } % of the minutes of a day ({ $max }) are used up.
alert-minutes-to = { $percent } % of the minutes of a day to { $prefix } ({ $max }) are used up.
alert-limit-reached = Further calls wait until there is room again.
alert-codes = { $count } codes were asked for within an hour, and none of them was sent back. "offhook calls" shows who has asked.
alert-number = { $count } accounts have asked for a code at one number that begins with +{ $area }. "offhook calls" shows which.
alert-pin-locked = Too many wrong PINs were entered for { $person }. Nothing is read to them by phone for a day, or until they set another PIN.
alert-wrong-pin = A wrong PIN was entered on the phone for your messages. If that was not you, send "pin" and other digits.
alert-your-pin-locked = Too many wrong PINs were entered on the phone for your messages. They are not read there for a day, or until you send "pin" and other digits.
alert-trunk-failed = The trunk { $trunk } fails. Calls take another one, or wait.
alert-trunk-works = The trunk { $trunk } carries calls again.
alert-reported = { $person } reports { $sender } and has blocked them.

## Forms

command-settings = Settings
command-number = Set my phone number
command-code = Enter the code I have heard
command-show = Show what is set
command-sender = Who may make my phone ring
command-rules = Rules for single senders
command-test = Phone me now
command-calls = The last calls
command-forget = Remove everything about me
command-people = Operator: people
command-all-calls = Operator: the last calls
command-test-call = Operator: test call
command-suspend = Operator: stop or resume all calls
instructions-settings = An empty field takes the operator's setting. A new number is called first and speaks a code.
instructions-number = Your number, with + and the country code. It is called first and speaks a code.
instructions-code = The six digits that were spoken on the phone.
instructions-sender = A rule for one sender, or for all others.
instructions-forget = This removes your number, your settings and every message held for you or written by you, also those that wait for others.
instructions-test-call = Who is to be phoned.
instructions-suspend = While calls are stopped, messages stay held.
field-number = Number
field-offline = When I am offline
field-phone = Phone me
field-store = Only hold my messages
field-quiet = Quiet hours, such as 22:00-07:30, or off
field-timezone = Time zone, such as Asia/Tokyo
field-language = Language, such as ja
field-pin = PIN, 4 to 8 digits; empty for none
field-code = Code
field-rule = Rule
field-allow = This sender may
field-block = This sender may not
field-report = Block and report this sender
field-no-rule = No rule for this sender
field-everyone = Everyone may
field-contacts = My contacts may
field-domain = People of my server may
field-default = As the operator has set it
field-jid = Address
field-sure = Are you sure?
field-yes = Yes
field-no = No
field-suspended = Calls
field-suspend = Stop
field-resume = Resume

## The phone: proving a number

code-question = Hello. This is a call from { $domain }, about chat messages. Somebody has asked for a code to use this number. To hear the code, press { $hear }. If you have not asked for it, press { $stop } twice: this number is not called for a code again.
code-refuse-question = To have this number never called for a code again, press { $stop } again. To hear the code, press { $hear }.
code-refused = This number is never called for a code again. Goodbye.
code-spoken = The code is: { $digits } Again: { $digits } Please send it in the chat. Goodbye.
code-goodbye = Goodbye.
pin-question = { $count ->
    [one] Hello. 1 message is waiting. Please enter your PIN.
   *[other] Hello. { $count } messages are waiting. Please enter your PIN.
}
pin-wrong = That is not the PIN.
pin-locked = { $count ->
    [one] Hello. 1 message is waiting. Too many wrong PINs were entered, so it is not read on the phone now. Please read it in the chat. Goodbye.
   *[other] Hello. { $count } messages are waiting. Too many wrong PINs were entered, so they are not read on the phone now. Please read them in the chat. Goodbye.
}
pin-needed = Hello. Messages are read on this line only after a PIN, and you have none yet. Please send the word pin, and four to eight digits, to this service in the chat. Then call again. Goodbye.

## The chat and the phone

attachment-audio = A voice message or another sound.
attachment-image = A picture.
attachment-video = A video.
attachment-file = A file.
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
phone-number-question = Hello. Please enter your phone number with its country code, then press { $enter }.
phone-whose-pin-question = Please enter your PIN, then press { $enter }.
phone-not-known = Number and PIN do not match.
phone-nothing-waits = Hello. No message is waiting. Goodbye.
phone-next = Next message. { $arrival }
phone-just-arrived = Another message has just come in. { $arrival }
phone-press-to-hear = Press { $hear } to hear it.
phone-menu = { $choices } To hear it again, press { $repeat }. To go on, press { $skip }.
phone-menu-with-voice = { $choices } To record a voice answer, press { $record }. To hear it again, press { $repeat }. To go on, press { $skip }.
phone-choice = { $say }, press { $key }.
phone-key-star = star
phone-key-hash = hash
phone-no-match = That key has no meaning here.
phone-explanation = This is a call about chat messages that came while you were offline. Press { $repeat } to repeat, { $skip } to go on to the next message. Press { $stop } twice to stop these calls for good.
phone-explanation-hear-first = This is a call about chat messages that came while you were offline. Press { $hear } to hear the message. Press { $repeat } to repeat, { $skip } to go on to the next message. Press { $stop } twice to stop these calls for good.
phone-stop-question = To stop these calls for good, press { $stop } again. To go on, press { $skip }.
phone-stopped = These calls are switched off. Your messages wait in your chat. Goodbye.
phone-thanks = { $words } Thank you.
phone-not-stored = I am sorry, your choice could not be stored. Please answer in your chat. Goodbye.
phone-unspeakable = This message can't be read aloud. It waits in your chat.
phone-machine = Hello. This is an automatic call. Someone has tried to reach you. Please look at your chat. Goodbye.
phone-goodbye = That was all. Goodbye.
phone-goodbye-unanswered = Your messages wait in your chat. Goodbye.

## The phone: voice answers

phone-consent = Your answer will be sent to { $sender }. Speak after the tone, and press { $end-recording } when you have finished.
phone-speak-again = Speak after the tone, and press { $end-recording } when you have finished.
phone-too-short = That was too short.
phone-send-question = To send your answer, press { $send }. To listen to it, press { $listen }. To record it again, press { $record-again }.
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
spoken-log = Lines of a log.
spoken-rest = The rest is in your chat.

## The menu, where the operator writes no other: what is said before "press 1", and what the sender reads

choice-message = To answer by message
choice-message-reply = { $callee } will answer by message.
choice-call-back = To call back
choice-call-back-reply = { $callee } will phone you back.
choice-later = To answer later
choice-later-reply = { $callee } can't talk now and will get in touch later.
