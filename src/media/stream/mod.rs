//! One RTP stream without its socket: what leaves when a packet is due, and what of the arriving counts.

mod hearing;
mod timestamp_scaler;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use self::timestamp_scaler::TimestampScaler;
use super::answering_machine::Listener;
use super::codec::{Clip, Codec, Decoder, OCTETS_PER_MS, PACKET_MS_MAX};
use super::dtmf_events::EventPacket;
use super::dtmf_keys::Keys;
use super::media_peer::{MediaPeer, PacketOrigin, PacketSource};
use super::recording_buffer::RecordingBuffer;
use super::reports::{Quality, REPORT_BYTES_MAX, Reports};
use super::srtp::TRAILER_MAX;
use super::srtp::context::SrtpContext;
use super::{Fault, MediaEvent, Negotiated, PayloadFormat};

/// The two directions of one call's audio.
///
/// Where keys are agreed on, what is not authentic is dropped before anything of it is looked at.
///
/// Source: RFC 3550 §5.1; RFC 3551 §4.5; RFC 3711 §3.3.1 (the first sequence number lies below 2^15).
#[derive(Debug)]
pub struct Stream {
    agreed: Negotiated,
    media_peer: MediaPeer,
    guard: SrtpContext,
    /// A peer that knows a payload type for events may go on with it (RFC 3264 §8.3.2), as phones do whose switch has
    /// given us another one to connect us directly.
    events_before: Option<u8>,
    playing: VecDeque<(Arc<Clip>, u32)>,
    /// How much of the first clip has been played, in ms.
    played: usize,
    /// The packet written last was the first of a clip.
    began: bool,
    ssrc: u32,
    /// The sequence number with its roll-overs above it.
    index: u64,
    timestamp: u32,
    started: bool,
    keys: Keys,
    tones: UnagreedTones,
    /// The codec of the last packet of sound.
    heard: Codec,
    decoder: Option<Decoder>,
    clock: TimestampScaler,
    reports: Reports,
    recording: Option<Box<RecordingBuffer>>,
    listener: Option<Listener>,
    heard_at: Instant,
    timeouts: MediaTimeouts,
    counts: Counts,
    fault: Option<Fault>,
}

/// Keys in the sound where the far end has promised events: gateways promise them and pass the tones of the telephone on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnagreedTones {
    /// Events are waited for.
    #[default]
    Ignored,
    /// No event has come, though one was due.
    Listening,
    /// A key was found in the sound.
    Found,
    /// The promise was kept.
    NotNeeded,
}

impl UnagreedTones {
    fn event_came(&mut self) {
        if *self != Self::Found {
            *self = Self::NotNeeded;
        }
    }
}

/// How long a far end may say nothing.
#[derive(Clone, Copy, Debug)]
pub struct MediaTimeouts {
    /// At the beginning, while it is not known whether the peer wants our packets.
    pub first: Duration,
    /// Later, with neither packets nor reports.
    pub silence: Duration,
}

impl MediaTimeouts {
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
    /// When `timeouts` is over [`MediaEvent::Silent`] comes.
    pub fn new(
        agreed: Negotiated,
        trunk: IpAddr,
        random: u64,
        timeouts: MediaTimeouts,
        now: Instant,
    ) -> Self {
        let index = (random >> 32) & 0x7fff;
        let mut guard = SrtpContext::default();
        guard.agree(agreed.keys.as_ref(), index);
        Self {
            media_peer: MediaPeer::new(trunk, agreed.remote, timeouts.first),
            guard,
            keys: Keys::new(agreed.codec),
            tones: UnagreedTones::default(),
            heard: agreed.codec,
            decoder: Decoder::of(agreed.codec),
            clock: TimestampScaler::default(),
            reports: Reports::new(random as u32, random, agreed.codec.ticks_per_ms(), now),
            agreed,
            playing: VecDeque::with_capacity(QUEUE_USUAL),
            events_before: None,
            played: 0,
            began: false,
            ssrc: random as u32,
            index,
            timestamp: (random >> 24) as u32,
            started: false,
            recording: None,
            listener: None,
            heard_at: now,
            timeouts,
            counts: Counts::default(),
            fault: None,
        }
    }

    /// The peer has changed its mind: another address, codec or direction. After a hold, the clip that it cut begins
    /// anew.
    pub fn renegotiate(&mut self, agreed: Negotiated, now: Instant) {
        let resumed = agreed.sending && !self.agreed.sending;
        if resumed && self.playing.front().is_some_and(|(clip, _)| self.played < clip.ms()) {
            self.played = 0;
        }
        self.media_peer.rename(agreed.remote);
        self.guard.agree(agreed.keys.as_ref(), self.index);
        if agreed.codec != self.agreed.codec {
            self.reports.count_in(agreed.codec.ticks_per_ms());
        }
        if self.agreed.events_payload_type != agreed.events_payload_type {
            self.events_before = self.agreed.events_payload_type;
        }
        self.agreed = agreed;
        self.heard_at = now;
    }

    /// Tells the wall clock of this moment, for the reports.
    pub fn set_clock(&mut self, wall: Timestamp, now: Instant) {
        self.reports.set_clock(wall, now);
    }

    /// Plays after what is playing. More than a call can need is dropped.
    pub fn play(&mut self, clip: Arc<Clip>, tag: u32) {
        if self.playing.len() < QUEUE_MAX {
            self.playing.push_back((clip, tag));
        }
    }

    /// Drops what is playing and what waits.
    pub fn stop_playback(&mut self) {
        self.playing.clear();
        self.played = 0;
        self.began = false;
    }

    /// Writes down what is heard from now on. An earlier recording is given back.
    pub fn record(&mut self, buffer: Box<RecordingBuffer>) -> Option<Box<RecordingBuffer>> {
        self.recording.replace(buffer)
    }

    /// Finds out who picked up.
    pub fn detect_machine(&mut self) {
        self.listener = Some(Listener::default());
    }

    /// Listens for keys in the sound too, unless events have come.
    pub fn listen_for_tones(&mut self) {
        if self.tones == UnagreedTones::Ignored && !self.agreed.tones {
            self.tones = UnagreedTones::Listening;
        }
    }

    /// Gives back what was recorded.
    pub fn stop_recording(&mut self, now: Instant) -> Option<Box<RecordingBuffer>> {
        let mut recording = self.recording.take()?;
        recording.end(now);
        Some(recording)
    }

    /// Tells, once per recording, that it is over by itself.
    pub fn recorded(&mut self, now: Instant) -> Option<MediaEvent> {
        self.recording.as_mut()?.tick(now).map(|_| MediaEvent::RecordingOver)
    }

    /// Whether the address of the session description is one of our own, to which nothing is to go.
    pub fn forbid_port(&mut self, is_ours: bool) {
        self.media_peer.forbid_port(is_ours);
    }

    /// Where packets go.
    pub fn remote(&self) -> SocketAddr {
        self.media_peer.address()
    }

    /// How often a packet is due.
    pub fn packet_ms(&self) -> usize {
        usize::from(self.agreed.packet_ms()).min(PACKET_MS_MAX)
    }

    /// Writes the packet that is due into `packet` and tells its length; `None` while the peer wants none. Playback waits
    /// meanwhile.
    /// The second value is set when a clip has ended with the packet before.
    pub fn next(
        &mut self,
        packet: &mut [u8; PACKET_BYTES_MAX],
    ) -> (Option<usize>, Option<MediaEvent>) {
        let packet_ms = Duration::from_millis(self.packet_ms() as u64);
        if self.agreed.sending {
            self.media_peer.pass(packet_ms);
            if !self.media_peer.may_be_sent_to() {
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
            return (None, ended);
        }
        let mut payload = [0; PAYLOAD_BYTES_MAX];
        let whole = codec.description().has_whole_frames && !sound.is_empty();
        let quiet = if whole { &[][..] } else { codec.quiet(ms) };
        let octets = sound.len().max(quiet.len()).min(PAYLOAD_BYTES_MAX);
        payload[..quiet.len()].copy_from_slice(quiet);
        let said = sound.len().min(octets);
        payload[..said].copy_from_slice(&sound[..said]);
        if said > 0 {
            self.began = self.played == 0;
            self.played += ms;
        }
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

    /// Tells, once, that a clip has begun with the packet written last.
    pub fn began(&mut self) -> Option<MediaEvent> {
        let began = std::mem::take(&mut self.began);
        self.playing.front().filter(|_| began).map(|(_, tag)| MediaEvent::Began(*tag))
    }

    fn pass_ended(&mut self) -> Option<MediaEvent> {
        let (clip, tag) = self.playing.front()?;
        if self.played < clip.ms() {
            return None;
        }
        let tag = *tag;
        self.playing.pop_front();
        self.played = 0;
        Some(MediaEvent::Played(tag))
    }

    /// Takes one datagram, which is decrypted where it lies, and tells what it means.
    pub fn receive(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        now: Instant,
    ) -> Option<MediaEvent> {
        if !self.media_peer.vouches_for(from.ip()) {
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
        let format = self.format(packet.payload_type());
        let source = PacketOrigin { address: from, ssrc: packet.ssrc() };
        let class = match format {
            Some(PayloadFormat::Events { .. }) => self.media_peer.classify_events(source),
            Some(PayloadFormat::Audio(_)) => self.media_peer.classify(source),
            None if packet.payload_type() == COMFORT_NOISE => self.media_peer.classify(source),
            None => PacketSource::Stranger,
        };
        match class {
            PacketSource::Stranger => {
                self.counts.refused += 1;
                return None;
            }
            PacketSource::NewPeer => self.keys.change_source(self.agreed.codec),
            PacketSource::Peer | PacketSource::PeerEvents => {}
        }
        self.media_peer.hear(from.ip());
        self.heard_at = now;
        let (sequence, timestamp) = (u16::from(packet.sequence_number()), packet.timestamp());
        let is_sound = !matches!(format, Some(PayloadFormat::Events { .. }));
        if class != PacketSource::PeerEvents {
            // An event goes on under the time stamp of its beginning.
            self.reports.arrived(packet.ssrc(), sequence, is_sound.then_some(timestamp), now);
        }
        let payload = packet.payload();
        match format {
            Some(PayloadFormat::Events { ticks_per_ms }) => {
                self.tones.event_came();
                let ssrc = packet.ssrc();
                let event = EventPacket { ssrc, sequence, timestamp, ticks_per_ms, payload };
                self.keys.event(&event, now)
            }
            Some(PayloadFormat::Audio(codec)) => {
                self.hear(codec, payload, sequence, timestamp, now)
            }
            None => {
                self.counts.noise += 1;
                None
            }
        }
    }

    /// Where reports go: beside the packets.
    pub fn reports_to(&self) -> SocketAddr {
        let remote = self.remote();
        SocketAddr::new(remote.ip(), remote.port().saturating_add(1))
    }

    /// Writes a report if one is due.
    pub fn report(&mut self, report: &mut [u8; REPORT_BYTES_MAX], now: Instant) -> Option<usize> {
        // A far end on hold may name no address at all.
        if !self.media_peer.may_be_sent_to() {
            return None;
        }
        let length = self.reports.write(self.timestamp, now, report)?;
        self.guard.seal_report(report, length)
    }

    /// Reads a report, if it comes from where packets come from. A peer that reports is there.
    pub fn read_report(&mut self, from: SocketAddr, report: &mut [u8], now: Instant) {
        if from.ip() != self.remote().ip() {
            self.counts.refused += 1;
            return;
        }
        match self.guard.open_report(report) {
            Some(report) if self.reports.read(report, now) => {
                self.media_peer.hear(from.ip());
                self.heard_at = now;
            }
            Some(_) => self.counts.refused += 1,
            None => self.counts.forged += 1,
        }
    }

    /// Writes what tells the peer that the stream is over.
    pub fn farewell(&mut self, report: &mut [u8; REPORT_BYTES_MAX], now: Instant) -> Option<usize> {
        if !self.media_peer.may_be_sent_to() {
            return None;
        }
        let length = self.reports.write_bye(self.timestamp, now, report)?;
        self.guard.seal_report(report, length)
    }

    /// How good the audio has been so far.
    pub fn quality(&self) -> Quality {
        Quality {
            noise: self.counts.noise,
            refused: self.counts.refused,
            forged: self.counts.forged,
            encrypted: self.guard.suite(),
            fault: self.fault,
            keys_as_tones: self.tones == UnagreedTones::Found,
            ..self.reports.quality()
        }
    }

    /// Tells, once, that one end is not heard. A call on hold is not silent.
    pub fn silent(&mut self, now: Instant) -> Option<MediaEvent> {
        if !self.agreed.sending || self.fault.is_some() {
            return None;
        }
        self.fault = if self.media_peer.is_given_up() {
            Some(Fault::NothingCame)
        } else if now.duration_since(self.heard_at) >= self.timeouts.silence {
            Some(Fault::FellSilent)
        } else if self.reports.is_unheard() {
            Some(Fault::NothingArrives)
        } else {
            None
        };
        self.fault.map(MediaEvent::Silent)
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
