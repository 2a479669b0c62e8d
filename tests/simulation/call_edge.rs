//! The edges of a call of the real machine: datagrams, sound and requests, as its driver carries them.

use std::time::Duration;

use offhook::call::machine::{Input, Output};
use offhook::media::MediaEvent;
use offhook::notification::{Message, MessageId, Progress, VoiceAnswer};
use offhook::phone_number::PhoneNumber;
use offhook::script::prompt::{Prompt, PromptKind, Prompts};
use offhook::script::{Request, VOICE_MIN};

use crate::call_requests::{CallDone, MessageDone, Wish};
use crate::callee::Needs;
use crate::events::{Event, brief};
use crate::far_end::{Doings, LineState, Manner, PhoneStep};
use crate::lines::CallId;
use crate::nature::PIN;
use crate::real_call::Subject;
use crate::world::World;

impl World {
    /// Does one thing that the call wants done.
    pub(crate) fn carry_call(&mut self, id: CallId, output: Output) {
        match output {
            Output::SendSip(bytes) => self.sends_to_phone(id, bytes),
            Output::Stream(_) | Output::DetectMachine | Output::ListenForTones => {}
            // That a callee is hung up on after a kill is for the tests of the dialogs.
            Output::Dialog(_) => {}
            Output::Ringing => self.note_progress(id, Progress::Ringing),
            Output::Answered => {
                if let Some(call) = self.real_calls.get_mut(&id) {
                    call.answered = true;
                }
                self.note_progress(id, Progress::Answered);
            }
            Output::Speak(prompts, tag) => self.plays(id, prompts, tag),
            Output::StopPlayback => {
                let at = self.at();
                if let Some(call) = self.real_calls.get_mut(&id) {
                    (call.generation, call.busy_until) = (call.generation + 1, at);
                }
            }
            Output::Request(request) => {
                self.note(|| brief(&format!("{id:?} {request:?}")));
                self.call_requests(id, request);
            }
            Output::Over(over) => {
                self.note(|| brief(&format!("{id:?} {over:?}")));
                self.call_is_over(id, over);
            }
        }
    }

    pub(crate) fn note_progress(&mut self, id: CallId, progress: Progress) {
        let Some(attempt) = self.real_calls.get(&id).and_then(|it| it.attempt()) else { return };
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.push_request(id, async move {
            let _ = store.progress(attempt, progress, now).await;
            CallDone::Noted
        });
    }

    // Long: one arm for each request of the script.
    fn call_requests(&mut self, id: CallId, request: Request) {
        let (store, now) = (self.disk.store.clone(), self.now().at);
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let attempt = call.attempt();
        match (request, attempt) {
            (Request::Heard(message), Some(attempt)) => {
                self.push_message(id, MessageDone { attempt, message, heard: true, at: now });
            }
            (Request::Passed(message), Some(attempt)) => {
                self.push_message(id, MessageDone { attempt, message, heard: false, at: now });
            }
            (Request::Commit(answer), Some(attempt)) => {
                let wish = Wish::Answer(answer.message, answer.words.clone());
                self.push_request(id, async move {
                    let stored = store.commit_answer(attempt, answer, now).await;
                    CallDone::Committed(stored.is_ok(), wish)
                });
            }
            (Request::StopCalls, Some(attempt)) => {
                call.stop_calls = true;
                self.push_request(id, async move {
                    let stored = store.stop_calls(attempt, now).await;
                    CallDone::Committed(stored.is_ok(), Wish::NoMoreCalls)
                });
            }
            (Request::CodeWanted, _) => {
                let CallId::Code(code) = id else { return };
                self.push_request(id, async move {
                    let stored = store.code_spoken(code, now).await;
                    CallDone::Committed(stored.is_ok(), Wish::Code)
                });
            }
            (Request::RefuseCodes, _) => {
                let CallId::Code(code) = id else { return };
                self.push_request(id, async move {
                    let stored = store.refuse_codes(code, now).await;
                    CallDone::Committed(stored.is_ok(), Wish::Code)
                });
            }
            (Request::Record, _) => self.records(id),
            (Request::StopRecording(message), _) => self.stop_recording(id, message, false),
            (Request::CommitVoice(_), _) => {
                let kept = call.kept.clone();
                self.push_request(id, async move {
                    let stored = match kept {
                        Some(name) => store.send_voice(name, now).await.is_ok(),
                        None => false,
                    };
                    CallDone::Committed(stored, Wish::Voice)
                });
            }
            (Request::CheckPin(digits), _) => {
                let Subject::Messages { claim, .. } = &call.subject else { return };
                let callee = claim.callee.jid.clone();
                self.push_request(id, async move {
                    let right = digits == PIN;
                    if !right {
                        let _ =
                            store.wrong_pin(&callee, offhook::store::PinWay::OwnPhone, now).await;
                    }
                    CallDone::Pin(right)
                });
            }
            (Request::Identify { number, pin }, _) => self.identifies(id, number, pin),
            (Request::CheckForMore, Some(attempt)) => self.push_request(id, async move {
                CallDone::More(store.joined(attempt, now).await.unwrap_or_default())
            }),
            (_, None) => {}
        }
    }

    fn identifies(&mut self, id: CallId, number: String, pin: String) {
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.push_request(id, async move {
            let written: Option<PhoneNumber> = format!("+{number}").parse().ok();
            let Some(number) = written else { return CallDone::Identified(None) };
            for person in store.people_with_pin(number, now).await.unwrap_or_default() {
                if pin == PIN {
                    let found = store.call_in_as(&person.jid, now).await;
                    return CallDone::Identified(found.ok().map(Box::new));
                }
                let _ = store.wrong_pin(&person.jid, offhook::store::PinWay::Elsewhere, now).await;
            }
            CallDone::Identified(None)
        });
    }

    fn records(&mut self, id: CallId) {
        let (at, run) = (self.at(), self.program.run);
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let temper = call.temper;
        call.recording_since = Some(at);
        if let Some(name) = call.kept.take() {
            let store = self.disk.store.clone();
            self.call_store(async move {
                let _ = store.drop_voice(name).await;
                crate::stored::Stored::Nothing
            });
        }
        let (pause, step) = temper.ends_recording(&mut |bound| self.seed.below(bound));
        self.plan(pause, Event::Phone(run, id, step));
    }

    pub(crate) fn stop_recording(&mut self, id: CallId, message: MessageId, cut: bool) {
        let (at, now, name) = (self.at(), self.now().at, self.seed.token());
        let store = self.disk.store.clone();
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let (Some(since), Some(attempt)) = (call.recording_since.take(), call.attempt()) else {
            return;
        };
        let voice = at - since;
        self.push_request(id, async move {
            if voice < VOICE_MIN {
                return CallDone::Recorded(voice, None);
            }
            let (kept, sound) = (name.clone(), vec![1; 16]);
            let answer = VoiceAnswer { message, name, sound, length: voice, cut };
            let stored = store.keep_voice(attempt, answer, now).await;
            CallDone::Recorded(voice, stored.ok().map(|()| kept))
        });
    }

    /// Sound goes out: how long it takes follows from its length.
    fn plays(&mut self, id: CallId, prompts: Vec<Prompt>, tag: u32) {
        let (at, run) = (self.at(), self.program.run);
        self.check_private(id, &prompts);
        let needs = self.needs(id, &prompts);
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let lengths: Vec<_> = prompts.iter().map(length).collect();
        let starts = call.busy_until.max(at);
        let last = starts + lengths.iter().rev().skip(1).sum::<Duration>();
        let ends = starts + lengths.iter().sum::<Duration>();
        call.busy_until = ends;
        let (generation, temper) = (call.generation, call.temper);
        let body = prompts.last().and_then(|it| match it.kind {
            PromptKind::Body(message) => Some(message),
            _ => None,
        });
        let began = PhoneStep::Began { generation, tag, body };
        self.plan_at(last, Event::Phone(run, id, began));
        self.plan_at(ends, Event::Phone(run, id, PhoneStep::Played { generation, tag }));
        let draw = &mut |bound| self.seed.below(bound);
        for (pause, step) in temper.reacts(&prompts, ends - at, &needs, draw) {
            self.plan(pause, Event::Phone(run, id, step));
        }
    }

    /// What the callee must type before they hear more.
    fn needs(&mut self, id: CallId, said: &[Prompt]) -> Needs {
        let pin = if self.below(5) == 0 { "1234" } else { PIN };
        let Some(call) = self.real_calls.get(&id) else { return Needs::Nothing };
        if !call.has_proved {
            return Needs::Typed(pin.to_owned());
        }
        let asked = |question: &str| said.last() == Some(&Prompts::new("en").plain(question));
        if asked("phone-whose-pin-question") {
            return Needs::Typed(format!("{pin}#"));
        }
        if asked("phone-number-question") {
            return Needs::Typed(format!("{}#", crate::nature::NUMBERS[1].trim_start_matches('+')));
        }
        Needs::Nothing
    }

    /// I9: before the PIN nobody is named, and nothing is read.
    fn check_private(&self, id: CallId, prompts: &[Prompt]) {
        let Some(call) = self.real_calls.get(&id).filter(|it| !it.has_proved) else { return };
        for prompt in prompts {
            let text = prompt.text.to_lowercase();
            let named =
                ["alice", "carol", "dave", "erin", "bob"].iter().any(|it| text.contains(it));
            let private = named || matches!(prompt.kind, PromptKind::Body(_));
            let callee = call.callee();
            assert!(!private, "I9: {callee:?} has not typed the PIN and hears {text:?}");
        }
    }

    fn sends_to_phone(&mut self, id: CallId, bytes: Vec<u8>) {
        let lost = self.datagram_is_lost();
        let pause = Duration::from_millis(2) + self.ms(50);
        let (at, run) = (self.at(), self.program.run);
        let Some(call) = self.real_calls.get_mut(&id).filter(|_| !lost) else { return };
        call.to_phone_at = call.to_phone_at.max(at + pause);
        let at = call.to_phone_at;
        self.plan_at(at, Event::ToPhone(run, id, bytes));
    }

    fn datagram_is_lost(&mut self) -> bool {
        self.nature.loses_datagrams && !self.quiet && self.below(8) == 0
    }

    /// A SIP message of ours comes to the phone.
    pub(crate) fn phone_receives(&mut self, id: CallId, bytes: &[u8]) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let is_first = call.far_end.is_new() && call.far_end.manner != Manner::Silent;
        let (number, subject) = (call.number.clone(), &call.subject);
        let claim = match subject {
            Subject::Messages { claim, .. } => Some(claim.clone()),
            Subject::Code(_) | Subject::Nothing => None,
        };
        let doings = call.far_end.receives(bytes);
        if is_first {
            match claim {
                Some(claim) => self.invite_comes(id, &claim),
                None => self.other_call_begins(id, &number),
            }
        }
        self.does(id, doings);
    }

    /// Something happens at the phone.
    pub(crate) fn phone_steps(&mut self, id: CallId, step: PhoneStep) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let (generation, talks) =
            (call.generation, call.answered && call.far_end.state == LineState::Talking);
        let input = match step {
            PhoneStep::Key(key) if talks => MediaEvent::Key(key),
            PhoneStep::Began { generation: of, tag, body } if of == generation => {
                if let Some(message) = body.filter(|_| talks) {
                    self.body_is_heard(id, message);
                }
                MediaEvent::Began(tag)
            }
            PhoneStep::Played { generation: of, tag } if of == generation => {
                MediaEvent::Played(tag)
            }
            PhoneStep::FallsSilent(fault) => MediaEvent::Silent(fault),
            PhoneStep::StopsSpeaking if call.recording_since.is_some() => MediaEvent::RecordingOver,
            step => {
                let doings = call.far_end.steps(&step);
                return self.does(id, doings);
            }
        };
        self.feed(id, Input::Media(input));
    }

    /// I4 and I11, as the callee hears it.
    fn body_is_heard(&mut self, id: CallId, message: MessageId) {
        let Some(call) = self.real_calls.get_mut(&id) else { return };
        let Some(Message { draft, .. }) = call.messages.get(&message) else { return };
        let sender = draft.sender.to_bare().to_string();
        let named = draft.stanza_id.clone().unwrap_or_default();
        // Who wants to hear messages again hears them from the first on.
        if call.begun.insert(message) {
            let before = call.last_body.insert(sender.clone(), message);
            let in_order = before.is_none_or(|it| it <= message) || self.was_cut_off(message);
            assert!(in_order, "I11: {sender}: {message:?} after {before:?}");
        }
        self.promises.is_spoken(id, message, &named);
    }

    /// A message whose call a crash has ended is told alone, after those that have done nothing.
    fn was_cut_off(&self, message: MessageId) -> bool {
        let sql = "SELECT 1 FROM attempt_messages JOIN attempts ON attempts.id = attempt
                   WHERE message = ? AND outcome = 'interrupted'";
        self.disk.tables().prepare(sql).unwrap().exists([message.0]).unwrap()
    }

    fn does(&mut self, id: CallId, doings: Doings) {
        let run = self.program.run;
        for bytes in doings.sends {
            let lost = self.datagram_is_lost();
            let pause = Duration::from_millis(2) + self.ms(50);
            let at = self.at();
            let Some(call) = self.real_calls.get_mut(&id).filter(|_| !lost) else { continue };
            call.from_phone_at = call.from_phone_at.max(at + pause);
            let at = call.from_phone_at;
            self.plan_at(at, Event::FromPhone(run, id, bytes));
        }
        for (pause, step) in doings.plans {
            self.plan(pause, Event::Phone(run, id, step));
        }
        let at = self.at();
        match self.real_calls.get(&id).map(|it| it.far_end.state) {
            Some(LineState::Ringing) => self.lines.rings(id, at),
            Some(LineState::Talking) => self.lines.is_answered(id),
            Some(LineState::Over) | None => self.lines.ends(id),
            Some(LineState::Idle) => {}
        }
    }

    /// A SIP message of the phone comes to us.
    pub(crate) fn call_receives(&mut self, id: CallId, bytes: &[u8]) {
        self.feed(id, Input::Sip(bytes));
    }
}

/// How long a sentence takes: about fifteen letters a second.
fn length(prompt: &Prompt) -> Duration {
    Duration::from_millis(300 + 65 * prompt.text.len() as u64)
}
