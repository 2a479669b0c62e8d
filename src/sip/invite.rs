//! One call: from INVITE to BYE or CANCEL, as one machine.

mod asked;
mod cause;
mod events;
mod far_end;
mod fork;
mod leaving;
#[cfg(test)]
mod peer;
mod reliable;
mod request;
mod retry;
mod session_timer;
mod taken;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod timeline_of_keys;

use std::collections::VecDeque;
use std::time::Instant;

use tracing::debug;

use self::cause::cause;
pub use self::events::{Ending, Input, InvitePlan, Output};
use self::fork::{Fork, Received};
use self::reliable::{Early, reliable};
use self::request::{Wording, branch, called, contact, ours, retry_after, write_invite};
use self::session_timer::{SessionTimer, USUAL_S};
use super::T4;
use super::client_transaction::ClientTransaction;
use super::digest::Digest;
use super::message::{Message, Method, Start};
use super::server_transaction::ServerTransaction;
use crate::seed::Seed;

/// Our side of one call: one that we make, or one of the far end that we have [taken](Invite::taken).
///
/// Contract: `handle`, then `poll` until `None`, then sleep until `deadline` and hand in [`Input::Tick`].
///           [`Output::Over`] comes once. After it the machine still answers what is late (a copy of
///           the answer, an answer that crossed our CANCEL, copies of the far end's BYE), so it is
///           kept until [`Output::Done`]; in a hurry, until [`Invite::is_settled`].
/// Errors:   none. What makes no sense is dropped with a DEBUG line.
/// Source:   RFC 3261 §9, §12 to §15, §22; RFC 6026.
#[derive(Debug)]
pub struct Invite {
    plan: InvitePlan,
    seed: Seed,
    wording: Wording,
    /// Where redirections have led.
    tried: Vec<String>,
    invites: Vec<ClientTransaction>,
    cancel: Option<ClientTransaction>,
    digest: Digest,
    phase: Phase,
    forks: Vec<Fork>,
    earlies: Vec<Early>,
    answered: VecDeque<ServerTransaction>,
    early: Option<String>,
    sdp_version: u64,
    offered_in_response: Option<u32>,
    /// A call of the far end that has no session yet.
    unspoken: bool,
    session: Option<SessionTimer>,
    cause: Option<u8>,
    sends: VecDeque<Vec<u8>>,
    told: VecDeque<Output>,
    done: bool,
}

impl Invite {
    /// Begins the call; the INVITE is the first output.
    pub fn new(plan: InvitePlan, mut seed: Seed, now: Instant) -> Self {
        let wording = Wording {
            call_id: seed.token(),
            local_tag: seed.token(),
            cseq: 1,
            uri: called(&plan),
            session_s: USUAL_S,
            supported: vec!["100rel", "timer"],
            authorization: vec![],
        };
        let digest = Digest::new(plan.trunk.credentials.as_ref());
        let branch = branch(&mut seed);
        let (transport, until) = (plan.hop.transport, now + plan.patience);
        let bytes = write_invite(&plan, &wording, &branch);
        let mut invite = Self {
            plan,
            seed,
            tried: vec![wording.uri.clone()],
            wording,
            invites: vec![ClientTransaction::new(Method::Invite, branch, bytes, transport, now)],
            cancel: None,
            digest,
            phase: Phase::Calling { until },
            forks: Vec::new(),
            earlies: Vec::new(),
            answered: VecDeque::new(),
            early: None,
            sdp_version: 0,
            offered_in_response: None,
            unspoken: false,
            session: None,
            cause: None,
            sends: VecDeque::new(),
            told: VecDeque::new(),
            done: false,
        };
        invite.flush();
        invite
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::Received(bytes) => match Message::parse(bytes) {
                Ok(message) => self.receive(&message, now),
                Err(error) => debug!(%error, "message dropped"),
            },
            Input::HangUp => self.hang_up(Ending::Cancelled, now),
            Input::TransportFailed => {
                if let Phase::Calling { .. } = self.phase {
                    self.leave_unanswered(Ending::TransportFailed, now);
                }
            }
            Input::Tick => self.tick(now),
        }
        self.flush();
    }

    /// The next thing to do, until `None`. What is to be sent comes first, so that nobody who stops at the ending owes a message.
    pub fn poll(&mut self) -> Option<Output> {
        self.sends.pop_front().map(Output::Send).or_else(|| self.told.pop_front())
    }

    /// Tells when [`Input::Tick`] is due next; `None` once all is done.
    pub fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Calling { until }
            | Phase::Proceeding { until, .. }
            | Phase::Leaving { until, .. } => Some(*until),
            Phase::Over { until } if self.invites.iter().any(ClientTransaction::is_pending) => {
                Some(*until)
            }
            Phase::Talking => self.session.as_ref().map(SessionTimer::deadline),
            Phase::Over { .. } => None,
        };
        let clients = self.clients().filter_map(ClientTransaction::deadline);
        let servers = self.answered.iter().filter_map(ServerTransaction::deadline);
        clients.chain(servers).chain(phase).min()
    }

    /// The Call-ID, under which messages for this call come in.
    pub fn call_id(&self) -> &str {
        &self.wording.call_id
    }

    /// What the telephone network has said of the end, as a cause of Q.850.
    pub fn cause(&self) -> Option<u8> {
        self.cause
    }

    /// Tells whether the call is over and nobody owes us an answer, so that a program that ends now leaves no phone ringing or waiting.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Over { .. })
            && !self.clients().any(ClientTransaction::is_pending)
    }

    fn receive(&mut self, message: &Message, now: Instant) {
        match message.start {
            Start::Request { .. } => self.receive_request(message, now),
            Start::Response { status } if message.items("Via").count() == 1 => {
                self.receive_response(message, status, now);
            }
            Start::Response { .. } => debug!("response with a Via of somebody else dropped"),
        }
    }

    fn receive_response(&mut self, response: &Message, status: u16, now: Instant) {
        if let Some(cancel) = self.cancel.as_mut().filter(|cancel| cancel.owns(response)) {
            cancel.receive(response, status, now);
            // The trunk knows no such call: its last word is on its way, or it was lost.
            if let (481, Phase::Leaving { until, .. }) = (status, &mut self.phase) {
                *until = now + T4;
            }
            return;
        }
        for early in &mut self.earlies {
            if early.receive(response, status, &self.plan, &mut self.seed, now) {
                return;
            }
        }
        for fork in &mut self.forks {
            match fork.receive(response, status, &self.plan, &mut self.seed, now) {
                Received::NotForUs => {}
                Received::Taken => return,
                Received::Refreshed(status) => return self.refreshed(response, status, now),
            }
        }
        let current = self.invites.len().saturating_sub(1);
        let Some(index) = self.invites.iter().position(|invite| invite.owns(response)) else {
            debug!(status, "response without a request dropped");
            return;
        };
        let Some(invite) = self.invites.get_mut(index) else { unreachable!("just found") };
        if !invite.receive(response, status, now) {
            return;
        }
        match status {
            200..=299 => self.answered_by(response, now),
            _ if index != current => debug!(status, "response to an earlier INVITE dropped"),
            100..=199 => self.proceeding(response, status, now),
            300..=399 => self.redirected(response, status, now),
            401 | 407 => self.challenged(response, status, now),
            415 | 488 | 606 => self.asked_for_plainer(response, status, now),
            420 => self.asked_for_less(response, now),
            422 => self.asked_for_longer(response, now),
            _ => self.refused(response, status, now),
        }
    }

    fn proceeding(&mut self, response: &Message, status: u16, now: Instant) {
        if status > 100 && !self.heeds(response, now) {
            return;
        }
        let alerts = status > 100;
        match &mut self.phase {
            Phase::Calling { .. } => {
                self.phase =
                    Phase::Proceeding { until: now + self.plan.ring, alerted: alerts, rang: false };
            }
            // Setting up may take long; the phone still gets its whole time to ring.
            Phase::Proceeding { until, alerted, .. } if alerts && !*alerted => {
                (*until, *alerted) = (now + self.plan.ring, true);
            }
            Phase::Leaving { .. } | Phase::Over { .. } => return self.send_cancel(now),
            Phase::Proceeding { .. } | Phase::Talking => {}
        }
        if let Phase::Proceeding { rang, .. } = &mut self.phase {
            if status == 180 && !std::mem::replace(rang, true) {
                self.told.push_back(Output::Ringing);
            }
            if let Some(sdp) = response.sdp().filter(|_| self.early.is_none()) {
                self.early = Some(sdp.to_owned());
                self.told.push_back(Output::EarlyMedia(sdp.to_owned()));
            }
        }
    }

    /// The INVITE that is being answered. Few answers ask for it, so only its bytes are kept.
    fn request(&self) -> Message {
        let Some(invite) = self.invites.last() else { unreachable!("there is one from the start") };
        ours(invite.request())
    }

    /// Tells whether a provisional response is to be heeded; a reliable one is acknowledged first.
    fn heeds(&mut self, response: &Message, now: Instant) -> bool {
        let number = reliable(response);
        let at = match self.earlies.iter().position(|early| early.is_from(response)) {
            Some(at) => at,
            None if self.earlies.len() == FORKS_MAX => return number.is_none(),
            None => {
                self.earlies.push(Early::new(response, &self.request()));
                self.earlies.len() - 1
            }
        };
        let Some(early) = self.earlies.get_mut(at) else { unreachable!("just found or made") };
        let Some(number) = number else { return true };
        early.take(response, number, &self.plan, &mut self.seed, now)
    }

    fn answered_by(&mut self, response: &Message, now: Instant) {
        if let Some(fork) = self.forks.iter_mut().find(|fork| fork.is_from(response)) {
            return fork.acknowledge_again();
        }
        if self.forks.len() == FORKS_MAX {
            debug!("one more fork of the answer dropped");
            return;
        }
        let mut fork = Fork::new(
            response,
            &self.request(),
            &self.wording.authorization,
            &self.plan,
            &mut self.seed,
        );
        let early = self.earlies.iter().find(|early| early.is_from(response));
        if let Some(early) = early {
            fork.dialog.follow(&early.dialog);
        }
        match std::mem::replace(&mut self.phase, Phase::Talking) {
            Phase::Calling { .. } | Phase::Proceeding { .. } => {
                let sdp = early.and_then(Early::answer).or(response.sdp()).map(str::to_owned);
                let sdp = sdp.or_else(|| self.early.clone());
                self.session = SessionTimer::agreed(response, now);
                self.told.push_back(Output::Answered(sdp.unwrap_or_default()));
            }
            Phase::Leaving { ending, .. } => {
                fork.hang_up(&self.plan, &mut self.seed, now);
                self.phase = Phase::Talking;
                self.over(ending, now);
            }
            unchanged @ (Phase::Talking | Phase::Over { .. }) => {
                fork.hang_up(&self.plan, &mut self.seed, now);
                self.phase = unchanged;
            }
        }
        self.forks.push(fork);
    }

    fn is_calling(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. } | Phase::Proceeding { .. })
    }

    fn refused(&mut self, response: &Message, status: u16, now: Instant) {
        match &self.phase {
            Phase::Calling { .. } | Phase::Proceeding { .. } => {
                self.cause = cause(response);
                self.over(Ending::Refused { status, retry_after: retry_after(response) }, now);
            }
            Phase::Leaving { ending, .. } => self.over(ending.clone(), now),
            Phase::Talking | Phase::Over { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        for client in self.clients_mut() {
            client.tick(now);
        }
        let mut unacknowledged = false;
        for server in &mut self.answered {
            unacknowledged |= server.tick(now);
        }
        self.answered.retain(|server| !server.is_over());
        if unacknowledged && matches!(self.phase, Phase::Talking) {
            self.hang_up_talking(now);
        }
        match &self.phase {
            Phase::Calling { until } if now >= *until => {
                self.leave_unanswered(Ending::NoResponse, now)
            }
            Phase::Proceeding { until, .. } if now >= *until => self.hang_up(Ending::NoAnswer, now),
            Phase::Leaving { until, ending } if now >= *until => {
                self.leave_unanswered(ending.clone(), now)
            }
            Phase::Over { until } if now >= *until => {
                for invite in self.invites.iter_mut().filter(|invite| invite.is_pending()) {
                    invite.abandon();
                }
            }
            Phase::Talking => self.keep_session(now),
            Phase::Calling { .. } | Phase::Proceeding { .. } => {}
            Phase::Leaving { .. } | Phase::Over { .. } => {}
        }
    }

    /// Collects what the parts want sent, and notices the end.
    fn flush(&mut self) {
        if !self.invites.iter().any(ClientTransaction::is_pending) {
            // Whoever has answered the INVITE need not hear a lost CANCEL again.
            self.cancel = None;
        }
        for client in self.invites.iter_mut().chain(&mut self.cancel) {
            self.sends.extend(client.poll());
        }
        for prack in self.earlies.iter_mut().flat_map(Early::transactions_mut) {
            self.sends.extend(prack.poll());
        }
        for server in &mut self.answered {
            self.sends.extend(server.poll());
        }
        for fork in &mut self.forks {
            self.sends.extend(std::iter::from_fn(|| fork.poll()));
        }
        let over = matches!(self.phase, Phase::Over { .. });
        if over
            && !self.done
            && self.answered.is_empty()
            && self.clients().all(ClientTransaction::is_over)
        {
            self.done = true;
            self.told.push_back(Output::Done);
        }
    }

    fn clients(&self) -> impl Iterator<Item = &ClientTransaction> {
        let pracks = self.earlies.iter().flat_map(Early::transactions);
        let asked = self.forks.iter().flat_map(Fork::transactions);
        self.invites.iter().chain(&self.cancel).chain(pracks).chain(asked)
    }

    fn clients_mut(&mut self) -> impl Iterator<Item = &mut ClientTransaction> {
        let pracks = self.earlies.iter_mut().flat_map(Early::transactions_mut);
        let asked = self.forks.iter_mut().flat_map(Fork::transactions_mut);
        self.invites.iter_mut().chain(&mut self.cancel).chain(pracks).chain(asked)
    }
}

#[derive(Debug)]
enum Phase {
    /// Nothing has come yet.
    Calling { until: Instant },
    /// A provisional response has come.
    Proceeding { until: Instant, alerted: bool, rang: bool },
    /// We want out; the final response is awaited.
    Leaving { until: Instant, ending: Ending },
    /// The first fork is the call.
    Talking,
    /// The ending is told; an INVITE still unanswered is listened for until then.
    Over { until: Instant },
}

const FORKS_MAX: usize = 4;
