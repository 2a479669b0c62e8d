//! One answer to our INVITE: its dialog, its ACK, and its BYE. A forked INVITE may have several.

use std::time::Instant;

use super::cause::Reason;
use super::in_dialog_request::{Content, InDialogRequest};
use super::{InvitePlan, branch, contact};
use crate::seed::Seed;
use crate::sip::ALLOW;
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::dialog::Dialog;
use crate::sip::message::{Message, Method};

/// A dialog that a 2xx made.
///
/// Source: RFC 3261 §13.2.2.4.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) dialog: Dialog,
    pub(super) is_over: bool,
    ack: Vec<u8>,
    send_ack: bool,
    bye: Option<InDialogRequest>,
    refresh: Option<InDialogRequest>,
    takes_update: bool,
}

impl Fork {
    /// Begins with the ACK on its way out.
    pub(super) fn new(
        answer: &Message,
        invite: &Message,
        authorization: &[(&'static str, String)],
        plan: &InvitePlan,
        seed: &mut Seed,
    ) -> Self {
        let dialog = Dialog::new(answer, invite);
        let via = plan.local_addr.via(&branch(seed));
        let mut ack = dialog.request(&Method::Ack, invite.cseq, &via);
        // An ACK carries the credentials of its INVITE (RFC 3261 §22.1).
        for (name, value) in authorization {
            ack = ack.header(name, value);
        }
        let ack = ack.header("User-Agent", crate::sip::PRODUCT).end();
        let takes_update = answer.items("Allow").any(|method| method == "UPDATE");
        Self { dialog, is_over: false, ack, send_ack: true, bye: None, refresh: None, takes_update }
    }

    /// The dialog of a call that the far end has made; its ACK is theirs.
    pub(super) fn accepted(invite: &Message, local_tag: &str) -> Self {
        let takes_update = invite.items("Allow").any(|method| method == "UPDATE");
        Self { takes_update, ..Self::of(Dialog::uas(invite, local_tag)) }
    }

    /// A dialog in which nothing is to be acknowledged.
    pub(super) fn of(dialog: Dialog) -> Self {
        Self {
            dialog,
            is_over: false,
            ack: vec![],
            send_ack: false,
            bye: None,
            refresh: None,
            takes_update: false,
        }
    }

    /// Tells whether an answer is a copy of the one that made this dialog.
    pub(super) fn is_from(&self, answer: &Message) -> bool {
        self.dialog.remote_tag() == answer.to.tag.as_deref()
    }

    /// Sends the same ACK again.
    pub(super) fn acknowledge_again(&mut self) {
        self.send_ack = true;
    }

    /// Sends BYE, unless one side has already.
    pub(super) fn hang_up(
        &mut self,
        reason: Reason,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) {
        if !self.is_over {
            let mut content = Content::of(Method::Bye);
            content.headers.push(("Reason", reason.header().to_owned()));
            self.bye = Some(InDialogRequest::new(content, &mut self.dialog, plan, seed, now));
            self.end();
        }
    }

    /// One side has said BYE; responses to our other requests no longer matter.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        if let Some(refresh) = &mut self.refresh {
            refresh.transaction.abandon();
        }
    }

    /// Says that the session goes on: by UPDATE where the far end knows it, else by a new INVITE.
    ///
    /// Source: RFC 4028 §7.4.
    pub(super) fn refresh(
        &mut self,
        headers: Vec<(&'static str, String)>,
        sdp: String,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) {
        let update = self.takes_update;
        let method = if update { Method::Update } else { Method::Invite };
        let mut content = Content { headers, ..Content::of(method) };
        content.headers.push(("Contact", contact(plan)));
        if !update {
            content.headers.push(("Allow", ALLOW.to_owned()));
            content.sdp = sdp;
        }
        self.refresh = Some(InDialogRequest::new(content, &mut self.dialog, plan, seed, now));
    }

    /// Takes a response. What it means is for the caller, if it is the last word to a refresh.
    pub(super) fn receive(
        &mut self,
        response: &Message,
        status: u16,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> Received {
        let dialog = &mut self.dialog;
        if let Some(bye) = self.bye.as_mut().filter(|bye| bye.transaction.owns(response)) {
            bye.receive(response, status, dialog, plan, seed, now);
            return Received::Taken;
        }
        let refresh = self.refresh.as_mut().filter(|it| it.transaction.owns(response));
        let Some(refresh) = refresh else { return Received::NotForUs };
        if response.method == Method::Invite && (200..300).contains(&status) {
            let via = plan.local_addr.via(&branch(seed));
            let ack = dialog.request(&Method::Ack, refresh.cseq(), &via);
            self.ack = ack.header("User-Agent", crate::sip::PRODUCT).end();
            self.send_ack = true;
        }
        match refresh.receive(response, status, dialog, plan, seed, now) {
            Some(status) => Received::Refreshed(status),
            None => Received::Taken,
        }
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = &ClientTransaction> {
        self.bye.iter().chain(&self.refresh).map(|it| &it.transaction)
    }

    pub(super) fn transactions_mut(&mut self) -> impl Iterator<Item = &mut ClientTransaction> {
        self.bye.iter_mut().chain(&mut self.refresh).map(|it| &mut it.transaction)
    }

    /// Tells whether a new INVITE of ours waits for its answer.
    pub(super) fn has_pending_reinvite(&self) -> bool {
        let transaction = self.refresh.as_ref().map(|refresh| &refresh.transaction);
        transaction.is_some_and(|it| it.is_pending() && it.method() == &Method::Invite)
    }

    /// Tells, once, that a refresh has had no answer for as long as one is waited for.
    pub(super) fn refresh_is_unanswered(&mut self) -> bool {
        self.refresh.take_if(|refresh| refresh.transaction.has_timed_out()).is_some()
    }

    /// What to send now: the ACK goes before the BYE.
    pub(super) fn poll(&mut self) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.send_ack) {
            return Some(self.ack.clone());
        }
        self.transactions_mut().find_map(ClientTransaction::poll)
    }
}

/// What became of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// It belongs elsewhere.
    NotForUs,
    /// It is dealt with.
    Taken,
    /// The far end has said so to a refresh.
    Refreshed(u16),
}
