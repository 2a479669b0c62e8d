//! What the far end asks of us during a call.

use std::time::Instant;

use tracing::debug;

use super::session_timer::{SHORTEST_S, SessionTimer};
use super::{Ending, Invite, Output, Phase, contact};
use crate::sip::message::{Message, Method};
use crate::sip::offer_answer::{accept, codecs, reanswer, reoffer};
use crate::sip::server_transaction::ServerTransaction;
use crate::sip::stray;

impl Invite {
    /// Answers one request of the far end.
    ///
    /// Source: RFC 3261 §12.2.2 (in a dialog), §14.2 (re-INVITE), §15.1.2 (BYE); RFC 3311 §5.2 (UPDATE).
    pub(super) fn receive_request(&mut self, request: &Message, now: Instant) {
        if self.answered.iter_mut().any(|known| known.absorbs(request)) {
            return self.finish_offer(request);
        }
        if request.method == Method::Ack {
            return debug!("ACK without an INVITE dropped");
        }
        if request.method == Method::Cancel {
            let known = self.answered.iter().any(|known| known.is_cancelled_by(request));
            return self.reply(request, if known { 200 } else { 481 }, now);
        }
        if request.from.tag.as_ref() == Some(&self.wording.local_tag) {
            return self.reply(request, 482, now);
        }
        let ours = request.to.tag.as_ref() == Some(&self.wording.local_tag);
        let Some(index) = self.forks.iter().position(|fork| ours && fork.dialog.owns(request))
        else {
            return self.receive_early(request, ours, now);
        };
        let Some(fork) = self.forks.get_mut(index) else { unreachable!("just found") };
        if !fork.dialog.count(request) {
            return self.reply(request, 500, now);
        }
        let talking = index == 0 && matches!(self.phase, Phase::Talking);
        match &request.method {
            Method::Bye => {
                fork.end();
                self.reply(request, 200, now);
                if talking {
                    self.over(Ending::ByPeer, now);
                }
            }
            _ if !talking => self.reply(request, 481, now),
            _ if unknown_extensions(request).next().is_some() => {
                self.refuse_extension(request, now);
            }
            Method::Options => self.reply(request, 200, now),
            Method::Info => self.receive_info(request, now),
            Method::Invite | Method::Update if SessionTimer::is_too_short(request) => {
                self.refuse_session(request, now);
            }
            Method::Invite | Method::Update => {
                fork.dialog.refresh(request);
                self.receive_offer(request, now);
            }
            method => self.reply(request, stray::unknown(method), now),
        }
    }

    /// Answers a phone that rings, and does not talk yet.
    ///
    /// Source: RFC 3311 §5.2 (491: our own offer waits for its answer); RFC 3261 §15: a phone that has not
    ///         answered refuses the INVITE instead of sending BYE, so its BYE ends nothing.
    fn receive_early(&mut self, request: &Message, ours: bool, now: Instant) {
        let mut earlies = self.earlies.iter_mut();
        let early = earlies.find(|early| ours && early.dialog.owns(request));
        let Some(early) = early.filter(|_| matches!(self.phase, Phase::Proceeding { .. })) else {
            self.sends.extend(stray::answer(request));
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
            method => self.reply(request, stray::unknown(method), now),
        }
    }

    /// Source: RFC 3264 §8; an offer that we cannot take leaves everything as it was.
    fn receive_offer(&mut self, request: &Message, now: Instant) {
        let version = self.sdp_version + 1;
        let invite = request.method == Method::Invite;
        let (sdp, negotiated) = match request.sdp() {
            Some(offer) => match reanswer(offer, &self.plan.offer, version) {
                Ok((answer, negotiated)) => (answer, Some(negotiated)),
                Err(error) => {
                    debug!(%error, "offer refused");
                    return self.reply(request, 488, now);
                }
            },
            None if invite => (reoffer(&self.plan.offer, version).unwrap_or_default(), None),
            None => (String::new(), None),
        };
        if !sdp.is_empty() {
            self.sdp_version = version;
        }
        self.offered_in_response = (invite && negotiated.is_none()).then_some(request.cseq);
        self.session = SessionTimer::asked(request, now);
        let draft = request
            .respond(200, &self.wording.local_tag)
            .header("Contact", &contact(&self.plan))
            .about_us("Server");
        let draft = self.session.iter().fold(draft, |draft, session| session.answer(draft));
        let response = draft.body("application/sdp", &sdp);
        self.remember(request, response, now);
        self.told.extend(negotiated.map(Output::Reoffered));
    }

    /// Takes the answer that an ACK brings to an offer made in our 200.
    fn finish_offer(&mut self, ack: &Message) {
        if ack.method != Method::Ack || self.offered_in_response != Some(ack.cseq) {
            return;
        }
        self.offered_in_response = None;
        match ack.sdp().map(|answer| accept(answer, &codecs(&self.plan.offer))) {
            Some(Ok(negotiated)) => self.told.push_back(Output::Reoffered(negotiated)),
            Some(Err(error)) => debug!(%error, "answer in an ACK dropped"),
            None => debug!("ACK without the answer that it owes"),
        }
    }

    /// Source: RFC 6086 §4.2.2 (an INFO without a body is fine), §5.2 (415); `application/dtmf-relay` as Cisco and
    /// Asterisk write it: `Signal=5`.
    fn receive_info(&mut self, request: &Message, now: Instant) {
        let kind = request.header("Content-Type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let text = String::from_utf8_lossy(&request.body);
        let key = match kind.as_str() {
            _ if request.body.is_empty() => None,
            "application/dtmf" => key(text.trim()),
            "application/dtmf-relay" => text.lines().find_map(|line| {
                let (name, value) = line.split_once('=')?;
                name.trim().eq_ignore_ascii_case("Signal").then(|| key(value.trim())).flatten()
            }),
            _ => return self.reply(request, 415, now),
        };
        self.reply(request, 200, now);
        self.told.extend(key.map(Output::Key));
    }

    /// Source: RFC 4028 §9.
    fn refuse_session(&mut self, request: &Message, now: Instant) {
        let response = request
            .respond(422, &self.wording.local_tag)
            .header("Min-SE", &SHORTEST_S.to_string())
            .header("Server", crate::sip::PRODUCT)
            .end();
        self.remember(request, response, now);
    }

    fn refuse_extension(&mut self, request: &Message, now: Instant) {
        let options: Vec<_> = unknown_extensions(request).collect();
        let response = request
            .respond(420, &self.wording.local_tag)
            .header("Unsupported", &options.join(", "))
            .header("Server", crate::sip::PRODUCT)
            .end();
        self.remember(request, response, now);
    }

    fn reply(&mut self, request: &Message, status: u16, now: Instant) {
        self.remember(request, stray::respond(request, status, &self.wording.local_tag), now);
    }

    fn remember(&mut self, request: &Message, response: Vec<u8>, now: Instant) {
        if self.answered.len() == ANSWERED_MAX {
            self.answered.pop_front();
        }
        self.answered.push_back(ServerTransaction::new(request, response, now));
    }
}

/// What a request insists on and we do not know. Being asked for a session timer is fine.
fn unknown_extensions(request: &Message) -> impl Iterator<Item = &str> {
    request.items("Require").filter(|option| !option.eq_ignore_ascii_case("timer"))
}

/// A key by its character, or by the number of its telephone event.
fn key(text: &str) -> Option<char> {
    match text {
        "10" => Some('*'),
        "11" => Some('#'),
        _ => {
            let mut letters = text.chars();
            let key = letters.next()?.to_ascii_uppercase();
            (letters.next().is_none() && "0123456789*#ABCD".contains(key)).then_some(key)
        }
    }
}

const ANSWERED_MAX: usize = 64;
