//! One call: from INVITE to BYE or CANCEL, as one machine.

mod cause;
mod events;
mod fork;
mod in_dialog_request;
mod info_key;
mod leftover;
mod reliable;
mod request;
mod retry;
mod session_timer;
mod teardown;
#[cfg(test)]
mod tests;
mod uas;
mod uas_requests;

use std::collections::VecDeque;
use std::time::Instant;

use tracing::debug;

pub use self::cause::Reason;
use self::cause::cause;
pub use self::events::{Ending, Input, InvitePlan, Output};
use self::fork::{Fork, Received};
use self::reliable::{EarlyDialog, last_keys, reliable};
use self::request::{
    InviteContent, branch, contact, ours, request_uri_of, retry_after, write_fitting_invite,
};
use self::session_timer::{SessionTimer, USUAL_S};
use super::T4;
use super::client_transaction::ClientTransaction;
use super::digest::Digest;
use super::message::{Message, Method, Start};
use super::server_transaction::ServerTransaction;
use crate::media::Negotiated;
use crate::seed::Seed;

/// Our side of one call: one that we make, or one of the far end that we [accept](Invite::accept).
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
    invite_content: InviteContent,
    /// Where redirections have led.
    tried: Vec<String>,
    invites: Vec<ClientTransaction>,
    cancel: Option<ClientTransaction>,
    digest: Digest,
    phase: Phase,
    forks: Vec<Fork>,
    early_dialogs: Vec<EarlyDialog>,
    server_transactions: VecDeque<ServerTransaction>,
    early: Option<String>,
    sdp_version: u64,
    offered_in_response: Option<u32>,
    /// A call of the far end whose session is not agreed yet.
    without_session: bool,
    /// The session of a call of the far end, agreed but for its ACK, which shows that they are where they say.
    unacknowledged: Option<Negotiated>,
    session: Option<SessionTimer>,
    cause: Option<u8>,
    reason: Reason,
    sends: VecDeque<Vec<u8>>,
    events: VecDeque<Output>,
    done: bool,
}

impl Invite {
    /// Begins the call; the INVITE is the first output.
    pub fn new(mut plan: InvitePlan, mut seed: Seed, now: Instant) -> Self {
        let invite_content = InviteContent {
            call_id: seed.token(),
            local_tag: seed.token(),
            cseq: 1,
            uri: request_uri_of(&plan),
            session_s: USUAL_S,
            supported: vec!["100rel", "timer"],
            authorization: vec![],
        };
        let branch = branch(&mut seed);
        let (transport, until) = (plan.local_addr.transport, now + plan.patience);
        let mut sdp_version = 0;
        let bytes = write_fitting_invite(&mut plan, &mut sdp_version, &invite_content, &branch);
        let mut invite = Self::in_phase(plan, seed, invite_content, Phase::Calling { until });
        invite.tried.push(invite.invite_content.uri.clone());
        invite.invites.push(ClientTransaction::new(Method::Invite, branch, bytes, transport, now));
        invite.sdp_version = sdp_version;
        invite.flush();
        invite
    }

    /// A call with no transaction yet, wherever it begins.
    fn in_phase(plan: InvitePlan, seed: Seed, invite_content: InviteContent, phase: Phase) -> Self {
        Self {
            digest: Digest::new(plan.trunk.credentials.as_ref()),
            plan,
            seed,
            tried: vec![],
            invite_content,
            invites: vec![],
            cancel: None,
            phase,
            forks: vec![],
            early_dialogs: vec![],
            server_transactions: VecDeque::new(),
            early: None,
            sdp_version: 0,
            offered_in_response: None,
            without_session: false,
            unacknowledged: None,
            session: None,
            cause: None,
            reason: Reason::default(),
            sends: VecDeque::new(),
            events: VecDeque::new(),
            done: false,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::Received(bytes) => match Message::parse(bytes) {
                Ok(message) => self.receive(&message, now),
                Err(error) => debug!(%error, "message dropped"),
            },
            Input::HangUp => self.hang_up(Ending::Cancelled, now),
            Input::HangUpFor(reason) => {
                self.reason = reason;
                self.hang_up(Ending::Cancelled, now);
            }
            Input::TransportFailed => {
                if let Phase::Calling { .. } = self.phase {
                    self.give_up(Ending::TransportFailed, now);
                }
            }
            Input::Tick => self.tick(now),
        }
        self.flush();
    }

    /// The next thing to do, until `None`. What is to be sent comes first, so that a caller who stops polling at the ending leaves no message unsent.
    pub fn poll(&mut self) -> Option<Output> {
        self.sends.pop_front().map(Output::Send).or_else(|| self.events.pop_front())
    }

    /// Tells when [`Input::Tick`] is due next; `None` once all is done.
    pub fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Calling { until }
            | Phase::Proceeding { until, .. }
            | Phase::Terminating { until, .. } => Some(*until),
            Phase::Terminated { until }
                if self.invites.iter().any(ClientTransaction::is_pending) =>
            {
                Some(*until)
            }
            Phase::Confirmed => self.session.as_ref().map(SessionTimer::deadline),
            Phase::Terminated { .. } => None,
        };
        let clients = self.clients().filter_map(ClientTransaction::deadline);
        let servers = self.server_transactions.iter().filter_map(ServerTransaction::deadline);
        clients.chain(servers).chain(phase).min()
    }

    /// The Call-ID, under which messages for this call come in.
    pub fn call_id(&self) -> &str {
        &self.invite_content.call_id
    }

    /// What the telephone network has said of the end, as a cause of Q.850.
    pub fn cause(&self) -> Option<u8> {
        self.cause
    }

    /// Tells whether the call is over and no answer is owed to us, so that a program that ends now leaves no phone ringing or waiting.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Terminated { .. })
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
            if let (481, Phase::Terminating { until, .. }) = (status, &mut self.phase) {
                *until = now + T4;
            }
            return;
        }
        for early in &mut self.early_dialogs {
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
            415 | 488 | 606 => self.not_acceptable(response, status, now),
            420 => self.bad_extension(response, now),
            422 => self.session_interval_too_small(response, now),
            _ => self.refused(response, status, now),
        }
    }

    fn proceeding(&mut self, response: &Message, status: u16, now: Instant) {
        if status > 100 && !self.accepts_provisional(response, now) {
            return;
        }
        let alerts = status > 100;
        match &mut self.phase {
            Phase::Calling { .. } => {
                let until = now + if alerts { self.plan.ring } else { self.plan.setup };
                self.phase = Phase::Proceeding { until, alerted: alerts, rang: false };
                self.note_invite();
            }
            // Setting up may take long; the phone still gets its whole time to ring.
            Phase::Proceeding { until, alerted, .. } if alerts && !*alerted => {
                (*until, *alerted) = (now + self.plan.ring, true);
            }
            Phase::Terminating { .. } | Phase::Terminated { .. } => return self.send_cancel(now),
            Phase::Proceeding { .. } | Phase::Confirmed => {}
        }
        if let Phase::Proceeding { rang, .. } = &mut self.phase {
            if status == 180 && !std::mem::replace(rang, true) {
                self.events.push_back(Output::Ringing);
            }
            if let Some(sdp) = response.sdp().filter(|_| self.early.is_none()) {
                self.early = Some(sdp.to_owned());
                self.events.push_back(Output::EarlyMedia(sdp.to_owned()));
            }
        }
    }

    /// The INVITE that is being answered. Few answers ask for it, so only its bytes are kept.
    fn request(&self) -> Message {
        let Some(invite) = self.invites.last() else { unreachable!("there is one from the start") };
        ours(invite.request())
    }

    /// Tells whether a provisional response is to be heeded; a reliable one is acknowledged first.
    fn accepts_provisional(&mut self, response: &Message, now: Instant) -> bool {
        let number = reliable(response);
        let at = match self.early_dialogs.iter().position(|early| early.is_from(response)) {
            Some(at) => at,
            None if self.early_dialogs.len() == FORKS_MAX => return number.is_none(),
            None => {
                self.early_dialogs.push(EarlyDialog::new(response, &self.request()));
                self.early_dialogs.len() - 1
            }
        };
        let Some(early) = self.early_dialogs.get_mut(at) else {
            unreachable!("just found or made")
        };
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
            &self.invite_content.authorization,
            &self.plan,
            &mut self.seed,
        );
        let early = self.early_dialogs.iter().find(|early| early.is_from(response));
        if let Some(early) = early {
            fork.dialog.follow(&early.dialog);
        }
        match std::mem::replace(&mut self.phase, Phase::Confirmed) {
            Phase::Calling { .. } | Phase::Proceeding { .. } => {
                let sdp = early.and_then(EarlyDialog::answer);
                let sdp = last_keys(sdp, response.sdp()).map(str::to_owned);
                let sdp = sdp.or_else(|| self.early.clone());
                self.session = SessionTimer::agreed(response, now);
                self.events.push_back(Output::Answered(sdp.unwrap_or_default()));
            }
            Phase::Terminating { ending, .. } => {
                fork.hang_up(self.reason, &self.plan, &mut self.seed, now);
                self.phase = Phase::Confirmed;
                self.over(ending, now);
            }
            unchanged @ (Phase::Confirmed | Phase::Terminated { .. }) => {
                fork.hang_up(self.reason, &self.plan, &mut self.seed, now);
                self.phase = unchanged;
            }
        }
        self.forks.push(fork);
        if self.forks.len() == 1 && matches!(self.phase, Phase::Confirmed) {
            self.note_dialog();
        }
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
            Phase::Terminating { ending, .. } => self.over(ending.clone(), now),
            Phase::Confirmed | Phase::Terminated { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        for client in self.clients_mut() {
            client.tick(now);
        }
        let mut unacknowledged = false;
        for server in &mut self.server_transactions {
            unacknowledged |= server.tick(now);
        }
        self.server_transactions.retain(|server| !server.is_over());
        if unacknowledged && matches!(self.phase, Phase::Confirmed) {
            self.hang_up_by_bye(now);
        }
        match &self.phase {
            Phase::Calling { until } if now >= *until => self.give_up(Ending::NoResponse, now),
            Phase::Proceeding { until, alerted: true, .. } if now >= *until => {
                self.hang_up(Ending::NoAnswer, now);
            }
            Phase::Proceeding { until, .. } if now >= *until => self.give_up_setup(now),
            Phase::Terminating { until, ending } if now >= *until => {
                self.give_up(ending.clone(), now)
            }
            Phase::Terminated { until } if now >= *until => {
                for invite in self.invites.iter_mut().filter(|invite| invite.is_pending()) {
                    invite.abandon();
                }
            }
            Phase::Confirmed => self.keep_session(now),
            Phase::Calling { .. } | Phase::Proceeding { .. } => {}
            Phase::Terminating { .. } | Phase::Terminated { .. } => {}
        }
    }

    /// Collects what the parts want sent, and notices the end.
    fn flush(&mut self) {
        if !self.invites.iter().any(ClientTransaction::is_pending) {
            // Once the INVITE is answered, a lost CANCEL need not be sent again.
            self.cancel = None;
        }
        for client in self.invites.iter_mut().chain(&mut self.cancel) {
            self.sends.extend(client.poll());
        }
        for prack in self.early_dialogs.iter_mut().flat_map(EarlyDialog::transactions_mut) {
            self.sends.extend(prack.poll());
        }
        for server in &mut self.server_transactions {
            self.sends.extend(server.poll());
        }
        for fork in &mut self.forks {
            self.sends.extend(std::iter::from_fn(|| fork.poll()));
        }
        let over = matches!(self.phase, Phase::Terminated { .. });
        if over
            && !self.done
            && self.server_transactions.is_empty()
            && self.clients().all(ClientTransaction::is_over)
        {
            self.done = true;
            self.events.push_back(Output::Done);
        }
    }

    fn clients(&self) -> impl Iterator<Item = &ClientTransaction> {
        let pracks = self.early_dialogs.iter().flat_map(EarlyDialog::transactions);
        let in_dialog = self.forks.iter().flat_map(Fork::transactions);
        self.invites.iter().chain(&self.cancel).chain(pracks).chain(in_dialog)
    }

    fn clients_mut(&mut self) -> impl Iterator<Item = &mut ClientTransaction> {
        let pracks = self.early_dialogs.iter_mut().flat_map(EarlyDialog::transactions_mut);
        let in_dialog = self.forks.iter_mut().flat_map(Fork::transactions_mut);
        self.invites.iter_mut().chain(&mut self.cancel).chain(pracks).chain(in_dialog)
    }
}

#[derive(Debug)]
enum Phase {
    /// Nothing has come yet.
    Calling { until: Instant },
    /// A provisional response has come.
    Proceeding { until: Instant, alerted: bool, rang: bool },
    /// We end the call; the final response is awaited.
    Terminating { until: Instant, ending: Ending },
    /// The first fork is the call.
    Confirmed,
    /// The ending is told; a response to an INVITE is still waited for until then.
    Terminated { until: Instant },
}

const FORKS_MAX: usize = 4;
