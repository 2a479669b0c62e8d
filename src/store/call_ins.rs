//! Calls that people make to us, to hear what is held.

use jiff::Timestamp;
use rusqlite::params;
use xmpp_parsers::jid::BareJid;

use super::claims::to_read;
use super::columns::ms;
use super::rings::RingOf;
use super::transaction::{LEASE, Transaction};
use super::wrong_pins::PinWay;
use super::{Store, StoreError};
use crate::clock::Moment;
use crate::notification::{AttemptId, Claim, MessageId, NotificationId, RingKind};
use crate::phone_number::PhoneNumber;
use crate::subscriber::Subscriber;

/// What a caller is to get.
#[derive(Debug)]
pub enum CallIn {
    /// They hear what is held.
    Admitted(Box<Claim>),
    /// They are known, but no message waits for them.
    Nothing(Box<Subscriber>),
    /// No subscriber has this number.
    Unknown,
    /// They are on the line with us already.
    OnTheLine,
    /// Too many digits that were not the PIN have come by call today.
    Locked,
    /// They have no PIN, and their number alone is not believed.
    NeedsPin(Box<Subscriber>),
}

/// What makes a caller a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerTrust {
    /// Their number, and their PIN if they have one.
    NumberAlone,
    /// Their number and their PIN.
    NumberAndPin,
}

impl Store {
    /// Takes a call from a subscriber's number: claims what is held for them, whenever their phone was to ring.
    ///
    /// Contract: an incoming call fills no throttle and leaves the plan as it is, except that what the caller hears is not
    ///           phoned about any more. It is settled as all calls are.
    pub async fn call_in(
        &self,
        number: PhoneNumber,
        trust: CallerTrust,
        now: impl Into<Moment>,
    ) -> Result<CallIn, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.call_in(&number, trust, now)).await
    }

    /// As [`Store::call_in`] for a caller who has proved who they are, whatever number they call from.
    pub async fn call_in_as(
        &self,
        who: &BareJid,
        now: impl Into<Moment>,
    ) -> Result<CallIn, StoreError> {
        let who = who.clone();
        self.ask_at(now, move |transaction, now| transaction.call_in_as(&who, now)).await
    }

    /// Those whom this number reaches and who have a PIN that may still be tried today.
    pub async fn people_with_pin(
        &self,
        number: PhoneNumber,
        now: impl Into<Moment>,
    ) -> Result<Vec<Subscriber>, StoreError> {
        self.ask_at(now, move |transaction, now| transaction.people_with_pin(&number, now)).await
    }

    /// Digits that were entered by phone were not this person's PIN.
    pub async fn wrong_pin(
        &self,
        who: &BareJid,
        way: PinWay,
        now: impl Into<Moment>,
    ) -> Result<(), StoreError> {
        let who = who.clone();
        self.ask_at(now, move |transaction, now| transaction.wrong_pin(&who, way, now)).await
    }
}

impl Transaction<'_> {
    fn call_in(
        &self,
        number: &PhoneNumber,
        trust: CallerTrust,
        now: Timestamp,
    ) -> Result<CallIn, StoreError> {
        let people = self.people_at(number)?;
        let Some(first) = people.first() else { return Ok(CallIn::Unknown) };
        // A caller who shares a phone with others hears what has waited longest.
        let mut oldest: Option<(MessageId, &Subscriber)> = None;
        for person in &people {
            let waiting = self.waiting(&person.jid, None)?.first().map(|pending| pending.id);
            let earlier = |id: &MessageId| oldest.is_none_or(|(known, _)| *id < known);
            oldest = waiting.filter(earlier).map(|id| (id, person)).or(oldest);
        }
        let callee = oldest.map_or(first, |(_, person)| person).clone();
        if callee.pin.is_none() && trust == CallerTrust::NumberAndPin {
            return Ok(CallIn::NeedsPin(Box::new(callee)));
        }
        if self.is_locked(&callee, PinWay::OwnPhone, now)? {
            return Ok(CallIn::Locked);
        }
        self.admit(callee, number, now)
    }

    fn call_in_as(&self, who: &BareJid, now: Timestamp) -> Result<CallIn, StoreError> {
        let callee = self.subscriber(who)?;
        let Some(number) = callee.as_ref().and_then(|callee| callee.number.clone()) else {
            return Ok(CallIn::Unknown);
        };
        callee.map_or(Ok(CallIn::Unknown), |callee| self.admit(callee, &number, now))
    }

    fn admit(
        &self,
        callee: Subscriber,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<CallIn, StoreError> {
        if self.is_on_the_line(number, &callee.jid)? {
            return Ok(CallIn::OnTheLine);
        }
        let messages = self.readable(&to_read(&self.waiting(&callee.jid, None)?), now)?;
        if messages.is_empty() {
            return Ok(CallIn::Nothing(Box::new(callee)));
        }
        let lease_until = now.checked_add(LEASE).unwrap_or(now);
        let notification = self.notification_beside(&callee, number, now)?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO attempts (notification, recipient, number, started, counted, lease_until, invited, incoming)
             VALUES (?, ?, ?, ?, ?, ?, 0, 1)",
        )?;
        let attempt = AttemptId(insert.insert(params![
            notification.0,
            callee.jid.as_str(),
            number.as_str(),
            ms(now),
            self.ahead.counted(now),
            self.ahead.counted(lease_until),
        ])?);
        self.write_ring(RingKind::In, RingOf::Attempt(attempt), number, Some(&callee.jid), now)?;
        for message in &messages {
            self.add_to_call(attempt, message.id, now)?;
            self.note(message.id, now, "the recipient called in")?;
        }
        let (number, continuing) = (number.clone(), false);
        let pin_locked = false;
        let claim = Claim {
            notification,
            attempt,
            number,
            callee,
            messages,
            continuing,
            pin_locked,
            lease_until,
        };
        Ok(CallIn::Admitted(Box::new(claim)))
    }

    /// The notification under which the call is written down: the open one, which goes its way undisturbed, or one that is
    /// closed already.
    fn notification_beside(
        &self,
        callee: &Subscriber,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<NotificationId, StoreError> {
        if let Some(open) = self.open_notification(&callee.jid)? {
            return Ok(open.id);
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO notifications (recipient, number, state, closing, opened, closed)
             VALUES (?1, ?2, 'closed', 'done', ?3, ?3)",
        )?;
        let values = params![callee.jid.as_str(), number.as_str(), self.ahead.counted(now)];
        Ok(NotificationId(insert.insert(values)?))
    }

    fn people_with_pin(
        &self,
        number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Vec<Subscriber>, StoreError> {
        let mut people = vec![];
        for person in self.people_at(number)? {
            if person.pin.is_some() && !self.is_locked(&person, PinWay::Elsewhere, now)? {
                people.push(person);
            }
        }
        Ok(people)
    }
}
