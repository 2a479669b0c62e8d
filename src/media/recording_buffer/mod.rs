//! One spoken answer as it arrives: placed by its time stamps, whatever the network did to it.

use std::time::{Duration, Instant};

use super::codec::{Codec, FRAME_BYTES};

/// What is heard on one line from the tone on.
///
/// Each packet lies where its RTP time stamp puts it, so that jitter, reordering and loss change nothing around
/// them. All memory is taken when it is made.
///
/// Contract: silence that the far end does not send is silence here: the length is the time that has passed.
/// Source:   RFC 3550 §5.1 (time stamps), RFC 3551 §4.1 (silence between talk spurts).
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingBuffer {
    codec: Codec,
    octets: Box<[u8]>,
    /// One bit for each millisecond that has arrived.
    there: Box<[u8]>,
    begun: Instant,
    base: Option<Base>,
    length: usize,
    ended: bool,
    is_reported: bool,
    voice: VoiceDetector,
    late: u32,
    late_in_a_row: u32,
    duplicates: u32,
}

/// Where a time stamp lies, and what came last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Base {
    timestamp: u32,
    place: i64,
    next_sequence: u16,
    next_place: i64,
}

/// Why a recording is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// It has been silent for a while.
    Silence,
    /// It is as long as it may be.
    Full,
}

/// What became of the packets, in frames of 20 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Frames from the first packet to the end.
    pub expected: u32,
    /// Those that arrived whole, or were silence that is not sent.
    pub received: u32,
    /// Those of which something had to be made up.
    pub concealed: u32,
    /// Packets that came too late to count.
    pub late: u32,
    /// Packets that came twice.
    pub duplicates: u32,
}

impl RecordingBuffer {
    /// Begins now and holds at most so much.
    pub fn new(codec: Codec, length_max: Duration, now: Instant) -> Self {
        let ms = usize::try_from(length_max.as_millis()).unwrap_or(0).next_multiple_of(20);
        Self {
            codec: codec.plain(),
            octets: vec![codec.silence(); ms * PER_MS].into(),
            there: vec![0; ms.div_ceil(8)].into(),
            begun: now,
            base: None,
            length: 0,
            ended: false,
            is_reported: false,
            voice: VoiceDetector::default(),
            late: 0,
            late_in_a_row: 0,
            duplicates: 0,
        }
    }

    /// The plain codec in which it is kept.
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes the sound of one packet, in the plain codec.
    pub fn packet(&mut self, sequence: u16, timestamp: u32, payload: &[u8], now: Instant) {
        if self.ended || payload.is_empty() {
            return;
        }
        let wall = self.wall(now);
        let place = match self.base {
            Some(base) => {
                base.place + i64::from(timestamp.wrapping_sub(base.timestamp).cast_signed())
            }
            None => wall,
        };
        let lag = wall - place;
        // Beyond any jitter the time stamps have begun anew, or the network path has become longer: the packet lies where the
        // clock says.
        let is_anew = self.base.is_none()
            || !(-AHEAD_MAX..ANEW).contains(&lag)
            || self.late_in_a_row >= LATE_IN_A_ROW;
        let place = if is_anew { wall } else { place };
        let end = place + payload.len() as i64;
        if !is_anew && lag > LATE {
            self.late += 1;
            self.late_in_a_row += 1;
            return;
        }
        self.late_in_a_row = 0;
        if let Some(base) = self.base.filter(|base| !is_anew && base.next_sequence == sequence) {
            // Nothing was lost in between: the far end did not send its silence.
            self.mark(base.next_place, place);
        }
        if self.is_there(place, end) {
            self.duplicates += 1;
            return;
        }
        self.write(place, payload);
        self.mark(place, end);
        let is_newest = self.base.is_none_or(|base| is_anew || end >= base.next_place);
        if is_newest {
            self.base = Some(Base {
                timestamp,
                place,
                next_sequence: sequence.wrapping_add(1),
                next_place: end,
            });
        }
    }

    /// Call it every 20 ms. Tells once that the recording is over by itself, and why.
    pub fn tick(&mut self, now: Instant) -> Option<Over> {
        if self.ended || self.is_reported {
            return None;
        }
        let wall = self.wall(now);
        self.length = self.within(wall);
        let settled = self.within(wall - LATE) / FRAME_BYTES;
        while self.voice.frames < settled {
            let from = self.voice.frames * FRAME_BYTES;
            let power = self.power(from);
            self.voice.frame(power);
        }
        let over = if self.length == self.octets.len() {
            Some(Over::Full)
        } else if self.voice.quiet_frames() >= QUIET_FRAMES {
            Some(Over::Silence)
        } else {
            None
        };
        self.is_reported = over.is_some();
        over
    }

    /// What comes after `now` is no part of it.
    pub fn end(&mut self, now: Instant) {
        self.tick(now);
        self.ended = true;
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_millis((self.length / PER_MS) as u64)
    }

    /// From the first sound of a voice to the last.
    pub fn voice(&self) -> Duration {
        let frames = self.voice.first.map_or(0, |first| self.voice.last - first + 1);
        super::codec::FRAME * u32::try_from(frames).unwrap_or(u32::MAX)
    }

    /// What became of the packets since the first.
    pub fn account(&self) -> Account {
        let there: Vec<bool> = (0..self.length / PER_MS).map(|ms| self.is_ms_there(ms)).collect();
        let first = there.iter().position(|there| *there).unwrap_or(there.len());
        let last = there.iter().rposition(|there| *there).map_or(first, |last| last + 1);
        // The next packet was still on its way; but a far end that fell silent before has left something out.
        let last = if there.len() - last < FRAME_MS { last } else { there.len() };
        let expected = (last - first).div_ceil(FRAME_MS);
        let missing = there[first..last].iter().filter(|there| !**there).count();
        let concealed = missing.div_ceil(FRAME_MS);
        Account {
            expected: expected as u32,
            received: (expected - concealed) as u32,
            concealed: concealed as u32,
            late: self.late,
            duplicates: self.duplicates,
        }
    }

    /// The sound, 8,000 samples a second. What is missing is filled with what came before it, fading.
    pub fn samples(&self) -> Vec<i16> {
        let mut samples: Vec<i16> =
            self.octets[..self.length].iter().map(|octet| self.codec.decode(*octet)).collect();
        let mut gap = 0;
        for ms in 0..self.length / PER_MS {
            if self.is_ms_there(ms) {
                gap = 0;
                continue;
            }
            // The first frame of a gap repeats what was heard; each further one repeats that, at half its level.
            let fade = if gap < FRAME_MS { 1 } else { 2 };
            for at in ms * PER_MS..(ms + 1) * PER_MS {
                let before = at.checked_sub(FRAME_BYTES).map_or(0, |before| samples[before]);
                samples[at] = if gap < CONCEALED_MS { before / fade } else { 0 };
            }
            gap += 1;
        }
        samples
    }

    /// All of it, for the store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let there = &self.there[..(self.length / PER_MS).div_ceil(8)];
        let mut bytes = Vec::with_capacity(HEADER + there.len() + self.length);
        bytes.extend_from_slice(MARK);
        bytes.push(match self.codec {
            Codec::Pcma => 8,
            _ => 0,
        });
        bytes.extend_from_slice(&u32::try_from(self.length).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(there);
        bytes.extend_from_slice(&self.octets[..self.length]);
        bytes
    }

    /// Reads what [`RecordingBuffer::to_bytes`] has written. It takes no more packets.
    pub fn from_bytes(bytes: &[u8], now: Instant) -> Result<Self, NotARecording> {
        let (head, rest) = bytes.split_at_checked(HEADER).ok_or(NotARecording)?;
        let codec = match head.strip_prefix(MARK).ok_or(NotARecording)? {
            [0, ..] => Codec::Pcmu,
            [8, ..] => Codec::Pcma,
            _ => return Err(NotARecording),
        };
        let length = head[MARK.len() + 1..].try_into().map(u32::from_be_bytes);
        let length = length.map_err(|_| NotARecording)? as usize;
        let bits = (length / PER_MS).div_ceil(8);
        if !length.is_multiple_of(PER_MS) || rest.len() != bits + length {
            return Err(NotARecording);
        }
        let mut take = Self::new(codec, Duration::ZERO, now);
        take.there = rest[..bits].into();
        take.octets = rest[bits..].into();
        (take.length, take.ended) = (length, true);
        Ok(take)
    }

    /// The place of this moment, in samples.
    fn wall(&self, now: Instant) -> i64 {
        let ms = now.saturating_duration_since(self.begun).as_millis();
        i64::try_from(ms).unwrap_or(i64::MAX / PER_MS as i64) * PER_MS as i64
    }

    fn within(&self, place: i64) -> usize {
        usize::try_from(place).unwrap_or(0).min(self.octets.len())
    }

    fn write(&mut self, place: i64, payload: &[u8]) {
        let (from, end) = (self.within(place), self.within(place + payload.len() as i64));
        let skipped = usize::try_from(from as i64 - place).unwrap_or(0).min(payload.len());
        let written = (end - from).min(payload.len() - skipped);
        self.octets[from..from + written].copy_from_slice(&payload[skipped..skipped + written]);
    }

    fn mark(&mut self, from: i64, end: i64) {
        for ms in self.within(from) / PER_MS..self.within(end) / PER_MS {
            self.there[ms / 8] |= 1 << (ms % 8);
        }
    }

    fn is_there(&self, from: i64, end: i64) -> bool {
        let (from, end) = (self.within(from) / PER_MS, self.within(end) / PER_MS);
        from < end && (from..end).all(|ms| self.is_ms_there(ms))
    }

    fn is_ms_there(&self, ms: usize) -> bool {
        self.there[ms / 8] & 1 << (ms % 8) != 0
    }

    fn power(&self, from: usize) -> f32 {
        let frame = &self.octets[from..from + FRAME_BYTES];
        let square = |octet: &u8| f32::from(self.codec.decode(*octet)).powi(2);
        frame.iter().map(square).sum::<f32>() / FRAME_BYTES as f32
    }
}

impl std::fmt::Debug for RecordingBuffer {
    /// Never what was said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingBuffer").field("length", &self.length()).finish_non_exhaustive()
    }
}

/// The bytes are no recording of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored recording cannot be read; is voice_reply.key_file the one it was stored with?")]
pub struct NotARecording;

/// Tells a voice from the noise around it, by its power over what is quietest.
#[derive(Clone, PartialEq)]
struct VoiceDetector {
    frames: usize,
    smooth: f32,
    /// The least of each of the last seconds.
    floors: [f32; FLOOR_S],
    first: Option<usize>,
    last: usize,
}

impl Eq for VoiceDetector {}

impl Default for VoiceDetector {
    fn default() -> Self {
        Self { frames: 0, smooth: 0.0, floors: [f32::INFINITY; FLOOR_S], first: None, last: 0 }
    }
}

impl VoiceDetector {
    fn frame(&mut self, power: f32) {
        self.smooth = if self.frames == 0 { power } else { 0.7 * self.smooth + 0.3 * power };
        if self.frames.is_multiple_of(FRAMES_PER_S) {
            self.floors.rotate_right(1);
            self.floors[0] = f32::INFINITY;
        }
        self.floors[0] = self.floors[0].min(self.smooth);
        let floor = self.floors.into_iter().fold(f32::INFINITY, f32::min);
        let is_voice =
            self.smooth > 4.0 * floor && power > 2.0 * floor && power > VOICE_RMS_MIN.powi(2);
        // Speech from the very first frame has no quiet before it.
        let is_loud = self.frames < FRAMES_PER_S && power > LOUD_RMS.powi(2);
        if is_voice || is_loud {
            self.first.get_or_insert(self.frames);
            self.last = self.frames;
        }
        self.frames += 1;
    }

    fn quiet_frames(&self) -> usize {
        self.frames - self.first.map_or(0, |_| self.last)
    }
}

/// Samples, which are octets too.
const PER_MS: usize = 8;
/// How long a packet is waited for.
const LATE: i64 = 60 * PER_MS as i64;
/// Further ahead or behind than this is no jitter but another clock.
const AHEAD_MAX: i64 = 500 * PER_MS as i64;
const ANEW: i64 = 1000 * PER_MS as i64;
const LATE_IN_A_ROW: u32 = 3;
const QUIET_FRAMES: usize = 8 * FRAMES_PER_S;
const FRAMES_PER_S: usize = 50;
const FLOOR_S: usize = 4;
const VOICE_RMS_MIN: f32 = 60.0;
const LOUD_RMS: f32 = 1000.0;
const FRAME_MS: usize = 20;
const CONCEALED_MS: usize = 60;
const MARK: &[u8] = b"take1";
const HEADER: usize = MARK.len() + 1 + 4;

#[cfg(test)]
mod tests;
