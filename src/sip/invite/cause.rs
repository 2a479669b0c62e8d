//! Why a call ended, beside its status: what the telephone network said, and what we say.

use crate::sip::header_value::parameter;
use crate::sip::message::{Message, digits};

/// The cause of a refusal or a BYE, as Q.850 numbers them.
///
/// Source: RFC 3326 §2; ITU-T Q.850.
pub(super) fn cause(message: &Message) -> Option<u8> {
    let network = |reason: &&str| {
        reason.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case("Q.850"))
    };
    let number = parameter(message.items("Reason").find(network)?, "cause").and_then(digits)?;
    u8::try_from(number).ok().filter(|cause| (1..=127).contains(cause))
}

/// Why we end a call. Phones and the trunk's records show it.
///
/// Source: RFC 3326 §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// All was said, or it rang long enough.
    #[default]
    NormalClearing,
    /// The callee reads chat again. The phone shows no missed call then.
    CompletedElsewhere,
    /// Nothing is heard of the far end.
    NoRtp,
}

impl Reason {
    /// What the header says.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::NormalClearing => "Q.850;cause=16",
            Self::CompletedElsewhere => "SIP;cause=200;text=\"Call completed elsewhere\"",
            Self::NoRtp => "Q.850;cause=102;text=\"no RTP\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_and_nothing_else() {
        let cases = [
            ("Reason: Q.850;cause=17;text=\"User busy\"", Some(17)),
            ("Reason: SIP;cause=200;text=\"a, b\", q.850 ;cause=\"1\"", Some(1)),
            ("Reason: SIP;cause=600\r\nReason: Q.850;cause=16", Some(16)),
            ("Reason: SIP;cause=17", None),
            ("Reason: Q.850", None),
            ("Reason: Q.850;cause=", None),
            ("Reason: Q.850;cause=0", None),
            ("Reason: Q.850;cause=128", None),
            ("Reason: Q.850;cause=-1", None),
            ("Reason: Q.850;cause=99999999999", None),
            ("X: y", None),
        ];
        for (header, expected) in cases {
            let text = format!(
                "SIP/2.0 480 x\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKa\r\nFrom: <sip:us@a>;tag=1\r\n\
                 To: <sip:b@c>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{header}\r\n\r\n"
            );
            assert_eq!(cause(&Message::parse(text.as_bytes()).unwrap()), expected, "{header}");
        }
    }
}
