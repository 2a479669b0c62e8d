//! One request of ours until its final response, sent again while nothing comes.

use std::time::{Duration, Instant};

use super::draft::Draft;
use super::message::{Message, Method};
use super::{PATIENCE, T1, T2, T4};

/// A client transaction over UDP, for INVITE and for every other request.
///
/// Contract: [`ClientTransaction::poll`] after each call; then sleep until the deadline.
/// Source:   RFC 3261 §17.1.1 (INVITE), §17.1.2 (others); RFC 6026 §7.2: after a 2xx an INVITE stays
///           for [`PATIENCE`], so that copies and forks of the 2xx still find it.
#[derive(Debug)]
pub struct ClientTransaction {
    method: Method,
    branch: String,
    request: Vec<u8>,
    phase: Phase,
    gives_up: Instant,
    send: Option<Vec<u8>>,
}

impl ClientTransaction {
    /// Begins with the request on its way out.
    pub fn new(method: Method, branch: String, request: Vec<u8>, now: Instant) -> Self {
        let phase = Phase::Calling { next: now + T1, wait: T1 };
        let send = Some(request.clone());
        Self { method, branch, request, phase, gives_up: now + PATIENCE, send }
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
        let invite = self.method == Method::Invite;
        let (next, news) = match (&self.phase, status) {
            (Calling { .. } | Proceeding { .. }, 100..=199) => {
                (Proceeding { next: (!invite).then_some(now + T2) }, true)
            }
            (Calling { .. } | Proceeding { .. } | Accepted { .. }, 200..=299) if invite => {
                (Accepted { until: now + PATIENCE }, true)
            }
            (Calling { .. } | Proceeding { .. }, _) if invite => {
                let ack = acknowledgement(&self.request, response);
                self.send = Some(ack.clone());
                (Refused { until: now + PATIENCE, ack }, true)
            }
            (Calling { .. } | Proceeding { .. }, _) => (Completed { until: now + T4 }, true),
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

    /// Tells whether nothing at all has come.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. })
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

/// The ACK for a final response other than 2xx: of the INVITE's own transaction, by the INVITE's own way.
///
/// Source: RFC 3261 §17.1.1.3.
fn acknowledgement(invite: &[u8], response: &Message) -> Vec<u8> {
    derived(invite, &Method::Ack, Some(&response.to.text))
}

/// The CANCEL for an INVITE.
///
/// Source: RFC 3261 §9.1.
pub fn cancellation(invite: &[u8]) -> Vec<u8> {
    derived(invite, &Method::Cancel, None)
}

/// A request that repeats the branch, route and names of an INVITE of ours.
fn derived(invite: &[u8], method: &Method, to: Option<&str>) -> Vec<u8> {
    let Ok(invite) = Message::parse(invite) else { unreachable!("we wrote this INVITE ourselves") };
    let mut draft = Draft::request(method, invite.request_uri())
        .header("Via", invite.via().unwrap_or_default());
    for route in invite.all("Route") {
        draft = draft.header("Route", route);
    }
    draft
        .header("Max-Forwards", "70")
        .header("From", &invite.from.text)
        .header("To", to.unwrap_or(&invite.to.text))
        .header("Call-ID", &invite.call_id)
        .header("CSeq", &format!("{} {}", invite.cseq, method.as_str()))
        .header("User-Agent", super::PRODUCT)
        .end()
}
