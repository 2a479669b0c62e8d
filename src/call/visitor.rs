//! Somebody who calls in, once it is known who he is.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::Exchange;
use super::place::About;
use super::teller::Teller;
use crate::clock;
use crate::phone_number::PhoneNumber;
use crate::script::Talk;
use crate::store::{CallIn, Store, StoreError};
use crate::subscriber::Subscriber;

/// What he hears, and under which name it is written down.
pub(super) struct Visitor {
    pub(super) about: About,
    pub(super) talk: Talk,
}

impl Visitor {
    /// `None` for whom nothing is told.
    pub(super) fn of(call: CallIn, exchange: &Exchange, guarded: bool) -> Option<Self> {
        let teller = |callee| Arc::new(Teller { callee, exchange: exchange.clone() });
        match call {
            CallIn::Admitted(claim) => {
                let teller = teller(claim.callee);
                let talk = teller.talk(&claim.messages, false, guarded);
                Some(Self { about: About::Messages { attempt: claim.attempt, teller }, talk })
            }
            CallIn::Nothing(callee) => {
                let talk = teller(*callee).talk(&[], false, guarded);
                Some(Self { about: About::Nothing, talk })
            }
            CallIn::Unknown | CallIn::Locked | CallIn::OnTheLine => None,
        }
    }
}

/// Whose number and PIN these are, if they are anybody's.
pub(super) async fn identify(
    exchange: &Exchange,
    number: &str,
    country: Option<&str>,
    pin: String,
) -> Option<Visitor> {
    let found = whose(&exchange.store, number, country, pin).await;
    let call = found.unwrap_or_else(|error| {
        warn!(%error, "it was not found out who calls");
        CallIn::Unknown
    });
    Visitor::of(call, exchange, false)
}

async fn whose(
    store: &Store,
    number: &str,
    country: Option<&str>,
    pin: String,
) -> Result<CallIn, StoreError> {
    let now = clock::timestamp();
    // With its country code, as was asked for; or as people dial it at home.
    let written = [format!("+{number}").parse().ok(), PhoneNumber::as_dialled(number, country)];
    for number in written.into_iter().flatten() {
        for person in store.people_with_pin(number, now).await? {
            if is_his(store, &person, pin.clone(), now).await {
                return store.call_in_as(&person.jid, now).await;
            }
        }
    }
    Ok(CallIn::Unknown)
}

/// Tells whether these digits are his PIN. Wrong ones are counted before that is said.
pub(super) async fn is_his(
    store: &Store,
    person: &Subscriber,
    digits: String,
    now: Timestamp,
) -> bool {
    let pin = person.pin.clone();
    let right = spawn_blocking(move || pin.is_none_or(|pin| pin.is(&digits))).await;
    let right = right.unwrap_or_default();
    if !right && let Err(error) = store.wrong_pin(&person.jid, now).await {
        warn!(%error, "a wrong PIN was not counted");
    }
    right
}
