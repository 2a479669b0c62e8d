//! The key that an INFO tells, in the forms that phones and gateways have for it.

use crate::sip::message::Message;

/// What an INFO of the far end tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Info {
    /// A key.
    Key(char),
    /// Nothing, or what is no key, such as a flash.
    Nothing,
    /// A body of a kind for keys in which none can be found.
    Unreadable,
    /// A body of another kind.
    Foreign,
}

/// Reads an INFO.
///
/// Source: RFC 6086 §4.2.2 (an INFO without a body is fine). COMPAT(Cisco, Asterisk): `application/dtmf-relay` with
///         `Signal=5`. COMPAT(Yealink): `application/dtmf` with the same, and `audio/telephone-event`, whose body is
///         either that text or the octets of RFC 4733. COMPAT(Nortel): `application/vnd.nortelnetworks.digits` with `d=5`.
pub(super) fn read(request: &Message) -> Info {
    if request.body.iter().all(u8::is_ascii_whitespace) {
        return Info::Nothing;
    }
    let kind = request.header("Content-Type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = String::from_utf8_lossy(&request.body);
    let signal = || match field(&text, &["signal", "d"]) {
        Some(value) => written(value),
        None => written(text.trim()),
    };
    match kind.as_str() {
        "application/dtmf-relay" | "application/dtmf" => signal(),
        "application/vnd.nortelnetworks.digits" => signal(),
        "audio/telephone-event" => match request.body[..] {
            [event @ ..=16, _, _, _] => numbered(event.into()),
            _ => signal(),
        },
        _ => Info::Foreign,
    }
}

/// What all bodies of our INFO are called.
pub(super) const ACCEPTED: &str = "application/dtmf-relay, application/dtmf, \
     audio/telephone-event, application/vnd.nortelnetworks.digits";

fn field<'t>(text: &'t str, names: &[&str]) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(['=', ':'])?;
        let known = names.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
        known.then(|| value.trim().trim_matches('"'))
    })
}

/// A key by its character, its name, or the number of its telephone event.
fn written(text: &str) -> Info {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(key), None) if KEYS.contains(key.to_ascii_uppercase()) => {
            Info::Key(key.to_ascii_uppercase())
        }
        (Some('!'), None) => Info::Nothing,
        _ => match text.to_ascii_lowercase().as_str() {
            "star" => Info::Key('*'),
            "pound" | "hash" => Info::Key('#'),
            "flash" | "hf" => Info::Nothing,
            number if number.len() == 2 => number.parse().map_or(Info::Unreadable, numbered),
            _ => Info::Unreadable,
        },
    }
}

/// Source: RFC 4733 §3.2, table 3; 16 is a flash.
fn numbered(event: usize) -> Info {
    match KEYS.chars().nth(event) {
        Some(key) => Info::Key(key),
        None if event == FLASH => Info::Nothing,
        None => Info::Unreadable,
    }
}

const KEYS: &str = "0123456789*#ABCD";
const FLASH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_every_form_of_info() {
        let relay = "application/dtmf-relay";
        let cases = [
            (relay, "Signal=5\r\nDuration=160\r\n", Info::Key('5')),
            (relay, "Signal= *\nDuration= 250\n", Info::Key('*')),
            (relay, "Duration=160\r\nSIGNAL=\"#\"", Info::Key('#')),
            (relay, "Signal:d", Info::Key('D')),
            (relay, "Signal=10", Info::Key('*')),
            (relay, "Signal=11", Info::Key('#')),
            (relay, "Signal=15", Info::Key('D')),
            (relay, "Signal=star", Info::Key('*')),
            (relay, "Signal=16", Info::Nothing),
            (relay, "Signal=hf", Info::Nothing),
            (relay, "5", Info::Key('5')),
            (relay, "Signal=17", Info::Unreadable),
            (relay, "Signal=", Info::Unreadable),
            (relay, "Duration=5", Info::Unreadable),
            (relay, "", Info::Nothing),
            (relay, "\r\n", Info::Nothing),
            ("Application/DTMF-Relay;charset=utf-8", "Signal=7", Info::Key('7')),
            ("application/dtmf", "7", Info::Key('7')),
            ("application/dtmf", " 7\r\n", Info::Key('7')),
            ("application/dtmf", "Signal=7\r\nDuration=100", Info::Key('7')),
            ("application/dtmf", "77", Info::Unreadable),
            ("audio/telephone-event", "\u{5}\u{a}\u{1}\u{40}", Info::Key('5')),
            ("audio/telephone-event", "\u{b}\u{a}\u{1}\u{40}", Info::Key('#')),
            ("audio/telephone-event", "Signal=3\r\nDuration=100", Info::Key('3')),
            ("audio/telephone-event", "\u{7f}\u{a}\u{1}\u{40}", Info::Unreadable),
            (
                "application/vnd.nortelnetworks.digits",
                "p=Digit-Collection\r\ny=Digits\r\ns=success\r\nu=12345678\r\ni=87654321\r\np=0\r\nt=30\r\nd=8",
                Info::Key('8'),
            ),
            ("application/media_control+xml", "<x/>", Info::Foreign),
            ("text/plain", "5", Info::Foreign),
            ("", "5", Info::Foreign),
        ];
        for (kind, body, expected) in cases {
            let kind =
                if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
            let text = format!(
                "INFO sip:us@here SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:us@here>;tag=2\r\nCall-ID: c\r\nCSeq: 2 INFO\r\n{kind}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let request = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(read(&request), expected, "{kind}{body}");
        }
    }
}
