//! One request of the far end and our final response, which answers its copies too.

use std::time::{Duration, Instant};

use super::message::{Message, Method};
use super::{PATIENCE, T1, T2};

/// A server transaction over UDP that was answered at once.
///
/// Contract: [`ServerTransaction::poll`] after each call; then sleep until the deadline.
/// Source:   RFC 3261 §17.2.1 and §13.3.1.4 (INVITE: sent again until its ACK), §17.2.2 (others).
#[derive(Debug)]
pub struct ServerTransaction {
    method: Method,
    branch: String,
    cseq: u32,
    response: Vec<u8>,
    resend: Option<(Instant, Duration)>,
    until: Instant,
    send: bool,
    over: bool,
}

impl ServerTransaction {
    /// Begins with the final response on its way out.
    pub fn new(request: &Message, response: Vec<u8>, now: Instant) -> Self {
        let resend = (request.method == Method::Invite).then_some((now + T1, T1));
        Self {
            method: request.method.clone(),
            branch: request.branch().to_owned(),
            cseq: request.cseq,
            response,
            resend,
            until: now + PATIENCE,
            send: true,
            over: false,
        }
    }

    /// Takes a request and tells whether it was a copy of ours, or its ACK.
    ///
    /// Contract: the ACK of a 2xx has a branch of its own; its number tells (RFC 3261 §13.3.1.4).
    pub fn absorbs(&mut self, request: &Message) -> bool {
        let invite = self.method == Method::Invite;
        if invite && request.method == Method::Ack && request.cseq == self.cseq {
            self.resend = None;
            return true;
        }
        let copy = request.method == self.method
            && request.branch() == self.branch
            && request.cseq == self.cseq;
        self.send |= copy;
        copy
    }

    /// Tells whether a CANCEL is for this request.
    pub fn is_cancelled_by(&self, cancel: &Message) -> bool {
        self.method == Method::Invite && cancel.branch() == self.branch
    }

    /// Lets timers fire that are due, and tells whether the ACK of an INVITE never came.
    pub fn tick(&mut self, now: Instant) -> bool {
        if now >= self.until {
            self.over = true;
            return self.resend.take().is_some();
        }
        if let Some((next, wait)) = &mut self.resend
            && now >= *next
        {
            *wait = (*wait * 2).min(T2);
            *next = now + *wait;
            self.send = true;
        }
        false
    }

    /// Tells when [`ServerTransaction::tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let next = self.resend.map_or(self.until, |(next, _)| next.min(self.until));
        (!self.over).then_some(next)
    }

    /// What to send now, if anything.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.send).then(|| self.response.clone())
    }

    /// Tells whether no copy can come any more.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;

    #[test]
    fn a_final_response_to_an_invite_goes_out_until_its_ack() {
        // One character is half a second: `.` nothing, `c` a copy arrives, `a` the ACK arrives.
        let cases = [
            ("is lost for four seconds", "INVITE", "........", "x x.x...x."),
            ("is acknowledged", "INVITE", ".a......", "x x......."),
            ("is asked for again", "INVITE", ".ac.....", "x x.x....."),
            ("is no INVITE", "INFO", "...c....", "x ...x...."),
        ];
        for (response, method, timeline, expected) in cases {
            let start = now();
            let request = message(method, "z9hG4bKone");
            let mut transaction = ServerTransaction::new(&request, b"200".to_vec(), start);
            let mut sent = String::new();
            let mut note = |transaction: &mut ServerTransaction| {
                sent.push(if transaction.poll().is_some() { 'x' } else { '.' });
            };
            note(&mut transaction);
            for (half_second, step) in (1..).zip(timeline.chars()) {
                match step {
                    'c' => assert!(transaction.absorbs(&request)),
                    'a' => assert!(transaction.absorbs(&message("ACK", "z9hG4bKtwo"))),
                    _ => assert!(!transaction.absorbs(&message("BYE", "z9hG4bKthree"))),
                }
                assert!(!transaction.tick(start + T1 * half_second));
                note(&mut transaction);
            }
            assert_eq!(sent, expected.replace(' ', ""), "the response {response}");
        }
    }

    #[test]
    fn an_ack_that_never_comes_is_told_once() {
        let start = now();
        let mut transaction =
            ServerTransaction::new(&message("INVITE", "z9hG4bKone"), vec![], start);
        assert!(!transaction.tick(start + PATIENCE - T1));
        assert!(transaction.tick(start + PATIENCE));
        assert!(!transaction.tick(start + PATIENCE));
        assert!(transaction.is_over());
        assert_eq!(transaction.deadline(), None);
    }

    fn message(method: &str, branch: &str) -> Message {
        let text = format!(
            "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP b;branch={branch}\r\nFrom: <sip:b@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 7 {method}\r\n\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }
}
