//! Another INVITE for the same call: with a password, to another address, or for a longer session.

use std::time::Instant;

use super::request::write_invite;
use super::session_timer::at_least;
use super::{Invite, InvitePlan, Phase, branch};
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::digest::Digest;
use crate::sip::header_value::{is_sip_uri, uri};
use crate::sip::message::{Message, Method};

impl Invite {
    pub(super) fn challenged(&mut self, response: &Message, status: u16, now: Instant) {
        let calling = self.is_calling();
        let Some(headers) = self.digest.answer(response, &self.request()).filter(|_| calling)
        else {
            return self.refused(response, status, now);
        };
        self.wording.authorization = headers;
        self.invite_again(now);
    }

    pub(super) fn redirected(&mut self, response: &Message, status: u16, now: Instant) {
        let to = elsewhere(response, &self.plan, &self.tried);
        let Some(to) = to.filter(|_| self.is_calling() && self.tried.len() <= REDIRECTIONS_MAX)
        else {
            return self.refused(response, status, now);
        };
        self.tried.push(to.clone());
        self.wording.uri = to;
        // What proves who we are covers the address.
        self.digest = Digest::new(self.plan.trunk.credentials.as_ref());
        self.wording.authorization.clear();
        self.invite_again(now);
    }

    /// Source: RFC 4028 §7.3 (422).
    pub(super) fn asked_for_longer(&mut self, response: &Message, now: Instant) {
        let longer = at_least(response).filter(|longer| *longer > self.wording.session_s);
        match longer.filter(|_| self.is_calling()) {
            Some(longer) => {
                self.wording.session_s = longer;
                self.invite_again(now);
            }
            None => self.refused(response, 422, now),
        }
    }

    /// Goes on with the call by another INVITE.
    fn invite_again(&mut self, now: Instant) {
        self.earlies.clear();
        self.wording.cseq += 1;
        let branch = branch(&mut self.seed);
        let bytes = write_invite(&self.plan, &self.wording, &branch);
        let transport = self.plan.hop.transport;
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
    refusal
        .items("Contact")
        .filter_map(uri)
        .filter(|uri| is_sip_uri(uri) && is_same_number(uri, plan.number.as_str()))
        .find(|uri| !tried.iter().any(|tried| tried == uri))
        .map(str::to_owned)
}

fn is_same_number(uri: &str, number: &str) -> bool {
    let Some((_, rest)) = uri.split_once(':') else { return false };
    let Some((user, _)) = rest.split_once('@') else { return false };
    let user = user.split([';', ':']).next().unwrap_or_default();
    let user: String = user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
    user.trim_start_matches('+') == number.trim_start_matches('+')
}

const REDIRECTIONS_MAX: usize = 3;
