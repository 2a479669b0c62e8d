//! Calls as timelines: what the trunk, the callee and the store do, and what the call does about it.

mod codec_changes;
mod held;
mod presses;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::words::{description, requested, said};
use super::machine::{Call, Input, Output};
use super::outcome::outcome;
use crate::clock;
use crate::media::answering_machine::{Heard, PickedUp};
use crate::media::codec::Codec;
use crate::media::{Fault, MediaEvent};
use crate::notification::MessageId;
use crate::script::menu::Menu;
use crate::script::prompt::{Prompt, Prompts};
use crate::script::{CallFlow, Opening, ScriptSettings, SpokenMessage};
use crate::seed::Seed;
use crate::sip::invite::{Invite, InvitePlan, Reason};
use crate::sip::message::Message;
use crate::sip::offer_answer::{offer, protect};
use crate::sip::trunk::{Dtmf, Srtp, Transport, Trunk};
use crate::sip::via::LocalAddr;

#[test]
fn a_callee_hears_answers_and_hangs_up() {
    check(&[
        (
            "rings, hears and answers",
            "100 180 200 @1 5 played played 1 stored played more played bye:200",
            "INVITE Ringing ACK media Answered say stop say:body heard1 say stop commit1=1 say \
             more? say BYE Over:Answered",
        ),
        (
            "hangs up while something is spoken",
            "180 200 @1 BYE",
            "INVITE Ringing ACK media Answered say 200 Over:Answered",
        ),
        (
            "is not heard to answer, until tones are listened for",
            "200 @1 played @8 5 played @0 played @8",
            "INVITE ACK media Answered say tones say stop say:body heard1 say say",
        ),
        (
            "presses a key by INFO, and as an event too",
            "200 @1 INFO5 5",
            "INVITE ACK media Answered say 200 stop say:body",
        ),
        (
            "reads that the answer was not stored",
            "200 @1 5 begun 1 lost",
            "INVITE ACK media Answered say stop say:body stop commit1=1 say",
        ),
        (
            "speaks an answer",
            "200 @1 5 begun 7 played played full recorded 1 stored",
            "INVITE ACK media Answered say stop say:body stop say:tone record keep1 say stop voice1 say",
        ),
        (
            "hangs up before the voice answer is sent",
            "200 @1 5 begun 7 played played BYE",
            "INVITE ACK media Answered say stop say:body stop say:tone record 200 Over:Answered unsent1",
        ),
        (
            "cannot be read a message",
            "200 @1 unspeakable 5 played 1",
            "INVITE ACK media Answered say stop say:body passed1 say stop commit1=1",
        ),
        (
            "hears a message that came meanwhile",
            "200 @1 5 played 1 stored played another",
            "INVITE ACK media Answered say stop say:body heard1 say stop commit1=1 say more? say",
        ),
    ]);
}

#[test]
fn a_call_that_is_not_answered_ends_with_its_reason() {
    check(&[
        ("is busy", "100 486", "INVITE ACK Over:Busy"),
        ("declines", "180 603", "INVITE Ringing ACK Over:Declined"),
        ("has a trunk that only tries", "100 @9 487", "INVITE CANCEL ACK Over:TrunkFailed"),
        (
            "has a trunk that says no more",
            "100 @14",
            "INVITE CANCEL CANCEL CANCEL CANCEL Over:TrunkFailed",
        ),
        ("is heard to ring in time", "100 @8 183 @20 200", "INVITE ACK media Answered"),
        ("rings too long", "180 @30 487", "INVITE Ringing CANCEL ACK Over:NoAnswer"),
        ("reads chat again", "180 hang 487", "INVITE Ringing CANCEL ACK Over:Cancelled"),
        (
            "answers as we cancel",
            "180 hang 200 bye:200",
            "INVITE Ringing CANCEL ACK BYE Over:Cancelled",
        ),
        ("has a trunk that is gone", "unreachable", "INVITE Over:TrunkFailed"),
        ("answers with another codec", "200=g729 bye:200", "INVITE ACK BYE Over:NoSound"),
        ("answers without an SDP", "200=none bye:200", "INVITE ACK BYE Over:NoSound"),
    ]);
    let plain = play_call(&setup(Srtp::Required, None, messages), "200 bye:200");
    assert_eq!(plain, "INVITE ACK BYE Over:NotEncrypted");
}

#[test]
fn the_stream_follows_the_far_end() {
    check(&[
        ("answered early", "183 200=none @1", "INVITE ACK media Answered say"),
        (
            "holds and resumes",
            "200 @1 INVITE=hold ACK INVITE=sdp ACK",
            "INVITE ACK media Answered say 200 media(held) 200 media",
        ),
        (
            "changes the codec while a message is read",
            "200 @1 5 begun INVITE=pcma ACK old played",
            "INVITE ACK media Answered say stop say:body 200 media stop say:body heard1 say",
        ),
        (
            "falls silent on the network",
            "200 @1 silent bye:200",
            "INVITE ACK media Answered say BYE Over:Answered",
        ),
        (
            "ends a playback that was cut already",
            "200 @1 5 old",
            "INVITE ACK media Answered say stop say:body",
        ),
    ]);
}

#[test]
fn a_machine_hears_the_notice_and_nothing_else() {
    let cases = [
        (
            "is a machine",
            "200 machine ready played bye:200",
            "INVITE ACK media Answered detect say:notice BYE Over:Machine",
        ),
        ("is a person", "200 human @1 5", "INVITE ACK media Answered detect say stop say:body"),
        (
            "is a person, who presses a key as the notice is spoken",
            "200 machine ready 5 @1 BYE",
            "INVITE ACK media Answered detect say:notice stop say stop say:body 200 Over:Answered",
        ),
        (
            "plays tones before anything is known",
            "200 5 machine BYE",
            "INVITE ACK media Answered detect 200 Over:Machine",
        ),
        ("does not become clear", "200 @7 5", "INVITE ACK media Answered detect say stop say:body"),
    ];
    for (callee, timeline, expected) in cases {
        let notice = Prompts::new("en").notice_for_machines();
        let setup = setup(Srtp::Off, Some(notice), messages);
        assert_eq!(play_call(&setup, timeline), expected, "the callee {callee}");
    }
}

#[test]
fn who_has_a_pin_proves_it_first() {
    let cases = [
        (
            "types the PIN",
            "200 @1 1 2 3 4 right @1 5 played",
            "INVITE ACK media Answered say stop pin:1234 say stop say:body heard1 say",
        ),
        (
            "types another PIN",
            "200 @1 4 3 2 1 wrong",
            "INVITE ACK media Answered say stop pin:4321 say",
        ),
    ];
    for (callee, timeline, expected) in cases {
        let setup = setup(Srtp::Off, None, behind_a_pin);
        assert_eq!(play_call(&setup, timeline), expected, "the callee {callee}");
    }
}

#[test]
fn a_caller_who_proves_who_they_are_hears_their_messages() {
    let setup = setup(Srtp::Off, None, unidentified);
    let played = play_call(&setup, "200 @1 4 9 3 0 # 1 2 3 4 # identified @1 5 played");
    assert_eq!(
        played,
        "INVITE ACK media Answered say stop say stop identify:4930/1234 say stop say:body heard1 say"
    );
}

fn check(cases: &[(&str, &str, &str)]) {
    for (callee, timeline, expected) in cases {
        let played = play_call(&setup(Srtp::Off, None, messages), timeline);
        assert_eq!(played, *expected, "the callee {callee}");
    }
}

/// How a call is made, again for each timeline.
struct Setup {
    srtp: Srtp,
    notice: Option<Prompt>,
    flow: fn() -> CallFlow,
}

/// Plays a call. Digits, `*` and `#` are keys; `@` and a number are seconds that pass; three digits are a response of
/// the trunk (`=` and another SDP), capital letters its request, `bye:200` its response to our BYE.
fn play_call(setup: &Setup, timeline: &str) -> String {
    let mut play = Play::new(setup);
    for word in timeline.split(' ') {
        play.step(word);
    }
    if let Some(MessageId(id)) = play.call.unsent_voice() {
        play.seen.push(format!("unsent{id}"));
    }
    play.seen.join(" ")
}

struct Play {
    call: Call,
    now: Instant,
    /// The last INVITE of ours, and our last request in the dialog.
    invite: Vec<u8>,
    request: Vec<u8>,
    cseq: u32,
    /// The tag of what was last spoken.
    tag: u32,
    spoken: Vec<Prompt>,
    /// What there is to do for the sound, until somebody takes it.
    sound: Vec<Output>,
    seen: Vec<String>,
}

impl Play {
    fn new(setup: &Setup) -> Self {
        let now = clock::now();
        let mut seed = Seed::fixed(1);
        let offer =
            offer("192.0.2.2:20000".parse().unwrap(), &[Codec::Pcmu, Codec::Pcma], Dtmf::Auto, 7);
        let plan = InvitePlan {
            trunk: Arc::new(Trunk { srtp: setup.srtp, ..Trunk::example() }),
            number: "+81312345678".parse().ok(),
            local_addr: LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
            offer: protect(offer, setup.srtp, &mut seed),
            patience: Duration::from_secs(8),
            setup: Duration::from_secs(9),
            ring: Duration::from_secs(30),
        };
        let invite = Invite::new(plan, seed, now);
        let call = Call::new(invite, (setup.flow)(), Dtmf::Auto, setup.notice.clone(), now);
        let (invite, request, spoken, seen) = (vec![], vec![], vec![], vec![]);
        let sound = vec![];
        let mut play = Self { call, now, invite, request, cseq: 1, tag: 0, spoken, sound, seen };
        play.drain();
        play
    }

    fn step(&mut self, word: &str) {
        let sip;
        let input = match word {
            "played" => Input::Media(MediaEvent::Played(self.tag)),
            "begun" => Input::Media(MediaEvent::Began(self.tag)),
            "old" => Input::Media(MediaEvent::Played(self.tag - 1)),
            "silent" => Input::Media(MediaEvent::Silent(Fault::FellSilent)),
            "full" => Input::Media(MediaEvent::RecordingOver),
            "machine" => Input::Media(MediaEvent::Heard(Heard::PickedUp(PickedUp::Machine))),
            "human" => Input::Media(MediaEvent::Heard(Heard::PickedUp(PickedUp::Human))),
            "ready" => Input::Media(MediaEvent::Heard(Heard::Ready)),
            "recorded" => Input::Recorded(Duration::from_secs(2)),
            "stored" => Input::Committed(true),
            "lost" => Input::Committed(false),
            "right" => Input::Pin(true),
            "wrong" => Input::Pin(false),
            "identified" => Input::Identified(Box::new(messages())),
            "more" => Input::More(vec![]),
            "another" => Input::More(vec![message(2)]),
            "unspeakable" => Input::Unspeakable(MessageId(1)),
            "hang" => Input::HangUp(Reason::CompletedElsewhere),
            "unreachable" => Input::TransportFailed,
            _ if word.starts_with("left") => {
                Input::Media(MediaEvent::Played(self.tag + word[4..].parse::<u32>().unwrap()))
            }
            _ if word.starts_with('@') => {
                return self.pass(Duration::from_secs(word[1..].parse().unwrap()));
            }
            _ if word.len() == 1 => Input::Media(MediaEvent::Key(word.chars().next().unwrap())),
            _ => {
                sip = self.sent_by_trunk(word);
                Input::Sip(&sip)
            }
        };
        self.call.handle(input, self.now);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.call.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.call.handle(Input::Tick, self.now);
            self.drain();
        }
        self.now = end;
    }

    fn sent_by_trunk(&mut self, word: &str) -> Vec<u8> {
        let (word, sdp) = word.split_once('=').unwrap_or((word, "sdp"));
        if let Some(status) = word.strip_prefix("bye:") {
            let bye = Message::parse(&self.request).unwrap();
            assert_eq!(bye.method.as_str(), "BYE");
            return bye.respond(status.parse().unwrap(), "a").end();
        }
        let invite = Message::parse(&self.invite).unwrap();
        if let Ok(status) = word.parse::<u16>() {
            let has_sdp = matches!(status, 183 | 200) && sdp != "none";
            let sdp = if has_sdp { description(sdp) } else { String::new() };
            let response = invite.respond(status, "a").header("Contact", "<sip:bob@192.0.2.1>");
            return response.body("application/sdp", &sdp);
        }
        let key = word.strip_prefix("INFO");
        let method = if key.is_some() { "INFO" } else { word };
        // An ACK bears the number of its INVITE.
        self.cseq += u32::from(method != "ACK");
        let (kind, body) = match (key, method) {
            (Some(key), _) => {
                ("application/dtmf-relay", format!("Signal={key}\r\nDuration=160\r\n"))
            }
            (None, "INVITE") => ("application/sdp", description(sdp)),
            (None, _) => ("application/sdp", String::new()),
        };
        format!(
            "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{method}{cseq}\r\n\
             From: <sip:bob@pbx>;tag=a\r\nTo: <sip:offhook@pbx>;tag={tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:bob@192.0.2.1>\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            cseq = self.cseq,
            tag = invite.from.tag.as_deref().unwrap(),
            call_id = invite.call_id,
            length = body.len(),
        )
        .into_bytes()
    }

    fn drain(&mut self) {
        while let Some(output) = self.call.poll() {
            if let Output::Stream(_) | Output::Speak(..) | Output::StopPlayback = output {
                self.sound.push(output.clone());
            }
            let word = match output {
                Output::Dialog(_) => continue,
                Output::SendSip(bytes) => self.sent(bytes),
                Output::Stream(agreed) if agreed.sending => "media".into(),
                Output::Stream(_) => "media(held)".into(),
                Output::DetectMachine => "detect".into(),
                Output::ListenForTones => "tones".into(),
                Output::Ringing => "Ringing".into(),
                Output::Answered => "Answered".into(),
                Output::Speak(prompts, tag) => {
                    (self.tag, self.spoken) = (tag, prompts);
                    said(self.spoken.last().unwrap()).to_owned()
                }
                Output::StopPlayback => "stop".into(),
                Output::Request(request) => requested(&request),
                Output::Over(over) => format!("Over:{:?}", outcome(&over, false)),
            };
            self.seen.push(word);
        }
    }

    fn sent(&mut self, bytes: Vec<u8>) -> String {
        let message = Message::parse(&bytes).unwrap();
        if let Some(status) = message.status() {
            return status.to_string();
        }
        let method = message.method.as_str().to_owned();
        if method == "INVITE" {
            self.invite.clone_from(&bytes);
        }
        self.request = bytes;
        method
    }
}

fn setup(srtp: Srtp, notice: Option<Prompt>, flow: fn() -> CallFlow) -> Setup {
    Setup { srtp, notice, flow }
}

fn behind_a_pin() -> CallFlow {
    messages().behind_pin(4, 1)
}

fn unidentified() -> CallFlow {
    CallFlow::caller_login(Prompts::new("en"), PREROLL)
}

fn messages() -> CallFlow {
    told(true)
}

/// Messages that are read after a key, or at once.
fn told(hear_first: bool) -> CallFlow {
    let settings = ScriptSettings {
        preroll: PREROLL,
        hear_first,
        menu: Menu::default(),
        voice: true,
        call_max: Duration::from_secs(300),
    };
    let prompts = Prompts::new("en");
    CallFlow::messages(settings, prompts, "Bob".into(), vec![message(1)], Opening::New)
}

fn message(id: i64) -> SpokenMessage {
    SpokenMessage {
        id: MessageId(id),
        from: "alice@example.org".parse().unwrap(),
        sender: "Alice".into(),
        came: "at 10:30".into(),
        body: Prompt::body(MessageId(id), "en", "Come home"),
    }
}

const PREROLL: Duration = Duration::from_millis(700);
