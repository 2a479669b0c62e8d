//! Everything stored about a person, removed: from the tables, and from the file.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::ledger::Ledger;
use super::words::ms;
use super::{StoreError, sqlite};

impl Ledger<'_> {
    /// Removes a person; `false` while a call with him is on the line.
    ///
    /// What the operator has configured about him stays as it is configured.
    pub(super) fn erase(&mut self, jid: &BareJid, now: Timestamp) -> Result<bool, StoreError> {
        let jid = jid.as_str();
        let of_his = "recipient = ?1 OR sender_bare = ?1";
        let live = format!(
            "SELECT 1 FROM attempts WHERE ended IS NULL AND (recipient = ?1 OR id IN (
                 SELECT attempt FROM attempt_messages JOIN messages ON messages.id = message WHERE {of_his}))"
        );
        if self.conn.prepare_cached(&live)?.exists([jid])? {
            return Ok(false);
        }
        self.conn.execute("DELETE FROM recordings WHERE recipient = ?1 OR sender = ?1", [jid])?;
        // Ended first, so that the tallies of what is held stay right.
        self.conn.execute(
            &format!(
                "UPDATE messages SET ended = ?2, ending = 'expired' WHERE ended IS NULL AND ({of_his})"
            ),
            params![jid, ms(now)],
        )?;
        self.conn.execute(&format!("DELETE FROM messages WHERE {of_his}"), [jid])?;
        self.conn.execute("DELETE FROM attempts WHERE recipient = ?1", [jid])?;
        self.conn.execute("DELETE FROM notifications WHERE recipient = ?1", [jid])?;
        self.write_people("DELETE FROM subscribers WHERE jid = ?1 AND known = 0", [jid])?;
        self.write_people(
            "UPDATE subscribers SET switched = NULL, switched_at = NULL, registered = 0, own_number = NULL,
                 own_second = NULL, own_language = NULL, own_quiet = NULL, own_time_zone = NULL, pin = NULL,
                 senders = NULL WHERE jid = ?1",
            [jid],
        )?;
        self.conn.execute("DELETE FROM sender_rules WHERE person = ?1 OR sender = ?1", [jid])?;
        self.conn.execute("DELETE FROM verifications WHERE jid = ?1", [jid])?;
        self.conn.execute("DELETE FROM wrong_pins WHERE jid = ?1", [jid])?;
        self.conn.execute("DELETE FROM erasures WHERE jid = ?1", [jid])?;
        self.wake_due = true;
        self.wipes = true;
        Ok(true)
    }

    /// Does what was asked for from outside.
    pub(super) fn erase_as_asked(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mut find = self.conn.prepare_cached("SELECT jid FROM erasures LIMIT 100")?;
        let asked: Vec<String> = find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(find);
        for jid in asked {
            match BareJid::new(&jid) {
                Ok(jid) => drop(self.erase(&jid, now)?),
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
