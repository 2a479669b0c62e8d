//! What a call's script asks of the store and the recorder.

use std::sync::Arc;

use tracing::{info, warn};

use super::caller;
use super::driver::{CallDriver, Done};
use super::store_queue::MessageDone;
use super::subject::CallSubject;
use crate::clock;
use crate::notification::{AttemptId, MessageId};
use crate::script::Request;
use crate::store::{KeptDialog, PinWay, StoreError};

impl CallDriver<'_> {
    /// Does what the script asks of the store or the recorder; what came of it comes back through the queue.
    pub(super) fn request(&mut self, request: Request) {
        let (store, now) = (self.context.store.clone(), clock::moment());
        match request {
            Request::Heard(message) => self.message_done(message, true),
            Request::Passed(message) => self.message_done(message, false),
            Request::Commit(answer) => self.commit("answer", async move |attempt| {
                store.commit_answer(attempt, answer, now).await
            }),
            Request::StopCalls => {
                self.stop_calls = true;
                self.commit("end of all calls", async move |attempt| {
                    store.stop_calls(attempt, now).await
                });
            }
            Request::CodeWanted | Request::RefuseCodes => {
                let CallSubject::Verification(id) = self.subject else { return };
                self.store.push(async move {
                    let stored = match request {
                        Request::RefuseCodes => store.refuse_codes(id, now).await,
                        _ => store.code_spoken(id, now).await,
                    };
                    if let Err(error) = &stored {
                        warn!(%error, "choice in a call with a code not stored");
                    }
                    Done::Committed(stored.is_ok())
                });
            }
            Request::Record => self.recorder.begin(&self.port, self.player.codec()),
            Request::StopRecording(message) => self.stop_recording(message, false),
            Request::CommitVoice(_) => {
                let sent = self.recorder.send();
                self.store.push(async { Done::Committed(sent.await) });
            }
            Request::CheckPin(digits) => {
                let CallSubject::Messages { announcer, .. } = &self.subject else { return };
                let callee = announcer.callee.clone();
                self.store.push(async move {
                    Done::Pin(
                        caller::is_pin_of(&store, &callee, digits, PinWay::OwnPhone, now).await,
                    )
                });
            }
            Request::Identify { number, pin } => self.identify(number, pin),
            Request::CheckForMore => {
                let Some(attempt) = self.subject.attempt() else { return };
                self.store.push(async move {
                    Done::More(store.joined(attempt, now).await.unwrap_or_else(|error| {
                        warn!(%error, "messages that came meanwhile were not read");
                        vec![]
                    }))
                });
            }
        }
    }

    /// Keeps what the next run would need to end the call, should this one be killed. The call does not wait for it.
    pub(super) fn keep_dialog(&mut self, record: String) {
        let dialog = KeptDialog { trunk: self.trunk.clone(), record };
        let store = self.context.store.clone();
        let subject = self.subject.clone();
        self.store.push(async move {
            let kept = match subject {
                CallSubject::Messages { attempt, .. } => store.keep_dialog(attempt, dialog).await,
                CallSubject::Verification(id) => store.keep_dialog_of_code(id, dialog).await,
                CallSubject::Nothing => Ok(()),
            };
            if let Err(error) = kept {
                warn!(%error, "dialog of the call was not stored");
            }
            Done::Noted
        });
    }

    /// Makes something durable that the callee has asked for.
    fn commit<F>(
        &mut self,
        what: &'static str,
        commit: impl FnOnce(AttemptId) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), StoreError>> + Send,
    {
        let attempt = self.subject.attempt();
        self.store.push(async move {
            let Some(attempt) = attempt else { return Done::Committed(false) };
            let stored = commit(attempt).await;
            match &stored {
                Ok(()) => info!(what, "wish of the callee stored"),
                Err(error) => warn!(%error, what, "wish of the callee was not stored"),
            }
            Done::Committed(stored.is_ok())
        });
    }

    fn identify(&mut self, number: String, pin: String) {
        let (context, country) = (Arc::clone(self.context), self.country.clone());
        let span = self.call_span.clone();
        self.store.push(async move {
            let country = country.as_deref();
            let found = caller::identify(&context, &number, country, pin, &span).await;
            Done::Identified(found.map(Box::new))
        });
    }

    pub(super) fn stop_recording(&mut self, message: MessageId, cut: bool) {
        let Some(attempt) = self.subject.attempt() else { return };
        if let Some(recorded) = self.recorder.stop(&self.port, attempt, message, cut) {
            self.store.push(async { Done::Recorded(recorded.await) });
        }
    }

    pub(super) fn message_done(&mut self, message: MessageId, heard: bool) {
        let Some(attempt) = self.subject.attempt() else { return };
        let at = clock::moment();
        self.store.push_message(MessageDone { attempt, message, heard, at });
    }
}
