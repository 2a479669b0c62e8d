//! A dialog: how two sides of a call go on talking after its first answer.

use super::header_value::{is_sip_uri, list, parameter, uri};
use super::message::{Message, Method};
use super::message_builder::MessageBuilder;

/// Our side of a dialog that an INVITE has made.
///
/// Source: RFC 3261 §12.1.2 (made by a 2xx), §12.2.1.1 (requests), §12.2.2 (numbers of requests).
#[derive(Clone, Debug)]
pub struct Dialog {
    local: String,
    remote: String,
    remote_tag: Option<String>,
    call_id: String,
    target: String,
    routes: Vec<String>,
    /// The number of our last request.
    pub local_cseq: u32,
    remote_cseq: Option<u32>,
}

impl Dialog {
    /// Made by a 2xx to our INVITE.
    ///
    /// COMPAT(RFC 2543 peers): without a To tag there is a dialog too. COMPAT(some gateways): without
    /// a Contact that can be used, requests go where the INVITE went.
    pub fn new(answer: &Message, invite: &Message) -> Self {
        let routes = answer.items("Record-Route").filter_map(uri).filter(|uri| is_sip_uri(uri));
        let mut routes: Vec<_> = routes.take(ROUTES_MAX).map(str::to_owned).collect();
        routes.reverse();
        Self {
            local: invite.from.text.clone(),
            remote: answer.to.text.clone(),
            remote_tag: answer.to.tag.clone(),
            call_id: invite.call_id.clone(),
            target: target(answer).unwrap_or_else(|| invite.request_uri().to_owned()),
            routes,
            local_cseq: invite.cseq,
            remote_cseq: None,
        }
    }

    /// Made by our 2xx to an INVITE of the far end.
    ///
    /// Source: RFC 3261 §12.1.1.
    pub fn uas(invite: &Message, local_tag: &str) -> Self {
        let routes = invite.items("Record-Route").filter_map(uri).filter(|uri| is_sip_uri(uri));
        Self {
            local: format!("{};tag={local_tag}", invite.to.text),
            remote: invite.from.text.clone(),
            remote_tag: invite.from.tag.clone(),
            call_id: invite.call_id.clone(),
            target: target(invite).unwrap_or_else(|| invite.request_uri().to_owned()),
            routes: routes.take(ROUTES_MAX).map(str::to_owned).collect(),
            local_cseq: 0,
            remote_cseq: Some(invite.cseq),
        }
    }

    /// Writes down what [`Dialog::recalled`] needs, as an answer that would make this dialog.
    pub fn record(&self) -> Vec<u8> {
        let mut builder = MessageBuilder::response(200)
            .header("Via", "SIP/2.0/UDP record.invalid;branch=z9hG4bKrecord")
            .header("From", &self.local)
            .header("To", &self.remote)
            .header("Call-ID", &self.call_id)
            .header("CSeq", &format!("{} INVITE", self.local_cseq))
            .header("Contact", &format!("<{}>", self.target));
        for route in self.routes.iter().rev() {
            builder = builder.header("Record-Route", &format!("<{route}>"));
        }
        builder.end()
    }

    /// The dialog of a record.
    ///
    /// Contract: more requests may have left since than the record counts, so its next number is far ahead (RFC 3261
    ///           §12.2.1.1: a gap is fine).
    pub fn recalled(record: &Message) -> Self {
        let dialog = Self::new(record, record);
        Self { local_cseq: dialog.local_cseq.saturating_add(GAP), ..dialog }
    }

    /// Goes on counting where the early dialog has stopped.
    pub fn follow(&mut self, early: &Self) {
        (self.local_cseq, self.remote_cseq) = (early.local_cseq, early.remote_cseq);
    }

    /// The far end's name for the dialog.
    pub fn remote_tag(&self) -> Option<&str> {
        self.remote_tag.as_deref()
    }

    /// Where requests go now.
    pub fn request_uri(&self) -> &str {
        match self.routes.first() {
            Some(first) if is_strict(first) => first,
            Some(_) | None => &self.target,
        }
    }

    /// Begins a request; its body or end is the caller's.
    ///
    /// Source: RFC 3261 §12.2.1.1; a first route without `lr` is a strict router and becomes the Request-URI.
    pub fn request(&self, method: &Method, cseq: u32, via: &str) -> MessageBuilder {
        let mut builder = MessageBuilder::request(method, self.request_uri()).header("Via", via);
        let strict = self.routes.first().is_some_and(|first| is_strict(first));
        let last = strict.then_some(&self.target);
        for route in self.routes.iter().skip(usize::from(strict)).chain(last) {
            builder = builder.header("Route", &format!("<{route}>"));
        }
        builder
            .header("Max-Forwards", "70")
            .header("From", &self.local)
            .header("To", &self.remote)
            .header("Call-ID", &self.call_id)
            .header("CSeq", &format!("{cseq} {}", method.as_str()))
    }

    /// Tells whether a request of the far end comes in this dialog.
    pub fn owns(&self, request: &Message) -> bool {
        request.from.tag == self.remote_tag
    }

    /// Takes the number of a new request of the far end: a gap is fine, a lower number is not.
    pub fn count(&mut self, request: &Message) -> bool {
        let rises = self.remote_cseq.is_none_or(|last| request.cseq > last);
        if rises {
            self.remote_cseq = Some(request.cseq);
        }
        rises
    }

    /// Follows the far end to the address it names in a re-INVITE or UPDATE. Tells whether that is another one.
    pub fn refresh(&mut self, request: &Message) -> bool {
        let Some(target) = target(request).filter(|target| *target != self.target) else {
            return false;
        };
        self.target = target;
        true
    }
}

fn target(message: &Message) -> Option<String> {
    let contact = message.header("Contact").and_then(|contacts| list(contacts).next())?;
    uri(contact).filter(|uri| is_sip_uri(uri)).map(str::to_owned)
}

fn is_strict(route: &str) -> bool {
    parameter(route, "lr").is_none()
}

const ROUTES_MAX: usize = 16;
const GAP: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_the_recorded_route_and_the_contact() {
        let two_loose = "Record-Route: <sip:b;lr>, <sip:a;lr=on>\r\nContact: \"a <x>\" <sip:bob@10.0.0.7:5062;ob>";
        let cases = [
            ("no route, no contact", "", "sip:+81@pbx", ""),
            ("no route", "Contact: <sip:bob@10.0.0.7>", "sip:bob@10.0.0.7", ""),
            (
                "compact, folded",
                "m:\r\n <sip:bob@10.0.0.7>\r\nRecord-Route:\r\n <sip:a;lr>",
                "sip:bob@10.0.0.7",
                "<sip:a;lr>",
            ),
            (
                "two loose routers",
                two_loose,
                "sip:bob@10.0.0.7:5062;ob",
                "<sip:a;lr=on> <sip:b;lr>",
            ),
            (
                "a strict router",
                "Record-Route: <sip:b;lr>\r\nRecord-Route: <sip:a>\r\nContact: <sip:c@d>",
                "sip:a",
                "<sip:b;lr> <sip:c@d>",
            ),
            ("a contact that is no SIP URI", "Contact: <tel:+81>", "sip:+81@pbx", ""),
        ];
        for (situation, headers, request_uri, routes) in cases {
            let dialog = Dialog::new(&answer(headers), &invite());
            let bye = dialog.request(&Method::Bye, 2, "SIP/2.0/UDP us;branch=z9hG4bKb").end();
            let bye = Message::parse(&bye).unwrap();
            assert_eq!(bye.request_uri(), request_uri, "{situation}");
            assert_eq!(bye.all("Route").collect::<Vec<_>>().join(" "), routes, "{situation}");
            assert_eq!(bye.to.tag.as_deref(), Some("theirs"), "{situation}");
        }
    }

    #[test]
    fn numbers_may_leave_a_gap_but_never_fall() {
        let mut dialog = Dialog::new(&answer(""), &invite());
        let told: Vec<_> = [5, 9, 9, 8, 10]
            .map(|cseq| {
                let mut request = answer("");
                request.cseq = cseq;
                dialog.count(&request)
            })
            .into();
        assert_eq!(told, [true, true, false, false, true]);
    }

    fn invite() -> Message {
        let text = "INVITE sip:+81@pbx SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKa\r\nFrom: <sip:us@a>;tag=ours\r\n\
             To: <sip:+81@pbx>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n";
        Message::parse(text.as_bytes()).unwrap()
    }

    fn answer(headers: &str) -> Message {
        let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKa\r\nFrom: <sip:us@a>;tag=ours\r\n\
             To: <sip:+81@pbx>;tag=theirs\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{headers}\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }
}
