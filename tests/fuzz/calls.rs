//! A whole call, and a binding, with a far end that says anything at any time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook::clock;
use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::message::{Message, Start};
use offhook::sip::message_builder::MessageBuilder;
use offhook::sip::offer_answer::offer;
use offhook::sip::registration::{self, Registration};
use offhook::sip::trunk::{Dtmf, Transport};
use offhook::sip::via::LocalAddr;

use crate::corpus::{ANSWER, DESCRIPTIONS, MESSAGES, SDP, SIP, trunk};
use crate::messages::{STEPS_MAX, assert_is_sip};
use crate::tape::{Tape, changed, long};

#[test]
fn no_far_end_stops_a_call_or_keeps_it_from_its_end() {
    let plan = plan();
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let mut now = clock::now();
        let mut plan = plan.clone();
        if tape.byte().is_multiple_of(4) {
            plan.local_addr.transport = Transport::Tcp;
        }
        let mut call = Watched::begin(plan, now);
        for _ in 0..STEPS_MAX {
            match tape.byte() % 16 {
                0 => now = call.deadline().map_or(now, |deadline| deadline.max(now)),
                1 => now += Duration::from_millis(tape.below(40_000) as u64),
                2 => call.handle(Input::HangUp, now),
                3 => call.handle(Input::TransportFailed, now),
                4 => {
                    let message = tape.one_of(&MESSAGES);
                    let changed = tape.change(message, SIP);
                    call.handle(Input::Received(&changed), now);
                }
                5..9 => {
                    let request = call.request_of_the_far_end(&mut tape);
                    let changed = tape.change(&request, SIP);
                    call.handle(Input::Received(&changed), now);
                }
                _ => {
                    let response = call.response_of_the_far_end(&mut tape);
                    let changed = tape.change(&response, SIP);
                    call.handle(Input::Received(&changed), now);
                }
            }
            call.handle(Input::Tick, now);
            if tape.is_over() {
                break;
            }
        }
        call.comes_to_its_end(now);
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(5000).for_each(|tape| run(&tape));
    println!("{} messages to calls", changed());
}

/// A call of which all that it tells is checked.
struct Watched {
    invite: Invite,
    /// The last requests that it sent.
    sent: VecDeque<Message>,
    over: bool,
    done: bool,
    cseq: u32,
}

impl Watched {
    fn begin(plan: InvitePlan, now: Instant) -> Self {
        let invite = Invite::new(plan, Seed::fixed(1), now);
        let mut call = Self { invite, sent: VecDeque::new(), over: false, done: false, cseq: 7 };
        call.listen();
        call
    }

    fn deadline(&self) -> Option<Instant> {
        self.invite.deadline()
    }

    fn handle(&mut self, input: Input<'_>, now: Instant) {
        self.invite.handle(input, now);
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(output) = self.invite.poll() {
            match output {
                Output::Send(bytes) => {
                    let message = assert_is_sip(&bytes);
                    if let Start::Request { .. } = message.start {
                        self.sent.push_back(message);
                    }
                    if self.sent.len() > 6 {
                        self.sent.pop_front();
                    }
                }
                Output::Over(_) => {
                    assert!(!self.over, "it is over twice");
                    self.over = true;
                }
                Output::Done => {
                    assert!(self.over && !self.done, "done before it is over, or twice");
                    self.done = true;
                }
                Output::Dialog(record) => assert!(record.ends_with("\r\n\r\n")),
                Output::Key(key) => assert!("0123456789*#ABCD".contains(key), "{key}"),
                _ => {}
            }
        }
    }

    fn response_of_the_far_end(&self, tape: &mut Tape<'_>) -> Vec<u8> {
        let at = self.sent.len() - 1 - tape.below(self.sent.len());
        let status = *tape.one_of(&[
            180, 200, 100, 183, 401, 407, 422, 481, 486, 487, 500, 503, 302, 200, 204, 699,
        ]);
        let tag = *tape.one_of(&["far", "far", "other", ""]);
        with_extras(self.sent[at].respond(status, tag), tape)
    }

    fn request_of_the_far_end(&mut self, tape: &mut Tape<'_>) -> Vec<u8> {
        let ours = &self.sent[0];
        let method = *tape.one_of(&[
            "BYE", "INVITE", "UPDATE", "INFO", "ACK", "CANCEL", "OPTIONS", "PRACK", "REFER",
        ]);
        self.cseq += u32::from(tape.byte() % 4);
        let tag = if ours.to.tag.is_some() { "" } else { ";tag=far" };
        let copy = format!(
            "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}\r\nFrom: {}{tag}\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n\r\n",
            self.cseq, ours.to.text, ours.from.text, ours.call_id, self.cseq
        );
        let bare = assert_is_sip(copy.as_bytes());
        // Written as a request of ours is, with the same extras.
        let draft = MessageBuilder::request(&bare.method, bare.request_uri());
        let draft = ["Via", "From", "To", "Call-ID", "CSeq"]
            .into_iter()
            .fold(draft, |draft, name| draft.header(name, bare.header(name).unwrap()));
        with_extras(draft, tape)
    }

    /// Whatever was said before: once the far end is silent, the call ends and lets go of everything.
    fn comes_to_its_end(&mut self, mut now: Instant) {
        for _ in 0..TICKS_TO_THE_END {
            let Some(deadline) = self.invite.deadline() else { break };
            now = now.max(deadline) + Duration::from_millis(1);
            self.handle(Input::Tick, now);
        }
        self.handle(Input::HangUp, now);
        for _ in 0..TICKS_TO_THE_END {
            let Some(deadline) = self.invite.deadline() else { break };
            now = now.max(deadline) + Duration::from_millis(1);
            self.handle(Input::Tick, now);
        }
        let settled = self.invite.is_settled();
        let rest = self.invite.deadline().map(|deadline| deadline.saturating_duration_since(now));
        let end = (self.over, self.done, settled, rest);
        assert_eq!(end, (true, true, true, None), "is over, is done, is settled, goes on for");
    }
}

fn with_extras(mut draft: MessageBuilder, tape: &mut Tape<'_>) -> Vec<u8> {
    for extra in tape.piece(2) {
        let extra = EXTRAS[usize::from(*extra) % EXTRAS.len()];
        if let Some((name, value)) = extra.split_once(": ") {
            draft = draft.header(name, value);
        }
    }
    match tape.byte() % 4 {
        0 => draft.end(),
        1 => draft.body("application/dtmf-relay", "Signal=5\r\nDuration=120\r\n"),
        2 => draft.body("application/sdp", ANSWER),
        _ => {
            let description = tape.one_of(&DESCRIPTIONS);
            let changed = tape.change(description.as_bytes(), SDP);
            draft.body("application/sdp", &String::from_utf8_lossy(&changed))
        }
    }
}

#[test]
fn no_registrar_stops_a_binding() {
    let trunk = Arc::new(trunk("offhook"));
    let local_addr = LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap());
    let run = |bytes: &[u8]| {
        let mut tape = Tape::new(bytes);
        let mut now = clock::now();
        let mut binding = Registration::new(trunk.clone(), local_addr, Seed::fixed(1), now);
        let mut asked: Option<Message> = None;
        let mut done = false;
        for _ in 0..STEPS_MAX {
            while let Some(output) = binding.poll() {
                match output {
                    registration::Output::Send(bytes) => asked = Some(assert_is_sip(&bytes)),
                    registration::Output::Done => done = true,
                    registration::Output::Changed(_) | registration::Output::KeepOpen => {}
                }
            }
            let request = asked.as_ref().unwrap();
            match tape.byte() % 16 {
                0 | 1 => now = binding.deadline().map_or(now, |deadline| deadline.max(now)),
                2 => binding.handle(registration::Input::Leave, now),
                3 => {
                    let local = *tape.one_of(&["192.0.2.3:5060", "192.0.2.2:5060"]);
                    let local_addr = LocalAddr::direct(Transport::Tcp, local.parse().unwrap());
                    binding.handle(registration::Input::Moved(local_addr), now);
                }
                4 => {
                    let message = tape.one_of(&MESSAGES);
                    let changed = tape.change(message, SIP);
                    binding.handle(registration::Input::Received(&changed), now);
                }
                _ => {
                    let status = *tape.one_of(&[200, 401, 423, 403, 503, 100, 407, 301]);
                    let mut response = request.respond(status, "far");
                    for contact in request.all("Contact") {
                        response = response.header("Contact", &format!("{contact};expires=300"));
                    }
                    let response = with_extras(response, &mut tape);
                    let changed = tape.change(&response, SIP);
                    binding.handle(registration::Input::Received(&changed), now);
                }
            }
            binding.handle(registration::Input::Tick, now);
            if tape.is_over() {
                break;
            }
        }
        // A registrar that is silent is asked again, and not in haste; one that was left is not.
        binding.handle(registration::Input::Leave, now);
        let mut sent = 0;
        let end = now + Duration::from_secs(3600);
        while let Some(deadline) = binding.deadline().filter(|deadline| *deadline < end) {
            now = now.max(deadline) + Duration::from_millis(1);
            binding.handle(registration::Input::Tick, now);
            while let Some(output) = binding.poll() {
                sent += usize::from(matches!(output, registration::Output::Send(_)));
                done |= output == registration::Output::Done;
            }
            assert!(sent < 100, "{sent} requests to nobody");
        }
        while let Some(output) = binding.poll() {
            done |= output == registration::Output::Done;
        }
        assert!(done, "{binding:?}");
    };
    bolero::check!().with_iterations(500).for_each(run);
    long(2800).for_each(|tape| run(&tape));
    println!("{} answers to bindings", changed());
}

pub(crate) fn plan() -> InvitePlan {
    let all = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
    InvitePlan {
        trunk: Arc::new(trunk("offhook")),
        number: "+81312345678".parse().ok(),
        local_addr: LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
        offer: offer("192.0.2.2:20000".parse().unwrap(), &all, Dtmf::Auto, 1),
        patience: Duration::from_secs(8),
        setup: Duration::from_secs(30),
        ring: Duration::from_secs(30),
    }
}

/// With retransmissions after half a second, then every four, for all that may be on its way at once.
const TICKS_TO_THE_END: usize = 3000;

const EXTRAS: [&str; 16] = [
    "Contact: <sip:far@192.0.2.1:5062>",
    "Contact: <sip:far@192.0.2.1>",
    "X: y",
    "Record-Route: <sip:192.0.2.1;lr>, <sip:q>",
    "Session-Expires: 90;refresher=uac",
    "Session-Expires: 90;refresher=uas",
    "Require: 100rel",
    "RSeq: 1",
    "RSeq: 2",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
    "Proxy-Authenticate: Digest realm=\"p\", nonce=\"m\", algorithm=SHA-256",
    "Min-SE: 200",
    "Min-Expires: 7200",
    "Contact: <sip:+81312345678@192.0.2.1;user=phone>",
    "Retry-After: 30",
    "Supported: timer, 100rel",
];
