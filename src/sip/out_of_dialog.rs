//! Answers to requests that belong to no call of ours.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ALLOW;
use super::message::{Message, Method};
use super::message_builder::MessageBuilder;

/// Answers a request that belongs to no call; `None` for an ACK, which has no answer.
///
/// Contract: keeps nothing, and gives each copy of a request the same answer (RFC 3261 §8.2.7).
pub fn answer(request: &Message) -> Option<Vec<u8>> {
    use Method::*;
    let in_dialog = request.to.tag.is_some();
    let status = match &request.method {
        Ack => return None,
        Options if !in_dialog => 200,
        Invite if !in_dialog => 403,
        Invite | Cancel | Bye | Info | Update | Options => 481,
        method => unknown(method),
    };
    Some(respond(request, status, &tag(request)))
}

/// Refuses a call that the far end wants to make. Each copy gets the same answer.
pub fn refuse(invite: &Message, status: u16) -> Vec<u8> {
    respond(invite, status, &tag(invite))
}

/// The status for a method that we do not answer: a known method, or an unknown one.
pub(super) fn unknown(method: &Method) -> u16 {
    let known = ["REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH", "REFER"];
    if known.contains(&method.as_str()) { 405 } else { 501 }
}

/// A whole response without a body.
pub(super) fn respond(request: &Message, status: u16, to_tag: &str) -> Vec<u8> {
    let builder: MessageBuilder = request.respond(status, to_tag);
    match status {
        200 => builder.header("Accept", "application/sdp").about_us("Server").end(),
        503 => builder.header("Retry-After", RETRY_AFTER_S).header("Server", super::PRODUCT).end(),
        405 | 501 => builder.header("Allow", ALLOW).header("Server", super::PRODUCT).end(),
        _ => builder.header("Server", super::PRODUCT).end(),
    }
}

fn tag(request: &Message) -> String {
    let mut hasher = DefaultHasher::new();
    (&request.call_id, &request.from.tag, request.cseq, request.branch()).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// How soon a caller may try again who could not be served.
const RETRY_AFTER_S: &str = "10";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stray_request_gets_the_answer_of_its_kind() {
        let cases = [
            ("OPTIONS", "", Some(200)),
            ("OPTIONS", ";tag=x", Some(481)),
            ("INVITE", "", Some(403)),
            ("INVITE", ";tag=x", Some(481)),
            ("BYE", ";tag=x", Some(481)),
            ("CANCEL", "", Some(481)),
            ("ACK", ";tag=x", None),
            ("REGISTER", "", Some(405)),
            ("NOTIFY", "", Some(405)),
            ("INVITES", "", Some(501)),
            ("invite", "", Some(501)),
        ];
        for (method, tag, expected) in cases {
            let text = format!(
                "{method} sip:us@here SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bKa;received=192.0.2.1\r\n\
                 v: SIP/2.0/UDP b\r\nf: <sip:a@b>;tag=1\r\nt: <sip:us@here>{tag}\r\ni: c\r\nCSeq: 1 {method}\r\n\r\n"
            );
            let request = Message::parse(text.as_bytes()).unwrap();
            let response = answer(&request);
            assert_eq!(response, answer(&request), "a copy of {method} gets another answer");
            let response = response.map(|response| Message::parse(&response).unwrap());
            assert_eq!(response.as_ref().and_then(Message::status), expected, "{method}{tag}");
            if let Some(response) = response {
                assert_eq!(response.all("Via").count(), 2);
                assert!(response.to.tag.is_some());
            }
        }
    }
}
