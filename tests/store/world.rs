//! Alice, Bob and a clock around a store on a real file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use offhook::media::answering_machine::PickedUp;
use offhook::media::reports::Quality;
use offhook::notification::policy::Policy;
use offhook::notification::{
    Answer, Attempt, Claim, Draft, MessageId, Outcome, Owed, Progress, Reply, Status,
};
use offhook::store::{Corrected, Held, Retracted, Store, StoreError};
use offhook::subscriber::{Quiet, Subscriber};
use xmpp_parsers::jid::BareJid;

/// A folder that goes away with its test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("offhook-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("offhook.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A store with Bob in it, and the time, which only the test moves.
pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) policy: Policy,
    pub(crate) now: Timestamp,
    store: Option<Store>,
    written: u32,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(policy()).await
    }

    pub(crate) async fn with(policy: Policy) -> Self {
        let folder = Folder::new();
        let store = Store::open(&folder.file(), policy.clone()).unwrap();
        let now = start();
        store.recover(now).await.unwrap();
        store.configure_subscribers(vec![bob()], now).await.unwrap();
        Self { folder, policy, now, store: Some(store), written: 0 }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Moves the clock to so many seconds after the start.
    pub(crate) fn at(&mut self, seconds: u64) {
        self.now = self.time(seconds);
    }

    pub(crate) fn time(&self, seconds: u64) -> Timestamp {
        start() + Duration::from_secs(seconds)
    }

    /// Stops in good order, with nothing settled.
    pub(crate) async fn stop(&mut self) {
        self.store.take().unwrap().close().await;
    }

    /// Pulls the plug and starts again: goes on with what is in the files at this moment, while the
    /// old store still has them open, and with a torn write behind the last commit.
    pub(crate) async fn crash(&mut self) {
        let folder = Folder::new();
        std::fs::copy(self.folder.file(), folder.file()).unwrap();
        let log = |folder: &Folder| folder.0.join("offhook.db-wal");
        if let Ok(mut bytes) = std::fs::read(log(&self.folder)) {
            bytes.extend([0x5a; 5000]);
            std::fs::write(log(&folder), bytes).unwrap();
        }
        self.stop().await;
        self.folder = folder;
        let store = Store::open(&self.folder.file(), self.policy.clone()).unwrap();
        store.recover(self.now).await.unwrap();
        store.replan(self.now).await.unwrap();
        self.store = Some(store);
    }

    pub(crate) async fn alice_writes(&mut self, body: &str) -> MessageId {
        self.written += 1;
        let id = format!("alice-{}", self.written);
        self.hold(draft(&id, "alice@example.org/phone", body), 0).await.unwrap().message
    }

    pub(crate) async fn hold(&self, draft: Draft, room: usize) -> Result<Held, StoreError> {
        self.store().hold(draft, self.now, room).await
    }

    /// Alice corrects what she wrote under this `id`.
    pub(crate) async fn corrects(&self, id: &str, new: &str, body: &str) -> Corrected {
        let draft = draft(new, "alice@example.org/laptop", body);
        self.store().correct(id.to_owned(), draft, self.now).await.unwrap()
    }

    /// Alice takes back what she wrote under this `id`.
    pub(crate) async fn retracts(&self, id: &str) -> Retracted {
        let draft = draft(&format!("r-{id}"), "alice@example.org/laptop", "");
        self.store().retract(id.to_owned(), draft, self.now).await.unwrap()
    }

    pub(crate) async fn claim(&self) -> Option<Claim> {
        let mut claims = self.store().claim_due(self.now, 8).await.unwrap();
        assert!(claims.len() <= 1, "there is one recipient");
        claims.pop()
    }

    pub(crate) async fn progress(&self, claim: &Claim, progress: Progress) {
        self.store().progress(claim.attempt, progress, self.now).await.unwrap();
    }

    pub(crate) async fn spoken(&self, claim: &Claim, message: MessageId) {
        self.store().spoken(claim.attempt, message, self.now).await.unwrap();
    }

    pub(crate) async fn answers(&self, claim: &Claim, message: MessageId, key: char) {
        let answer = Answer { message, key, words: "Bob will answer by message.".to_owned() };
        self.store().commit_answer(claim.attempt, answer, self.now).await.unwrap();
    }

    pub(crate) async fn settle(&self, claim: &Claim, outcome: Outcome) {
        self.store().settle(claim.attempt, attempt(outcome), self.now).await.unwrap();
    }

    pub(crate) async fn comes_online(&self) -> usize {
        self.store().came_online(&bob().jid, self.now).await.unwrap().messages
    }

    pub(crate) async fn owed(&self) -> Vec<Owed> {
        self.store().owed(1000).await.unwrap()
    }

    /// The server takes all that is owed, and nothing comes back.
    pub(crate) async fn send_all(&self) {
        let sent: Vec<_> = self.owed().await.iter().map(|owed| owed.id).collect();
        self.store().mark_sent(&sent, self.now).await.unwrap();
        self.store().settle_sent(&sent, self.now).await.unwrap();
    }

    /// As [`World::send_all`], but for held messages.
    pub(crate) async fn send_all_but_deliveries(&self) {
        let owed = self.owed().await.into_iter().filter(|owed| owed.content != Reply::Delivery);
        let sent: Vec<_> = owed.map(|owed| owed.id).collect();
        self.store().mark_sent(&sent, self.now).await.unwrap();
        self.store().settle_sent(&sent, self.now).await.unwrap();
    }

    /// What is owed, in short: `1: Status(Heard), 1: Answer(1)`.
    pub(crate) async fn owes(&self) -> String {
        let told = self.owed().await.into_iter().map(|owed| {
            let content = match owed.content {
                Reply::Answer(answer) => format!("Answer({})", answer.key),
                Reply::Status(Status::Waiting { .. }) => "Status(Waiting)".to_owned(),
                other => format!("{other:?}"),
            };
            format!("{}: {content}", owed.message.id.0)
        });
        told.collect::<Vec<_>>().join(", ")
    }

    pub(crate) async fn statuses(&self) -> Vec<(MessageId, Status)> {
        let owed = self.owed().await.into_iter();
        owed.filter_map(|owed| match owed.content {
            Reply::Status(status) => Some((owed.message.id, status)),
            _ => None,
        })
        .collect()
    }
}

pub(crate) fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        quiet: Quiet::Never,
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        ..Policy::default()
    }
}

pub(crate) fn bob() -> Subscriber {
    Subscriber {
        number: Some("+81378901111".parse().unwrap()),
        language: Some("ja".to_owned()),
        time_zone: TimeZone::get("Asia/Tokyo").ok(),
        ..Subscriber::new(BareJid::new("bob@example.org").unwrap(), "Bob".to_owned())
    }
}

pub(crate) fn draft(id: &str, sender: &str, body: &str) -> Draft {
    Draft {
        stanza_id: Some(id.to_owned()),
        sender: sender.parse().unwrap(),
        recipient: bob().jid,
        body: body.to_owned(),
        language: None,
        wants_receipt: false,
        stanza: format!("<message id='{id}'><body>{body}</body></message>"),
        how: Default::default(),
    }
}

pub(crate) fn attempt(outcome: Outcome) -> Attempt {
    Attempt {
        outcome,
        status: None,
        cause: (outcome == Outcome::Answered).then_some(16),
        rang: Duration::from_secs(5),
        talked: Duration::from_secs(20),
        sip_call_id: "a84b4c76e66710@192.0.2.1".to_owned(),
        trunk: "pbx".to_owned(),
        stop_calls: false,
        retry_after: None,
        picked_up: (outcome == Outcome::Answered).then_some(PickedUp::Human),
        cut: None,
        ladder: "   0.000 -> INVITE".to_owned(),
        quality: (outcome == Outcome::Answered).then_some(Quality {
            sent: 500,
            received: 498,
            lost: 2,
            jitter_ms: 3,
            far: None,
            round_trip_ms: Some(40),
            ..Quality::default()
        }),
    }
}
