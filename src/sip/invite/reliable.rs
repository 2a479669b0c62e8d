//! Provisional responses that want to be acknowledged: each gets its PRACK in its early dialog.

use std::time::Instant;

use tracing::debug;

use super::InvitePlan;
use super::in_dialog_request::{Content, InDialogRequest};
use crate::seed::Seed;
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Message, Method, digits};

/// One phone's side of an INVITE that is not answered yet.
///
/// Contract: a PRACK without an answer holds up nothing; its transaction gives up by itself.
/// Source:   RFC 3262 §4; each early dialog counts its responses for itself.
#[derive(Debug)]
pub(super) struct EarlyDialog {
    pub(super) dialog: Dialog,
    last: Option<u32>,
    pracks: Vec<InDialogRequest>,
    answer: Option<String>,
}

/// The number of a provisional response that is to be acknowledged.
pub(super) fn reliable(response: &Message) -> Option<u32> {
    let mut required = response.items("Require");
    let wants = required.any(|option| option.trim().eq_ignore_ascii_case("100rel"));
    let number = response.header("RSeq").and_then(|number| digits(number.trim()));
    number.filter(|_| wants && response.to.tag.is_some())
}

impl EarlyDialog {
    /// Begins with its first response.
    pub(super) fn new(response: &Message, invite: &Message) -> Self {
        let dialog = Dialog::new(response, invite);
        Self { dialog, last: None, pracks: vec![], answer: None }
    }

    /// Tells whether a response comes from this phone.
    pub(super) fn is_from(&self, response: &Message) -> bool {
        self.dialog.remote_tag() == response.to.tag.as_deref()
    }

    /// Acknowledges a response. Tells whether it is to be heeded: a copy is not, nor one that has overtaken another.
    pub(super) fn take(
        &mut self,
        response: &Message,
        number: u32,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> bool {
        if self.last.is_some_and(|last| number != last.wrapping_add(1)) {
            return false;
        }
        if self.pracks.len() == PRACKS_MAX {
            debug!("one more reliable response dropped");
            return false;
        }
        self.last = Some(number);
        self.answer = self.answer.take().or_else(|| response.sdp().map(str::to_owned));
        let rack = format!("{number} {} INVITE", response.cseq);
        let content = Content { headers: vec![("RAck", rack)], ..Content::of(Method::Prack) };
        self.pracks.push(InDialogRequest::new(content, &mut self.dialog, plan, seed, now));
        true
    }

    /// Takes a response and tells whether it was for a PRACK of ours.
    pub(super) fn receive(
        &mut self,
        response: &Message,
        status: u16,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> bool {
        let prack = self.pracks.iter_mut().find(|prack| prack.transaction.owns(response));
        let Some(prack) = prack else { return false };
        prack.receive(response, status, &mut self.dialog, plan, seed, now);
        true
    }

    /// The answer to our offer that has come reliably; what the 2xx says besides is no other one, but for [`last_keys`].
    pub(super) fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// The INVITE has its final response; a PRACK is no longer waited for.
    pub(super) fn abandon(&mut self) {
        self.pracks.iter_mut().for_each(|prack| prack.transaction.abandon());
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = &ClientTransaction> {
        self.pracks.iter().map(|prack| &prack.transaction)
    }

    pub(super) fn transactions_mut(&mut self) -> impl Iterator<Item = &mut ClientTransaction> {
        self.pracks.iter_mut().map(|prack| &mut prack.transaction)
    }
}

/// The answer that holds: that of a reliable provisional response, if there is one. COMPAT(FreeSWITCH): a far end that
/// names other keys in the 200 encrypts with those.
///
/// Source: RFC 3262 §5; RFC 3261 §13.2.1.
pub(super) fn last_keys<'s>(early: Option<&'s str>, late: Option<&'s str>) -> Option<&'s str> {
    fn keys(sdp: &str) -> Vec<&str> {
        sdp.lines().filter(|line| line.starts_with("a=crypto:")).collect()
    }
    match (early, late) {
        (Some(early), Some(late)) if !keys(late).is_empty() && keys(late) != keys(early) => {
            Some(late)
        }
        (early, late) => early.or(late),
    }
}

/// A phone that rings for minutes repeats a reliable 180 each minute (RFC 3261 §13.3.1.1).
const PRACKS_MAX: usize = 16;
