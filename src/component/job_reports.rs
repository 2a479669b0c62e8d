//! What the operator reads of jobs that the store did not do, and of stanzas that came back.

use std::time::Duration;

use tracing::{debug, info, warn};
use xmpp_parsers::jid::BareJid;

use super::events::Now;
use crate::notification::returned::{ReturnReason, Returned};
use crate::notification::{Draft, ReplyId};
use crate::rate_limit::RateLimit;
use crate::redaction::Pii;
use crate::store::{AfterReturn, StoreError, StoreJob};
use crate::xmpp::gateway::NoRoom;

/// What the sender of a message that was not held reads.
pub(super) fn no_room(error: &StoreError) -> NoRoom {
    match error {
        StoreError::RecipientFull => NoRoom::Recipient,
        StoreError::SenderFull => NoRoom::Sender,
        _ => NoRoom::Store,
    }
}

/// The log lines, and for whom one was written lately.
#[derive(Debug)]
pub(super) struct Reports {
    no_room: RateLimit<BareJid>,
}

impl Default for Reports {
    fn default() -> Self {
        Self { no_room: RateLimit::new(1, SAID_ONCE_IN, REMEMBERED_MAX) }
    }
}

impl Reports {
    /// One line for each job that the store did not do. What a flood would repeat is said once.
    pub(super) fn failed(&mut self, job: &StoreJob, error: &StoreError, now: Now) {
        match job {
            StoreJob::Hold { draft, .. } | StoreJob::Correct { draft, .. }
                if no_room(error) != NoRoom::Store =>
            {
                self.beyond_quota(draft, error, now);
            }
            _ => report(job, error),
        }
    }

    /// A sender or a recipient has reached what one may have waiting.
    fn beyond_quota(&mut self, draft: &Draft, error: &StoreError, now: Now) {
        let (recipient, sender) = (&draft.recipient, draft.sender.to_bare());
        let whose = if no_room(error) == NoRoom::Sender { &sender } else { recipient };
        if self.no_room.allows(whose, now.mono) {
            let (recipient, sender) = (Pii(recipient), Pii(&sender));
            info!(%sender, %recipient, %error, "messages are not held, and their senders are told");
        } else {
            debug!(%error, "message not held; its sender is told");
        }
    }
}

fn report(job: &StoreJob, error: &StoreError) {
    match job {
        StoreJob::Hold { .. } => warn!(%error, "message not held; its sender is told"),
        StoreJob::Identified { .. } => warn!(%error, "message not planned yet; tried again"),
        StoreJob::Correct { .. } => warn!(%error, "message not corrected"),
        StoreJob::Retract { .. } => warn!(%error, "message not retracted yet; tried again"),
        StoreJob::CameOnline(_) => warn!(%error, "held messages not delivered yet; tried again"),
        StoreJob::PresenceRefused { .. } => {
            warn!(%error, "answer to the contact request not stored")
        }
        StoreJob::ClaimDue { .. } => warn!(%error, "due calls not claimed"),
        StoreJob::Settle { .. } => warn!(%error, "call not settled yet; tried again"),
        StoreJob::Owed(_) => warn!(%error, "owed stanzas not read"),
        StoreJob::MarkSent(_) => warn!(%error, "sent stanzas not marked yet; tried again"),
        StoreJob::SettleSent(_) => warn!(%error, "arrived stanzas not settled yet; tried again"),
        StoreJob::OweUnsettled(_) => {
            warn!(%error, "stanzas of a lost stream not owed again yet; tried again");
        }
        StoreJob::Returned { .. } => warn!(%error, "returned stanza not stored yet; tried again"),
        StoreJob::NextRecording => warn!(%error, "waiting voice replies not read"),
        StoreJob::RecordingFailed { .. } => warn!(%error, "failed delivery not stored yet"),
        StoreJob::RetryRecordings => warn!(%error, "voice replies not tried again yet"),
        StoreJob::Expire(_) => warn!(%error, "expired messages not removed"),
        StoreJob::Replan { .. } => warn!(%error, "waiting calls not planned anew yet; tried again"),
        StoreJob::DeliverMore => warn!(%error, "held messages not delivered yet; tried again"),
        StoreJob::TrunkWorks { .. } => {
            warn!(%error, "calls that failed at a trunk not brought forward yet; tried again");
        }
        StoreJob::ClockStepped | StoreJob::ClockProved => {
            warn!(%error, "calls not planned anew by the clock yet; tried again");
        }
        StoreJob::EraseAsAsked => warn!(%error, "erasure not done yet"),
        StoreJob::TakeAlerts | StoreJob::TrunkChanged { .. } => {
            warn!(%error, "what operators are to be told was not stored or read");
        }
    }
}

/// One line for what came back and is not tried again by itself.
pub(super) fn log_return(reply: ReplyId, returned: &Returned, after: AfterReturn) {
    let (reply_id, condition) = (reply.0, returned.condition.as_str());
    match (after, returned.why) {
        (AfterReturn::Held | AfterReturn::GivenUp, ReturnReason::EndsStream) => {
            warn!(reply_id, "stanza set aside: the server ends the stream over it");
        }
        (AfterReturn::Held, _) => info!(reply_id, condition, "delivery came back; message held"),
        (AfterReturn::GivenUp, _) => {
            warn!(reply_id, condition, "stanza given up: it came back too often");
        }
        (AfterReturn::Again(_), _) => debug!(reply_id, condition, "stanza came back; sent again"),
        (AfterReturn::Overtaken, _) => debug!(reply_id, condition, "overtaken stanza came back"),
    }
}

/// A limit that somebody meets again and again is named so often.
const SAID_ONCE_IN: Duration = Duration::from_secs(3600);
const REMEMBERED_MAX: usize = 1000;
