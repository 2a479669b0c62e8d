//! How much may be held: for one person, from one sender, and of all together.

use super::StoreError;
use super::transaction::Transaction;
use crate::notification::Draft;
use crate::notification::policy::Quotas;

impl Transaction<'_> {
    /// Refuses a message for which there is no room.
    pub(super) fn refuse_beyond_quota(&self, draft: &Draft) -> Result<(), StoreError> {
        self.refuse_growth(draft, Growth { messages: 1, bytes: size(draft) })
    }

    /// Refuses a correction that makes a held message grow where there is no room. `before` is what the message took up,
    /// in bytes.
    pub(super) fn refuse_larger(&self, draft: &Draft, before: i64) -> Result<(), StoreError> {
        let bytes = size(draft) - before;
        if bytes <= 0 { Ok(()) } else { self.refuse_growth(draft, Growth { messages: 0, bytes }) }
    }

    /// The tallies are kept by triggers, so that this costs no count.
    fn refuse_growth(&self, draft: &Draft, growth: Growth) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached(
            "SELECT kind, held, bytes FROM tallies
             WHERE (kind = 'recipient' AND jid = ?1) OR (kind = 'sender' AND jid = ?2) OR (kind = 'all' AND jid = '')",
        )?;
        let sender = draft.sender.to_bare();
        let Quotas { of_one, of_all } = self.policy.quotas;
        let quotas = [
            ("recipient", of_one, StoreError::RecipientFull),
            ("sender", of_one, StoreError::SenderFull),
            ("all", of_all, StoreError::Full),
        ];
        let mut taken = [(0, 0); 3];
        let mut rows = find.query([draft.recipient.as_str(), sender.as_str()])?;
        while let Some(row) = rows.next()? {
            let kind = row.get_ref(0)?.as_str().unwrap_or_default();
            if let Some(at) = quotas.iter().position(|(known, ..)| *known == kind) {
                taken[at] = (row.get(1)?, row.get(2)?);
            }
        }
        for ((_, quota, refusal), taken) in quotas.into_iter().zip(&taken) {
            if taken.0 + growth.messages > quota.messages || taken.1 + growth.bytes > quota.bytes {
                return Err(refusal);
            }
        }
        let [recipient, sender, _] = taken;
        let beyond = |(held, held_bytes): (i64, i64), part: i64| {
            held + growth.messages > of_one.messages / part
                || held_bytes + growth.bytes > of_one.bytes / part
        };
        if beyond(recipient, 2) && beyond(sender, SHARES) {
            return Err(StoreError::SenderFull);
        }
        Ok(())
    }
}

/// What a message or a correction adds to what is held.
struct Growth {
    messages: i64,
    bytes: i64,
}

fn size(draft: &Draft) -> i64 {
    (draft.body.len() + draft.stanza.len()) as i64
}

/// A sender who fills one such part of a person's quota gets nothing of its second half: one sender alone cannot make the
/// messages of all others come back.
const SHARES: i64 = 10;
