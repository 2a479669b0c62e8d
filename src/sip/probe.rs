//! One OPTIONS to a trunk: does anybody answer there?

use std::time::{Duration, Instant};

use super::client_transaction::ClientTransaction;
use super::message::{Message, Method, Start};
use super::message_builder::MessageBuilder;
use super::trunk::Trunk;
use super::via::LocalAddr;
use crate::seed::Seed;

/// Asks a trunk what it can do, only to see whether it is there.
///
/// Contract: send what `poll` gives; ask `outcome` after each `handle`; the end comes within [`WAIT`].
/// Source:   RFC 3261 §11.1.
#[derive(Debug)]
pub struct Probe {
    call_id: String,
    transaction: ClientTransaction,
    until: Instant,
    outcome: Option<Option<u16>>,
}

impl Probe {
    /// Begins; the OPTIONS is the first thing to send.
    pub fn new(trunk: &Trunk, local_addr: LocalAddr, mut seed: Seed, now: Instant) -> Self {
        let call_id = seed.token();
        let branch = format!("z9hG4bK{}", seed.token());
        let uri = format!("sip:{}", trunk.proxy.authority());
        let mut builder = MessageBuilder::request(&Method::Options, &uri)
            .header("Via", &local_addr.via(&branch))
            .header("Max-Forwards", "70");
        if let Some(route) = trunk.route() {
            builder = builder.header("Route", &route);
        }
        let request = builder
            .header("From", &format!("<{}>;tag={}", trunk.from, seed.token()))
            .header("To", &format!("<{uri}>"))
            .header("Call-ID", &call_id)
            .header("CSeq", "1 OPTIONS")
            .header("Contact", &format!("<{}>", local_addr.contact(trunk.user())))
            .header("Accept", "application/sdp")
            .about_us("User-Agent")
            .end();
        let transaction =
            ClientTransaction::new(Method::Options, branch, request, local_addr.transport, now);
        Self { call_id, transaction, until: now + WAIT, outcome: None }
    }

    /// Takes a message of this Call-ID, or none when the deadline has come.
    pub fn handle(&mut self, received: Option<&[u8]>, now: Instant) {
        self.transaction.tick(now);
        if let Some(Ok(message)) = received.map(Message::parse)
            && let Start::Response { status: status @ 200.. } = message.start
            && self.transaction.owns(&message)
        {
            self.outcome.get_or_insert(Some(status));
        }
        if now >= self.until {
            self.outcome.get_or_insert(None);
        }
    }

    /// What to send now, if anything.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        self.transaction.poll()
    }

    /// Tells when to handle nothing.
    pub fn deadline(&self) -> Instant {
        self.transaction.deadline().map_or(self.until, |deadline| deadline.min(self.until))
    }

    /// The Call-ID, under which the answer comes in.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The end: the status of the answer, whatever it is, or `None` for no answer.
    pub fn outcome(&self) -> Option<Option<u16>> {
        self.outcome
    }
}

/// How long an answer is waited for.
pub const WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::sip::trunk::Transport;

    #[test]
    fn any_answer_shows_that_somebody_is_there() {
        let start = now();
        // Each word is a status (0 for none), @, and the second at which it comes.
        let cases = [
            ("answers", "100@0 200@1", Some(Some(200))),
            ("wants a password", "407@0", Some(Some(407))),
            ("is not there", "0@1 0@5", Some(None)),
            ("is slow", "0@4", None),
        ];
        for (trunk, timeline, expected) in cases {
            let mut probe = Probe::new(
                &Trunk::example(),
                LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
                Seed::fixed(1),
                start,
            );
            let request = Message::parse(&probe.poll().unwrap()).unwrap();
            for word in timeline.split(' ') {
                let (status, second) = word.split_once('@').unwrap();
                let status = status.parse().unwrap();
                let answer = (status > 0).then(|| request.respond(status, "x").end());
                probe.handle(
                    answer.as_deref(),
                    start + Duration::from_secs(second.parse().unwrap()),
                );
            }
            assert_eq!(probe.outcome(), expected, "the trunk {trunk}");
        }
    }
}
