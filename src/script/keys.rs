//! The keys of the telephone by what they do in a call. The code compares these, and the sentences name them.

use crate::wording::phrase;

/// Reads the message aloud; in the call that speaks a code, the key that the callee is asked for.
pub const HEAR: char = '5';
/// Says again what was said.
pub const REPEAT: char = '*';
/// Goes on to the next message.
pub const SKIP: char = '#';
/// Explains the call, or says the rest of the menu.
pub const EXPLAIN: char = '0';
/// Switches these calls off, when it is pressed twice.
pub const STOP: char = '9';
/// Records a voice answer.
pub const RECORD: char = '7';
/// Ends the recording. [`SKIP`] does so, too.
pub const END_RECORDING: char = '8';

/// In the default menu: the callee will answer by message.
pub const ANSWER_BY_MESSAGE: char = '1';
/// In the default menu: the callee will call back.
pub const CALL_BACK: char = '2';
/// In the default menu: the callee will answer later.
pub const ANSWER_LATER: char = '3';

/// After a recording: sends it. [`SKIP`] does so, too.
pub const SEND: char = '1';
/// After a recording: plays it.
pub const LISTEN: char = '2';
/// After a recording: replaces it.
pub const RECORD_AGAIN: char = '3';

/// Ends the entry of a number or a PIN.
pub const ENTER: char = '#';
/// Begins the entry anew.
pub const CLEAR: char = '*';

/// Keys that mean the same wherever a message can be answered, so that no choice of the menu may have them.
pub const RESERVED: [char; 7] = [HEAR, REPEAT, SKIP, EXPLAIN, STOP, RECORD, END_RECORDING];

/// Keys that mean the same at each question about a message.
pub(super) const ALWAYS: [char; 4] = [REPEAT, SKIP, EXPLAIN, STOP];

/// The keys that a menu may use.
pub fn free() -> impl Iterator<Item = char> {
    ('0'..='9').filter(|key| !RESERVED.contains(key))
}

/// The variables by which sentences name the keys.
pub(super) const VARIABLES: [(&str, char); 11] = [
    ("hear", HEAR),
    ("repeat", REPEAT),
    ("skip", SKIP),
    ("stop", STOP),
    ("explain", EXPLAIN),
    ("record", RECORD),
    ("end-recording", END_RECORDING),
    ("send", SEND),
    ("listen", LISTEN),
    ("record-again", RECORD_AGAIN),
    ("enter", ENTER),
];

/// A key as it is spoken: a digit, "star" or "pound".
pub(super) fn spoken(key: char, language: Option<&str>) -> String {
    match key {
        '*' => phrase(language, "phone-key-star", &[]),
        '#' => phrase(language, "phone-key-hash", &[]),
        digit => digit.to_string(),
    }
}
