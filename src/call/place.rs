//! One phone call, from INVITE to BYE: the only place where a call touches the world.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep_until, timeout};
use tracing::{debug, info, warn};

use super::call::{Call, Input, Output, Over};
use super::outcome::{is_trunks_fault, outcome};
use super::recorder::{Recorded, Recorder};
use super::teller::Teller;
use super::trunk_choice::carriers;
use super::voice::{Told, Voice};
use super::{Exchange, Stop};
use crate::clock;
use crate::media::{Command, Event, engine};
use crate::notification::verification::{Code, VerificationId};
use crate::notification::{Attempt, AttemptId, Claim, Message, Outcome, Progress};
use crate::phone_number::PhoneNumber;
use crate::script::prompt::Prompts;
use crate::script::{CodeCall, Item, PinGate, Script, Talk};
use crate::seed::Seed;
use crate::sip::invite::{Ending, Invite, InvitePlan};
use crate::sip::trunk::Trunk;
use crate::sip::{offer_answer, transport};

/// Places one call and returns what became of it.
///
/// [`Call`] decides everything; this carries bytes, audio and time to and from it.
///
/// Contract: never drop this future to end a call. Send a [`Stop`] and await the attempt, so that the callee
///           gets a BYE or CANCEL and no answer is lost.
/// Errors:   none. What goes wrong is an outcome.
pub async fn place(claim: Claim, exchange: &Exchange, mut stop: watch::Receiver<Stop>) -> Attempt {
    let teller = Teller { callee: claim.callee.clone(), exchange: exchange.clone() };
    let items = claim.messages.iter().map(|message| teller.item(message)).collect();
    let (terms, name) = (exchange.terms.clone(), claim.callee.name.clone());
    let prompts = teller.prompts();
    let script = Script::new(terms, prompts, name, items, claim.continuing);
    let about = About::Messages { attempt: claim.attempt, teller: &teller };
    let talk = match &claim.callee.pin {
        Some(pin) => {
            let count = claim.messages.len() as u64;
            Talk::Guarded(PinGate::new(prompts, script, pin.digits(), count))
        }
        None => Talk::Messages(script),
    };
    over_trunks(&claim.number, about, talk, exchange, &mut stop).await
}

/// Phones a number to speak a code there, and returns what became of it.
///
/// Contract: as [`place`]. Before the code is said it is durable that it opens something.
pub async fn place_code(
    code: &Code,
    prompts: Prompts,
    house: String,
    exchange: &Exchange,
    mut stop: watch::Receiver<Stop>,
) -> Attempt {
    let settle = exchange.terms.settle;
    let call = CodeCall::new(prompts, house, code.digits.clone(), settle, CODE_CALL_MAX);
    over_trunks(&code.number, About::Code(code.id), Talk::Code(call), exchange, &mut stop).await
}

async fn over_trunks(
    number: &PhoneNumber,
    about: About<'_>,
    mut script: Talk,
    exchange: &Exchange,
    stop: &mut watch::Receiver<Stop>,
) -> Attempt {
    let mut attempt = unplaced(Outcome::TrunkFailed);
    if !exchange.policy.may_dial(number) {
        warn!("a number outside dial.allow was not dialled");
        return unplaced(Outcome::WrongNumber);
    }
    for trunk in carriers(&exchange.trunks, number) {
        let one = OneTrunk { number, about, exchange, stop };
        let fault;
        (attempt, fault, script) = one.run(trunk.clone(), script).await;
        if !fault || *stop.borrow() != Stop::None {
            break;
        }
        info!(trunk = trunk.name, "the trunk failed; trying the next one");
    }
    attempt
}

/// What a call is about.
#[derive(Clone, Copy)]
enum About<'c> {
    Messages { attempt: AttemptId, teller: &'c Teller },
    Code(VerificationId),
}

impl About<'_> {
    /// The call in the store; a call with a code has none.
    fn attempt(&self) -> AttemptId {
        match self {
            Self::Messages { attempt, .. } => *attempt,
            Self::Code(_) => AttemptId(0),
        }
    }
}

struct OneTrunk<'c> {
    number: &'c PhoneNumber,
    about: About<'c>,
    exchange: &'c Exchange,
    stop: &'c mut watch::Receiver<Stop>,
}

impl OneTrunk<'_> {
    /// Tries one trunk. The second value tells whether the next one is worth a try with the same script.
    async fn run(self, trunk: Arc<Trunk>, script: Talk) -> (Attempt, bool, Talk) {
        let name = trunk.name.clone();
        let failed = |script| {
            let attempt = Attempt { trunk: name.clone(), ..unplaced(Outcome::TrunkFailed) };
            (attempt, true, script)
        };
        let (local, trunk_address) = match self.exchange.agent.ends(&name) {
            Ok(ends) => ends,
            Err(error) => {
                warn!(%error, "the call was not placed");
                return failed(script);
            }
        };
        let media = match self.exchange.engine.open(trunk_address.ip()) {
            Ok(media) => media,
            Err(error) => {
                warn!(%error, "no line for the call");
                return failed(script);
            }
        };
        let mut seed = Seed::fresh();
        let mut rtp = media.local;
        if rtp.ip().is_unspecified() {
            rtp.set_ip(local.ip());
        }
        let plan = InvitePlan {
            trunk,
            number: self.number.clone(),
            local,
            offer: offer_answer::offer(rtp, &self.exchange.codecs, seed.below(1 << 53)),
            ring: self.exchange.policy.ring,
        };
        let now = clock::now();
        let invite = Invite::new(plan, seed, now);
        let call_id = invite.call_id().to_owned();
        let line = match self.exchange.agent.line(&name, &call_id) {
            Ok(line) => line,
            Err(error) => {
                warn!(%error, "the call was not placed");
                return failed(script);
            }
        };
        let (ahead, unspeakable) = (script.lines_ahead(), script.unspeakable_line());
        let call = Call::new(invite, script, self.exchange.codecs.clone(), now);
        let codec =
            self.exchange.codecs.first().copied().unwrap_or(crate::media::codec::Codec::Pcmu);
        let mut live = Live {
            about: self.about,
            call,
            line,
            media,
            voice: Voice::new(self.exchange.speaker.clone(), codec, unspeakable),
            recorder: Recorder::new(
                self.exchange.store.clone(),
                self.about.attempt(),
                self.exchange.sealing.clone(),
            ),
            errands: JoinSet::new(),
            exchange: self.exchange,
            over: None,
            stop_calls: false,
        };
        live.carry_out().await;
        live.voice.prepare(ahead);
        let over = live.run(self.stop).await;
        let stop_calls = live.stop_calls;
        let stopping = *self.stop.borrow() == Stop::ShuttingDown;
        let script = live.end(stopping, &over.ending).await;
        let rang = over.rang.is_some();
        let outcome = match outcome(&over.ending, rang) {
            Outcome::Answered | Outcome::Cancelled if stopping => Outcome::Interrupted,
            Outcome::Cancelled if over.talked.is_some() => Outcome::Answered,
            // We hung up on an answer that could not be talked on.
            Outcome::Answered if over.talked.is_none() => Outcome::TrunkFailed,
            other => other,
        };
        let (status, retry_after) = match over.ending {
            Ending::Refused { status, retry_after } => (Some(status), retry_after),
            Ending::NoResponse
            | Ending::TransportFailed
            | Ending::NoAnswer
            | Ending::Cancelled
            | Ending::ByUs
            | Ending::ByPeer => (None, None),
        };
        let attempt = Attempt {
            outcome,
            status,
            rang: over.rang.unwrap_or_default(),
            talked: over.talked.unwrap_or_default(),
            sip_call_id: call_id,
            trunk: name,
            stop_calls,
            retry_after,
        };
        (attempt, is_trunks_fault(&over.ending, rang), script)
    }
}

/// A call on its way, and everything it holds.
struct Live<'c> {
    about: About<'c>,
    call: Call,
    line: transport::Line,
    media: engine::Line,
    voice: Voice,
    recorder: Recorder,
    errands: JoinSet<Done>,
    exchange: &'c Exchange,
    over: Option<Over>,
    stop_calls: bool,
}

/// What an errand to the store came back with.
enum Done {
    Told,
    Recorded(Recorded),
    Committed(bool),
    Pin(bool),
    More(Vec<Message>),
}

impl Live<'_> {
    async fn run(&mut self, stop: &mut watch::Receiver<Stop>) -> Over {
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
                Some(event) = self.media.events.recv() => Input::Media(event),
                Some(done) = self.errands.join_next() => match done {
                    Ok(Done::Told) => continue,
                    Ok(Done::Recorded(recorded)) => self.recorded(recorded),
                    Ok(Done::Pin(right)) => Input::Pin(right),
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
    async fn carry_out(&mut self) -> bool {
        let mut answered = false;
        let mut stream = None;
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
                        stream = Some(agreed);
                    }
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
        answered
    }

    fn items(&self, messages: &[Message]) -> Vec<Item> {
        match self.about {
            About::Messages { teller, .. } => messages.iter().map(|it| teller.item(it)).collect(),
            About::Code(_) => vec![],
        }
    }

    /// The recording is kept, if it is long enough.
    fn recorded(&mut self, recorded: Recorded) -> Input<'static> {
        self.voice.has_recorded(&recorded.samples);
        self.recorder.has_kept(recorded.kept);
        Input::Recorded(recorded.voice)
    }

    fn tell_progress(&mut self, progress: Progress) {
        let About::Messages { attempt, .. } = self.about else { return };
        let store = self.exchange.store.clone();
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
                let About::Messages { teller, .. } = self.about else { return };
                let pin = teller.callee.pin.clone();
                self.errands.spawn(async move {
                    let is_it = move || pin.is_none_or(|pin| pin.is(&digits));
                    Done::Pin(spawn_blocking(is_it).await.unwrap_or_default())
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
            | Output::Ringing
            | Output::Answered
            | Output::Speak(..)
            | Output::Record
            | Output::StopRecording(_)
            | Output::Hush => unreachable!("done by the caller"),
        }
    }

    /// Waits for what is being stored, and leaves the dialog to itself, or sees it out when the program ends.
    async fn end(mut self, stopping: bool, ending: &Ending) -> Talk {
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
        script
    }
}

async fn wanted(
    stop: &mut watch::Receiver<Stop>,
    known: Stop,
) -> Result<Stop, watch::error::RecvError> {
    stop.wait_for(|asked| *asked != known).await.map(|asked| *asked)
}

fn unplaced(outcome: Outcome) -> Attempt {
    Attempt {
        outcome,
        status: None,
        rang: Duration::ZERO,
        talked: Duration::ZERO,
        sip_call_id: String::new(),
        trunk: String::new(),
        stop_calls: false,
        retry_after: None,
    }
}

const IDLE: Duration = Duration::from_secs(3600);
const CODE_CALL_MAX: Duration = Duration::from_secs(120);
const STOPPING_MAX: Duration = Duration::from_secs(2);
