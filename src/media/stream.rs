//! One RTP stream without its socket: what leaves when a packet is due, and what of the arriving counts.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use super::answering_machine::Listener;
use super::codec::{Clip, Codec, Ear, HEARD_MAX, OCTETS_PER_MS, PACKET_MS_MAX};
use super::far_end::{FarEnd, From, Source};
use super::keys::Keys;
use super::reports::{Quality, REPORT_BYTES_MAX, Reports};
use super::srtp::TRAILER_MAX;
use super::srtp::guard::Guard;
use super::take::Take;
use super::{Event, Fault, Negotiated};

/// The two directions of one call's audio.
///
/// Where keys are agreed on, what is not authentic is dropped before anything of it is looked at.
///
/// Source: RFC 3550 §5.1; RFC 3551 §4.5; RFC 3711 §3.3.1 (the first sequence number lies below 2^15).
#[derive(Debug)]
pub struct Stream {
    agreed: Negotiated,
    far_end: FarEnd,
    guard: Guard,
    /// Whoever was told a payload type for events may go on with it (RFC 3264 §8.3.2), as phones do whose switch has
    /// told us another one to let us talk to them directly.
    events_before: Option<u8>,
    playing: VecDeque<(Arc<Clip>, u32)>,
    /// How much of the first clip has been played, in ms.
    played: usize,
    ssrc: u32,
    /// The sequence number with its roll-overs above it.
    index: u64,
    timestamp: u32,
    started: bool,
    keys: Keys,
    ear: Option<Ear>,
    clock: PlainClock,
    reports: Reports,
    take: Option<Box<Take>>,
    screen: Option<Listener>,
    heard_at: Instant,
    patience: Patience,
    counts: Counts,
    fault: Option<Fault>,
}

/// How long a far end may say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// At the beginning, while nobody knows whether it wants our packets.
    pub first: Duration,
    /// Later, with neither packets nor reports.
    pub silence: Duration,
}

impl Patience {
    /// For real calls, with this silence.
    pub fn with_silence(silence: Duration) -> Self {
        Self { first: FIRST, silence }
    }
}

/// What came, beside what [`Reports`] counts.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    refused: u32,
    forged: u32,
    noise: u32,
}

impl Stream {
    /// A stream through the trunk at this address, with a random start (`random`: SSRC, sequence and timestamp).
    ///
    /// When `patience` is over it is told by [`Event::Silent`].
    pub fn new(
        agreed: Negotiated,
        trunk: IpAddr,
        random: u64,
        patience: Patience,
        now: Instant,
    ) -> Self {
        let index = (random >> 32) & 0x7fff;
        let mut guard = Guard::default();
        guard.agree(agreed.keys.as_ref(), index);
        Self {
            far_end: FarEnd::new(trunk, agreed.remote, patience.first),
            guard,
            keys: Keys::new(agreed.codec),
            ear: Ear::of(agreed.codec),
            clock: PlainClock::default(),
            reports: Reports::new(random as u32, random, agreed.codec.ticks_per_ms(), now),
            agreed,
            playing: VecDeque::with_capacity(QUEUE_USUAL),
            events_before: None,
            played: 0,
            ssrc: random as u32,
            index,
            timestamp: (random >> 24) as u32,
            started: false,
            take: None,
            screen: None,
            heard_at: now,
            patience,
            counts: Counts::default(),
            fault: None,
        }
    }

    /// The peer has changed its mind: another address, codec or direction.
    pub fn renegotiate(&mut self, agreed: Negotiated, now: Instant) {
        self.far_end.rename(agreed.remote);
        self.guard.agree(agreed.keys.as_ref(), self.index);
        if agreed.codec != self.agreed.codec {
            self.ear = Ear::of(agreed.codec);
            self.reports.count_in(agreed.codec.ticks_per_ms());
        }
        if self.agreed.events_payload_type != agreed.events_payload_type {
            self.events_before = self.agreed.events_payload_type;
        }
        self.agreed = agreed;
        self.heard_at = now;
    }

    /// Plays after what is playing. More than a call can need is dropped.
    pub fn play(&mut self, clip: Arc<Clip>, tag: u32) {
        if self.playing.len() < QUEUE_MAX {
            self.playing.push_back((clip, tag));
        }
    }

    /// Drops what is playing and what waits.
    pub fn hush(&mut self) {
        self.playing.clear();
        self.played = 0;
    }

    /// Writes down what is heard from now on. An earlier recording is given back.
    pub fn record(&mut self, take: Box<Take>) -> Option<Box<Take>> {
        self.take.replace(take)
    }

    /// Finds out who picked up.
    pub fn screen(&mut self) {
        self.screen = Some(Listener::default());
    }

    /// Gives back what was recorded.
    pub fn stop_recording(&mut self, now: Instant) -> Option<Box<Take>> {
        let mut take = self.take.take()?;
        take.end(now);
        Some(take)
    }

    /// Tells, once per recording, that it is over by itself.
    pub fn recorded(&mut self, now: Instant) -> Option<Event> {
        self.take.as_mut()?.tick(now).map(|_| Event::RecordingOver)
    }

    /// Whether the address of the session description is one of our own, to which nothing is to go.
    pub fn bar(&mut self, is_ours: bool) {
        self.far_end.bar(is_ours);
    }

    /// Where packets go.
    pub fn remote(&self) -> SocketAddr {
        self.far_end.address()
    }

    /// How often a packet is due.
    pub fn packet_ms(&self) -> usize {
        usize::from(self.agreed.packet_ms()).min(PACKET_MS_MAX)
    }

    /// Writes the packet that is due into `packet` and tells its length; `None` while the peer wants none.
    /// The second value is told when a clip has ended with the packet before.
    pub fn next(&mut self, packet: &mut [u8; PACKET_BYTES_MAX]) -> (Option<usize>, Option<Event>) {
        let packet_ms = Duration::from_millis(self.packet_ms() as u64);
        if self.agreed.sending {
            self.far_end.pass(packet_ms);
            if !self.far_end.may_be_sent_to() {
                // Time stands still until somebody is there who can hear it.
                return (None, None);
            }
        }
        let ended = self.pass_ended();
        let (ms, codec) = (self.packet_ms(), self.agreed.codec);
        let ready = self.playing.front().filter(|(clip, _)| clip.codec() == codec);
        let sound = ready.map_or(&[][..], |(clip, _)| clip.sound(self.played, ms));
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(ms as u32 * codec.ticks_per_ms());
        if !self.agreed.sending {
            self.started = false;
            self.pass(ms);
            return (None, ended);
        }
        let mut payload = [0; PAYLOAD_BYTES_MAX];
        let whole = codec == Codec::Opus && !sound.is_empty();
        let quiet = if whole { &[][..] } else { codec.quiet(ms) };
        let octets = sound.len().max(quiet.len()).min(PAYLOAD_BYTES_MAX);
        payload[..quiet.len()].copy_from_slice(quiet);
        let said = sound.len().min(octets);
        payload[..said].copy_from_slice(&sound[..said]);
        self.pass(ms);
        let written = RtpPacketBuilder::new()
            .payload_type(self.agreed.payload_type)
            .marked(!self.started)
            .sequence(Seq::from(self.index as u16))
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(&payload[..octets])
            .build_into(packet)
            .ok();
        let sealed = written.and_then(|length| self.guard.seal(packet, length, self.index));
        self.reports.sent(octets, self.index as u16);
        self.started = true;
        self.index += 1;
        (sealed, ended)
    }

    /// Time goes on for a call on hold: what was to be heard then is over too.
    fn pass(&mut self, ms: usize) {
        self.played += if self.playing.is_empty() { 0 } else { ms };
    }

    fn pass_ended(&mut self) -> Option<Event> {
        let (clip, tag) = self.playing.front()?;
        if self.played < clip.ms() {
            return None;
        }
        let tag = *tag;
        self.playing.pop_front();
        self.played = 0;
        Some(Event::Played(tag))
    }

    /// Takes one datagram, which is decrypted where it lies, and tells what it means.
    pub fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        now: Instant,
    ) -> Option<Event> {
        if !self.far_end.vouches_for(from.ip()) {
            self.counts.refused += 1;
            return None;
        }
        let Some(datagram) = self.guard.open(datagram) else {
            self.counts.forged += 1;
            return None;
        };
        let Ok(packet) = RtpReader::new(datagram) else {
            self.counts.refused += 1;
            return None;
        };
        let payload_type = packet.payload_type();
        let named = |events: Option<u8>| events == Some(payload_type);
        let events = self.agreed.events_payload_type.is_some_and(|_| {
            let before = named(self.events_before) && payload_type != self.agreed.payload_type;
            named(self.agreed.events_payload_type) || before
        });
        let known =
            events || payload_type == self.agreed.payload_type || payload_type == COMFORT_NOISE;
        let source = Source { address: from, ssrc: packet.ssrc() };
        match if known { self.far_end.tell(source) } else { From::Stranger } {
            From::Stranger => {
                self.counts.refused += 1;
                return None;
            }
            From::NewPeer => self.keys = Keys::new(self.agreed.codec),
            From::Peer => {}
        }
        self.far_end.hear(from.ip());
        self.heard_at = now;
        let (sequence, timestamp) = (u16::from(packet.sequence_number()), packet.timestamp());
        // An event goes on under the time stamp of its beginning.
        self.reports.arrived(packet.ssrc(), sequence, (!events).then_some(timestamp), now);
        if events {
            return self.keys.event(packet.payload(), timestamp, now).map(Event::Key);
        }
        self.counts.noise += u32::from(payload_type == COMFORT_NOISE);
        if payload_type != self.agreed.payload_type {
            return None;
        }
        if self.take.is_none() && self.screen.is_none() && !self.agreed.tones {
            return None;
        }
        let codec = self.agreed.codec;
        let mut octets = [0; HEARD_MAX];
        let sound = match &mut self.ear {
            None => packet.payload(),
            Some(ear) => {
                let heard = ear.hear(packet.payload(), &mut octets);
                &octets[..heard]
            }
        };
        let timestamp = self.clock.plain(timestamp, codec);
        if let Some(take) = &mut self.take {
            take.packet(sequence, timestamp, sound, now);
        }
        let key =
            if self.agreed.tones { self.keys.sound(codec, sound, timestamp, now) } else { None };
        let screen = self.screen.as_mut();
        let heard = screen.and_then(|screen| screen.packet(codec, sound, timestamp));
        self.screen.take_if(|screen| screen.is_done());
        // A key proves nothing until it is clear who picked up.
        heard.map(Event::Heard).or(key.map(Event::Key))
    }

    /// Where reports go: beside the packets.
    pub fn reports_to(&self) -> SocketAddr {
        let remote = self.remote();
        SocketAddr::new(remote.ip(), remote.port().saturating_add(1))
    }

    /// Writes a report if one is due.
    pub fn report(&mut self, report: &mut [u8; REPORT_BYTES_MAX], now: Instant) -> Option<usize> {
        // A far end on hold may name no address at all.
        if !self.far_end.may_be_sent_to() {
            return None;
        }
        let length = self.reports.write(self.timestamp, now, report)?;
        self.guard.seal_report(report, length)
    }

    /// Reads a report, if it comes from where packets come from. Whoever reports is there.
    pub fn read_report(&mut self, from: SocketAddr, report: &mut [u8], now: Instant) {
        if from.ip() != self.remote().ip() {
            self.counts.refused += 1;
            return;
        }
        match self.guard.open_report(report) {
            Some(report) if self.reports.read(report, now) => {
                self.far_end.hear(from.ip());
                self.heard_at = now;
            }
            Some(_) => self.counts.refused += 1,
            None => self.counts.forged += 1,
        }
    }

    /// Writes what tells the peer that the stream is over.
    pub fn farewell(&mut self, report: &mut [u8; REPORT_BYTES_MAX]) -> Option<usize> {
        if !self.far_end.may_be_sent_to() {
            return None;
        }
        let length = self.reports.write_bye(report)?;
        self.guard.seal_report(report, length)
    }

    /// How good the line has been so far.
    pub fn quality(&self) -> Quality {
        Quality {
            noise: self.counts.noise,
            refused: self.counts.refused,
            forged: self.counts.forged,
            encrypted: self.guard.suite(),
            fault: self.fault,
            ..self.reports.quality()
        }
    }

    /// Tells, once, that one end is not heard. A call on hold is not silent.
    pub fn silent(&mut self, now: Instant) -> Option<Event> {
        if !self.agreed.sending || self.fault.is_some() {
            return None;
        }
        self.fault = if self.far_end.is_given_up() {
            Some(Fault::NothingCame)
        } else if now.duration_since(self.heard_at) >= self.patience.silence {
            Some(Fault::FellSilent)
        } else if self.reports.is_unheard() {
            Some(Fault::NothingArrives)
        } else {
            None
        };
        self.fault.map(Event::Silent)
    }
}

/// The clock of a source as G.711 would count it: 8 ticks a millisecond.
#[derive(Clone, Copy, Debug, Default)]
struct PlainClock {
    last: u32,
    /// Since some beginning; does not wrap in any call.
    ticks: i64,
}

impl PlainClock {
    fn plain(&mut self, timestamp: u32, codec: Codec) -> u32 {
        if codec.ticks_per_ms() == OCTETS_PER_MS as u32 {
            return timestamp;
        }
        self.ticks += i64::from(timestamp.wrapping_sub(self.last).cast_signed());
        self.last = timestamp;
        (self.ticks * OCTETS_PER_MS as i64).div_euclid(codec.ticks_per_ms().into()) as u32
    }
}

/// Room for the header, 60 ms, and what protects them.
pub const PACKET_BYTES_MAX: usize = 12 + PAYLOAD_BYTES_MAX + TRAILER_MAX;
const PAYLOAD_BYTES_MAX: usize = PACKET_MS_MAX * OCTETS_PER_MS;
const QUEUE_MAX: usize = 64;
/// A phone says something within that time, or its reports do (each 5 s).
const FIRST: Duration = Duration::from_secs(10);
/// Clips that mostly wait at once; more take memory when they come.
const QUEUE_USUAL: usize = 8;
/// Source: RFC 3389.
const COMFORT_NOISE: u8 = 13;

#[cfg(test)]
mod tests;
