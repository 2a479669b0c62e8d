//! One RTP stream without its socket: what leaves when a packet is due, and what of the arriving counts.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use super::answering_machine::Listener;
use super::codec::{Clip, Codec, Ear, HEARD_MAX, OCTETS_PER_MS, PACKET_MS_MAX};
use super::keys::Keys;
use super::reports::{Quality, REPORT_BYTES_MAX, Reports};
use super::take::Take;
use super::{Event, Negotiated};

/// The two directions of one call's audio.
///
/// Nothing is taken from, or sent to, a host that neither the session description has named nor is the trunk itself.
/// Another address of those two is learned when packets come from there and none from the one named (symmetric
/// RTP); then source and SSRC are fixed.
///
/// Source: RFC 3550 §5.1; RFC 3551 §4.5; RFC 4961 (symmetric RTP); RFC 3550 §A.1 (probation).
#[derive(Debug)]
pub struct Stream {
    agreed: Negotiated,
    /// Whoever was told a payload type for events may go on with it (RFC 3264 §8.3.2), as phones do whose switch has
    /// told us another one to let us talk to them directly.
    events_before: Option<u8>,
    trunk: IpAddr,
    playing: VecDeque<(Arc<Clip>, u32)>,
    /// How much of the first clip has been played, in ms.
    played: usize,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    started: bool,
    source: Option<Source>,
    candidate: Option<(Source, u32)>,
    keys: Keys,
    ear: Option<Ear>,
    clock: PlainClock,
    reports: Reports,
    take: Option<Box<Take>>,
    screen: Option<Listener>,
    heard_at: Instant,
    silence: Duration,
    /// Packets that were not from our peer, or were none.
    pub refused: u64,
    /// Packets that were taken.
    pub taken: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    address: SocketAddr,
    ssrc: u32,
}

impl Stream {
    /// A stream through the trunk at this address, with a random start (`random`: SSRC, sequence and timestamp).
    ///
    /// `silence` without a packet from the peer is told by [`Event::Silent`].
    pub fn new(
        agreed: Negotiated,
        trunk: IpAddr,
        random: u64,
        silence: Duration,
        now: Instant,
    ) -> Self {
        Self {
            keys: Keys::new(agreed.codec),
            ear: Ear::of(agreed.codec),
            clock: PlainClock::default(),
            reports: Reports::new(random as u32, random, agreed.codec.ticks_per_ms(), now),
            agreed,
            events_before: None,
            trunk,
            playing: VecDeque::with_capacity(QUEUE_MAX),
            played: 0,
            ssrc: random as u32,
            sequence: (random >> 32) as u16,
            timestamp: (random >> 24) as u32,
            started: false,
            source: None,
            candidate: None,
            take: None,
            screen: None,
            heard_at: now,
            silence,
            refused: 0,
            taken: 0,
        }
    }

    /// The peer has changed its mind: another address, codec or direction.
    pub fn renegotiate(&mut self, agreed: Negotiated, now: Instant) {
        if agreed.remote != self.agreed.remote {
            (self.source, self.candidate) = (None, None);
        }
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

    /// Where packets go.
    pub fn remote(&self) -> SocketAddr {
        self.source.map_or(self.agreed.remote, |source| source.address)
    }

    /// How often a packet is due.
    pub fn packet_ms(&self) -> usize {
        usize::from(self.agreed.packet_ms()).min(PACKET_MS_MAX)
    }

    /// Writes the packet that is due into `packet` and tells its length; `None` while the peer wants none.
    /// The second value is told when a clip has ended with the packet before.
    pub fn next(&mut self, packet: &mut [u8; PACKET_BYTES_MAX]) -> (Option<usize>, Option<Event>) {
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
            .sequence(Seq::from(self.sequence))
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(&payload[..octets])
            .build_into(packet)
            .ok();
        self.reports.sent(octets);
        self.started = true;
        self.sequence = self.sequence.wrapping_add(1);
        (written, ended)
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

    /// Takes one datagram and tells what it means.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) -> Option<Event> {
        let Ok(packet) = RtpReader::new(datagram) else {
            self.refused += 1;
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
        let vouched = from.ip() == self.agreed.remote.ip() || from.ip() == self.trunk;
        if !vouched || !known || !self.is_peer(Source { address: from, ssrc: packet.ssrc() }) {
            self.refused += 1;
            return None;
        }
        self.taken += 1;
        self.heard_at = now;
        let (sequence, timestamp) = (u16::from(packet.sequence_number()), packet.timestamp());
        // An event goes on under the time stamp of its beginning.
        self.reports.arrived(packet.ssrc(), sequence, (!events).then_some(timestamp), now);
        if events {
            return self.keys.event(packet.payload(), timestamp, now).map(Event::Key);
        }
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

    /// The address named is trusted at once, another port of its host after a few packets, and so is a new SSRC.
    fn is_peer(&mut self, source: Source) -> bool {
        match self.source {
            Some(peer) if peer == source => {
                self.candidate = None;
                return true;
            }
            None if source.address == self.agreed.remote => {
                self.fix(source);
                return true;
            }
            Some(peer) if peer.address == self.agreed.remote && source.address != peer.address => {
                return false; // The address named is in use; a neighbour of it is a stranger.
            }
            Some(_) | None => {}
        }
        let seen = match self.candidate {
            Some((candidate, seen)) if candidate == source => seen + 1,
            Some(_) | None => 1,
        };
        self.candidate = Some((source, seen));
        if seen < PROBATION {
            return false;
        }
        self.fix(source);
        true
    }

    fn fix(&mut self, source: Source) {
        self.source = Some(source);
        self.candidate = None;
        self.keys = Keys::new(self.agreed.codec);
    }

    /// Where reports go: beside the packets.
    pub fn reports_to(&self) -> SocketAddr {
        let remote = self.remote();
        SocketAddr::new(remote.ip(), remote.port().saturating_add(1))
    }

    /// Writes a report if one is due.
    pub fn report(&mut self, report: &mut [u8; REPORT_BYTES_MAX], now: Instant) -> Option<usize> {
        // A far end on hold may name no address at all.
        let somewhere = !self.remote().ip().is_unspecified();
        somewhere.then(|| self.reports.write(self.timestamp, now, report))?
    }

    /// Reads a report, if it comes from where packets come from.
    pub fn read_report(&mut self, from: SocketAddr, report: &[u8], now: Instant) {
        if from.ip() == self.remote().ip() {
            self.reports.read(report, now);
        } else {
            self.refused += 1;
        }
    }

    /// Writes what tells the peer that the stream is over.
    pub fn farewell(&self, report: &mut [u8; REPORT_BYTES_MAX]) -> Option<usize> {
        self.reports.write_bye(report)
    }

    /// How good the line has been so far.
    pub fn quality(&self) -> Quality {
        self.reports.quality()
    }

    /// Tells, once per silence, that nothing has come from the peer for too long. A call on hold is not silent.
    pub fn silent(&mut self, now: Instant) -> Option<Event> {
        if self.agreed.sending && now.duration_since(self.heard_at) >= self.silence {
            self.heard_at = now;
            return Some(Event::Silent);
        }
        None
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

/// Room for the header and 60 ms.
pub const PACKET_BYTES_MAX: usize = 12 + PAYLOAD_BYTES_MAX;
const PAYLOAD_BYTES_MAX: usize = PACKET_MS_MAX * OCTETS_PER_MS;
const QUEUE_MAX: usize = 64;
const PROBATION: u32 = 4;
/// Source: RFC 3389.
const COMFORT_NOISE: u8 = 13;

#[cfg(test)]
mod tests;
