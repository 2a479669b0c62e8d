//! A call on its way: carries bytes, audio and time to and from the machine that decides.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tracing::{debug, info, warn};

use super::call::{Call, Input, Output, Over};
use super::place::About;
use super::recorder::{Recorded, Recorder};
use super::visitor::{self, Visitor};
use super::voice::{Told, Voice};
use super::wide_band::Room;
use super::{Exchange, Stop};
use crate::clock;
use crate::media::reports::Quality;
use crate::media::{Command, Event, engine};
use crate::notification::{Message, Progress};
use crate::script::{Item, Talk};
use crate::sip::invite::Ending;
use crate::sip::transport;

/// A call on its way, and everything it holds.
pub(super) struct Live<'c> {
    pub(super) about: About,
    /// Where a number belongs that is typed without its country code.
    pub(super) country: Option<String>,
    pub(super) call: Call,
    pub(super) line: transport::Line,
    pub(super) media: engine::Line,
    pub(super) voice: Voice,
    /// Kept while the call is in wide band, or may still be.
    pub(super) room: Option<Room>,
    pub(super) recorder: Recorder,
    pub(super) errands: JoinSet<Done>,
    pub(super) exchange: &'c Exchange,
    pub(super) over: Option<Over>,
    pub(super) stop_calls: bool,
}

/// What an errand to the store came back with.
pub(super) enum Done {
    Told,
    Recorded(Recorded),
    Committed(bool),
    Pin(bool),
    Identified(Option<Box<Visitor>>),
    More(Vec<Message>),
}

impl Live<'_> {
    pub(super) async fn run(&mut self, stop: &mut watch::Receiver<Stop>) -> Over {
        let mut answered = false;
        let mut stopped = Stop::None;
        loop {
            answered |= self.carry_out().await;
            if let Some(over) = self.over.take() {
                return over;
            }
            let wake = self.call.deadline().unwrap_or_else(|| clock::now() + IDLE);
            let input = tokio::select! {
                Ok(asked) = wanted(stop, stopped) => {
                    stopped = asked;
                    if stopped == Stop::CameOnline && answered { continue }
                    Input::HangUp
                }
                Some(message) = self.line.inbox.recv() => {
                    self.call.handle(Input::Sip(&message), clock::now());
                    continue;
                }
                Some(event) = self.media.events.recv() => {
                    if let Event::Silent(fault) = event {
                        info!(attempt = self.about.attempt().0, "{fault}");
                    }
                    Input::Media(event)
                }
                Some(done) = self.errands.join_next() => match done {
                    Ok(Done::Told) => continue,
                    Ok(Done::Recorded(recorded)) => self.recorded(recorded),
                    Ok(Done::Pin(right)) => Input::Pin(right),
                    Ok(Done::Identified(visitor)) => self.identified(visitor),
                    Ok(Done::Committed(durable)) => Input::Committed(durable),
                    Ok(Done::More(messages)) => Input::More(self.items(&messages)),
                    Err(_) => Input::Committed(false),
                },
                Some(()) = self.voice.rendered() => continue,
                () = sleep_until(wake.into()) => Input::Tick,
            };
            self.call.handle(input, clock::now());
        }
    }

    /// Does all that the call wants done. Tells whether it was answered by that.
    ///
    /// The stream is started last, so that what the script says at once is in the first packet.
    pub(super) async fn carry_out(&mut self) -> bool {
        let mut answered = false;
        let (mut stream, mut screen) = (None, false);
        loop {
            while let Some(output) = self.call.poll() {
                match output {
                    Output::SendSip(message) => {
                        if let Err(error) = self.line.send(&message).await {
                            debug!(%error, "a SIP message was not sent");
                            self.call.handle(Input::TransportFailed, clock::now());
                        }
                    }
                    Output::Stream(agreed) => {
                        self.voice.agree(agreed.codec);
                        self.room.take_if(|_| !agreed.codec.is_wide());
                        stream = Some(agreed);
                    }
                    Output::Screen => screen = true,
                    Output::Ringing => self.tell_progress(Progress::Ringing),
                    Output::Answered => {
                        answered = true;
                        self.tell_progress(Progress::Answered);
                    }
                    Output::Speak(lines, tag) => self.voice.speak(lines, tag),
                    Output::Hush => {
                        self.voice.hush();
                        self.media.command(Command::Hush);
                    }
                    Output::Record => {
                        let (codec, max) = (self.voice.codec(), self.exchange.voice_max);
                        self.recorder.begin(&self.media, codec, max);
                    }
                    Output::StopRecording(message) => {
                        if let Some(recorded) = self.recorder.stop(&self.media, message, false) {
                            self.errands.spawn(async { Done::Recorded(recorded.await) });
                        }
                    }
                    other => self.run_errand(other),
                }
            }
            let told = self.voice.play(&self.media);
            if told.is_empty() {
                break;
            }
            for told in told {
                let input = match told {
                    Told::Unspeakable(id) => Input::Unspeakable(id),
                    Told::Skipped(tag) => Input::Media(Event::Played(tag)),
                };
                self.call.handle(input, clock::now());
            }
        }
        if let Some(agreed) = stream {
            self.media.command(Command::Start(agreed));
        }
        if screen {
            self.media.command(Command::Screen);
        }
        answered
    }

    fn items(&self, messages: &[Message]) -> Vec<Item> {
        match &self.about {
            About::Messages { teller, .. } => messages.iter().map(|it| teller.item(it)).collect(),
            About::Code(_) | About::Nothing => vec![],
        }
    }

    /// The recording is kept, if it is long enough.
    fn recorded(&mut self, recorded: Recorded) -> Input<'static> {
        self.voice.has_recorded(&recorded.samples);
        self.recorder.has_kept(recorded.kept);
        Input::Recorded(recorded.voice)
    }

    /// From now on the call is his who has shown who he is.
    fn identified(&mut self, visitor: Option<Box<Visitor>>) -> Input<'static> {
        let Some(visitor) = visitor else { return Input::Pin(false) };
        let Visitor { about, talk } = *visitor;
        self.about = about;
        self.recorder.belongs_to(self.about.attempt());
        self.voice.prepare(talk.lines_ahead());
        self.tell_progress(Progress::Answered);
        Input::Admitted(Box::new(talk))
    }

    fn tell_progress(&mut self, progress: Progress) {
        let About::Messages { attempt, .. } = &self.about else { return };
        let (store, attempt) = (self.exchange.store.clone(), *attempt);
        self.errands.spawn(async move {
            if let Err(error) = store.progress(attempt, progress, clock::timestamp()).await {
                warn!(%error, "progress of the call was not stored");
            }
            Done::Told
        });
    }

    fn run_errand(&mut self, output: Output) {
        let (store, now) = (self.exchange.store.clone(), clock::timestamp());
        let attempt = self.about.attempt();
        match output {
            Output::Heard(id) => {
                self.errands.spawn(async move {
                    if let Err(error) = store.spoken(attempt, id, now).await {
                        warn!(%error, message_id = id.0, "that a message was heard was not stored");
                    }
                    Done::Told
                });
            }
            Output::Passed(id) => {
                self.errands.spawn(async move {
                    if let Err(error) = store.passed(id, now).await {
                        warn!(%error, message_id = id.0, "that a message was passed over was not stored");
                    }
                    Done::Told
                });
            }
            Output::Commit(answer) => {
                self.errands.spawn(async move {
                    let stored = store.commit_answer(attempt, answer, now).await;
                    if let Err(error) = &stored {
                        warn!(%error, "an answer was not stored");
                    }
                    Done::Committed(stored.is_ok())
                });
            }
            Output::CommitVoice(_) => {
                let sent = self.recorder.send();
                self.errands.spawn(async { Done::Committed(sent.await) });
            }
            Output::CheckPin(digits) => {
                let About::Messages { teller, .. } = &self.about else { return };
                let callee = teller.callee.clone();
                self.errands.spawn(async move {
                    Done::Pin(visitor::is_his(&store, &callee, digits, now).await)
                });
            }
            Output::Identify { number, pin } => {
                let (exchange, country) = (self.exchange.clone(), self.country.clone());
                self.errands.spawn(async move {
                    let found = visitor::identify(&exchange, &number, country.as_deref(), pin);
                    Done::Identified(found.await.map(Box::new))
                });
            }
            Output::CodeWanted => {
                let About::Code(id) = self.about else { return };
                self.errands.spawn(async move {
                    let stored = store.code_spoken(id, now).await;
                    if let Err(error) = &stored {
                        warn!(%error, "a code cannot be told");
                    }
                    Done::Committed(stored.is_ok())
                });
            }
            Output::StopCalls => {
                self.stop_calls = true;
                self.errands.spawn(async move {
                    let stored = store.stop_calls(attempt, now).await;
                    if let Err(error) = &stored {
                        warn!(%error, "the end of all calls was not stored");
                    }
                    Done::Committed(stored.is_ok())
                });
            }
            Output::CheckForMore => {
                self.errands.spawn(async move {
                    Done::More(store.joined(attempt, now).await.unwrap_or_else(|error| {
                        warn!(%error, "messages that came meanwhile were not read");
                        vec![]
                    }))
                });
            }
            Output::Over(over) => self.over = Some(over),
            Output::SendSip(_)
            | Output::Stream(_)
            | Output::Screen
            | Output::Ringing
            | Output::Answered
            | Output::Speak(..)
            | Output::Record
            | Output::StopRecording(_)
            | Output::Hush => unreachable!("done by the caller"),
        }
    }

    /// Waits for what is being stored, and leaves the dialog to itself, or sees it out when the program ends.
    /// Tells how good the line was.
    pub(super) async fn end(mut self, stopping: bool, ending: &Ending) -> (Talk, Option<Quality>) {
        let quality = self.quality().await;
        let unsent = self.call.unsent_voice();
        let cut = *ending != Ending::ByPeer;
        let last = unsent.and_then(|message| self.recorder.stop(&self.media, message, cut));
        if let Some(recorded) = last {
            self.errands.spawn(async { Done::Recorded(recorded.await) });
        }
        while let Some(done) = self.errands.join_next().await {
            if let Ok(Done::Recorded(recorded)) = done {
                self.recorder.has_kept(recorded.kept);
            }
        }
        // Whoever hangs up after speaking has answered.
        if unsent.is_some() {
            self.recorder.send().await;
        }
        let (invite, script) = self.call.into_parts();
        let out = self.line.see_out(invite);
        if stopping {
            let _ = timeout(STOPPING_MAX, out).await;
        } else {
            tokio::spawn(out);
        }
        (script, quality)
    }

    async fn quality(&self) -> Option<Quality> {
        let (back, told) = oneshot::channel();
        self.media.command(Command::Quality(back));
        timeout(QUALITY_MAX, told).await.ok()?.ok()
    }
}

async fn wanted(
    stop: &mut watch::Receiver<Stop>,
    known: Stop,
) -> Result<Stop, watch::error::RecvError> {
    stop.wait_for(|asked| *asked != known).await.map(|asked| *asked)
}

const IDLE: Duration = Duration::from_secs(3600);
/// The media thread answers in a millisecond, if it lives.
const QUALITY_MAX: Duration = Duration::from_millis(200);
const STOPPING_MAX: Duration = Duration::from_secs(2);
