//! Settings that a person changes, each with its row in the audit.

use jiff::Timestamp;
use xmpp_parsers::jid::{BareJid, Jid};

use super::StoreError;
use super::alerts::DAY;
use super::audit::{AuditAction, Audited};
use super::columns::ColumnValue;
use super::subscribers::{quiet_word, zone_name};
use super::transaction::Transaction;
use crate::notification::alert::Alert;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Pin, SenderRule, Setting, Subscriber};

impl Transaction<'_> {
    /// Takes over what a person has set, and writes down who has changed what.
    pub(super) fn set_by(
        &mut self,
        who: &Jid,
        settings: &[Setting],
        now: Timestamp,
    ) -> Result<Option<Subscriber>, StoreError> {
        let jid = who.to_bare();
        let Some(person) = self.subscriber(&jid)? else { return Ok(None) };
        let before = self.values_of(&person, settings)?;
        let Some(person) = self.set(&jid, settings, now)? else { return Ok(None) };
        let after = self.values_of(&person, settings)?;
        for ((setting, before), after) in settings.iter().zip(before).zip(after) {
            if before == after {
                continue;
            }
            let (action, about) = match setting {
                Setting::Sender(sender, SenderRule::Block) => (AuditAction::Block, Some(sender)),
                Setting::Sender(sender, _) | Setting::NoSenderRule(sender) => {
                    (AuditAction::Setting, Some(sender))
                }
                _ => (AuditAction::Setting, None),
            };
            let audited = Audited {
                action,
                what: name(setting),
                who: Some(&jid),
                resource: who.resource().map(|it| it.as_str()),
                about,
                before: before.as_deref(),
                after: after.as_deref(),
            };
            self.audit(&audited, now)?;
        }
        Ok(Some(person))
    }

    /// Blocks a sender who is reported, and tells the operators.
    pub(super) fn report(
        &mut self,
        who: &Jid,
        sender: &BareJid,
        now: Timestamp,
    ) -> Result<Option<Subscriber>, StoreError> {
        let block = [Setting::Sender(sender.clone(), SenderRule::Block)];
        let Some(person) = self.set_by(who, &block, now)? else { return Ok(None) };
        let alert = Alert::Reported { sender: sender.clone(), by: person.jid.clone() };
        if self.alert(&alert, DAY, now)? {
            let audited = Audited {
                what: "sender",
                who: Some(&person.jid),
                resource: who.resource().map(|it| it.as_str()),
                about: Some(sender),
                ..Audited::of(AuditAction::Report)
            };
            self.audit(&audited, now)?;
        }
        Ok(Some(person))
    }

    /// The values that these settings have now, as words.
    fn values_of(
        &self,
        person: &Subscriber,
        settings: &[Setting],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let number =
            |number: &Option<PhoneNumber>| number.as_ref().map(|number| number.as_str().to_owned());
        let value = |setting: &Setting| {
            Ok(match setting {
                Setting::Offline(_) => Some(person.offline.word().to_owned()),
                Setting::Quiet(_) => person.quiet.map(quiet_word),
                Setting::TimeZone(_) => person.time_zone.as_ref().and_then(zone_name),
                Setting::Language(_) => person.language.clone(),
                Setting::Pin(_) => person.pin.as_ref().map(Pin::stored),
                Setting::Senders(_) => person.senders.map(|it| it.word().to_owned()),
                Setting::Sender(sender, _) | Setting::NoSenderRule(sender) => {
                    self.rule_for(&person.jid, sender)?.map(|rule| rule.word().to_owned())
                }
                Setting::NoNumber => number(&person.number),
                Setting::NoSecondNumber => number(&person.second),
            })
        };
        settings.iter().map(value).collect()
    }
}

/// What the audit calls a setting.
fn name(setting: &Setting) -> &'static str {
    match setting {
        Setting::Offline(_) => "calls",
        Setting::Quiet(_) => "quiet hours",
        Setting::TimeZone(_) => "time zone",
        Setting::Language(_) => "language",
        Setting::Pin(_) => "PIN",
        Setting::Senders(_) => "senders",
        Setting::Sender(..) | Setting::NoSenderRule(_) => "sender",
        Setting::NoNumber => "number",
        Setting::NoSecondNumber => "second number",
    }
}
