//! The far end of a call, on the wire: a trunk and a phone that speak SIP.

use std::time::Duration;

use offhook::media::Fault;
use offhook::notification::MessageId;
use offhook::sip::message::Message;

/// What becomes of a call at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Rings for so long, then somebody picks up.
    Answers(Duration),
    /// Refuses with this status after so long; whether it rings before.
    Refuses { status: u16, after: Duration, rings: bool },
    /// Rings until it is stopped.
    RingsOut,
    /// Says nothing at all.
    Silent,
    /// Phones us, instead of being phoned.
    Calls,
}

/// Something that happens at the phone, in its callee's hand, or on the line of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PhoneStep {
    Rings,
    PicksUp,
    Refuses,
    /// What was not acknowledged is sent again.
    SendsAgain(u32),
    Key(char),
    HangsUp,
    /// The phone is gone from the network, and says nothing more.
    Vanishes,
    /// Our media notices that.
    FallsSilent(Fault),
    /// A clip of ours begins, or ends, in this generation of what is played.
    Began {
        generation: u32,
        tag: u32,
        body: Option<MessageId>,
    },
    Played {
        generation: u32,
        tag: u32,
    },
    /// The recorder has heard silence for long enough.
    StopsSpeaking,
}

/// What the far end does about it.
#[derive(Debug, Default)]
pub(crate) struct Doings {
    pub(crate) sends: Vec<Vec<u8>>,
    pub(crate) plans: Vec<(Duration, PhoneStep)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineState {
    Idle,
    Ringing,
    Talking,
    Over,
}

/// A phone behind a trunk.
#[derive(Debug)]
pub(crate) struct FarEnd {
    pub(crate) manner: Manner,
    pub(crate) state: LineState,
    /// The INVITE that it has, or has sent.
    invite: Option<Message>,
    /// Its last final response, until that is acknowledged.
    unacknowledged: Option<Vec<u8>>,
    last_response: Option<Vec<u8>>,
    /// In a call of its own: our tag.
    our_tag: String,
    vanished: bool,
    bye: Option<Vec<u8>>,
}

impl FarEnd {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            state: LineState::Idle,
            invite: None,
            unacknowledged: None,
            last_response: None,
            our_tag: String::new(),
            vanished: false,
            bye: None,
        }
    }

    /// Phones us from this number.
    pub(crate) fn phones(number: &str, call: u64) -> (Self, Vec<u8>) {
        let sdp = description();
        let invite = format!(
            "INVITE sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKin{call}\r\n\
             From: <sip:{number}@pbx>;tag=c\r\nTo: <sip:offhook@pbx>\r\nCall-ID: in{call}@192.0.2.1\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:bob@192.0.2.1>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        )
        .into_bytes();
        let mut far_end = Self::new(Manner::Calls);
        far_end.invite = Some(Message::parse(&invite).unwrap());
        (far_end, invite)
    }

    /// Whether it has not heard of a call yet.
    pub(crate) fn is_new(&self) -> bool {
        self.invite.is_none()
    }

    /// Takes a SIP message of ours.
    pub(crate) fn receives(&mut self, bytes: &[u8]) -> Doings {
        if self.vanished || self.manner == Manner::Silent {
            return Doings::default();
        }
        let message = Message::parse(bytes).expect("what we send is SIP");
        match (message.status(), message.method.as_str()) {
            (Some(status), "INVITE") => self.is_answered(status, &message),
            (Some(_), _) => {
                self.bye = None;
                Doings::default()
            }
            (None, "INVITE") => self.invited(message),
            (None, "ACK") => {
                self.unacknowledged = None;
                Doings::default()
            }
            (None, "CANCEL") => self.cancelled(&message),
            (None, "BYE") => {
                self.state = LineState::Over;
                self.unacknowledged = None;
                Doings { sends: vec![message.respond(200, "a").end()], ..Doings::default() }
            }
            (None, _) => {
                Doings { sends: vec![message.respond(200, "a").end()], ..Doings::default() }
            }
        }
    }

    fn invited(&mut self, message: Message) -> Doings {
        if self.invite.is_some() {
            // It came twice; so does what was said to it last.
            let sends = self.last_response.iter().cloned().collect();
            return Doings { sends, ..Doings::default() };
        }
        let trying = message.respond(100, "").end();
        self.invite = Some(message);
        let soon = Duration::from_millis(200);
        let plans = match self.manner {
            Manner::Answers(rings) => {
                vec![(soon, PhoneStep::Rings), (soon + rings, PhoneStep::PicksUp)]
            }
            Manner::RingsOut => vec![(soon, PhoneStep::Rings)],
            Manner::Refuses { after, rings, .. } => {
                let rings = rings.then_some((after / 2, PhoneStep::Rings));
                rings.into_iter().chain([(after, PhoneStep::Refuses)]).collect()
            }
            Manner::Silent | Manner::Calls => vec![],
        };
        Doings { sends: vec![trying], plans }
    }

    fn cancelled(&mut self, message: &Message) -> Doings {
        let mut sends = vec![message.respond(200, "a").end()];
        let mut plans = vec![];
        if self.unacknowledged.is_none()
            && matches!(self.state, LineState::Idle | LineState::Ringing)
        {
            self.state = LineState::Over;
            let doings = self.finally(487, false);
            sends.extend(doings.sends);
            plans.extend(doings.plans);
        }
        Doings { sends, plans }
    }

    /// Our response to the INVITE of its own.
    fn is_answered(&mut self, status: u16, message: &Message) -> Doings {
        if status < 200 {
            return Doings::default();
        }
        if status >= 300 {
            self.state = LineState::Over;
        } else if self.state == LineState::Idle {
            self.state = LineState::Talking;
        }
        self.our_tag = message.to.tag.clone().unwrap_or_default();
        Doings { sends: vec![self.request("ACK", 1)], ..Doings::default() }
    }

    /// Something happens at the phone itself.
    pub(crate) fn steps(&mut self, step: &PhoneStep) -> Doings {
        match (step, self.state) {
            (PhoneStep::Rings, LineState::Idle) => {
                self.state = LineState::Ringing;
                self.responds(180)
            }
            (PhoneStep::PicksUp, LineState::Idle | LineState::Ringing) => {
                self.state = LineState::Talking;
                self.finally(200, true)
            }
            (PhoneStep::Refuses, LineState::Idle | LineState::Ringing) => {
                self.state = LineState::Over;
                let Manner::Refuses { status, .. } = self.manner else { return Doings::default() };
                self.finally(status, false)
            }
            (PhoneStep::SendsAgain(times), _) if *times < SENT_AGAIN_MAX && !self.vanished => {
                let again = self.unacknowledged.iter().chain(&self.bye).cloned().collect();
                let plans = vec![(Duration::from_secs(1), PhoneStep::SendsAgain(times + 1))];
                Doings { sends: again, plans }
            }
            (PhoneStep::HangsUp, LineState::Talking) if self.unacknowledged.is_none() => {
                self.state = LineState::Over;
                let bye = self.request("BYE", 2);
                self.bye = Some(bye.clone());
                let plans = vec![(Duration::from_secs(1), PhoneStep::SendsAgain(0))];
                Doings { sends: vec![bye], plans }
            }
            (PhoneStep::Vanishes, LineState::Talking) => {
                (self.vanished, self.state) = (true, LineState::Over);
                Doings {
                    plans: vec![(SILENCE, PhoneStep::FallsSilent(Fault::FellSilent))],
                    ..Doings::default()
                }
            }
            _ => Doings::default(),
        }
    }

    fn responds(&mut self, status: u16) -> Doings {
        let Some(invite) = &self.invite else { return Doings::default() };
        let response = invite.respond(status, "a").header("Contact", "<sip:bob@192.0.2.1>").end();
        self.last_response = Some(response.clone());
        Doings { sends: vec![response], ..Doings::default() }
    }

    /// A final response, sent again until it is acknowledged.
    fn finally(&mut self, status: u16, with_sdp: bool) -> Doings {
        let Some(invite) = &self.invite else { return Doings::default() };
        let response = invite.respond(status, "a").header("Contact", "<sip:bob@192.0.2.1>");
        let response = match with_sdp {
            true => response.body("application/sdp", &description()),
            false => response.end(),
        };
        self.last_response = Some(response.clone());
        self.unacknowledged = Some(response.clone());
        let plans = vec![(Duration::from_secs(1), PhoneStep::SendsAgain(0))];
        Doings { sends: vec![response], plans }
    }

    /// A request of the phone in the dialog.
    fn request(&self, method: &str, cseq: u32) -> Vec<u8> {
        let invite = self.invite.as_ref().expect("it is in a call");
        let (from, to) = match self.manner {
            Manner::Calls => {
                (invite.from.text.clone(), format!("<sip:offhook@pbx>;tag={}", self.our_tag))
            }
            _ => (format!("{};tag=a", invite.to.text), invite.from.text.clone()),
        };
        format!(
            "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{method}{cseq}\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:bob@192.0.2.1>\r\n\
             Content-Length: 0\r\n\r\n",
            invite.call_id
        )
        .into_bytes()
    }
}

fn description() -> String {
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
     m=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n"
        .to_owned()
}

const SENT_AGAIN_MAX: u32 = 20;
/// `media.silence_s`
const SILENCE: Duration = Duration::from_secs(30);
