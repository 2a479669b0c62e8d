//! One call as a machine: signalling, audio and script composed. It translates between them and decides nothing but the end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tracing::debug;

use crate::media::answering_machine::PickedUp;
use crate::media::{Event, Negotiated};
use crate::notification::{Answer, MessageId};
use crate::script::prompt::Line;
use crate::script::screening::{self, Screening};
use crate::script::{self, Item, Talk};
use crate::sip::invite::{self, Ending, Invite};
use crate::sip::offer_answer::{self, AnswerError};
use crate::sip::trunk::Dtmf;

/// An [`Invite`] and the [`Talk`] that is played when it is answered.
///
/// Contract: `handle`, then `poll` until `None`, then sleep until `deadline` and hand in [`Input::Tick`].
#[derive(Debug)]
pub struct Call {
    invite: Invite,
    script: Talk,
    dtmf: Dtmf,
    early: Option<String>,
    unfit: Option<AnswerError>,
    speech: u32,
    /// All that a machine is to hear, if machines are told from people.
    notice: Option<Line>,
    screening: Option<Screening>,
    keyed: bool,
    found: PickedUp,
    rang: Option<Instant>,
    answered: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// What happens.
#[derive(Debug)]
pub enum Input<'b> {
    /// A SIP message for this call.
    Sip(&'b [u8]),
    /// The trunk cannot be reached.
    TransportFailed,
    /// Something on the line.
    Media(Event),
    /// What was recorded; so much of it is voice.
    Recorded(Duration),
    /// Whether the digits of [`Output::CheckPin`] are the PIN.
    Pin(bool),
    /// What [`Output::Identify`] found: this is to be said from now on.
    Admitted(Box<Talk>),
    /// What was committed is durable, or will not be.
    Committed(bool),
    /// Messages that came in meanwhile.
    More(Vec<Item>),
    /// This message cannot be said; something else is.
    Unspeakable(MessageId),
    /// The call is to end.
    HangUp,
    /// The deadline has come.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this to the trunk.
    SendSip(Vec<u8>),
    /// Send and hear audio so.
    Stream(Negotiated),
    /// Find out who picked up.
    Screen,
    /// The phone rings.
    Ringing,
    /// The phone was answered.
    Answered,
    /// Say these, then tell [`Event::Played`] with this tag.
    Speak(Vec<Line>, u32),
    /// Fall silent; what was being said tells no end.
    Hush,
    /// This message was spoken to its end.
    Heard(MessageId),
    /// The callee knows of this message, but it was not spoken.
    Passed(MessageId),
    /// Make this durable, then tell [`Input::Committed`].
    Commit(Answer),
    /// Record what is heard; that it is over by itself is told by [`Event::RecordingOver`].
    Record,
    /// Keep what was recorded in answer to this message, then tell [`Input::Recorded`].
    StopRecording(MessageId),
    /// Make what was recorded the answer to this message, then tell [`Input::Committed`].
    CommitVoice(MessageId),
    /// Tell by [`Input::Pin`] whether these digits are the callee's PIN.
    CheckPin(String),
    /// Find out whose number and PIN these are, and tell by [`Input::Admitted`], or by [`Input::Pin`].
    Identify {
        /// As it was typed.
        number: String,
        /// The digits.
        pin: String,
    },
    /// Make durable that the code may be used from now on, then tell [`Input::Committed`].
    CodeWanted,
    /// Make durable that the callee wants no more calls, then tell [`Input::Committed`].
    StopCalls,
    /// Look for more messages, then tell [`Input::More`].
    CheckForMore,
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
    /// How long was talked; `None` if nobody answered.
    pub talked: Option<Duration>,
    /// Why an answer could not be talked on.
    pub unfit: Option<AnswerError>,
    /// What the telephone network has said of the end, as a cause of Q.850.
    pub cause: Option<u8>,
    /// Who picked up; `None` if nobody answered.
    pub picked_up: Option<PickedUp>,
}

impl Call {
    /// Begins the call.
    pub fn new(
        invite: Invite,
        script: Talk,
        dtmf: Dtmf,
        notice: Option<Line>,
        now: Instant,
    ) -> Self {
        let mut call = Self {
            invite,
            script,
            dtmf,
            early: None,
            unfit: None,
            speech: 0,
            notice,
            screening: None,
            keyed: false,
            found: PickedUp::Unknown,
            rang: None,
            answered: None,
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
            Input::HangUp | Input::Media(Event::Silent(_)) => {
                self.invite.handle(invite::Input::HangUp, now)
            }
            Input::Media(Event::Key(key)) => self.key(key, now),
            Input::Media(Event::Heard(heard)) => {
                self.screen(screening::Input::Heard(heard), now);
            }
            Input::Media(Event::Played(tag)) if tag == self.speech => {
                if !self.screen(screening::Input::Spoken, now) {
                    self.script.handle(script::Input::Spoken, now);
                }
            }
            Input::Media(Event::Played(_)) => {}
            Input::Media(Event::RecordingOver) => self.script.handle(script::Input::Enough, now),
            Input::Recorded(voice) => self.script.handle(script::Input::Recorded(voice), now),
            Input::Pin(right) => self.script.handle(script::Input::Pin(right), now),
            Input::Admitted(talk) => {
                self.script = *talk;
                self.script.handle(script::Input::Answered, now);
            }
            Input::Committed(true) => self.script.handle(script::Input::Committed, now),
            Input::Committed(false) => self.script.handle(script::Input::CommitFailed, now),
            Input::More(items) => self.script.handle(script::Input::More(items), now),
            Input::Unspeakable(id) => self.script.handle(script::Input::Unspeakable(id), now),
            Input::Tick => {
                self.invite.handle(invite::Input::Tick, now);
                self.screen(screening::Input::Tick, now);
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
        let screening = self.screening.as_ref().and_then(Screening::deadline);
        [self.invite.deadline(), self.script.deadline(), screening].into_iter().flatten().min()
    }

    /// The message to which something was recorded that is not sent yet.
    pub fn unsent_voice(&self) -> Option<MessageId> {
        self.script.unsent_voice()
    }

    /// The SIP dialog, which may outlive the call for late messages, and the script for another try.
    pub fn into_parts(self) -> (Invite, Talk) {
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
                self.rang = Some(now);
                self.outputs.push_back(Output::Ringing);
            }
            // It is not listened to; an answer may rely on it, though.
            invite::Output::EarlyMedia(sdp) => self.early = Some(sdp),
            invite::Output::Answered(sdp) => self.answered(sdp, now),
            invite::Output::Taken(agreed) => self.talk(agreed, now),
            invite::Output::Reoffered(agreed) => {
                self.outputs.push_back(Output::Stream(self.dtmf.heard(agreed)));
            }
            invite::Output::Key(key) => self.key(key, now),
            invite::Output::Over(ending) => {
                let until = self.answered.unwrap_or(now);
                let rang = self.rang.map(|from| until.duration_since(from));
                let talked = self.answered.map(|from| now.duration_since(from));
                let picked_up = self.answered.map(|_| self.picked_up());
                let (cause, unfit) = (self.invite.cause(), self.unfit);
                let over = Over { ending, cause, rang, talked, unfit, picked_up };
                self.outputs.push_back(Output::Over(over));
            }
            invite::Output::Done => {}
        }
    }

    fn answered(&mut self, sdp: String, now: Instant) {
        let description = if sdp.is_empty() { self.early.take().unwrap_or_default() } else { sdp };
        match offer_answer::accept(&description, self.invite.offer()) {
            Ok(agreed) => self.talk(agreed, now),
            Err(error) => {
                debug!(%error, "the call was answered but cannot be talked on");
                self.unfit = Some(error);
                self.invite.handle(invite::Input::HangUp, now);
            }
        }
    }

    fn talk(&mut self, agreed: Negotiated, now: Instant) {
        self.answered = Some(now);
        self.outputs.extend([Output::Stream(self.dtmf.heard(agreed)), Output::Answered]);
        match self.notice.take() {
            Some(notice) => {
                self.screening = Some(Screening::new(notice, now));
                self.outputs.push_back(Output::Screen);
            }
            None => self.script.handle(script::Input::Answered, now),
        }
    }

    fn key(&mut self, key: char, now: Instant) {
        // What is no person's key is none for the script either.
        if !self.screen(screening::Input::Key, now) {
            self.keyed = true;
            self.script.handle(script::Input::Key(key), now);
        }
    }

    /// Tells whether it is still being found out who picked up.
    fn screen(&mut self, input: screening::Input, now: Instant) -> bool {
        let Some(screening) = &mut self.screening else { return false };
        screening.handle(input, now);
        let mut goes_on = true;
        while let Some(output) = screening.poll() {
            match output {
                screening::Output::LetIn => {
                    goes_on = false;
                    self.script.handle(script::Input::Answered, now);
                }
                screening::Output::Speak(line) => {
                    self.speech += 1;
                    self.outputs.push_back(Output::Speak(vec![line], self.speech));
                }
                screening::Output::Hush => {
                    self.speech += 1;
                    self.outputs.push_back(Output::Hush);
                }
                screening::Output::HangUp => self.invite.handle(invite::Input::HangUp, now),
            }
        }
        if !goes_on {
            self.found = screening.who();
            self.screening = None;
        }
        goes_on
    }

    fn picked_up(&self) -> PickedUp {
        match &self.screening {
            _ if self.keyed => PickedUp::Human,
            Some(screening) => screening.who(),
            None => self.found,
        }
    }

    fn translate_script(&mut self, output: script::Output, now: Instant) {
        let output = match output {
            script::Output::Speak(lines) => {
                self.speech += 1;
                Output::Speak(lines, self.speech)
            }
            script::Output::Hush => {
                // Whatever was playing is no longer waited for.
                self.speech += 1;
                Output::Hush
            }
            script::Output::Heard(id) => Output::Heard(id),
            script::Output::Passed(id) => Output::Passed(id),
            script::Output::Commit(answer) => Output::Commit(answer),
            script::Output::Record => Output::Record,
            script::Output::StopRecording(id) => Output::StopRecording(id),
            script::Output::CommitVoice(id) => Output::CommitVoice(id),
            script::Output::CheckPin(digits) => Output::CheckPin(digits),
            script::Output::Identify { number, pin } => Output::Identify { number, pin },
            script::Output::CodeWanted => Output::CodeWanted,
            script::Output::StopCalls => Output::StopCalls,
            script::Output::CheckForMore => Output::CheckForMore,
            script::Output::HangUp => return self.invite.handle(invite::Input::HangUp, now),
        };
        self.outputs.push_back(output);
    }
}
