//! What the far end asks of us during a call.

use std::time::Instant;

use tracing::debug;

use super::cause::cause;
use super::fork::Fork;
use super::info_key::{self, Info};
use super::session_timer::{SHORTEST_S, SessionTimer};
use super::{Ending, Invite, Output, Phase, contact};
use crate::media::Negotiated;
use crate::sip::message::{Message, Method};
use crate::sip::offer_answer::{AnswerError, accept, reanswer, reoffer};
use crate::sip::out_of_dialog;
use crate::sip::server_transaction::ServerTransaction;

impl Invite {
    /// What we have offered, which holds our keys.
    pub fn offer(&self) -> &str {
        &self.plan.offer
    }

    /// Answers one request of the far end.
    ///
    /// Source: RFC 3261 §12.2.2 (in a dialog), §14.2 (re-INVITE), §15.1.2 (BYE); RFC 3311 §5.2 (UPDATE).
    pub(super) fn receive_request(&mut self, request: &Message, now: Instant) {
        let ours = request.to.tag.as_ref() == Some(&self.invite_content.local_tag);
        if request.method == Method::Ack && !ours {
            return debug!("ACK without our tag dropped");
        }
        if self.server_transactions.iter_mut().any(|known| known.absorbs(request)) {
            return self.finish_offer(request, now);
        }
        if request.method == Method::Ack {
            return debug!("ACK without an INVITE dropped");
        }
        if request.method == Method::Cancel {
            let known = self.server_transactions.iter().any(|known| known.is_cancelled_by(request));
            return self.reply(request, if known { 200 } else { 481 }, now);
        }
        if request.from.tag.as_ref() == Some(&self.invite_content.local_tag) {
            return self.reply(request, 482, now);
        }
        let Some(index) = self.forks.iter().position(|fork| ours && fork.dialog.owns(request))
        else {
            return self.receive_early(request, ours, now);
        };
        let crosses = self.crosses_an_offer(request);
        let Some(fork) = self.forks.get_mut(index) else { unreachable!("just found") };
        if !fork.dialog.count(request) {
            return self.reply(request, 500, now);
        }
        let talking = index == 0 && matches!(self.phase, Phase::Confirmed);
        match &request.method {
            Method::Bye => {
                fork.end();
                self.reply(request, 200, now);
                if talking {
                    self.cause = cause(request);
                    self.over(Ending::ByPeer, now);
                }
            }
            _ if !talking => self.reply(request, 481, now),
            _ if unknown_extensions(request).next().is_some() => {
                self.refuse_extension(request, now);
            }
            Method::Invite | Method::Update if request.has_foreign_body() => {
                self.refuse(request, 415, "Accept", "application/sdp", now);
            }
            Method::Invite | Method::Update if crosses => {
                self.reply(request, 491, now);
            }
            Method::Options => self.reply(request, 200, now),
            Method::Info => self.receive_info(request, now),
            // Source: RFC 4028 §9.
            Method::Invite | Method::Update if SessionTimer::is_too_short(request) => {
                self.refuse(request, 422, "Min-SE", &SHORTEST_S.to_string(), now);
            }
            Method::Invite | Method::Update => {
                let moved = fork.dialog.refresh(request);
                self.follow(request, moved, now);
            }
            method => self.reply(request, out_of_dialog::unknown(method), now),
        }
    }

    /// Answers a request in an early dialog.
    ///
    /// Source: RFC 3311 §5.2 (491: our own offer waits for its answer); RFC 3261 §15: a phone that has not
    ///         answered refuses the INVITE instead of sending BYE, so its BYE ends nothing.
    fn receive_early(&mut self, request: &Message, ours: bool, now: Instant) {
        // Our own INVITE on its way round, or a copy of theirs that came another way (RFC 3261 §8.2.2.2).
        if request.method == Method::Invite && request.to.tag.is_none() {
            return self.reply(request, 482, now);
        }
        let mut early_dialogs = self.early_dialogs.iter_mut();
        let early = early_dialogs.find(|early| ours && early.dialog.owns(request));
        let Some(early) = early.filter(|_| matches!(self.phase, Phase::Proceeding { .. })) else {
            self.sends.extend(out_of_dialog::answer(request));
            return;
        };
        if !early.dialog.count(request) {
            return self.reply(request, 500, now);
        }
        match &request.method {
            Method::Update if request.sdp().is_some() && early.answer().is_none() => {
                self.reply(request, 491, now);
            }
            Method::Update => {
                early.dialog.refresh(request);
                self.receive_offer(request, now);
            }
            Method::Options | Method::Info | Method::Bye => self.reply(request, 200, now),
            Method::Invite => self.reply(request, 491, now),
            method => self.reply(request, out_of_dialog::unknown(method), now),
        }
    }

    /// Takes an offer of a far end that may be reached elsewhere from now on.
    fn follow(&mut self, request: &Message, moved: bool, now: Instant) {
        if moved {
            self.note_dialog();
        }
        self.receive_offer(request, now);
    }

    /// Source: RFC 3264 §8; an offer that we cannot take leaves everything as it was.
    pub(super) fn receive_offer(&mut self, request: &Message, now: Instant) {
        let version = self.sdp_version + 1;
        let invite = request.method == Method::Invite;
        let (sdp, negotiated) = match request.sdp() {
            Some(offer) => match reanswer(offer, &self.plan.offer, version) {
                Ok((answer, negotiated)) => (answer, Some(negotiated)),
                Err(error) => {
                    debug!(%error, "offer refused");
                    return self.refuse(request, 488, "Warning", &warning(error), now);
                }
            },
            None if invite => (reoffer(&self.plan.offer, version).unwrap_or_default(), None),
            None => (String::new(), None),
        };
        if !sdp.is_empty() {
            self.sdp_version = version;
        }
        self.offered_in_response = (invite && negotiated.is_none()).then_some(request.cseq);
        self.session = SessionTimer::requested(request, now);
        let mut builder = request.respond(200, &self.invite_content.local_tag);
        if request.to.tag.is_none() {
            // The route of the dialog that this makes (RFC 3261 §12.1.1).
            builder = request
                .all("Record-Route")
                .fold(builder, |it, route| it.header("Record-Route", route));
        }
        let builder = builder.header("Contact", &contact(&self.plan)).about_us("Server");
        let builder = self.session.iter().fold(builder, |builder, session| session.answer(builder));
        let response = builder.body("application/sdp", &sdp);
        self.remember(request, response, now);
        match negotiated {
            Some(negotiated) if self.without_session || self.unacknowledged.is_some() => {
                self.without_session = false;
                self.unacknowledged = Some(negotiated);
            }
            Some(negotiated) => self.agree(negotiated),
            None => {}
        }
    }

    /// The session is as it was just agreed on.
    fn agree(&mut self, negotiated: Negotiated) {
        let first = std::mem::take(&mut self.without_session);
        self.events.push_back(match first {
            true => Output::Accepted(negotiated),
            false => Output::Reoffered(negotiated),
        });
    }

    /// The ACK has come: the caller has had our answer, and so is where they say. Nothing counts before.
    fn acknowledge(&mut self) {
        self.events.extend(self.unacknowledged.take().map(Output::Accepted));
    }

    /// Takes the answer that an ACK brings to an offer made in our 200.
    fn finish_offer(&mut self, ack: &Message, now: Instant) {
        if ack.method == Method::Ack {
            self.acknowledge();
        }
        if ack.method != Method::Ack || self.offered_in_response != Some(ack.cseq) {
            return;
        }
        self.offered_in_response = None;
        match ack.sdp().map(|answer| accept(answer, &self.plan.offer)) {
            Some(Ok(negotiated)) => self.agree(negotiated),
            Some(Err(error)) => debug!(%error, "answer in an ACK dropped"),
            None => debug!("ACK without the answer that it owes"),
        }
        if self.without_session {
            self.hang_up_by_bye(now);
        }
    }

    /// Source: RFC 6086 §5.2 (415).
    fn receive_info(&mut self, request: &Message, now: Instant) {
        let info = info_key::read(request);
        match info {
            Info::Foreign => return self.refuse(request, 415, "Accept", info_key::ACCEPTED, now),
            // A phone that is told 200 shows its user that the key was taken.
            Info::Unreadable => return self.reply(request, 400, now),
            Info::Key(_) | Info::Nothing => self.reply(request, 200, now),
        }
        let open = self.unacknowledged.is_none() && !self.without_session;
        if let Info::Key(key) = info
            && open
        {
            self.events.push_back(Output::Key(key));
        }
    }

    /// Tells whether an offer comes while one of ours waits for its answer.
    ///
    /// Source: RFC 3261 §14.2; RFC 3311 §5.2.
    fn crosses_an_offer(&self, request: &Message) -> bool {
        let offers = request.method == Method::Invite || request.sdp().is_some();
        let reinvite_pending = self.forks.first().is_some_and(Fork::has_pending_reinvite);
        offers && (reinvite_pending || self.offered_in_response.is_some())
    }

    pub(super) fn refuse_extension(&mut self, request: &Message, now: Instant) {
        let options: Vec<_> = unknown_extensions(request).collect();
        self.refuse(request, 420, "Unsupported", &options.join(", "), now);
    }

    /// Refuses with a header that says what would do.
    pub(super) fn refuse(
        &mut self,
        request: &Message,
        status: u16,
        name: &str,
        value: &str,
        now: Instant,
    ) {
        let response = request
            .respond(status, &self.invite_content.local_tag)
            .header(name, value)
            .header("Server", crate::sip::PRODUCT)
            .end();
        self.remember(request, response, now);
    }

    fn reply(&mut self, request: &Message, status: u16, now: Instant) {
        self.remember(
            request,
            out_of_dialog::respond(request, status, &self.invite_content.local_tag),
            now,
        );
    }

    fn remember(&mut self, request: &Message, response: Vec<u8>, now: Instant) {
        if self.server_transactions.len() == ANSWERED_MAX {
            self.server_transactions.pop_front();
        }
        self.server_transactions.push_back(ServerTransaction::new(request, response, now));
    }
}

/// Why an offer is refused, for whoever looks after the far end.
///
/// Source: RFC 3261 §20.43; the name of who warns may be a made-up one.
fn warning(error: AnswerError) -> String {
    let code = match error {
        AnswerError::NoAddress => 301,
        AnswerError::NoAudio => 304,
        AnswerError::NoCodec => 305,
        AnswerError::NoKeys | AnswerError::NotSdp | AnswerError::TooLarge => 399,
    };
    format!("{code} offhook \"{error}\"")
}

/// What a request insists on and we do not know. Requiring a session timer is fine.
pub(super) fn unknown_extensions(request: &Message) -> impl Iterator<Item = &str> {
    request.items("Require").filter(|option| !option.eq_ignore_ascii_case("timer"))
}

const ANSWERED_MAX: usize = 64;
