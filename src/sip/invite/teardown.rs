//! How a call ends from our side: by CANCEL, by BYE, or because nothing answers.

use std::time::Instant;

use super::reliable::EarlyDialog;
use super::{Ending, Invite, Output, Phase};
use crate::sip::client_transaction::{ClientTransaction, cancellation};
use crate::sip::message::Method;
use crate::sip::{PATIENCE, T4};

impl Invite {
    pub(super) fn hang_up(&mut self, ending: Ending, now: Instant) {
        match self.phase {
            // Nothing has come yet, so nothing may be cancelled yet (RFC 3261 §9.1).
            Phase::Calling { until } => self.phase = Phase::Terminating { ending, until },
            Phase::Proceeding { .. } => {
                self.phase = Phase::Terminating { ending, until: now + PATIENCE };
                self.send_cancel(now);
            }
            Phase::Confirmed => self.hang_up_by_bye(now),
            Phase::Terminating { .. } | Phase::Terminated { .. } => {}
        }
    }

    /// Cancels a call of which the trunk says nothing. It may say nothing to the CANCEL either, and is not waited for long.
    pub(super) fn give_up_setup(&mut self, now: Instant) {
        self.hang_up(Ending::NoProgress, now);
        if let Phase::Terminating { until, .. } = &mut self.phase {
            *until = now + T4;
        }
    }

    pub(super) fn hang_up_by_bye(&mut self, now: Instant) {
        if let Some(fork) = self.forks.first_mut() {
            fork.hang_up(self.reason, &self.plan, &mut self.seed, now);
        }
        self.over(Ending::ByUs, now);
    }

    pub(super) fn send_cancel(&mut self, now: Instant) {
        let Some(invite) = self.invites.last().filter(|invite| invite.is_pending()) else { return };
        if self.cancel.is_some() {
            return;
        }
        let cancel = cancellation(invite.request(), self.reason.header());
        let branch = invite.branch().to_owned();
        self.cancel = Some(ClientTransaction::new(
            Method::Cancel,
            branch,
            cancel,
            self.plan.local_addr.transport,
            now,
        ));
        if let Phase::Terminating { until, .. } | Phase::Terminated { until } = &mut self.phase {
            *until = now + PATIENCE;
        }
    }

    /// Tells the ending and goes on listening: an answer may still come, and then gets its CANCEL or BYE.
    pub(super) fn give_up(&mut self, ending: Ending, now: Instant) {
        for invite in &mut self.invites {
            invite.stop_sending();
        }
        self.over(ending, now);
    }

    pub(super) fn over(&mut self, ending: Ending, now: Instant) {
        if !matches!(self.phase, Phase::Terminated { .. }) {
            self.phase = Phase::Terminated { until: now + PATIENCE };
            self.early_dialogs.iter_mut().for_each(EarlyDialog::abandon);
            self.events.push_back(Output::Over(ending));
        }
    }
}
