//! Another INVITE for the same call: with a password, to another address, or asking for less.

use std::time::Instant;

use super::request::write_fitting_invite;
use super::session_timer::at_least;
use super::{Invite, InvitePlan, Phase, branch};
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::digest::Digest;
use crate::sip::header_value::{is_sip_uri, parameter, uri};
use crate::sip::message::{Message, Method};
use crate::sip::offer_answer::reduced;

impl Invite {
    pub(super) fn challenged(&mut self, response: &Message, status: u16, now: Instant) {
        let may = self.may_try_again();
        let Some(headers) = self.digest.answer(response, &self.request()).filter(|_| may) else {
            return self.refused(response, status, now);
        };
        self.invite_content.authorization = headers;
        self.invite_again(now);
    }

    pub(super) fn redirected(&mut self, response: &Message, status: u16, now: Instant) {
        let to = elsewhere(response, &self.plan, &self.tried);
        let Some(to) = to.filter(|_| self.may_try_again() && self.tried.len() <= REDIRECTIONS_MAX)
        else {
            return self.refused(response, status, now);
        };
        self.tried.push(to.clone());
        self.invite_content.uri = to;
        self.invite_anew(now);
    }

    /// Source: RFC 4028 §7.3 (422).
    pub(super) fn session_interval_too_small(&mut self, response: &Message, now: Instant) {
        let longer = at_least(response).filter(|longer| *longer > self.invite_content.session_s);
        match longer.filter(|_| self.may_try_again()) {
            Some(longer) => {
                self.invite_content.session_s = longer;
                self.invite_anew(now);
            }
            None => self.refused(response, 422, now),
        }
    }

    /// Source: RFC 3261 §8.1.3.5: an extension that the far end does not know is left away.
    pub(super) fn bad_extension(&mut self, response: &Message, now: Instant) {
        let objects =
            |known: &str| response.items("Unsupported").any(|it| it.eq_ignore_ascii_case(known));
        let kept = |known: &&str| !objects(known);
        let fewer: Vec<_> = self.invite_content.supported.iter().copied().filter(kept).collect();
        if fewer.len() == self.invite_content.supported.len() || !self.may_try_again() {
            return self.refused(response, 420, now);
        }
        self.invite_content.supported = fewer;
        self.invite_anew(now);
    }

    /// COMPAT(gateways): some refuse an offer that holds a codec which they do not know, instead of choosing another.
    ///
    /// Source: RFC 3261 §8.1.3.5, §21.4.26.
    pub(super) fn not_acceptable(&mut self, response: &Message, status: u16, now: Instant) {
        let version = self.sdp_version + 1;
        match reduced(&self.plan.offer, version).filter(|_| self.may_try_again()) {
            Some(offer) => {
                (self.plan.offer, self.sdp_version) = (offer, version);
                self.invite_anew(now);
            }
            None => self.refused(response, status, now),
        }
    }

    fn may_try_again(&self) -> bool {
        self.is_calling() && self.invites.len() < INVITES_MAX
    }

    /// Goes on with the call by an INVITE that says something else, which what proved who we are does not cover.
    fn invite_anew(&mut self, now: Instant) {
        self.digest = Digest::new(self.plan.trunk.credentials.as_ref());
        self.invite_content.authorization.clear();
        self.invite_again(now);
    }

    /// Goes on with the call by another INVITE.
    fn invite_again(&mut self, now: Instant) {
        self.early_dialogs.clear();
        self.invite_content.cseq += 1;
        let branch = branch(&mut self.seed);
        let (plan, version) = (&mut self.plan, &mut self.sdp_version);
        let bytes = write_fitting_invite(plan, version, &self.invite_content, &branch);
        let transport = self.plan.local_addr.transport;
        self.invites.push(ClientTransaction::new(Method::Invite, branch, bytes, transport, now));
        self.phase = Phase::Calling { until: now + self.plan.patience };
    }
}

/// The address to which a 3xx sends us, if we go there.
///
/// Contract: another host may be named, because the request still goes to the trunk; another number may
///           not. A phone that forwards its calls would else decide whom the operator pays for.
/// Source:   RFC 3261 §8.1.3.4.
fn elsewhere(refusal: &Message, plan: &InvitePlan, tried: &[String]) -> Option<String> {
    let number = plan.number.as_ref()?.as_str();
    refusal
        .items("Contact")
        .filter_map(|contact| Some((uri(contact)?, preference(contact))))
        .filter(|(uri, _)| is_sip_uri(uri) && is_same_number(uri, number))
        .filter(|(uri, _)| !tried.iter().any(|tried| tried == uri))
        // Of equals the first.
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
        .map(|(uri, _)| uri.to_owned())
}

/// In thousandths, as far as it is written in digits.
fn preference(contact: &str) -> u32 {
    let written = parameter(contact, "q").and_then(|q| q.parse::<f32>().ok());
    (written.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32
}

fn is_same_number(uri: &str, number: &str) -> bool {
    let Some((_, rest)) = uri.split_once(':') else { return false };
    let Some((user, _)) = rest.split_once('@') else { return false };
    let user = user.split([';', ':']).next().unwrap_or_default();
    let user: String = user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
    user.trim_start_matches('+') == number.trim_start_matches('+')
}

/// With passwords, redirections and objections in a row; an honest trunk needs no more.
const INVITES_MAX: usize = 12;
const REDIRECTIONS_MAX: usize = 3;
