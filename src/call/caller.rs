//! Somebody who calls in, once it is known who they are.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::{Span, warn};

use super::announcer::{MessageAnnouncer, PinCheck};
use super::subject::CallSubject;
use super::{CallContext, span};
use crate::clock::{self, Moment};
use crate::config::Live;
use crate::phone_number::PhoneNumber;
use crate::script::{CallFlow, Opening};
use crate::store::{CallIn, PinWay, Store, StoreError};
use crate::subscriber::Subscriber;

/// What the caller hears, and what the call is about from then on.
pub(super) struct IdentifiedCaller {
    pub(super) subject: CallSubject,
    pub(super) flow: CallFlow,
}

impl IdentifiedCaller {
    /// The subscriber with this number, whose PIN is still to be checked; `None` if nothing is told to them.
    pub(super) fn by_number(call: CallIn, settings: &Arc<Live>, call_span: &Span) -> Option<Self> {
        Self::new(call, settings, PinCheck::Due, call_span)
    }

    fn new(call: CallIn, settings: &Arc<Live>, pin: PinCheck, call_span: &Span) -> Option<Self> {
        let announcer = |callee| Arc::new(MessageAnnouncer { callee, settings: settings.clone() });
        match call {
            CallIn::Admitted(claim) => {
                span::identified(call_span, claim.notification, claim.attempt);
                let announcer = announcer(claim.callee);
                let flow = announcer.flow(&claim.messages, Opening::New, pin);
                let subject =
                    CallSubject::Messages { attempt: claim.attempt, announcer, since: None };
                Some(Self { subject, flow })
            }
            CallIn::Nothing(callee) => {
                let flow = announcer(*callee).flow(&[], Opening::New, pin);
                Some(Self { subject: CallSubject::Nothing, flow })
            }
            CallIn::NeedsPin(callee) => {
                let domain = callee.jid.domain().to_string();
                let (prompts, preroll) = (announcer(*callee).prompts(), settings.script.preroll);
                let notice = CallFlow::notice(prompts, preroll, "pin-needed", 0);
                Some(Self { subject: CallSubject::Nothing, flow: notice.introduced(&domain) })
            }
            CallIn::Unknown | CallIn::Locked | CallIn::OnTheLine => None,
        }
    }
}

/// Finds the subscriber with this number and this PIN.
pub(super) async fn identify(
    context: &CallContext,
    number: &str,
    country: Option<&str>,
    pin: String,
    call_span: &Span,
) -> Option<IdentifiedCaller> {
    let found = by_number_and_pin(&context.store, number, country, pin).await;
    let call = found.unwrap_or_else(|error| {
        warn!(%error, "callers cannot be looked up");
        CallIn::Unknown
    });
    IdentifiedCaller::new(call, &context.settings(), PinCheck::Done, call_span)
}

async fn by_number_and_pin(
    store: &Store,
    number: &str,
    country: Option<&str>,
    pin: String,
) -> Result<CallIn, StoreError> {
    let now = clock::moment();
    // With its country code, as the prompt asks; or as people dial it at home.
    let written = [format!("+{number}").parse().ok(), PhoneNumber::as_dialled(number, country)];
    for number in written.into_iter().flatten() {
        for person in store.people_with_pin(number, now).await? {
            if is_pin_of(store, &person, pin.clone(), PinWay::Elsewhere, now).await {
                return store.call_in_as(&person.jid, now).await;
            }
        }
    }
    Ok(CallIn::Unknown)
}

/// Tells whether these digits are the subscriber's PIN. Wrong ones are counted before that is said.
pub(super) async fn is_pin_of(
    store: &Store,
    subscriber: &Subscriber,
    digits: String,
    way: PinWay,
    now: Moment,
) -> bool {
    let pin = subscriber.pin.clone();
    let right = spawn_blocking(move || pin.is_none_or(|pin| pin.is(&digits))).await;
    let right = right.unwrap_or_default();
    if !right && let Err(error) = store.wrong_pin(&subscriber.jid, way, now).await {
        warn!(%error, "wrong PIN was not counted");
    }
    right
}
