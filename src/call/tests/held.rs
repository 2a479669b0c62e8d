//! What the phone hears of a message when its far end holds, moves and comes back, and what is then called heard.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use super::{Output, Play, setup, told};
use crate::call::machine::Input;
use crate::call::speech_tag;
use crate::media::codec::{Clip, Codec};
use crate::media::stream::{MediaTimeouts, PACKET_BYTES_MAX, Stream};
use crate::notification::MessageId;
use crate::script::prompt::{Prompt, PromptKind};
use crate::sip::trunk::Srtp;

/// What a far end does, one description after the other, a while apart; each is as [`super::words::description`] has it.
const STORIES: [&[&str]; 7] = [
    &["hold", "sdp"],
    &["inactive", "sdp"],
    &["nowhere", "sdp"],
    &["pcma"],
    &["moved"],
    &["hold", "pcma+moved+hold", "pcma+moved"],
    &["pcma", "nowhere+pcma", "hold", "moved", "inactive+moved", "pcma+moved"],
];

#[test]
fn a_message_is_heard_whole_whenever_the_far_end_holds_moves_and_comes_back() {
    for story in STORIES {
        for offset in (0..GREETING_MS + BODY_MS + 100).step_by(20) {
            let mut world = World::answered("sdp");
            world.pass(700 + offset);
            for description in story {
                world.reinvite(description);
                world.pass(300);
            }
            world.pass(GREETING_MS + BODY_MS + 100);
            assert!(world.is_heard(), "{story:?} at {offset} ms: {}", world.play.seen.join(" "));
            assert!(world.has_heard_all(), "{story:?} at {offset} ms: {:?}", world.frames);
        }
    }
}

#[test]
fn nothing_is_heard_while_the_line_is_not_open() {
    for (first, story) in [("hold", ""), ("inactive", ""), ("nowhere", ""), ("sdp", "hold")] {
        for offset in (0..GREETING_MS + BODY_MS - 40).step_by(20) {
            let mut world = World::answered(first);
            world.pass(700 + offset);
            if !story.is_empty() {
                world.reinvite(story);
            }
            world.pass(3_000);
            assert!(!world.is_heard(), "{first} {story} at {offset} ms");
            assert!(!world.has_heard_all());
            // The sender reads that the beginning was heard exactly if the phone has it.
            let begun = (!world.frames.is_empty()).then_some(MessageId(1));
            assert_eq!(world.play.call.cut(), begun, "{first} {story} at {offset} ms");
        }
    }
}

/// A call with its stream, and the phone at the other end.
struct World {
    play: Play,
    stream: Option<Stream>,
    codec: Codec,
    waits: Vec<(Arc<Clip>, u32)>,
    phone: Phone,
    /// The parts of the message that the phone has heard, in their order.
    frames: Vec<usize>,
    sequence: u16,
}

/// What the phone takes now.
struct Phone {
    payload_type: u8,
    address: SocketAddr,
    is_open: bool,
}

impl World {
    fn answered(description: &str) -> Self {
        let play = Play::new(&setup(Srtp::Off, None, || told(false)));
        let phone = Phone::described(description);
        let (stream, waits, frames) = (None, vec![], vec![]);
        let mut world =
            Self { play, stream, codec: Codec::Pcmu, waits, phone, frames, sequence: 0 };
        world.play.step(&format!("200={description}"));
        world.carry_out();
        world
    }

    /// The phone has changed before its INVITE is on the way.
    fn reinvite(&mut self, description: &str) {
        self.phone = Phone::described(description);
        self.play.step(&format!("INVITE={description}"));
        self.carry_out();
        self.play.step("ACK");
        self.carry_out();
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.play.pass(Duration::from_millis(20));
            self.carry_out();
            self.turn();
        }
    }

    /// As the driver does it: the stream last.
    fn carry_out(&mut self) {
        let mut agreed = None;
        for output in std::mem::take(&mut self.play.sound) {
            match output {
                Output::Stream(negotiated) => {
                    self.codec = negotiated.codec;
                    agreed = Some(negotiated);
                }
                Output::Speak(prompts, tag) => {
                    let codec = self.codec;
                    let left = (0..prompts.len()).rev();
                    let clips = prompts
                        .iter()
                        .zip(left)
                        .map(|(prompt, left)| (clip(prompt, codec), speech_tag::clip(tag, left)));
                    match &mut self.stream {
                        Some(stream) => clips.for_each(|(clip, tag)| stream.play(clip, tag)),
                        None => self.waits.extend(clips),
                    }
                }
                _ => {
                    self.waits.clear();
                    self.stream.iter_mut().for_each(Stream::stop_playback);
                }
            }
        }
        let Some(agreed) = agreed else { return };
        match &mut self.stream {
            Some(stream) => stream.renegotiate(agreed, self.play.now),
            None => {
                let timeouts = MediaTimeouts::with_silence(Duration::from_secs(30));
                let trunk = "192.0.2.1".parse().unwrap();
                let mut stream = Stream::new(agreed, trunk, 7, timeouts, self.play.now);
                self.waits.drain(..).for_each(|(clip, tag)| stream.play(clip, tag));
                self.stream = Some(stream);
            }
        }
    }

    /// A packet in each direction.
    fn turn(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        self.sequence += 1;
        let silence = RtpPacketBuilder::new()
            .payload_type(self.phone.payload_type)
            .ssrc(9)
            .sequence(Seq::from(self.sequence))
            .payload(&[0xff; 160])
            .build();
        if !self.phone.address.ip().is_unspecified() {
            stream.receive(self.phone.address, &mut silence.unwrap(), self.play.now);
        }
        let mut packet = [0; PACKET_BYTES_MAX];
        let (length, ended) = stream.next(&mut packet);
        let (began, to) = (stream.began(), stream.remote());
        if let Some(length) = length
            && self.phone.is_open
            && self.phone.address == to
        {
            let packet = RtpReader::new(&packet[..length]).unwrap();
            if packet.payload_type() == self.phone.payload_type {
                self.frames.extend(part(packet.payload(), self.codec));
            }
        }
        for event in ended.into_iter().chain(began) {
            self.play.call.handle(Input::Media(event), self.play.now);
            self.play.drain();
            self.carry_out();
        }
    }

    fn is_heard(&self) -> bool {
        self.play.seen.iter().any(|it| it == "heard1")
    }

    fn has_heard_all(&self) -> bool {
        let all: Vec<usize> = (0..PARTS).collect();
        self.frames.windows(PARTS).any(|frames| frames == all)
    }
}

impl Phone {
    fn described(description: &str) -> Self {
        let is = |word| description.split('+').any(|it| it == word);
        let host = match (is("nowhere"), is("moved")) {
            (true, _) => "0.0.0.0:40000",
            (_, true) => "192.0.2.7:40000",
            _ => "192.0.2.1:40000",
        };
        Self {
            payload_type: if is("pcma") { 8 } else { 0 },
            address: host.parse().unwrap(),
            is_open: !(is("hold") || is("inactive") || is("nowhere")),
        }
    }
}

/// The message is a row of parts, each with its number; everything else is a tone.
fn clip(prompt: &Prompt, codec: Codec) -> Arc<Clip> {
    let samples: Vec<i16> = match prompt.kind {
        PromptKind::Body(_) => (0..PARTS).flat_map(numbered).collect(),
        // The greeting and the pause after it.
        _ => vec![500; GREETING_MS as usize / 2 * 8],
    };
    Arc::new(Clip::encode(codec, &samples))
}

/// 20 ms whose first samples are a mark and the bits of a number.
fn numbered(number: usize) -> impl Iterator<Item = i16> {
    let bit = move |at| if number >> at & 1 == 1 { 9000 } else { -9000 };
    [20_000].into_iter().chain((0..BITS).map(bit)).chain(std::iter::repeat_n(9000, 159 - BITS))
}

fn part(payload: &[u8], codec: Codec) -> Option<usize> {
    let samples: Vec<i16> = payload.iter().map(|octet| codec.decode(*octet)).collect();
    let marked = samples.first().is_some_and(|mark| *mark > 15_000);
    let bit = |at: usize| usize::from(samples[1 + at] > 0) << at;
    marked.then(|| (0..BITS).map(bit).sum())
}

const BITS: usize = 8;
const PARTS: usize = 60;
const BODY_MS: u64 = PARTS as u64 * 20;
const GREETING_MS: u64 = 400;
