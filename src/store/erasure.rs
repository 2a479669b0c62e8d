//! Everything stored about a person, removed: from the tables, and from the file.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tracing::info;
use xmpp_parsers::jid::BareJid;

use super::audit::ErasedBy;
use super::export::{Erased, PERSONAL_TABLES, PersonalTable};
use super::transaction::Transaction;
use super::{Store, StoreError, sqlite};
use crate::clock::Moment;

impl Store {
    /// Removes everything stored about a person; tells whether it could, which it cannot while a call with them is on the line.
    ///
    /// Contract: afterwards nothing of it is in the file or beside it, either.
    pub async fn erase(&self, jid: &BareJid, now: impl Into<Moment>) -> Result<bool, StoreError> {
        let jid = jid.clone();
        self.ask_at(now, move |transaction, now| {
            transaction.erase_and_audit(&jid, ErasedBy::Operator, now)
        })
        .await
    }

    /// As [`Store::erase`] for a person who asks for it themselves.
    pub async fn forget(&self, jid: &BareJid, now: impl Into<Moment>) -> Result<bool, StoreError> {
        let jid = jid.clone();
        self.ask_at(now, move |transaction, now| {
            transaction.erase_and_audit(&jid, ErasedBy::Themselves, now)
        })
        .await
    }

    /// Does what [`ask_to_erase`] has asked for.
    pub async fn erase_as_asked(&self, now: impl Into<Moment>) -> Result<(), StoreError> {
        self.ask_at(now, move |transaction, now| transaction.erase_as_asked(now)).await
    }
}

impl Transaction<'_> {
    fn erase_and_audit(
        &mut self,
        jid: &BareJid,
        by: ErasedBy,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let is_erased = self.erase(jid)?;
        if is_erased {
            self.audit_erasure(jid, by, now)?;
        }
        Ok(is_erased)
    }

    /// Removes a person; `false` while a call with them is on the line.
    ///
    /// What the operator has configured about them stays as it is configured.
    fn erase(&mut self, jid: &BareJid) -> Result<bool, StoreError> {
        let jid = jid.as_str();
        let live = "SELECT 1 FROM attempts WHERE ended IS NULL AND (recipient = ?1 OR id IN (
             SELECT attempt FROM attempt_messages JOIN messages ON messages.id = message
             WHERE messages.recipient = ?1 OR sender_bare = ?1))";
        if self.conn.prepare_cached(live)?.exists([jid])? {
            return Ok(false);
        }
        for PersonalTable { name, whose, erased } in PERSONAL_TABLES {
            match erased {
                Erased::Deleted => {
                    self.conn.execute(&format!("DELETE FROM {name} WHERE {whose}"), [jid])?;
                }
                Erased::Unnamed(names) => {
                    let sql = format!("UPDATE {name} SET {names} WHERE {whose}");
                    self.conn.execute(&sql, [jid])?;
                }
                Erased::OwnSettings => self.erase_own_settings(jid)?,
                Erased::WithMessage => {}
            }
        }
        self.wake_due = true;
        self.wipes = true;
        Ok(true)
    }

    fn erase_own_settings(&self, jid: &str) -> Result<(), StoreError> {
        self.write_people("DELETE FROM subscribers WHERE jid = ?1 AND known = 0", [jid])?;
        self.write_people(
            "UPDATE subscribers SET switched = NULL, switched_at = NULL, registered = 0, own_number = NULL,
                 own_second = NULL, own_language = NULL, own_quiet = NULL, own_time_zone = NULL, pin = NULL,
                 senders = NULL, refuses_presence = 0 WHERE jid = ?1",
            [jid],
        )?;
        Ok(())
    }

    /// Does what was asked for from outside.
    pub(super) fn erase_as_asked(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached("SELECT jid FROM erasures LIMIT 100")?;
        let asked: Vec<String> = find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(find);
        for jid in asked {
            match BareJid::new(&jid) {
                Ok(jid) => {
                    if self.erase_and_audit(&jid, ErasedBy::Operator, now)? {
                        info!("everything about a person was removed, as `offhook erase` asked");
                    }
                }
                Err(_) => drop(self.conn.execute("DELETE FROM erasures WHERE jid = ?1", [jid])?),
            }
        }
        Ok(())
    }
}

/// Asks the daemon that has the file to remove a person.
pub fn ask_to_erase(path: &Path, jid: &BareJid) -> Result<(), StoreError> {
    let conn = sqlite::open_beside(path)?;
    conn.execute("INSERT OR IGNORE INTO erasures VALUES (?1)", [jid.as_str()])?;
    Ok(())
}

/// Whether what [`ask_to_erase`] has asked for is done.
pub fn is_erased(path: &Path, jid: &BareJid) -> Result<bool, StoreError> {
    let conn = sqlite::open_to_read(path)?;
    let asked = conn.prepare("SELECT 1 FROM erasures WHERE jid = ?1")?.exists([jid.as_str()])?;
    Ok(!asked)
}

/// How often the daemon looks for what it is to erase.
pub const LOOKS_EVERY: Duration = Duration::from_secs(5);
