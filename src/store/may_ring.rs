//! What the rules are asked with, read from the tables. Nothing is changed here.

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::StoreError;
use super::history::Ahead;
use super::transaction::Transaction;
use crate::notification::lifecycle::{Notification, State};
use crate::notification::rules::{Decision, Facts, Judgement, Plan, Sender};
use crate::notification::verification::NumberSlot;
use crate::notification::{MessageId, Wait};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// What the rules say about a message or a call, and whom they were asked about.
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    /// Who is to be phoned.
    pub(super) callee: Option<Subscriber>,
    /// Where.
    pub(super) number: Option<PhoneNumber>,
}

impl Transaction<'_> {
    /// Asks the rules about a message of this sender: one that has just been held, or one that might come.
    pub(super) fn judge_message(
        &self,
        sender: Sender<'_>,
        message: Option<MessageId>,
        callee: Option<Subscriber>,
        open: Option<&Notification>,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        let plan = match open.map(|it| it.state) {
            None | Some(State::Closed(_)) => Plan::Open,
            Some(State::Calling { .. }) => Plan::Calling,
            // What one sender may no longer cause, another one may.
            Some(State::Waiting { why: Wait::Throttled, .. })
                if !self.waits_another_of(&sender, message)? =>
            {
                Plan::Open
            }
            Some(State::Waiting { due, why }) => Plan::Call { due, why },
        };
        self.judge(sender.recipient, Some(sender), callee, open, plan, now)
    }

    /// Asks the rules about the call of a notification, whose messages have passed the rules for senders.
    pub(super) fn judge_call(
        &self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        let callee = self.subscriber(&notification.recipient)?;
        self.judge(&notification.recipient, None, callee, Some(notification), Plan::Open, now)
    }

    /// Asks the rules of time alone.
    pub(super) fn decide(
        &self,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        let callee = self.subscriber(&notification.recipient)?;
        let history = self.history_of(notification, callee.as_ref(), now)?;
        Ok(self.policy.next_call(&notification.past, &history, now))
    }

    pub(super) fn judge(
        &self,
        recipient: &BareJid,
        sender: Option<Sender<'_>>,
        callee: Option<Subscriber>,
        open: Option<&Notification>,
        plan: Plan,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        let is_second = open.is_some_and(|open| open.second);
        let slot = if is_second { NumberSlot::Second } else { NumberSlot::First };
        let mut facts = Facts { callee: callee.as_ref(), slot, sender, on_the_line: false, plan };
        let number = facts.number().cloned();
        if let Some(number) = &number {
            facts.on_the_line = self.is_on_the_line(number, recipient)?;
        }
        let history = || {
            let Some(number) = &number else { return Ok(Default::default()) };
            let ahead = Ahead {
                recipient,
                callee: facts.callee,
                number,
                notification: open.map(|open| open.id),
                newest_sender: sender.map(|sender| sender.jid),
            };
            let past = open.map(|open| open.past).unwrap_or_default();
            Ok::<_, StoreError>((past, self.history(&ahead, now)?))
        };
        let judgement = Judgement::of(self.policy, &facts, history, now)?;
        Ok(Judged { judgement, callee, number })
    }

    /// Tells whether another message of this sender waits for the recipient.
    fn waits_another_of(
        &self,
        sender: &Sender<'_>,
        message: Option<MessageId>,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM waiting_messages WHERE recipient = ? AND sender_bare = ? AND id IS NOT ?";
        let values =
            params![sender.recipient.as_str(), sender.jid.as_str(), message.map(|it| it.0)];
        Ok(self.conn.prepare_cached(sql)?.exists(values)?)
    }
}
