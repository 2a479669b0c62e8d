//! One call as a machine: signalling, audio and script composed. It translates between them and decides nothing but the end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tracing::debug;

use super::speech_tag;
use crate::media::answering_machine::PickedUp;
use crate::media::codec::Codec;
use crate::media::key_presses::KeyPresses;
use crate::media::{MediaEvent, Negotiated};
use crate::notification::MessageId;
use crate::script::machine_detection::{self, MachineDetection};
use crate::script::prompt::Prompt;
use crate::script::{self, CallFlow, Request, SpokenMessage};
use crate::sip::invite::{self, Ending, Invite, Reason};
use crate::sip::offer_answer::{self, AnswerError};
use crate::sip::trunk::Dtmf;

/// An [`Invite`] and the [`CallFlow`] that is played when it is answered.
///
/// Contract: `handle`, then `poll` until `None`, then sleep until `deadline` and hand in [`Input::Tick`].
#[derive(Debug)]
pub struct Call {
    invite: Invite,
    script: CallFlow,
    dtmf: Dtmf,
    /// The answer to our offer that came before the call was answered.
    early_sdp: Option<String>,
    /// Why the answer was of no use.
    unfit: Option<AnswerError>,
    /// The tag of what is spoken now, and what of it has not been played.
    speech: u32,
    spoken: Vec<Prompt>,
    /// The last prompt of what the script had spoken last: a question, if it asks one.
    last: Option<Prompt>,
    codec: Option<Codec>,
    /// All that an answering machine hears, if machines are detected.
    notice: Option<Prompt>,
    detection: Option<MachineDetection>,
    picked_up: PickedUp,
    key_pressed: bool,
    presses: KeyPresses<KeyMethod>,
    ringing_since: Option<Instant>,
    answered_at: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// How a key is told. Phones can be set to tell each by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyMethod {
    /// With the sound: as a telephone event or as tones.
    Media,
    /// In the signalling: INFO.
    Info,
}

/// What happens.
#[derive(Debug)]
pub enum Input<'b> {
    /// A SIP message for this call.
    Sip(&'b [u8]),
    /// The trunk cannot be reached.
    TransportFailed,
    /// What the RTP stream tells.
    Media(MediaEvent),
    /// The recording is over and kept; so much of it is voice.
    Recorded(Duration),
    /// Whether the digits of [`Request::CheckPin`] are the PIN.
    Pin(bool),
    /// What [`Request::Identify`] found: the call goes on with this flow.
    Identified(Box<CallFlow>),
    /// What was committed is durable, or will not be.
    Committed(bool),
    /// Messages that came in meanwhile.
    More(Vec<SpokenMessage>),
    /// This message was taken back.
    Dropped(MessageId),
    /// This message was corrected: the other is to be read in its place.
    Corrected(MessageId, SpokenMessage),
    /// This message cannot be rendered; another sentence is spoken in its place.
    Unspeakable(MessageId),
    /// The call is to end.
    HangUp(Reason),
    /// The deadline has come.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this to the trunk.
    SendSip(Vec<u8>),
    /// Send and receive RTP as agreed.
    Stream(Negotiated),
    /// Find out who picked up.
    DetectMachine,
    /// Listen for keys in the sound too.
    ListenForTones,
    /// Keep this until the call is settled, in place of what came before: what another run of the program would need to end it.
    Dialog(String),
    /// The phone rings.
    Ringing,
    /// The phone was answered.
    Answered,
    /// Speak these, then tell [`MediaEvent::Played`] with this tag; before it, with those tags by which `speech_tag` tells
    /// how many are left.
    Speak(Vec<Prompt>, u32),
    /// Fall silent; what was being spoken tells no end.
    StopPlayback,
    /// Something that the script asks of the store or the recorder; [`Input`] tells what came of it.
    Request(Request),
    /// The call is over. Last; the invite may still have something to absorb.
    Over(Over),
}

/// How the call went.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// How it ended.
    pub ending: Ending,
    /// How long it rang; `None` if it never did.
    pub rang: Option<Duration>,
    /// From the answer to the end; `None` if nobody answered.
    pub talked: Option<Duration>,
    /// Why the SDP answer was of no use.
    pub unfit: Option<AnswerError>,
    /// The Q.850 cause that the telephone network gave.
    pub cause: Option<u8>,
    /// Who picked up; `None` if nobody answered.
    pub picked_up: Option<PickedUp>,
}

impl Call {
    /// Begins the call.
    pub fn new(
        invite: Invite,
        script: CallFlow,
        dtmf: Dtmf,
        notice: Option<Prompt>,
        now: Instant,
    ) -> Self {
        let mut call = Self {
            invite,
            script,
            dtmf,
            early_sdp: None,
            unfit: None,
            speech: 0,
            spoken: vec![],
            last: None,
            codec: None,
            notice,
            detection: None,
            picked_up: PickedUp::Unknown,
            key_pressed: false,
            presses: KeyPresses::default(),
            ringing_since: None,
            answered_at: None,
            outputs: VecDeque::new(),
        };
        call.translate(now);
        call
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::Sip(bytes) => self.invite.handle(invite::Input::Received(bytes), now),
            Input::TransportFailed => self.invite.handle(invite::Input::TransportFailed, now),
            Input::HangUp(reason) => self.invite.handle(invite::Input::HangUpFor(reason), now),
            Input::Media(MediaEvent::Silent(_)) => {
                self.invite.handle(invite::Input::HangUpFor(Reason::NoRtp), now);
            }
            Input::Media(MediaEvent::Key(key)) => self.key(key, KeyMethod::Media, now),
            Input::Media(MediaEvent::KeyHeld(key)) => {
                self.presses.is_held(key, KeyMethod::Media, now);
            }
            Input::Media(MediaEvent::Heard(heard)) => {
                self.detect(machine_detection::Input::Heard(heard), now);
            }
            Input::Media(MediaEvent::Began(tag)) => {
                if tag == self.speech && self.detection.is_none() {
                    self.script.handle(script::Input::Began, now);
                }
            }
            Input::Media(MediaEvent::Played(tag)) => self.played(tag, now),
            Input::Media(MediaEvent::RecordingOver) => {
                self.script.handle(script::Input::Enough, now)
            }
            Input::Recorded(voice) => self.script.handle(script::Input::Recorded(voice), now),
            Input::Pin(right) => self.script.handle(script::Input::Pin(right), now),
            Input::Identified(flow) => {
                self.script = *flow;
                self.script.handle(script::Input::Answered, now);
            }
            Input::Committed(true) => self.script.handle(script::Input::Committed, now),
            Input::Committed(false) => self.script.handle(script::Input::CommitFailed, now),
            Input::More(items) => self.script.handle(script::Input::More(items), now),
            Input::Dropped(id) => self.script.handle(script::Input::Dropped(id), now),
            Input::Corrected(id, instead) => {
                self.script.handle(script::Input::Corrected(id, instead), now);
            }
            Input::Unspeakable(id) => self.script.handle(script::Input::Unspeakable(id), now),
            Input::Tick => {
                self.invite.handle(invite::Input::Tick, now);
                self.detect(machine_detection::Input::Tick, now);
                self.script.handle(script::Input::Tick, now);
            }
        }
        self.translate(now);
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let detection = self.detection.as_ref().and_then(MachineDetection::deadline);
        [self.invite.deadline(), self.script.deadline(), detection].into_iter().flatten().min()
    }

    /// The message to which something was recorded that is not sent yet.
    pub fn unsent_voice(&self) -> Option<MessageId> {
        self.script.unsent_voice()
    }

    /// The message that is being read aloud.
    pub fn cut(&self) -> Option<MessageId> {
        self.script.cut()
    }

    /// The SIP dialog, which may outlive the call for late messages, and the script for another try.
    pub fn into_parts(self) -> (Invite, CallFlow) {
        (self.invite, self.script)
    }

    fn translate(&mut self, now: Instant) {
        loop {
            if let Some(output) = self.invite.poll() {
                self.translate_sip(output, now);
            } else if let Some(output) = self.script.poll() {
                self.translate_script(output, now);
            } else {
                return;
            }
        }
    }

    fn translate_sip(&mut self, output: invite::Output, now: Instant) {
        match output {
            invite::Output::Send(bytes) => self.outputs.push_back(Output::SendSip(bytes)),
            invite::Output::Ringing => {
                self.ringing_since = Some(now);
                self.outputs.push_back(Output::Ringing);
            }
            // Early media is not played or listened to, but a 200 without SDP relies on it.
            invite::Output::EarlyMedia(sdp) => self.early_sdp = Some(sdp),
            invite::Output::Answered(sdp) => self.answered(sdp, now),
            invite::Output::Accepted(agreed) => self.begin_media(agreed, now),
            invite::Output::Reoffered(agreed) => self.change_media(agreed),
            invite::Output::Dialog(record) => self.outputs.push_back(Output::Dialog(record)),
            invite::Output::Key(key) => self.key(key, KeyMethod::Info, now),
            invite::Output::Over(ending) => {
                let rang_until = self.answered_at.unwrap_or(now);
                let rang = self.ringing_since.map(|since| rang_until.duration_since(since));
                let talked = self.answered_at.map(|since| now.duration_since(since));
                let picked_up = self.answered_at.map(|_| self.picked_up());
                let (cause, unfit) = (self.invite.cause(), self.unfit);
                let over = Over { ending, cause, rang, talked, unfit, picked_up };
                self.outputs.push_back(Output::Over(over));
            }
            invite::Output::Done => {}
        }
    }

    fn answered(&mut self, sdp: String, now: Instant) {
        let description =
            if sdp.is_empty() { self.early_sdp.take().unwrap_or_default() } else { sdp };
        match offer_answer::accept(&description, self.invite.offer()) {
            Ok(agreed) => self.begin_media(agreed, now),
            Err(error) => {
                debug!(%error, "answer of the far end is of no use");
                self.unfit = Some(error);
                self.invite.handle(invite::Input::HangUp, now);
            }
        }
    }

    fn begin_media(&mut self, agreed: Negotiated, now: Instant) {
        self.answered_at = Some(now);
        self.codec = Some(agreed.codec);
        self.outputs.extend([Output::Stream(self.dtmf.heard(agreed)), Output::Answered]);
        match self.notice.take() {
            Some(notice) => {
                self.detection = Some(MachineDetection::new(notice, now));
                self.outputs.push_back(Output::DetectMachine);
            }
            None => self.script.handle(script::Input::Answered, now),
        }
    }

    /// One prompt has been played.
    fn played(&mut self, tag: u32, now: Instant) {
        let Some(left) = speech_tag::left(self.speech, tag) else { return };
        let done = self.spoken.len().saturating_sub(left);
        self.spoken.drain(..done);
        if left == 0 && !self.detect(machine_detection::Input::Spoken, now) {
            self.script.handle(script::Input::Spoken, now);
        }
    }

    /// The prompt that was being spoken in another codec is spoken again in this one, and then what follows it.
    fn change_media(&mut self, agreed: Negotiated) {
        let changed = self.codec.replace(agreed.codec) != Some(agreed.codec);
        self.outputs.push_back(Output::Stream(self.dtmf.heard(agreed)));
        if changed && !self.spoken.is_empty() {
            let spoken = std::mem::take(&mut self.spoken);
            self.stop_playback();
            self.speak(spoken);
        }
    }

    fn key(&mut self, key: char, method: KeyMethod, now: Instant) {
        if !self.presses.is_new(key, method, now) {
            return debug!("press dropped that another method has told");
        }
        // A key that proves no person is no key for the script either.
        if !self.detect(machine_detection::Input::Key, now) {
            self.key_pressed = true;
            self.script.handle(script::Input::Key(key), now);
        }
    }

    /// Hands an input to machine detection, and begins the script once a person may be listening. Tells whether
    /// detection goes on.
    fn detect(&mut self, input: machine_detection::Input, now: Instant) -> bool {
        let Some(detection) = &mut self.detection else { return false };
        detection.handle(input, now);
        let outputs: Vec<_> = std::iter::from_fn(|| detection.poll()).collect();
        self.picked_up = detection.who();
        for output in outputs {
            match output {
                machine_detection::Output::LetIn => {
                    self.detection = None;
                    self.script.handle(script::Input::Answered, now);
                }
                machine_detection::Output::Speak(notice) => self.speak(vec![notice]),
                machine_detection::Output::StopPlayback => self.stop_playback(),
                machine_detection::Output::HangUp => self.invite.handle(invite::Input::HangUp, now),
            }
        }
        self.detection.is_some()
    }

    fn picked_up(&self) -> PickedUp {
        if self.key_pressed { PickedUp::Human } else { self.picked_up }
    }

    fn translate_script(&mut self, output: script::Output, now: Instant) {
        match output {
            script::Output::Speak(prompts) => {
                self.listen_for_tones_where_no_key_comes(&prompts);
                self.speak(prompts);
            }
            script::Output::StopPlayback => self.stop_playback(),
            script::Output::Request(request) => self.outputs.push_back(Output::Request(request)),
            script::Output::HangUp => self.invite.handle(invite::Input::HangUp, now),
        }
    }

    /// A question that is asked again before any key has come was perhaps answered by tones. An operator who has set how
    /// keys come means it.
    fn listen_for_tones_where_no_key_comes(&mut self, prompts: &[Prompt]) {
        let last = prompts.last().cloned();
        if last.is_some() && last == self.last && !self.key_pressed && self.dtmf == Dtmf::Auto {
            self.outputs.push_back(Output::ListenForTones);
        }
        self.last = last;
    }

    fn speak(&mut self, prompts: Vec<Prompt>) {
        self.speech = speech_tag::next(self.speech);
        self.spoken.clone_from(&prompts);
        self.outputs.push_back(Output::Speak(prompts, self.speech));
    }

    /// The end of what was playing is waited for no more.
    fn stop_playback(&mut self) {
        self.speech = speech_tag::next(self.speech);
        self.spoken.clear();
        self.outputs.push_back(Output::StopPlayback);
    }
}
