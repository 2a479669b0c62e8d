//! One request of ours until its final response, sent again while nothing comes.

use std::time::{Duration, Instant};

use super::message::{Message, Method};
use super::message_builder::MessageBuilder;
use super::trunk::Transport;
use super::{PATIENCE, T1, T2, T4};

/// A client transaction, for INVITE and for every other request.
///
/// Contract: [`ClientTransaction::poll`] after each call; then sleep until the deadline.
/// Source:   RFC 3261 §17.1.1 (INVITE), §17.1.2 (others); RFC 6026 §7.2: after a 2xx an INVITE stays
///           for [`PATIENCE`], so that copies and forks of the 2xx still find it.
#[derive(Debug)]
pub struct ClientTransaction {
    method: Method,
    branch: String,
    request: Vec<u8>,
    transport: Transport,
    phase: Phase,
    gives_up: Instant,
    send: Option<Vec<u8>>,
}

impl ClientTransaction {
    /// Begins with the request on its way out.
    ///
    /// Contract: over a connection nothing is sent twice, and no copies are waited for.
    pub fn new(
        method: Method,
        branch: String,
        request: Vec<u8>,
        transport: Transport,
        now: Instant,
    ) -> Self {
        let gives_up = now + PATIENCE;
        let next = if transport.is_reliable() { gives_up } else { now + T1 };
        let phase = Phase::Calling { next, wait: T1 };
        let send = Some(request.clone());
        Self { method, branch, request, transport, phase, gives_up, send }
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The request as sent.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// The branch of its Via, which a CANCEL repeats.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Tells whether a response belongs here.
    ///
    /// Source: RFC 3261 §17.1.3.
    pub fn owns(&self, response: &Message) -> bool {
        response.branch() == self.branch && response.method == self.method
    }

    /// Takes a response and tells whether it is news; a copy is absorbed here.
    ///
    /// Contract: each 2xx to an INVITE is news, since its ACK is the caller's to send.
    pub fn receive(&mut self, response: &Message, status: u16, now: Instant) -> bool {
        use Phase::*;
        let (invite, reliable) = (self.method == Method::Invite, self.transport.is_reliable());
        let copies = |wait| if reliable { now } else { now + wait };
        let (next, news) = match (&self.phase, status) {
            (Calling { .. } | Proceeding { .. }, 100..=199) => {
                let next = if reliable { self.gives_up } else { now + T2 };
                (Proceeding { next: (!invite).then_some(next) }, true)
            }
            (Calling { .. } | Proceeding { .. } | Accepted { .. }, 200..=299) if invite => {
                (Accepted { until: now + PATIENCE }, true)
            }
            (Calling { .. } | Proceeding { .. }, _) if invite => {
                let ack = acknowledgement(&self.request, response);
                self.send = Some(ack.clone());
                (Refused { until: copies(PATIENCE), ack }, true)
            }
            (Calling { .. } | Proceeding { .. }, _) => (Completed { until: copies(T4) }, true),
            // A proxy may forward a 2xx even after another final response (RFC 3261 §16.7).
            (Refused { .. }, 200..=299) => (Accepted { until: now + PATIENCE }, true),
            (Refused { ack, .. }, 300..) => {
                self.send = Some(ack.clone());
                return false;
            }
            (Refused { .. } | Accepted { .. } | Completed { .. } | TimedOut | Over, _) => {
                return false;
            }
        };
        self.phase = next;
        news
    }

    /// Lets timers fire that are due.
    pub fn tick(&mut self, now: Instant) {
        use Phase::*;
        let waiting = matches!(self.phase, Calling { .. } | Proceeding { next: Some(_) });
        match &mut self.phase {
            _ if waiting && now >= self.gives_up => self.phase = TimedOut,
            Calling { next, wait } if now >= *next => {
                let longest = if self.method == Method::Invite { PATIENCE } else { T2 };
                *wait = (*wait * 2).min(longest);
                *next = now + *wait;
                self.send = Some(self.request.clone());
            }
            Proceeding { next: Some(next) } if now >= *next => {
                *next = now + T2;
                self.send = Some(self.request.clone());
            }
            Accepted { until } | Refused { until, .. } | Completed { until } if now >= *until => {
                self.phase = Over;
            }
            Calling { .. } | Proceeding { .. } | Accepted { .. } | Refused { .. } => {}
            Completed { .. } | TimedOut | Over => {}
        }
    }

    /// Sends no more copies, but goes on listening. The caller bounds the wait, as for an INVITE that was answered with a provisional response.
    pub fn stop_sending(&mut self) {
        if matches!(self.phase, Phase::Calling { .. }) {
            self.phase = Phase::Proceeding { next: None };
        }
    }

    /// Ends it, whatever is still to come.
    pub fn abandon(&mut self) {
        self.phase = Phase::Over;
    }

    /// Tells when [`ClientTransaction::tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        use Phase::*;
        match self.phase {
            Calling { next, .. } | Proceeding { next: Some(next) } => Some(next.min(self.gives_up)),
            Accepted { until } | Refused { until, .. } | Completed { until } => Some(until),
            Proceeding { next: None } | TimedOut | Over => None,
        }
    }

    /// What to send now, if anything.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        self.send.take()
    }

    /// Tells whether the final response is still to come.
    pub fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. } | Phase::Proceeding { .. })
    }

    /// Tells whether it gave up waiting.
    pub fn has_timed_out(&self) -> bool {
        matches!(self.phase, Phase::TimedOut)
    }

    /// Tells whether nothing more can come of it.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::TimedOut | Phase::Over)
    }
}

#[derive(Debug)]
enum Phase {
    Calling { next: Instant, wait: Duration },
    Proceeding { next: Option<Instant> },
    Accepted { until: Instant },
    Refused { until: Instant, ack: Vec<u8> },
    Completed { until: Instant },
    TimedOut,
    Over,
}

/// The ACK for a final response other than 2xx: of the INVITE's own transaction, on the INVITE's own route.
///
/// Source: RFC 3261 §17.1.1.3.
fn acknowledgement(invite: &[u8], response: &Message) -> Vec<u8> {
    derived(invite, &Method::Ack, Some(&response.to.text), None)
}

/// The CANCEL for an INVITE.
///
/// Source: RFC 3261 §9.1.
pub fn cancellation(invite: &[u8], reason: &str) -> Vec<u8> {
    derived(invite, &Method::Cancel, None, Some(reason))
}

/// A request that repeats the branch, route and names of an INVITE of ours.
fn derived(invite: &[u8], method: &Method, to: Option<&str>, reason: Option<&str>) -> Vec<u8> {
    let Ok(invite) = Message::parse(invite) else { unreachable!("we wrote this INVITE ourselves") };
    let mut builder = MessageBuilder::request(method, invite.request_uri())
        .header("Via", invite.via().unwrap_or_default());
    for route in invite.all("Route") {
        builder = builder.header("Route", route);
    }
    if let Some(reason) = reason {
        builder = builder.header("Reason", reason);
    }
    builder
        .header("Max-Forwards", "70")
        .header("From", &invite.from.text)
        .header("To", to.unwrap_or(&invite.to.text))
        .header("Call-ID", &invite.call_id)
        .header("CSeq", &format!("{} {}", invite.cseq, method.as_str()))
        .header("User-Agent", super::PRODUCT)
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn a_request_goes_out_again_until_it_is_answered_or_given_up() {
        // Each number is a second at which a copy leaves; the word is the answer and its second.
        let cases = [
            ("INVITE", Transport::Udp, "", "0 0.5 1.5 3.5 7.5 15.5 31.5 gave up at 32"),
            ("INVITE", Transport::Udp, "180 1", "0 0.5 waits"),
            ("INVITE", Transport::Udp, "200 1", "0 0.5 over at 33"),
            ("INVITE", Transport::Udp, "486 1", "0 0.5 1 over at 33"),
            (
                "BYE",
                Transport::Udp,
                "",
                "0 0.5 1.5 3.5 7.5 11.5 15.5 19.5 23.5 27.5 31.5 gave up at 32",
            ),
            ("BYE", Transport::Udp, "100 1", "0 0.5 5 9 13 17 21 25 29 gave up at 32"),
            ("BYE", Transport::Udp, "200 1", "0 0.5 over at 6"),
            ("BYE", Transport::Udp, "481 4", "0 0.5 1.5 3.5 over at 9"),
            ("INVITE", Transport::Tcp, "", "0 gave up at 32"),
            ("INVITE", Transport::Tcp, "180 1", "0 waits"),
            ("INVITE", Transport::Tls, "200 1", "0 over at 33"),
            ("INVITE", Transport::Tls, "486 1", "0 1 over at 1"),
            ("BYE", Transport::Tcp, "", "0 gave up at 32"),
            ("BYE", Transport::Tcp, "100 1", "0 gave up at 32"),
            ("BYE", Transport::Tls, "200 1", "0 over at 1"),
        ];
        for (method, transport, answer, expected) in cases {
            let start = now();
            let request = request(method);
            let mut transaction = ClientTransaction::new(
                Method::from(method),
                "z9hG4bKa".to_owned(),
                request.clone(),
                transport,
                start,
            );
            let mut told = Vec::new();
            let mut time = start;
            let answer = answer.split_once(' ').map(|(status, second)| {
                let second: u64 = second.parse().unwrap();
                (status.parse::<u16>().unwrap(), start + Duration::from_secs(second))
            });
            let mut answer = answer;
            while transaction.poll().is_some() {
                told.push(seconds(time - start));
                while let Some(next) =
                    transaction.deadline().into_iter().chain(answer.map(|(_, at)| at)).min()
                {
                    time = next;
                    if let Some((status, _)) = answer.take_if(|(_, at)| *at == time) {
                        let response = Message::parse(&request).unwrap().respond(status, "x").end();
                        let response = Message::parse(&response).unwrap();
                        assert!(
                            transaction.owns(&response)
                                && transaction.receive(&response, status, time)
                        );
                    } else {
                        transaction.tick(time);
                    }
                    if transaction.send.is_some() {
                        break;
                    }
                }
            }
            told.push(match (transaction.has_timed_out(), transaction.is_over()) {
                (true, _) => format!("gave up at {}", seconds(time - start)),
                (false, true) => format!("over at {}", seconds(time - start)),
                (false, false) => "waits".to_owned(),
            });
            assert_eq!(told.join(" "), expected, "{method} answered {answer:?}");
        }
    }

    #[test]
    fn a_response_belongs_by_branch_and_method() {
        let transaction = ClientTransaction::new(
            Method::Cancel,
            "z9hG4bKa".to_owned(),
            vec![],
            Transport::Udp,
            now(),
        );
        let of = |method: &str| Message::parse(&request(method)).unwrap().respond(200, "x").end();
        assert!(transaction.owns(&Message::parse(&of("CANCEL")).unwrap()));
        assert!(!transaction.owns(&Message::parse(&of("INVITE")).unwrap()));
    }

    fn seconds(time: Duration) -> String {
        time.as_secs_f32().to_string()
    }

    fn request(method: &str) -> Vec<u8> {
        let text = format!(
            "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bKa\r\nFrom: <sip:b@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        text.into_bytes()
    }
}
