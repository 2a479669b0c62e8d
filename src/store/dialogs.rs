//! The SIP dialogs of calls on the line, for the start after a kill.

use rusqlite::params;

use super::rings::RingOf;
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::notification::AttemptId;
use crate::notification::verification::VerificationId;

/// What is needed to end a call from another run of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDialog {
    /// The name of the trunk that carries it.
    pub trunk: String,
    /// As [`Output::Dialog`](crate::sip::invite::Output::Dialog) has given it.
    pub record: String,
}

impl Store {
    /// Keeps the dialog of a call about messages, in place of the one before, until the call is settled.
    pub async fn keep_dialog(
        &self,
        attempt: AttemptId,
        dialog: KeptDialog,
    ) -> Result<(), StoreError> {
        self.ask(move |transaction| transaction.keep_dialog(RingOf::Attempt(attempt), &dialog))
            .await
    }

    /// The same of a call with a code.
    pub async fn keep_dialog_of_code(
        &self,
        id: VerificationId,
        dialog: KeptDialog,
    ) -> Result<(), StoreError> {
        self.ask(move |transaction| transaction.keep_dialog(RingOf::Verification(id), &dialog))
            .await
    }

    /// The dialogs of all calls that were never settled, each given once.
    ///
    /// Contract: called at the start, while no call is on the line.
    pub async fn take_dialogs(&self) -> Result<Vec<KeptDialog>, StoreError> {
        self.ask(|transaction| transaction.take_dialogs()).await
    }
}

impl Transaction<'_> {
    fn keep_dialog(&self, of: RingOf, dialog: &KeptDialog) -> Result<(), StoreError> {
        let (sql, id) = match of {
            RingOf::Attempt(id) => (
                "UPDATE attempts SET dialog = ?, dialog_trunk = ? WHERE id = ? AND ended IS NULL",
                id.0,
            ),
            RingOf::Verification(id) => {
                ("UPDATE verifications SET dialog = ?, dialog_trunk = ? WHERE id = ?", id.0)
            }
        };
        self.conn.prepare_cached(sql)?.execute(params![dialog.record, dialog.trunk, id])?;
        Ok(())
    }

    /// The call is settled.
    pub(super) fn forget_dialog(&self, of: RingOf) -> Result<(), StoreError> {
        let (table, id) = match of {
            RingOf::Attempt(id) => ("attempts", id.0),
            RingOf::Verification(id) => ("verifications", id.0),
        };
        let sql = format!(
            "UPDATE {table} SET dialog = NULL, dialog_trunk = NULL WHERE id = ? AND dialog IS NOT NULL"
        );
        self.conn.prepare_cached(&sql)?.execute([id])?;
        Ok(())
    }

    fn take_dialogs(&self) -> Result<Vec<KeptDialog>, StoreError> {
        let mut dialogs = vec![];
        for table in ["attempts", "verifications"] {
            let sql = format!("SELECT dialog_trunk, dialog FROM {table} WHERE dialog IS NOT NULL");
            let mut find = self.conn.prepare(&sql)?;
            let found = find
                .query_map([], |row| Ok(KeptDialog { trunk: row.get(0)?, record: row.get(1)? }))?;
            dialogs.extend(found.collect::<Result<Vec<_>, _>>()?);
            let sql = format!(
                "UPDATE {table} SET dialog = NULL, dialog_trunk = NULL WHERE dialog IS NOT NULL"
            );
            self.conn.execute(&sql, [])?;
        }
        Ok(dialogs)
    }
}
