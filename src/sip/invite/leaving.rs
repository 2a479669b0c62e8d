//! How a call is left: by CANCEL, by BYE, or because nobody answers.

use std::time::Instant;

use super::reliable::Early;
use super::{Ending, Invite, Output, Phase};
use crate::sip::PATIENCE;
use crate::sip::client_transaction::{ClientTransaction, cancellation};
use crate::sip::message::Method;

impl Invite {
    pub(super) fn hang_up(&mut self, ending: Ending, now: Instant) {
        match self.phase {
            // Nothing has come yet, so nothing may be cancelled yet (RFC 3261 §9.1).
            Phase::Calling { until } => self.phase = Phase::Leaving { ending, until },
            Phase::Proceeding { .. } => {
                self.phase = Phase::Leaving { ending, until: now + PATIENCE };
                self.send_cancel(now);
            }
            Phase::Talking => self.hang_up_talking(now),
            Phase::Leaving { .. } | Phase::Over { .. } => {}
        }
    }

    pub(super) fn hang_up_talking(&mut self, now: Instant) {
        if let Some(fork) = self.forks.first_mut() {
            fork.hang_up(&self.plan, &mut self.seed, now);
        }
        self.over(Ending::ByUs, now);
    }

    pub(super) fn send_cancel(&mut self, now: Instant) {
        let Some(invite) = self.invites.last().filter(|invite| invite.is_pending()) else { return };
        if self.cancel.is_some() {
            return;
        }
        let cancel = cancellation(invite.request());
        let branch = invite.branch().to_owned();
        self.cancel = Some(ClientTransaction::new(
            Method::Cancel,
            branch,
            cancel,
            self.plan.hop.transport,
            now,
        ));
        if let Phase::Leaving { until, .. } | Phase::Over { until } = &mut self.phase {
            *until = now + PATIENCE;
        }
    }

    /// Tells the ending and goes on listening: an answer may still come, and then gets its CANCEL or BYE.
    pub(super) fn leave_unanswered(&mut self, ending: Ending, now: Instant) {
        for invite in &mut self.invites {
            invite.stop_sending();
        }
        self.over(ending, now);
    }

    pub(super) fn over(&mut self, ending: Ending, now: Instant) {
        if !matches!(self.phase, Phase::Over { .. }) {
            self.phase = Phase::Over { until: now + PATIENCE };
            self.earlies.iter_mut().for_each(Early::abandon);
            self.told.push_back(Output::Over(ending));
        }
    }
}
