//! One call outside the daemon, for `offhook call`: the same path from the store on, with a store of its own.

use std::path::PathBuf;

use tokio::sync::watch;
use xmpp_parsers::jid::{BareJid, Jid};

use super::{StartError, assemble};
use crate::call::{self, Stop, WaysOut};
use crate::clock;
use crate::config::Config;
use crate::notification::Circumstances;
use crate::notification::policy::Policy;
use crate::notification::{Attempt, Draft, Reply, Status};
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::store::Store;
use crate::subscriber::{Quiet, Senders, Subscriber, WhenOffline};

/// What becomes of the call, as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
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

/// Makes the call and tells `tell` what happens. Quiet hours and throttles do not apply, `dial.allow` does.
///
/// Errors: what keeps a call from being made at all.
pub async fn place(
    config: &Config,
    number: PhoneNumber,
    text: &str,
    mut tell: impl FnMut(News),
) -> Result<Attempt, StartError> {
    let folder = Scratch::make().map_err(StartError::Scratch)?;
    let policy = Policy {
        wait: std::time::Duration::ZERO,
        quiet: Quiet::Never,
        throttle: vec![],
        sender_throttle: vec![],
        senders: Senders::Everyone,
        ..config.policy.clone()
    };
    let store = Store::open(&folder.0.join("test.db"), policy)?;
    store.recover(clock::timestamp()).await?;
    let callee = callee(config, number);
    let recipient = callee.jid.clone();
    store.configure_subscribers(vec![callee], clock::timestamp()).await?;
    let (agent, trunks) = assemble::agent(config).await?;
    let (engine, speaker) = (assemble::engine(config)?, assemble::speaker().await?);
    let mut exchange = assemble::exchange(
        config,
        agent.clone(),
        WaysOut::new(trunks),
        engine,
        speaker,
        store.clone(),
    );
    // Nobody would get it.
    exchange.terms.voice = false;

    let sender = BareJid::new(&format!("test@{}", config.component.jid))
        .unwrap_or_else(|_| recipient.clone());
    let draft = Draft {
        stanza_id: None,
        sender: Jid::from(sender),
        recipient,
        body: text.into(),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Circumstances::default(),
    };
    let held = store.hold(draft, clock::timestamp(), 1).await?;
    let Some(claim) = held.claim else { return Err(StartError::NotDialled) };
    let (_stop, stopped) = watch::channel(Stop::None);
    let placing = call::place(claim, &exchange, stopped);
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
    Ok(attempt)
}

/// Tells what has become owed since `told`, which is how far it has been told.
async fn tell_new(
    store: &Store,
    told: i64,
    tell: &mut impl FnMut(News),
) -> Result<i64, StartError> {
    let owed = store.owed(OWED_MAX).await?;
    for row in owed.iter().filter(|row| row.id.0 > told) {
        let news = match &row.content {
            Reply::Status(Status::Calling) => News::Calling,
            Reply::Status(Status::Ringing) => News::Ringing,
            Reply::Status(Status::Answered) => News::Answered,
            Reply::Status(Status::Heard) => News::Heard,
            Reply::Status(Status::Passed) => News::Passed,
            Reply::Answer(answer) => News::Key(answer.key),
            Reply::CallsSwitchedOff => News::SwitchedOff,
            Reply::Status(_)
            | Reply::Voice(_)
            | Reply::Receipt
            | Reply::Delivery
            | Reply::SetAside => continue,
        };
        tell(news);
    }
    Ok(owed.last().map_or(told, |row| row.id.0))
}

/// Whoever has this number, else nobody in particular.
fn callee(config: &Config, number: PhoneNumber) -> Subscriber {
    let known = config.subscribers.iter().find(|person| person.number.as_ref() == Some(&number));
    let somebody = || {
        let jid = config.component.jid.parse();
        let jid = jid.unwrap_or_else(|_| unreachable!("the component's domain is a JID"));
        Subscriber { number: Some(number.clone()), ..Subscriber::new(jid, "tester".into()) }
    };
    Subscriber { offline: WhenOffline::Phone, ..known.cloned().unwrap_or_else(somebody) }
}

/// A folder for the time of the call.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("offhook-call-{}", Seed::fresh().token()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing of it is needed any more; what stays behind is in the system's folder for that.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const OWED_MAX: usize = 64;
