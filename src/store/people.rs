//! What the store does for people: their settings, their numbers, their second thoughts.

use jiff::Timestamp;
use xmpp_parsers::jid::BareJid;

use super::{Corrected, RecentCall, Store, StoreError, whole_ms};
use crate::notification::Draft;
use crate::notification::verification::{Code, Place, Refusal, Verdict, VerificationId};
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Setting, Subscriber};

impl Store {
    /// A person who can be phoned, as he or the operator has set it.
    pub async fn subscriber(&self, jid: &BareJid) -> Result<Option<Subscriber>, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.subscriber(&jid)).await
    }

    /// Everyone who can be phoned, by JID.
    pub async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        self.ask(|ledger| ledger.subscribers()).await
    }

    /// Takes over what the operator has configured. Whoever is not among them is no longer phoned.
    ///
    /// Contract: what a person has switched himself stays as he switched it.
    pub async fn configure_subscribers(
        &self,
        subscribers: Vec<Subscriber>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.configure_subscribers(&subscribers, whole_ms(now))).await
    }

    /// Takes over what a person has set, all of it or nothing; `None` if he is unknown. What is planned changes with it.
    pub async fn set(
        &self,
        jid: &BareJid,
        settings: Vec<Setting>,
        now: Timestamp,
    ) -> Result<Option<Subscriber>, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.set(&jid, &settings, whole_ms(now))).await
    }

    /// Makes a code for a number, if one more call to it may be made.
    pub async fn ask_code(
        &self,
        jid: &BareJid,
        number: PhoneNumber,
        place: Place,
        now: Timestamp,
    ) -> Result<Result<Code, Refusal>, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.ask_code(&jid, &number, place, whole_ms(now))).await
    }

    /// Somebody has asked to hear the code; from now on it opens something.
    pub async fn code_spoken(&self, id: VerificationId, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.code_spoken(id, whole_ms(now))).await
    }

    /// Whether somebody has asked to hear this code.
    pub async fn code_was_spoken(&self, id: VerificationId) -> Result<bool, StoreError> {
        self.ask(move |ledger| ledger.code_was_spoken(id)).await
    }

    /// The last calls, to one person or to all, the latest first.
    pub async fn recent_calls(
        &self,
        of: Option<BareJid>,
        limit: i64,
    ) -> Result<Vec<RecentCall>, StoreError> {
        self.ask(move |ledger| ledger.recent_calls(of.as_ref(), limit)).await
    }

    /// Takes what a person sends as his code.
    pub async fn try_code(
        &self,
        jid: &BareJid,
        digits: String,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        let jid = jid.clone();
        self.ask(move |ledger| ledger.try_code(&jid, &digits, whole_ms(now))).await
    }

    /// Stops all calls, or lets them go on; that outlives a restart.
    pub async fn suspend(&self, suspended: bool, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |ledger| ledger.suspend(suspended, whole_ms(now))).await
    }

    /// Words a held message anew, if it was not heard yet: the message of this `id` from the draft's sender to its recipient.
    pub async fn correct(
        &self,
        id: String,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Corrected, StoreError> {
        self.ask(move |ledger| ledger.correct(&id, &draft, whole_ms(now))).await
    }

    /// Takes a held message back, if it was not heard yet. A call that only it was for is not made. Tells whether a phone
    /// rings for it.
    pub async fn retract(
        &self,
        sender: &BareJid,
        recipient: &BareJid,
        id: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (sender, recipient) = (sender.clone(), recipient.clone());
        self.ask(move |ledger| ledger.retract(&sender, &recipient, &id, whole_ms(now))).await
    }
}
