//! A short model of a call: what a phone, its callee and the trunk do, in which order and when.

use std::time::Duration;

use offhook::component::StopReason;
use offhook::notification::{
    Answer, Attempt, AttemptId, CallChange, Claim, Message, MessageId, Outcome, Progress,
};

use crate::events::Event;
use crate::lines::CallId;
use crate::nature::Nature;
use crate::plants::Plant;
use crate::stored::Stored;
use crate::world::World;

/// A call that the component has dialled.
#[derive(Debug)]
pub(crate) struct ModelCall {
    pub(crate) claim: Claim,
    pub(crate) phase: Phase,
    pub(crate) stop: Option<StopReason>,
    pub(crate) to_read: Vec<Message>,
    gone: Vec<MessageId>,
    /// What the callee does.
    pub(crate) fate: Fate,
    /// So many messages the callee listens to before they hang up.
    pub(crate) patience: u64,
    pub(crate) answers: bool,
    pub(crate) ends: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The INVITE has not left.
    Prepared,
    Ringing,
    Answered,
    Over,
}

/// What becomes of the INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answers,
    Refuses(Outcome),
    RingsOut,
}

impl ModelCall {
    pub(crate) fn new(claim: Claim, nature: &Nature, mut below: impl FnMut(u64) -> u64) -> Self {
        let fate = match below(12) {
            _ if nature.trunk_is_silent => Fate::Refuses(Outcome::TrunkFailed),
            0 => Fate::Refuses(Outcome::Busy),
            1 => Fate::Refuses(Outcome::TrunkFailed),
            2 => Fate::Refuses(Outcome::Declined),
            3 => Fate::RingsOut,
            _ => Fate::Answers,
        };
        let to_read = claim.messages.iter().rev().cloned().collect();
        Self {
            claim,
            phase: Phase::Prepared,
            stop: None,
            to_read,
            gone: vec![],
            fate,
            patience: if below(4) == 0 { below(3) } else { u64::MAX },
            answers: below(2) == 0,
            ends: false,
        }
    }

    /// How long until the phase after this one.
    pub(crate) fn pause(&self, mut below: impl FnMut(u64) -> u64) -> Duration {
        Duration::from_millis(match (self.phase, self.fate) {
            _ if self.ends => 20 + below(300),
            (Phase::Prepared, _) => 5 + below(200),
            (Phase::Ringing, Fate::RingsOut) => 30_000,
            (Phase::Ringing, _) => 500 + below(15_000),
            (Phase::Answered, _) => 500 + below(9000),
            (Phase::Over, _) => 0,
        })
    }

    /// Whether a stop ends it: a talk goes on.
    pub(crate) fn is_silenced(&self) -> bool {
        self.stop.is_some() && matches!(self.phase, Phase::Prepared | Phase::Ringing)
    }

    /// A message is not read any more, or another in its place.
    pub(crate) fn change(&mut self, change: CallChange) {
        self.gone.push(change.message);
        let at = self.to_read.iter().position(|it| it.id == change.message);
        match (at, change.instead) {
            (Some(at), Some(new)) => self.to_read[at] = *new,
            (Some(at), None) => drop(self.to_read.remove(at)),
            (None, Some(new)) => self.to_read.push(*new),
            (None, None) => {}
        }
    }

    /// These came in meanwhile.
    pub(crate) fn join(&mut self, messages: Vec<Message>) {
        let told = messages.into_iter().filter(|it| !self.gone.contains(&it.id));
        let told: Vec<_> = told.collect();
        self.to_read.splice(0..0, told.into_iter().rev());
    }

    fn result(&self, outcome: Outcome) -> Attempt {
        let sip_call_id = match self.phase {
            Phase::Prepared => String::new(),
            _ => format!("{}@192.0.2.1", self.claim.attempt.0),
        };
        Attempt { sip_call_id, trunk: "pbx".to_owned(), ..Attempt::without_invite(outcome) }
    }
}

impl World {
    pub(crate) fn call_soon(&mut self, attempt: AttemptId) {
        let Some(call) = self.calls.get(&attempt) else { return };
        let pause = call.pause(|bound| self.seed.below(bound));
        self.plan(pause, Event::Call(self.program.run, attempt));
    }

    pub(crate) fn call_goes_on(&mut self, attempt: AttemptId) {
        let id = CallId::Placed(attempt);
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        if call.ends {
            let outcome = match call.phase {
                Phase::Answered | Phase::Over => Outcome::Answered,
                _ if call.stop.is_some() => Outcome::Cancelled,
                _ => Outcome::Interrupted,
            };
            return self.model_call_ends(attempt, outcome);
        }
        match (call.phase, call.fate) {
            (Phase::Prepared, _) => {
                call.phase = Phase::Ringing;
                let claim = call.claim.clone();
                self.invite_comes(id, &claim);
                self.lines.rings(id, self.at());
                self.progress(attempt, Progress::Ringing);
            }
            (Phase::Ringing, Fate::Refuses(outcome)) => {
                return self.model_call_ends(attempt, outcome);
            }
            (Phase::Ringing, Fate::RingsOut) => {
                return self.model_call_ends(attempt, Outcome::NoAnswer);
            }
            (Phase::Ringing, Fate::Answers) => {
                call.phase = Phase::Answered;
                self.lines.is_answered(id);
                self.progress(attempt, Progress::Answered);
            }
            (Phase::Answered, _) => self.reads_aloud(attempt),
            (Phase::Over, _) => return,
        }
        self.call_soon(attempt);
    }

    /// One message is heard to its end, or what came meanwhile is asked for, or the callee hangs up.
    fn reads_aloud(&mut self, attempt: AttemptId) {
        let now = self.now().at;
        let call = self.calls.get_mut(&attempt).unwrap();
        call.patience = call.patience.saturating_sub(1);
        let store = self.disk.store.clone();
        match call.to_read.pop() {
            _ if call.patience == 0 => call.ends = true,
            None => {
                call.phase = Phase::Over;
                self.call_store(async move {
                    let joined = store.joined(attempt, now).await.unwrap_or_default();
                    Stored::Joined(attempt, joined)
                });
            }
            Some(message) => {
                let answers = call.answers;
                self.speaks(attempt, message, answers);
            }
        }
    }

    /// What came in during a call of the short model.
    pub(crate) fn joined(&mut self, attempt: AttemptId, messages: Vec<Message>) {
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        call.phase = Phase::Answered;
        call.join(messages);
        // A call that was told to end meanwhile ends all the same.
        call.ends |= call.to_read.is_empty();
        self.call_soon(attempt);
    }

    fn speaks(&mut self, attempt: AttemptId, message: Message, answers: bool) {
        let call = CallId::Placed(attempt);
        let id = message.draft.body.split(['[', ']']).nth(1).unwrap().to_owned();
        let (store, now, message) = (self.disk.store.clone(), self.now().at, message.id);
        self.promises.is_spoken(call, message, &id);
        if self.has(Plant::ForgetsWhatWasHeard) {
            self.promises.is_heard(call, message);
        } else {
            self.call_store(async move {
                let spoken = store.spoken(attempt, message, now).await;
                spoken.map_or(Stored::Nothing, |()| Stored::Heard(call, message))
            });
        }
        if answers {
            self.answers(attempt, message, id);
        }
    }

    fn answers(&mut self, attempt: AttemptId, message: MessageId, id: String) {
        let store = self.disk.store.clone();
        let (now, words) = (self.now().at, format!("answer #{}#", message.0));
        let answer = Answer { message, key: '1', words: words.clone() };
        self.call_store(async move {
            let stored = store.commit_answer(attempt, answer, now).await;
            stored.map_or(Stored::Nothing, |()| Stored::Answered(id, words))
        });
    }

    fn progress(&mut self, attempt: AttemptId, progress: Progress) {
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.call_store(async move {
            let _ = store.progress(attempt, progress, now).await;
            Stored::Nothing
        });
    }

    fn model_call_ends(&mut self, attempt: AttemptId, outcome: Outcome) {
        let Some(call) = self.calls.remove(&attempt) else { return };
        if self.has(Plant::RingsAgain) && self.lines.calls() < 50 && attempt.0 < 1_000_000 {
            // The same call once more, of which nobody has asked the rules.
            let claim = Claim { attempt: AttemptId(attempt.0 + 1_000_000), ..call.claim.clone() };
            let again = ModelCall::new(claim, &self.nature, |bound| self.seed.below(bound));
            let attempt = again.claim.attempt;
            self.calls.insert(attempt, again);
            self.call_soon(attempt);
        }
        self.call_ended(CallId::Placed(attempt), call.result(outcome));
    }
}
