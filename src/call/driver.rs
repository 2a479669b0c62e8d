//! Runs a call: carries bytes, audio and time to and from the machine that decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::time::{sleep_until, timeout};
use tracing::{Instrument, Span, debug, info, warn};

use super::caller::IdentifiedCaller;
use super::codec_budget::CodecPermit;
use super::ladder::Ladder;
use super::machine::{Call, Input, Output, Over};
use super::outcome::outcome;
use super::player::{PlayerEvent, PromptPlayer};
use super::prepare::{PreparedCall, PreparedMedia};
use super::recorder::{Recorded, Recorder};
use super::store_queue::{Panicked, StoreQueue};
use super::subject::CallSubject;
use super::{CallContext, Changes, Stop};
use crate::clock;
use crate::media::engine::RtpPort;
use crate::media::reports::Quality;
use crate::media::{MediaCommand, MediaEvent};
use crate::notification::{Attempt, AttemptId, CallChange, Message, Progress};
use crate::script::CallFlow;
use crate::script::prompt::Prompt;
use crate::sip::invite::{Ending, Reason};
use crate::sip::transport::SipChannel;

/// Carries a call to its end and tells how it went. The current span is that of its SIP dialog.
pub(super) async fn conduct(
    call: PreparedCall,
    flow: CallFlow,
    context: &Arc<CallContext>,
    stop: &mut watch::Receiver<Stop>,
    changes: &mut Changes,
) -> FinishedCall {
    let call_id = call.invite.call_id().to_owned();
    let trunk = call.media.trunk.name.clone();
    let notice = call.subject.notice_for_machines().filter(|_| call.media.detects_machines);
    let ahead = flow.prompts_to_prerender();
    let ahead: Vec<Prompt> = notice.iter().cloned().chain(ahead).collect();
    let mut driver = CallDriver::new(call, flow, notice, context);
    // The INVITE need not wait for what is spoken after its answer.
    driver.carry_out().await;
    driver.count_invite();
    driver.player.prepare(ahead);
    let over = driver.run(stop, changes).await;
    let (id, stop_calls, cut) = (driver.subject.attempt(), driver.stop_calls, driver.call.cut());
    let ladder = driver.ladder.text();
    let stopping = *stop.borrow() == Stop::ShuttingDown;
    let (flow, quality) = driver.end(stopping, &over.ending).await;
    let (status, retry_after) = match over.ending {
        Ending::Refused { status, retry_after } => (Some(status), retry_after),
        Ending::NoResponse
        | Ending::TransportFailed
        | Ending::NoProgress
        | Ending::NoAnswer
        | Ending::Cancelled
        | Ending::ByUs
        | Ending::ByPeer => (None, None),
    };
    if quality.as_ref().is_some_and(|line| line.keys_as_tones) {
        context.trunk_pool.events_are_lost(&trunk);
    }
    let attempt = Attempt {
        status,
        cause: over.cause,
        rang: over.rang.unwrap_or_default(),
        talked: over.talked.unwrap_or_default(),
        sip_call_id: call_id,
        trunk,
        stop_calls,
        retry_after,
        picked_up: over.picked_up,
        quality: quality.filter(|_| over.talked.is_some()),
        cut,
        ladder,
        ..Attempt::without_invite(outcome(&over, stopping))
    };
    FinishedCall { id, attempt, over, flow }
}

/// A call that is over.
pub(super) struct FinishedCall {
    /// Its row in the store, which may have become known only during the call.
    pub(super) id: Option<AttemptId>,
    pub(super) attempt: Attempt,
    pub(super) over: Over,
    /// For another try elsewhere.
    pub(super) flow: CallFlow,
}

/// A call on its way, and everything it holds.
pub(super) struct CallDriver<'c> {
    pub(super) subject: CallSubject,
    /// Where a number belongs that is typed without its country code.
    pub(super) country: Option<String>,
    /// The name of the trunk.
    pub(super) trunk: String,
    call: Call,
    channel: SipChannel,
    pub(super) port: RtpPort,
    pub(super) player: PromptPlayer,
    /// Kept while the call is in wide band, or may still be.
    codec_permit: Option<CodecPermit>,
    pub(super) recorder: Recorder,
    pub(super) store: StoreQueue<Done>,
    pub(super) context: &'c Arc<CallContext>,
    /// The span `call`, to which is added what a call is about.
    pub(super) call_span: Span,
    over: Option<Over>,
    pub(super) stop_calls: bool,
    answered: bool,
    /// When it was answered, until the first word has left.
    speechless_since: Option<Instant>,
    /// The last changes that came before it was known who calls, the newest first.
    early_changes: VecDeque<CallChange>,
    ladder: Ladder,
}

/// What came of a request to the store.
pub(super) enum Done {
    Noted,
    Recorded(Recorded),
    Committed(bool),
    Pin(bool),
    Identified(Option<Box<IdentifiedCaller>>),
    More(Vec<Message>),
}

impl<'c> CallDriver<'c> {
    fn new(
        call: PreparedCall,
        flow: CallFlow,
        notice: Option<Prompt>,
        context: &'c Arc<CallContext>,
    ) -> Self {
        let PreparedCall { call_span, subject, invite, channel, media } = call;
        let PreparedMedia { trunk, port, codecs, codec_permit, .. } = media;
        let numbers = context.numbers.clone();
        let speaker = context.speaker.clone();
        let player = PromptPlayer::new(speaker, numbers, codecs, &flow, subject.pace());
        Self {
            subject,
            country: trunk.country.clone(),
            trunk: trunk.name.clone(),
            call: Call::new(invite, flow, trunk.dtmf, notice, clock::now()),
            channel,
            port,
            player,
            codec_permit,
            recorder: Recorder::new(context.store.clone(), context.live.clone()),
            store: StoreQueue::new(context.store.clone()),
            context,
            call_span,
            over: None,
            stop_calls: false,
            answered: false,
            speechless_since: None,
            early_changes: VecDeque::new(),
            ladder: Ladder::new(clock::now()),
        }
    }

    async fn run(&mut self, stop: &mut watch::Receiver<Stop>, changes: &mut Changes) -> Over {
        let mut stopped = Stop::None;
        loop {
            self.carry_out().await;
            if let Some(over) = self.over.take() {
                return over;
            }
            let wake = self.call.deadline().unwrap_or_else(|| clock::now() + IDLE);
            let input = tokio::select! {
                Ok(reason) = other_reason(stop, stopped) => {
                    stopped = reason;
                    // A callee who has picked up is not hung up on because they can read now.
                    if stopped != Stop::ShuttingDown && self.answered { continue }
                    Input::HangUp(match stopped {
                        Stop::CameOnline => Reason::CompletedElsewhere,
                        Stop::None | Stop::Withdrawn | Stop::ShuttingDown => Reason::NormalClearing,
                    })
                }
                Some(message) = self.channel.inbox.recv() => {
                    self.ladder.received(&message, clock::now());
                    self.call.handle(Input::Sip(&message), clock::now());
                    continue;
                }
                Some(event) = self.port.events.recv() => {
                    if let MediaEvent::Key(_) = event {
                        self.ladder.key(clock::now());
                    }
                    self.note_media(&event);
                    Input::Media(event)
                }
                done = self.store.next() => match done {
                    Ok(Done::Noted) => continue,
                    Ok(Done::Recorded(recorded)) => self.recorded(recorded),
                    Ok(Done::Pin(right)) => Input::Pin(right),
                    Ok(Done::Identified(caller)) => {
                        let input = self.identified(caller);
                        self.call.handle(input, clock::now());
                        std::mem::take(&mut self.early_changes).into_iter().rev().for_each(|it| self.change(it));
                        continue;
                    }
                    Ok(Done::Committed(durable)) => Input::Committed(durable),
                    Ok(Done::More(messages)) => Input::More(self.subject.spoken(&messages)),
                    Err(Panicked) => Input::Committed(false),
                },
                Some(change) = changes.recv() => {
                    self.change(change);
                    continue;
                }
                Some(()) = self.player.rendered() => continue,
                () = sleep_until(wake.into()) => Input::Tick,
            };
            self.call.handle(input, clock::now());
        }
    }

    /// For the first call about messages: how long they waited for its INVITE, which has left.
    fn count_invite(&self) {
        if let CallSubject::Messages { since: Some(since), .. } = &self.subject {
            let waited = clock::timestamp().duration_since(*since);
            // A clock that was set back in between tells nothing.
            if let Ok(waited) = waited.try_into() {
                self.context.numbers.invited_after(waited);
            }
        }
    }

    fn note_media(&mut self, event: &MediaEvent) {
        match event {
            MediaEvent::Silent(fault) => info!("{fault}"),
            MediaEvent::Key(_) => self.context.numbers.key_pressed(),
            MediaEvent::Began(_) => {
                if let Some(since) = self.speechless_since.take() {
                    let waited = clock::now().saturating_duration_since(since);
                    self.context.numbers.first_word_after(waited);
                }
            }
            MediaEvent::Played(_)
            | MediaEvent::KeyHeld(_)
            | MediaEvent::Heard(_)
            | MediaEvent::RecordingOver => {}
        }
    }

    /// What is to be read has changed. What came for a caller who is not identified yet may be meant for the call that the
    /// store claims at this moment.
    fn change(&mut self, change: CallChange) {
        let Some(attempt) = self.subject.attempt() else {
            self.early_changes.truncate(EARLY_CHANGES_MAX - 1);
            return self.early_changes.push_front(change);
        };
        if change.attempt != attempt {
            return;
        }
        let message = change.message;
        let input = match change.instead {
            None => Input::Dropped(message),
            Some(new) => {
                let instead = self.subject.spoken(&[*new]);
                self.player.prepare(instead.iter().map(|item| item.body.clone()));
                let Some(instead) = instead.into_iter().next() else { return };
                Input::Corrected(message, instead)
            }
        };
        self.call.handle(input, clock::now());
    }

    /// Does all that the call wants done.
    ///
    /// The stream is started last, so that what the script says at once is in the first packet.
    async fn carry_out(&mut self) {
        let (mut stream, mut detect_machine) = (None, false);
        loop {
            while let Some(output) = self.call.poll() {
                match output {
                    Output::SendSip(message) => {
                        self.ladder.sent(&message, clock::now());
                        if let Err(error) = self.channel.send(&message).await {
                            debug!(%error, "SIP message not sent");
                            self.call.handle(Input::TransportFailed, clock::now());
                        }
                    }
                    Output::Stream(agreed) => {
                        self.player.agree(agreed.codec);
                        self.codec_permit.take_if(|_| !agreed.codec.is_wide());
                        stream = Some(agreed);
                    }
                    Output::DetectMachine => detect_machine = true,
                    Output::ListenForTones => self.port.command(MediaCommand::ListenForTones),
                    Output::Dialog(record) => self.keep_dialog(record),
                    Output::Ringing => self.note_progress(Progress::Ringing),
                    Output::Answered => {
                        self.answered = true;
                        self.speechless_since = Some(clock::now());
                        self.note_progress(Progress::Answered);
                    }
                    Output::Speak(prompts, tag) => self.player.speak(prompts, tag),
                    Output::StopPlayback => {
                        self.player.stop_playback();
                        self.port.command(MediaCommand::StopPlayback);
                    }
                    Output::Request(request) => self.request(request),
                    Output::Over(over) => self.over = Some(over),
                }
            }
            let events = self.player.play(&self.port);
            if events.is_empty() {
                break;
            }
            for event in events {
                let input = match event {
                    PlayerEvent::Unspeakable(id) => Input::Unspeakable(id),
                    PlayerEvent::Skipped(tag) => Input::Media(MediaEvent::Played(tag)),
                };
                self.call.handle(input, clock::now());
            }
        }
        if let Some(agreed) = stream {
            self.port.command(MediaCommand::Start(agreed));
        }
        if detect_machine {
            self.port.command(MediaCommand::DetectMachine);
        }
    }

    /// The recording is kept, if it is long enough.
    fn recorded(&mut self, recorded: Recorded) -> Input<'static> {
        self.player.has_recorded(&recorded.samples);
        self.recorder.has_kept(recorded.kept);
        Input::Recorded(recorded.voice)
    }

    /// The caller has proved who they are: from now on the call is about their messages.
    fn identified(&mut self, caller: Option<Box<IdentifiedCaller>>) -> Input<'static> {
        let Some(caller) = caller else { return Input::Pin(false) };
        let IdentifiedCaller { subject, flow } = *caller;
        self.subject = subject;
        self.player.prepare(flow.prompts_to_prerender());
        self.note_progress(Progress::Answered);
        Input::Identified(Box::new(flow))
    }

    fn note_progress(&mut self, progress: Progress) {
        let Some(attempt) = self.subject.attempt() else { return };
        let (store, now) = (self.context.store.clone(), clock::moment());
        self.store.push(async move {
            if let Err(error) = store.progress(attempt, progress, now).await {
                warn!(%error, ?progress, "progress of the call was not stored");
            }
            Done::Noted
        });
    }

    /// Waits for what is being stored, and leaves the dialog to itself, or sees it out when the program stops.
    /// Tells how good the line was.
    async fn end(mut self, stopping: bool, ending: &Ending) -> (CallFlow, Option<Quality>) {
        let (back, quality) = oneshot::channel();
        self.port.command(MediaCommand::Quality(back));
        let quality = timeout(QUALITY_MAX, quality).await.ok().and_then(Result::ok);
        let unsent = self.call.unsent_voice();
        if let Some(message) = unsent {
            self.stop_recording(message, *ending != Ending::ByPeer);
        }
        let until = clock::now() + if stopping { STOPPING_MAX } else { RETRIES_MAX };
        while let Some(done) = self.store.next_before(until).await {
            if let Ok(Done::Recorded(recorded)) = done {
                self.recorder.has_kept(recorded.kept);
            }
        }
        // Hanging up after speaking is an answer too.
        if unsent.is_some() {
            self.recorder.send().await;
        }
        let (invite, flow) = self.call.into_parts();
        let rest = self.channel.see_out(invite);
        if stopping {
            let _ = timeout(STOPPING_MAX, rest).await;
        } else {
            tokio::spawn(rest.in_current_span());
        }
        (flow, quality)
    }
}

/// Waits for another reason to end the call than the known one.
async fn other_reason(
    stop: &mut watch::Receiver<Stop>,
    known: Stop,
) -> Result<Stop, watch::error::RecvError> {
    stop.wait_for(|reason| *reason != known).await.map(|reason| *reason)
}

const IDLE: Duration = Duration::from_secs(3600);
const EARLY_CHANGES_MAX: usize = 16;
/// The media thread answers in a millisecond, if it lives.
const QUALITY_MAX: Duration = Duration::from_millis(200);
const STOPPING_MAX: Duration = Duration::from_secs(2);
/// How long after the call it is tried to store which messages were heard.
const RETRIES_MAX: Duration = Duration::from_secs(5);
