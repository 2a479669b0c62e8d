//! One call outside the daemon, for `offhook call`: the same path from the store on, with a store of its own.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use xmpp_parsers::jid::{BareJid, Jid};

use super::{StartError, wiring};
use crate::call::{self, Stop};
use crate::clock;
use crate::config::Config;
use crate::notification::Circumstances;
use crate::notification::policy::Policy;
use crate::notification::{Attempt, Draft, Reply, Status};
use crate::numbers::Numbers;
use crate::phone_number::PhoneNumber;
use crate::store::{Store, explain, rings};
use crate::subscriber::{Quiet, Senders, Subscriber, WhenOffline};
use crate::trunks::TrunkPool;

/// What becomes of the call, as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestCallProgress {
    /// It was started.
    Calling,
    /// The phone rings.
    Ringing,
    /// Someone picked up.
    Answered,
    /// The text was spoken to its end.
    Heard,
    /// The callee went on without listening.
    Passed,
    /// A key of the menu was pressed.
    Key(char),
    /// 9 was pressed twice.
    SwitchedOff,
}

/// Makes the call and tells `tell` what happens. Quiet hours and throttles do not apply, `dial.allow` and the limits of a
/// day do.
///
/// Errors: what keeps a call from being made at all.
pub async fn place(
    config: &Config,
    number: PhoneNumber,
    text: &str,
    mut tell: impl FnMut(TestCallProgress),
) -> Result<Attempt, StartError> {
    let folder =
        tempfile::Builder::new().prefix("offhook-call-").tempdir().map_err(StartError::TempDir)?;
    let store = Store::open(&folder.path().join("test.db"), rules(config))?;
    store.recover(clock::moment()).await?;
    let callee = callee(config, number.clone());
    let recipient = callee.jid.clone();
    store.configure_subscribers(vec![callee], clock::moment()).await?;
    let (agent, trunks) = wiring::agent(&config.fixed, false).await?;
    let (engine, speaker) = (wiring::engine(&config.fixed)?, wiring::speaker(&config.fixed).await?);
    let mut settings = config.live.clone();
    // A voice answer would reach nobody.
    settings.script.voice = false;
    let (_settings, live) = watch::channel(Arc::new(settings));
    let trunk_pool = TrunkPool::new(trunks);
    let numbers = Numbers::default();
    let context =
        wiring::context(agent.clone(), trunk_pool, engine, speaker, store.clone(), live, numbers);
    let context = Arc::new(context);

    let held = store.hold(draft(config, recipient, text), clock::moment(), 1).await?;
    let Some(claim) = held.claim else { return Err(StartError::NotDialled) };
    let (_stop, stopped) = watch::channel(Stop::None);
    // The day's limits are kept in the store of the daemon.
    let (file, now) = (&config.fixed.store, clock::timestamp());
    if let Some(rule) = explain::call_kept_by(file, &rules(config), &number, now)? {
        return Err(StartError::Limit(rule.to_string()));
    }
    let ring = rings::write_test(&config.fixed.store, &number, clock::timestamp())?;
    let placing = call::place(claim, &context, stopped, mpsc::unbounded_channel().1);
    tokio::pin!(placing);
    let mut told = 0;
    let attempt = loop {
        tokio::select! {
            attempt = &mut placing => break attempt,
            () = store.outbox().notified() => told = tell_new(&store, told, &mut tell).await?,
        }
    };
    tell_new(&store, told, &mut tell).await?;
    agent.close().await;
    if let Some(ring) = ring {
        rings::end_test(&config.fixed.store, ring, &attempt, clock::timestamp())?;
    }
    Ok(attempt)
}

/// The message that the call is about.
fn draft(config: &Config, recipient: BareJid, text: &str) -> Draft {
    let sender = BareJid::new(&format!("test@{}", config.fixed.component.jid))
        .unwrap_or_else(|_| recipient.clone());
    Draft {
        stanza_id: None,
        sender: Jid::from(sender),
        recipient,
        body: text.into(),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Circumstances::default(),
    }
}

/// The operator's rules, without those that would make the test wait.
fn rules(config: &Config) -> Policy {
    Policy {
        wait: std::time::Duration::ZERO,
        quiet: Quiet::Never,
        throttle: vec![],
        sender_throttle: vec![],
        sender_calls: vec![],
        senders: Senders::Everyone,
        ..config.live.policy.clone()
    }
}

/// Tells what has become owed since `told`, which is how far it has been told.
async fn tell_new(
    store: &Store,
    told: i64,
    tell: &mut impl FnMut(TestCallProgress),
) -> Result<i64, StartError> {
    let owed = store.owed(OWED_MAX).await?;
    for row in owed.iter().filter(|row| row.id.0 > told) {
        let news = match &row.content {
            Reply::Status(Status::Calling) => TestCallProgress::Calling,
            Reply::Status(Status::Ringing) => TestCallProgress::Ringing,
            Reply::Status(Status::Answered) => TestCallProgress::Answered,
            Reply::Status(Status::Heard) => TestCallProgress::Heard,
            Reply::Status(Status::Passed) => TestCallProgress::Passed,
            Reply::Answer(answer) => TestCallProgress::Key(answer.key),
            Reply::CallsSwitchedOff => TestCallProgress::SwitchedOff,
            Reply::Status(_) | Reply::Voice(_) | Reply::Receipt | Reply::Delivery => continue,
        };
        tell(news);
    }
    Ok(owed.iter().map(|row| row.id.0).max().unwrap_or(told))
}

/// The subscriber with this number, else a person made up for the call.
fn callee(config: &Config, number: PhoneNumber) -> Subscriber {
    let known =
        config.live.subscribers.iter().find(|person| person.number.as_ref() == Some(&number));
    let somebody = || {
        let jid = config.fixed.component.jid.parse();
        let jid = jid.unwrap_or_else(|_| unreachable!("the component's domain is a JID"));
        Subscriber { number: Some(number.clone()), ..Subscriber::new(jid, "tester".into()) }
    };
    Subscriber { offline: WhenOffline::Phone, ..known.cloned().unwrap_or_else(somebody) }
}

const OWED_MAX: usize = 64;
