//! One request of ours within a dialog, sent again with a password where one is wanted.

use std::time::Instant;

use super::{InvitePlan, branch, ours};
use crate::seed::Seed;
use crate::sip::client_transaction::ClientTransaction;
use crate::sip::dialog::Dialog;
use crate::sip::digest::Digest;
use crate::sip::message::{Message, Method};

/// A request on its way, of any method but the first INVITE.
#[derive(Debug)]
pub(super) struct InDialogRequest {
    pub(super) transaction: ClientTransaction,
    content: Content,
    digest: Digest,
    request: Message,
}

/// What a request says beyond what its dialog knows.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) method: Method,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) sdp: String,
}

impl Content {
    /// A request that says nothing more.
    pub(super) fn of(method: Method) -> Self {
        Self { method, headers: vec![], sdp: String::new() }
    }
}

impl InDialogRequest {
    /// Begins with the request on its way out.
    pub(super) fn new(
        content: Content,
        dialog: &mut Dialog,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> Self {
        let digest = Digest::new(plan.trunk.credentials.as_ref());
        Self::send(content, digest, &[], dialog, plan, seed, now)
    }

    /// Takes a response of this request. Tells its status if that is the last word; a challenge that can be answered is not.
    pub(super) fn receive(
        &mut self,
        response: &Message,
        status: u16,
        dialog: &mut Dialog,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> Option<u16> {
        if !self.transaction.receive(response, status, now) {
            return None;
        }
        if matches!(status, 401 | 407)
            && let Some(headers) = self.digest.answer(response, &self.request)
        {
            let digest = std::mem::replace(&mut self.digest, Digest::new(None));
            *self = Self::send(self.content.clone(), digest, &headers, dialog, plan, seed, now);
            return None;
        }
        (status >= 200).then_some(status)
    }

    /// The number of the request as it was sent last.
    pub(super) fn cseq(&self) -> u32 {
        self.request.cseq
    }

    fn send(
        content: Content,
        digest: Digest,
        authorization: &[(&'static str, String)],
        dialog: &mut Dialog,
        plan: &InvitePlan,
        seed: &mut Seed,
        now: Instant,
    ) -> Self {
        dialog.local_cseq += 1;
        let branch = branch(seed);
        let via = plan.local_addr.via(&branch);
        let mut builder = dialog.request(&content.method, dialog.local_cseq, &via);
        for (name, value) in content.headers.iter().chain(authorization) {
            builder = builder.header(name, value);
        }
        let builder = builder.header("User-Agent", crate::sip::PRODUCT);
        let bytes = builder.body("application/sdp", &content.sdp);
        let request = ours(&bytes);
        let transport = plan.local_addr.transport;
        let method = content.method.clone();
        let transaction = ClientTransaction::new(method, branch, bytes, transport, now);
        Self { transaction, content, digest, request }
    }
}
