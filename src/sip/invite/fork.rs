//! One answer to our INVITE: its dialog, its ACK, and its BYE. A forked INVITE may have several.

use std::time::Instant;

use super::{InvitePlan, branch, ours};
use crate::seed::Seed;
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Digest;
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
    bye: Option<Bye>,
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
        let via = plan.hop.via(&branch(seed));
        let mut ack = dialog.request(&Method::Ack, invite.cseq, &via);
        // An ACK carries the credentials of its INVITE (RFC 3261 §22.1).
        for (name, value) in authorization {
            ack = ack.header(name, value);
        }
        let ack = ack.header("User-Agent", crate::sip::PRODUCT).end();
        Self { dialog, is_over: false, ack, send_ack: true, bye: None }
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
    pub(super) fn hang_up(&mut self, plan: &InvitePlan, seed: &mut Seed, now: Instant) {
        if !std::mem::replace(&mut self.is_over, true) {
            let digest = Digest::new(plan.trunk.credentials.as_ref());
            self.send_bye(digest, &[], plan, seed, now);
        }
    }

    /// Takes a response and tells whether it was for our BYE.
    pub(super) fn receive(
        &mut self,
        response: &Message,
        status: u16,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> bool {
        let Some(bye) = self.bye.as_mut().filter(|bye| bye.transaction.owns(response)) else {
            return false;
        };
        let news = bye.transaction.receive(response, status, now);
        if news
            && matches!(status, 401 | 407)
            && let Some(headers) = bye.digest.answer(response, &bye.request)
            && let Some(bye) = self.bye.take()
        {
            self.send_bye(bye.digest, &headers, plan, seed, now);
        }
        true
    }

    pub(super) fn bye(&self) -> Option<&ClientTransaction> {
        self.bye.as_ref().map(|bye| &bye.transaction)
    }

    pub(super) fn bye_mut(&mut self) -> Option<&mut ClientTransaction> {
        self.bye.as_mut().map(|bye| &mut bye.transaction)
    }

    /// What to send now: the ACK goes before the BYE.
    pub(super) fn poll(&mut self) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.send_ack) {
            return Some(self.ack.clone());
        }
        self.bye.as_mut().and_then(|bye| bye.transaction.poll())
    }

    fn send_bye(
        &mut self,
        digest: Digest,
        authorization: &[(&'static str, String)],
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) {
        self.dialog.local_cseq += 1;
        let branch = branch(seed);
        let via = plan.hop.via(&branch);
        let mut draft = self.dialog.request(&Method::Bye, self.dialog.local_cseq, &via);
        for (name, value) in authorization {
            draft = draft.header(name, value);
        }
        let bytes = draft.header("User-Agent", crate::sip::PRODUCT).end();
        let request = ours(&bytes);
        let transaction =
            ClientTransaction::new(Method::Bye, branch, bytes, plan.hop.transport, now);
        self.bye = Some(Bye { transaction, digest, request });
    }
}

#[derive(Debug)]
struct Bye {
    transaction: ClientTransaction,
    digest: Digest,
    request: Message,
}
