//! What a call asks of the store: one request after the other, in the order in which the call decided them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tracing::{Instrument, error, warn};

use crate::clock::{self, Moment};
use crate::notification::{AttemptId, MessageId};
use crate::store::{Store, StoreError};

/// Runs one request at a time, each in a task of its own, so that a slow store does not hold up the call.
///
/// That a message was heard or passed over must not be lost, or the callee is phoned about it again: it is tried
/// again while the call lasts, and once it is over until the time given.
///
/// Contract: dropping it gives up what is still waiting.
pub(super) struct StoreQueue<T> {
    store: Store,
    waiting: VecDeque<StoreRequest<T>>,
    running: JoinSet<Outcome<T>>,
    /// Failed, to be tried again at `retry_at`.
    failed: VecDeque<MessageDone>,
    retry_at: Instant,
}

/// A message that the callee is done with, told to the store until it is durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageDone {
    pub(super) attempt: AttemptId,
    pub(super) message: MessageId,
    /// Whether it was spoken to its end; else it was passed over.
    pub(super) heard: bool,
    pub(super) at: Moment,
}

enum StoreRequest<T> {
    Once(Pin<Box<dyn Future<Output = T> + Send>>),
    MessageDone(MessageDone),
}

enum Outcome<T> {
    Done(T),
    /// Nothing is left to do about a message.
    Settled,
    Failed(MessageDone),
}

/// A request that ended without a result: its task panicked.
#[derive(Debug)]
pub(super) struct Panicked;

impl<T: Send + 'static> StoreQueue<T> {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            waiting: VecDeque::new(),
            running: JoinSet::new(),
            failed: VecDeque::new(),
            retry_at: clock::now(),
        }
    }

    /// Adds a request, whose result comes from [`StoreQueue::next`].
    pub(super) fn push(&mut self, request: impl Future<Output = T> + Send + 'static) {
        self.waiting.push_back(StoreRequest::Once(Box::pin(request)));
        self.start();
    }

    /// Adds that the callee is done with a message.
    pub(super) fn push_message(&mut self, message: MessageDone) {
        self.waiting.push_back(StoreRequest::MessageDone(message));
        self.start();
    }

    /// Waits for the next result; for ever while nothing is to be done.
    pub(super) async fn next(&mut self) -> Result<T, Panicked> {
        loop {
            if let Some(result) = self.step().await {
                return result;
            }
        }
    }

    /// The next result of a call that is over; `None` once all is done. Nothing is tried again after `until`.
    pub(super) async fn next_before(&mut self, until: Instant) -> Option<Result<T, Panicked>> {
        loop {
            self.start();
            if self.running.is_empty() && (self.failed.is_empty() || self.retry_at > until) {
                for MessageDone { message, heard, .. } in self.failed.drain(..) {
                    error!(message_id = message.0, heard, "message may be read out again");
                }
                return None;
            }
            if let Some(result) = self.step().await {
                return Some(result);
            }
        }
    }

    /// Waits until something happens; it may be nothing to tell.
    async fn step(&mut self) -> Option<Result<T, Panicked>> {
        self.start();
        tokio::select! {
            Some(ended) = self.running.join_next() => match ended {
                Ok(Outcome::Done(result)) => Some(Ok(result)),
                Ok(Outcome::Settled) => None,
                Ok(Outcome::Failed(message)) => {
                    self.failed.push_back(message);
                    self.retry_at = clock::now() + RETRY_PAUSE;
                    None
                }
                Err(error) => {
                    error!(%error, "request of the call to the store panicked");
                    Some(Err(Panicked))
                }
            },
            () = sleep_until(self.retry_at.into()), if !self.failed.is_empty() => {
                let again = self.failed.drain(..).map(StoreRequest::MessageDone);
                self.waiting = again.chain(self.waiting.drain(..)).collect();
                None
            }
            else => std::future::pending().await,
        }
    }

    fn start(&mut self) {
        if !self.running.is_empty() {
            return;
        }
        match self.waiting.pop_front() {
            Some(StoreRequest::Once(request)) => {
                let request = async { Outcome::Done(request.await) };
                self.running.spawn(request.in_current_span());
            }
            Some(StoreRequest::MessageDone(message)) => {
                let store = self.store.clone();
                let request = async move {
                    let Err(error) = message.store(&store).await else { return Outcome::Settled };
                    let MessageDone { message: id, heard, .. } = message;
                    warn!(%error, message_id = id.0, heard, "end of a message was not stored");
                    match error {
                        // It will not be otherwise the next time.
                        StoreError::NotInCall | StoreError::Closed => Outcome::Settled,
                        _ => Outcome::Failed(message),
                    }
                };
                self.running.spawn(request.in_current_span());
            }
            None => {}
        }
    }
}

impl MessageDone {
    async fn store(self, store: &Store) -> Result<(), StoreError> {
        match self.heard {
            true => store.spoken(self.attempt, self.message, self.at).await,
            false => store.passed(self.message, self.at).await,
        }
    }
}

const RETRY_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::policy::Policy;
    use crate::notification::{Circumstances, Claim, Draft};
    use crate::subscriber::{Quiet, Subscriber};

    #[tokio::test]
    async fn requests_reach_the_store_in_their_order_and_a_heard_message_is_tried_again() {
        let folder = std::env::temp_dir().join(format!("offhook-queue-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("offhook.db");
        let (store, claim) = claimed(&file).await;
        let message = claim.messages[0].id;
        let database = rusqlite::Connection::open(&file).unwrap();
        let broken = "CREATE TRIGGER broken BEFORE UPDATE ON messages \
                      BEGIN SELECT RAISE(ABORT, 'broken'); END";
        database.execute_batch(broken).unwrap();

        let mut queue = StoreQueue::new(store.clone());
        let at = clock::moment();
        queue.push_message(MessageDone { attempt: claim.attempt, message, heard: true, at });
        queue.push(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            "first"
        });
        queue.push(async { "second" });
        assert_eq!(queue.next().await.unwrap(), "first", "a failed message holds up nobody");
        assert_eq!(queue.next().await.unwrap(), "second");

        queue.push(async { panic!("a panic stays within its request") });
        assert!(queue.next().await.is_err());
        database.execute_batch("DROP TRIGGER broken").unwrap();
        let until = clock::now() + Duration::from_secs(60);
        assert!(queue.next_before(until).await.is_none(), "all is stored");
        let heard: Option<i64> = database
            .query_row("SELECT heard FROM messages WHERE id = ?", [message.0], |row| row.get(0))
            .unwrap();
        assert!(heard.is_some());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    async fn claimed(file: &std::path::Path) -> (Store, Claim) {
        let policy = Policy {
            quiet: Quiet::Never,
            wait: Duration::ZERO,
            allow: vec!["+".into()],
            ..Policy::default()
        };
        let store = Store::open(file, policy).unwrap();
        let now = clock::moment();
        let number = Some("+81378901111".parse().unwrap());
        let bob = Subscriber {
            number,
            ..Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into())
        };
        let draft = Draft {
            stanza_id: None,
            sender: "alice@example.org".parse().unwrap(),
            recipient: bob.jid.clone(),
            body: "Come home.".into(),
            language: None,
            wants_receipt: false,
            stanza: String::new(),
            how: Circumstances::default(),
        };
        store.configure_subscribers(vec![bob], now).await.unwrap();
        let held = store.hold(draft, now, 1).await.unwrap();
        (store, held.claim.unwrap())
    }
}
