//! How much may be held: for one person, from one sender, and of all together.

use super::StoreError;
use super::ledger::Ledger;
use crate::notification::Draft;

impl Ledger<'_> {
    /// Refuses a message for which there is no room. The tallies are kept by triggers, so that this costs no count.
    pub(super) fn refuse_beyond_quota(&self, draft: &Draft) -> Result<(), StoreError> {
        let bytes = (draft.body.len() + draft.stanza.len()) as i64;
        let mut find = self.conn.prepare_cached(
            "SELECT kind, held, bytes FROM tallies
             WHERE (kind = 'recipient' AND jid = ?1) OR (kind = 'sender' AND jid = ?2) OR (kind = 'all' AND jid = '')",
        )?;
        let sender = draft.sender.to_bare();
        let quotas = [
            ("recipient", QUOTA_OF_ONE, StoreError::RecipientFull),
            ("sender", QUOTA_OF_ONE, StoreError::SenderFull),
            ("all", QUOTA_OF_ALL, StoreError::Full),
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
            if taken.0 >= quota.messages || taken.1 + bytes > quota.bytes {
                return Err(refusal);
            }
        }
        let [recipient, sender, _] = taken;
        let beyond = |(held, held_bytes): (i64, i64), part: i64| {
            held >= QUOTA_OF_ONE.messages / part || held_bytes + bytes > QUOTA_OF_ONE.bytes / part
        };
        if beyond(recipient, 2) && beyond(sender, SHARES) {
            return Err(StoreError::SenderFull);
        }
        Ok(())
    }
}

struct Quota {
    messages: i64,
    bytes: i64,
}

/// For one person, and from one sender.
const QUOTA_OF_ONE: Quota = Quota { messages: 10_000, bytes: 64 << 20 };
/// Of the second half of a person's place nobody gets more who has taken one such part of it: one sender alone cannot
/// make the messages of all others come back.
const SHARES: i64 = 10;
const QUOTA_OF_ALL: Quota = Quota { messages: 1_000_000, bytes: 4 << 30 };
