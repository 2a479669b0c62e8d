//! What a call of the real machine asks of the store: one request after the other, as its driver does.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use offhook::call::machine::Input;
use offhook::clock::Moment;
use offhook::notification::{AttemptId, Message, MessageId};
use offhook::store::{CallIn, StoreError};

use crate::events::Event;
use crate::lines::CallId;
use crate::plants::Plant;
use crate::stored::Stored;
use crate::world::World;

/// What came of a request.
pub(crate) enum CallDone {
    Noted,
    /// A recording is over: so much of it is voice, and this is its name if it is kept.
    Recorded(Duration, Option<String>),
    /// A wish of the callee is durable, or will not be.
    Committed(bool, Wish),
    Pin(bool),
    /// Who phones in, as their number and PIN have shown.
    Identified(Option<Box<CallIn>>),
    More(Vec<Message>),
    /// The callee is done with a message, and that is durable or will never be.
    MessageDone(MessageDone, Result<(), StoreError>),
    /// A recording was sent after the call.
    Sent,
}

/// What the callee has wished for.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Answer(MessageId, String),
    Voice,
    NoMoreCalls,
    Code,
}

/// A message that the callee is done with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageDone {
    pub(crate) attempt: AttemptId,
    pub(crate) message: MessageId,
    pub(crate) heard: bool,
    pub(crate) at: Moment,
}

type Request = Pin<Box<dyn Future<Output = CallDone>>>;

/// At most one request of a call is under way.
#[derive(Default)]
pub(crate) struct Requests {
    waiting: VecDeque<Request>,
    runs: bool,
    /// Failed, to be tried again.
    failed: VecDeque<MessageDone>,
}

impl Requests {
    /// Whether nothing is left to do.
    pub(crate) fn is_idle(&self) -> bool {
        !self.runs && self.waiting.is_empty() && self.failed.is_empty()
    }

    /// Whether nothing is under way.
    pub(crate) fn rests(&self) -> bool {
        !self.runs && self.waiting.is_empty()
    }
}

impl World {
    pub(crate) fn push_request(
        &mut self,
        id: CallId,
        request: impl Future<Output = CallDone> + 'static,
    ) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        call.requests.waiting.push_back(Box::pin(request));
        self.next_request(id);
    }

    pub(crate) fn push_message(&mut self, id: CallId, done: MessageDone) {
        if done.heard && self.has(Plant::ForgetsWhatWasHeard) {
            return self.promises.is_heard(id, done.message);
        }
        let store = self.disk.store.clone();
        self.push_request(id, async move {
            let stored = match done.heard {
                true => store.spoken(done.attempt, done.message, done.at).await,
                false => store.passed(done.message, done.at).await,
            };
            CallDone::MessageDone(done, stored)
        });
    }

    fn next_request(&mut self, id: CallId) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        if call.requests.runs {
            return;
        }
        let Some(request) = call.requests.waiting.pop_front() else { return };
        call.requests.runs = true;
        self.call_store(async move { Stored::OfCall(id, request.await) });
    }

    /// What has failed is tried again, while there is time.
    pub(crate) fn call_stores(&mut self, id: CallId) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let failed: Vec<_> = call.requests.failed.drain(..).collect();
        for done in failed {
            self.push_message(id, done);
        }
        self.call_may_finish(id);
    }

    // Long: one arm for each kind of request.
    pub(crate) fn call_is_stored(&mut self, id: CallId, done: CallDone) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        call.requests.runs = false;
        self.next_request(id);
        match done {
            CallDone::Noted | CallDone::Sent => {}
            CallDone::Recorded(voice, kept) => {
                if let Some(call) = self.real_calls.get_mut(&id) {
                    call.kept = kept;
                }
                self.feed(id, Input::Recorded(voice));
            }
            CallDone::Committed(durable, wish) => {
                if durable {
                    self.wish_is_durable(id, wish);
                }
                self.feed(id, Input::Committed(durable));
            }
            CallDone::Pin(right) => {
                if let Some(call) = self.real_calls.get_mut(&id) {
                    call.has_proved |= right;
                }
                self.feed(id, Input::Pin(right));
            }
            CallDone::Identified(found) => self.is_identified(id, found),
            CallDone::More(messages) => {
                let Some(call) = self.real_calls.get_mut(&id) else { return };
                let spoken = call.spoken(&messages);
                self.feed(id, Input::More(spoken));
            }
            CallDone::MessageDone(done, stored) => match stored {
                Ok(()) if done.heard => self.promises.is_heard(id, done.message),
                Ok(()) | Err(StoreError::NotInCall | StoreError::Closed) => {}
                Err(_) => {
                    if let Some(call) = self.real_calls.get_mut(&id) {
                        call.requests.failed.push_back(done);
                    }
                    self.plan(RETRY_PAUSE, Event::CallStores(self.program.run, id));
                }
            },
        }
        self.call_may_finish(id);
    }

    fn wish_is_durable(&mut self, id: CallId, wish: Wish) {
        let at = self.at();
        let Some(call) = self.real_calls.get(&id) else { return };
        match wish {
            Wish::Answer(message, words) => {
                if let Some(stanza) = call.stanza_of(message) {
                    self.promises.is_answered(&stanza, &words);
                }
            }
            Wish::NoMoreCalls => {
                if let Some(callee) = call.callee().map(str::to_owned) {
                    self.server.calls_are_off(&callee, at);
                }
            }
            Wish::Code => {
                if let Some((person, digits)) = call.code() {
                    self.promises.code_is_heard(&person, &digits);
                }
            }
            Wish::Voice => {}
        }
    }
}

const RETRY_PAUSE: Duration = Duration::from_secs(1);
