//! Who changed what and when: rows that are only added to, kept for ninety days whatever is erased.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::{BareJid, Jid};

use super::columns::{ColumnValue, ms};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::clock::Moment;

/// What kind of thing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// A setting of a person changed.
    Setting,
    /// A number got another owner.
    Number,
    /// An operator's command.
    Command,
    /// Everything about a person was removed.
    Erasure,
    /// A sender was blocked.
    Block,
    /// A sender was reported.
    Report,
    /// A share of a limit was reached.
    Limit,
}

impl ColumnValue for AuditAction {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Setting, "setting"),
        (Self::Number, "number"),
        (Self::Command, "command"),
        (Self::Erasure, "erasure"),
        (Self::Block, "block"),
        (Self::Report, "report"),
        (Self::Limit, "limit"),
    ];
}

impl AuditAction {
    /// Its name, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// Who has had a person erased.
#[derive(Clone, Copy)]
pub(super) enum ErasedBy {
    Themselves,
    Operator,
}

/// What is written down of one thing.
pub(super) struct Audited<'a> {
    pub(super) action: AuditAction,
    pub(super) what: &'a str,
    pub(super) who: Option<&'a BareJid>,
    pub(super) resource: Option<&'a str>,
    pub(super) about: Option<&'a BareJid>,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
}

impl Audited<'_> {
    pub(super) fn of(action: AuditAction) -> Self {
        let (who, resource, about, before, after) = (None, None, None, None, None);
        Self { action, what: "", who, resource, about, before, after }
    }
}

impl Store {
    /// Writes down a command of an operator.
    pub async fn audit_command(
        &self,
        operator: &Jid,
        command: &'static str,
        about: Option<BareJid>,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let operator = operator.clone();
        self.ask_at(now, move |transaction, now| {
            let who = operator.to_bare();
            let audited = Audited {
                what: command,
                who: Some(&who),
                resource: operator.resource().map(|it| it.as_str()),
                about: about.as_ref(),
                ..Audited::of(AuditAction::Command)
            };
            transaction.audit(&audited, now)
        })
        .await
    }

    /// Writes down that whoever has the token of the operator's page has looked at names and numbers.
    pub async fn audit_names_shown(&self, now: impl Into<Moment>) -> Result<(), StoreError> {
        self.ask_at(now, |transaction, now| {
            let what = "operator page with names";
            transaction.audit(&Audited { what, ..Audited::of(AuditAction::Command) }, now)
        })
        .await
    }
}

impl Transaction<'_> {
    /// Writes down what was done. JIDs stand beside their hashes until the person is erased.
    pub(super) fn audit(&self, audited: &Audited<'_>, now: Timestamp) -> Result<(), StoreError> {
        let tag = |text: &str| self.ring_tag(text);
        let Audited { action, what, who, resource, about, before, after } = *audited;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO audit (at, counted, action, what, who, who_jid, resource, about, about_jid, value_before, value_after)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            ms(now),
            self.ahead.counted(now),
            action.word(),
            what,
            who.map(|jid| tag(jid.as_str())).transpose()?,
            who.map(|jid| jid.as_str()),
            resource,
            about.map(|jid| tag(jid.as_str())).transpose()?,
            about.map(|jid| jid.as_str()),
            before.map(tag).transpose()?,
            after.map(tag).transpose()?,
        ])?;
        Ok(())
    }

    /// The same of somebody who has just been erased: only the hash.
    pub(super) fn audit_erasure(
        &self,
        erased: &BareJid,
        by: ErasedBy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (column, what) = match by {
            ErasedBy::Themselves => ("who", "forget me"),
            ErasedBy::Operator => ("about", "offhook erase"),
        };
        let sql = format!(
            "INSERT INTO audit (at, counted, action, what, {column}) VALUES (?, ?, 'erasure', ?, ?)"
        );
        let tag = self.ring_tag(erased.as_str())?;
        self.conn.execute(&sql, params![ms(now), self.ahead.counted(now), what, tag])?;
        Ok(())
    }

    /// Erases rows that were kept for long enough.
    pub(super) fn forget_audit(&self, before: i64, limit: i64) -> Result<(), StoreError> {
        self.conn.execute(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE counted <= ? LIMIT ?)",
            [before, limit],
        )?;
        Ok(())
    }
}

pub(super) const AUDIT_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
