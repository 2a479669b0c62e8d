//! SIP messages as the operator may read them: whole, but for numbers, names, passwords, keys, and keys pressed.

use std::fmt::Write as _;

use crate::redaction::Pii;

/// The message as text, without what names or proves somebody. Hosts, tags, branches and Call-IDs stay: by them it is
/// found in the log of the far end.
///
/// Contract: a number has the same tag in each message, however it is written.
pub fn readable(message: &[u8]) -> String {
    let head_end = message.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = message.split_at(head_end.map_or(message.len(), |end| end + 4));
    let head = String::from_utf8_lossy(head);
    let (mut text, mut is_sdp) = (String::with_capacity(message.len()), false);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').unwrap_or(("", line));
        let name = name.trim().to_ascii_lowercase();
        if ["content-type", "c"].contains(&name.as_str()) {
            is_sdp = value.trim().to_ascii_lowercase().starts_with("application/sdp");
        }
        let written = match name.as_str() {
            "authorization" | "proxy-authorization" => {
                let (of, _) = line.split_once(':').unwrap_or((line, ""));
                format!("{of}: ‹password›")
            }
            _ if NAMED.contains(&name.as_str()) => {
                let (of, value) = line.split_once(':').unwrap_or((line, ""));
                format!("{of}:{}", without_numbers(&without_name(value)))
            }
            _ => without_numbers(line),
        };
        text += &written;
        text.push('\n');
    }
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    if is_sdp {
        for line in String::from_utf8_lossy(body).lines() {
            let kept = line.split("inline:").next().unwrap_or_default();
            let key = if kept.len() < line.len() { "inline:‹key›" } else { "" };
            let _ = writeln!(text, "{}{key}", without_numbers(kept));
        }
    } else if !body.is_empty() {
        // Keys that were pressed, or what nobody knows.
        let _ = writeln!(text, "‹{} octets›", body.len());
    }
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// An address without the name that stands before it.
fn without_name(value: &str) -> String {
    let Some((name, rest)) = value.split_once('<').filter(|(name, _)| !name.trim().is_empty())
    else {
        return value.to_owned();
    };
    format!(" {} <{rest}", Pii(name.trim().trim_matches('"')))
}

/// A line whose URIs have a tag in place of a number.
fn without_numbers(line: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = SCHEMES.iter().filter_map(|scheme| find(rest, scheme)).min() {
        let (front, behind) = rest.split_at(at);
        text += front;
        let end = behind.find(['@', ';', '>', '?', ' ', ',', '"']).unwrap_or(behind.len());
        let (user, other) = behind.split_at(end);
        let digits: String = unescaped(user).chars().filter(char::is_ascii_digit).collect();
        // A host stands there where no user does.
        let is_user = other.starts_with('@') || front.to_ascii_lowercase().ends_with("tel:");
        match is_user && digits.len() >= DIGITS_MIN {
            true => drop(write!(text, "{}", Pii(digits))),
            false => text += user,
        }
        rest = other;
    }
    text + rest
}

/// Where what follows this scheme begins.
fn find(text: &str, scheme: &str) -> Option<usize> {
    let at = text.to_ascii_lowercase().find(scheme)?;
    Some(at + scheme.len())
}

fn unescaped(user: &str) -> String {
    String::from_utf8_lossy(&super::header_value::unescaped(user)).into_owned()
}

const SCHEMES: [&str; 3] = ["sip:", "sips:", "tel:"];
/// Headers in which a name may stand before an address.
const NAMED: [&str; 10] = [
    "from",
    "f",
    "to",
    "t",
    "contact",
    "m",
    "p-asserted-identity",
    "p-preferred-identity",
    "remote-party-id",
    "diversion",
];
/// Extensions of a PBX are no numbers by which somebody is known.
const DIGITS_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_without_numbers_names_passwords_and_keys() {
        let message = "INVITE sip:+81378901111@pbx.example.org;user=phone SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKabc\r\n\
             From: \"Bob Miller\" <sip:%2B81312345678@example.org>;tag=1\r\n\
             t: Carol <tel:+81-3-7890-1111>\r\n\
             P-Asserted-Identity: <sip:+81312345678@example.org>, <tel:+81312345678>\r\n\
             Contact: <sip:offhook@192.0.2.2:5060>\r\n\
             Call-ID: 0123456789abcdef\r\nCSeq: 1 INVITE\r\n\
             Proxy-Authorization: Digest username=\"bob\", response=\"d00d\"\r\n\
             Content-Type: application/sdp\r\nContent-Length: 99\r\n\r\n\
             v=0\r\no=- 123456789 0 IN IP4 192.0.2.2\r\nm=audio 20000 RTP/SAVP 0\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewky|2^31\r\n";
        let shown = readable(message.as_bytes());
        for secret in
            ["8137890", "8131234", "7890", "Bob", "Carol", "bob", "d00d", "WVNf", "Miller"]
        {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        let callee = Pii("81378901111".to_owned()).to_string();
        let caller = Pii("81312345678".to_owned()).to_string();
        assert_eq!(shown.matches(&callee).count(), 2, "{shown}");
        assert_eq!(shown.matches(&caller).count(), 3, "{shown}");
        for kept in [
            "INVITE sip:‹",
            "@pbx.example.org;user=phone SIP/2.0\n",
            "branch=z9hG4bKabc",
            ";tag=1\n",
            "Contact: <sip:offhook@192.0.2.2:5060>\n",
            "Call-ID: 0123456789abcdef\n",
            "Proxy-Authorization: ‹password›\n",
            "o=- 123456789 0 IN IP4 192.0.2.2\n",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:‹key›\n",
        ] {
            assert!(shown.contains(kept), "{kept} is missing in {shown}");
        }
    }

    #[test]
    fn keys_that_are_pressed_are_not_shown_and_no_octets_harm_the_terminal() {
        let info = b"INFO sip:us@192.0.2.2:5060 SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5";
        assert!(readable(info).ends_with("‹8 octets›\n"), "{}", readable(info));
        assert!(readable(info).starts_with("INFO sip:us@192.0.2.2:5060 SIP/2.0\n"));
        let rubbish = readable(b"\x1b[31m\xff\x07 sip: tel:\r\n");
        assert!(!rubbish.contains('\u{1b}') && !rubbish.contains('\u{7}'), "{rubbish:?}");
    }
}
