//! What both ends tell each other about a stream, and what it says about the line.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Fault;
use super::srtp::Suite;
use rtcp_types::{
    Bye, ByeBuilder, Compound, CompoundBuilder, Packet, ReceiverReport, ReportBlock,
    ReportBlockBuilder, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem, SenderReport,
};

/// Reports of one stream, in both directions.
///
/// Contract: tell it what is sent and what arrives from the peer; ask [`Reports::write`] every turn.
/// Source:   RFC 3550 §6.4 (reports), §6.2 (how often), §A.1, §A.3 and §A.8 (sequence, loss, jitter).
#[derive(Debug)]
pub struct Reports {
    ssrc: u32,
    ticks_per_ms: i64,
    start: Instant,
    /// The wall clock at the start, since 1900.
    epoch: Duration,
    due: Instant,
    random: u64,
    /// The CNAME.
    name: String,
    sent: u32,
    sent_octets: u32,
    /// The sequence number that was sent last.
    sequence: u16,
    heard: Option<Heard>,
    /// The middle of the time in the peer's last report, and when it came.
    last_report: Option<(u32, Instant)>,
    far: Option<Far>,
}

/// One source's packets, counted.
#[derive(Clone, Copy, Debug)]
struct Heard {
    ssrc: u32,
    first: u32,
    /// With the number of wraps above it.
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    transit: i64,
    /// In ticks of the RTP clock, times 16.
    jitter: u32,
}

/// What the peer says about us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Far {
    lost: u32,
    jitter: u32,
    round_trip: Option<Duration>,
    /// The latest packet of ours that has arrived there, and how many had been sent when that was new, and when it was
    /// told last.
    highest: u32,
    new_at: u32,
    told_at: u32,
}

/// How good the line was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Packets that were sent.
    pub sent: u32,
    /// Packets that arrived.
    pub received: u32,
    /// Packets that did not.
    pub lost: u32,
    /// How unevenly they came, in ms.
    pub jitter_ms: u32,
    /// What the far end reports of ours: lost, and jitter in ms.
    pub far: Option<(u32, u32)>,
    /// There and back, in ms.
    pub round_trip_ms: Option<u32>,
    /// Packets that arrived and were comfort noise.
    pub noise: u32,
    /// Packets and reports of strangers, or none at all.
    pub refused: u32,
    /// Packets and reports that were not authentic, or had come before.
    pub forged: u32,
    /// What has encrypted it.
    pub encrypted: Option<Suite>,
    /// Why the call could not go on.
    pub fault: Option<Fault>,
    /// Whether keys came as tones, though the far end had promised events.
    pub keys_as_tones: bool,
}

impl Reports {
    /// Of the stream with this SSRC; `random` spreads the times of the reports.
    pub fn new(ssrc: u32, random: u64, ticks_per_ms: u32, now: Instant) -> Self {
        let mut reports = Self {
            ssrc,
            ticks_per_ms: ticks_per_ms.into(),
            start: now,
            epoch: Duration::from_secs(1),
            due: now,
            random,
            name: format!("{random:x}"),
            sent: 0,
            sent_octets: 0,
            sequence: 0,
            heard: None,
            last_report: None,
            far: None,
        };
        reports.due = now + reports.pause() / 2;
        reports
    }

    /// Tells the wall clock of this moment, so that recordings of two machines can be laid side by side. A clock that is
    /// set during the call does not move the reports.
    ///
    /// Source: RFC 3550 §6.4.1 (NTP timestamp).
    pub fn set_clock(&mut self, wall: Timestamp, now: Instant) {
        let since_1970 = Duration::try_from(wall.as_duration()).unwrap_or_default();
        let passed = now.saturating_duration_since(self.start);
        self.epoch = (since_1970 + FROM_1900_TO_1970).saturating_sub(passed);
    }

    /// The clock of both ends is another from now on.
    pub fn count_in(&mut self, ticks_per_ms: u32) {
        self.ticks_per_ms = ticks_per_ms.into();
        if let Some(heard) = &mut self.heard {
            (heard.transit, heard.jitter) = (i64::MAX / 2, 0);
        }
    }

    /// A packet with so much sound has left under this sequence number.
    pub fn sent(&mut self, octets: usize, sequence: u16) {
        self.sequence = sequence;
        self.sent = self.sent.wrapping_add(1);
        self.sent_octets = self.sent_octets.wrapping_add(octets as u32);
    }

    /// A packet of the peer has arrived. One that does not move its clock on has no time stamp here.
    pub fn arrived(&mut self, ssrc: u32, sequence: u16, timestamp: Option<u32>, now: Instant) {
        let ticks = now.duration_since(self.start).as_micros() as i64 * self.ticks_per_ms / 1000;
        let transit = timestamp.map(|timestamp| ticks - i64::from(timestamp));
        let Some(heard) = self.heard.as_mut().filter(|heard| heard.ssrc == ssrc) else {
            let first = u32::from(sequence);
            self.heard = Some(Heard {
                ssrc,
                first,
                highest: first,
                received: 1,
                expected_before: 0,
                received_before: 0,
                transit: transit.unwrap_or(i64::MAX / 2),
                jitter: 0,
            });
            return;
        };
        heard.received += 1;
        let ahead = sequence.wrapping_sub(heard.highest as u16);
        if ahead < u16::MAX / 2 {
            heard.highest = heard.highest.wrapping_add(u32::from(ahead));
        }
        let Some(transit) = transit else { return };
        // The far end's clock wraps; its leaps are no jitter.
        let deviation = (transit - heard.transit).unsigned_abs().min(u64::from(u16::MAX)) as u32;
        heard.transit = transit;
        if i64::from(deviation) < LEAP_MS * self.ticks_per_ms {
            heard.jitter = heard.jitter - ((heard.jitter + 8) >> 4) + deviation;
        }
    }

    /// Reads what the peer reports, and tells whether it is RTCP at all. What cannot be read is dropped.
    pub fn read(&mut self, datagram: &[u8], now: Instant) -> bool {
        let Ok(compound) = Compound::parse(datagram) else { return false };
        let mut read = false;
        for packet in compound.flatten() {
            read = true;
            match packet {
                Packet::Sr(report) => {
                    let middle = (report.ntp_timestamp() >> 16) as u32;
                    self.last_report = Some((middle, now));
                    report.report_blocks().for_each(|block| self.read_block(&block, now));
                }
                Packet::Rr(report) => {
                    report.report_blocks().for_each(|block| self.read_block(&block, now));
                }
                // A BYE ends nothing: SIP does.
                _ => {}
            }
        }
        read
    }

    fn read_block(&mut self, block: &ReportBlock<'_>, now: Instant) {
        if block.ssrc() != self.ssrc {
            return;
        }
        let (sent_at, waited) = (
            block.last_sender_report_timestamp(),
            block.delay_since_last_sender_report_timestamp(),
        );
        let middle = (self.ntp(now) >> 16) as u32;
        let round_trip = middle.wrapping_sub(sent_at).wrapping_sub(waited);
        // A far end that has heard no report of ours says 0; a longer round trip than this is a mistake.
        let is_known = sent_at != 0 && round_trip < ROUND_TRIP_MAX << 16;
        let round_trip = is_known
            .then(|| Duration::from_micros(u64::from(round_trip) * 1_000_000 / 65_536))
            .or(self.far.and_then(|far| far.round_trip));
        let lost = block.cumulative_lost();
        // Duplicates can make the number negative (24 bits with a sign).
        let lost = if lost >= 1 << 23 { 0 } else { lost };
        let jitter = block.interarrival_jitter() / self.ticks_per_ms as u32;
        let highest = block.extended_sequence_number();
        let told_at = self.sent;
        // What is no packet of ours tells nothing; some ends fill in zeros.
        let ours = u32::from(self.sequence.wrapping_sub(highest as u16)) < self.sent;
        let same = self.far.filter(|far| ours && far.highest == highest);
        let new_at = same.map_or(told_at, |far| far.new_at);
        self.far = Some(Far { lost, jitter, round_trip, highest, new_at, told_at });
    }

    /// Whether the far end has long reported that nothing of ours arrives any more.
    pub fn is_unheard(&self) -> bool {
        self.far.is_some_and(|far| far.told_at - far.new_at > UNHEARD_MIN)
    }

    /// Writes a report if one is due, for a stream that is at `timestamp`.
    pub fn write(&mut self, timestamp: u32, now: Instant, buffer: &mut [u8]) -> Option<usize> {
        if now < self.due {
            return None;
        }
        self.due = now + self.pause();
        self.compound(timestamp, now, None, buffer)
    }

    /// Writes the farewell: a last report and a BYE.
    ///
    /// Source: RFC 3550 §6.6.
    pub fn write_bye(&mut self, timestamp: u32, now: Instant, buffer: &mut [u8]) -> Option<usize> {
        let bye = Bye::builder().add_source(self.ssrc);
        self.compound(timestamp, now, Some(bye), buffer)
    }

    /// A report, who sends it, and perhaps a BYE. The name is the same during the whole call.
    ///
    /// Source: RFC 3550 §6.1, §6.5.1.
    fn compound(
        &mut self,
        timestamp: u32,
        now: Instant,
        bye: Option<ByeBuilder<'_>>,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let block = self.block(now);
        let item = SdesItem::builder(SdesItem::CNAME, &self.name);
        let description = Sdes::builder().add_chunk(SdesChunk::builder(self.ssrc).add_item(item));
        if self.sent == 0 {
            let mut report = ReceiverReport::builder(self.ssrc);
            if let Some(block) = block {
                report = report.add_report_block(block);
            }
            let compound = Compound::builder().add_packet(report).add_packet(description);
            return bye
                .into_iter()
                .fold(compound, CompoundBuilder::add_packet)
                .write_into(buffer)
                .ok();
        }
        let mut report = SenderReport::builder(self.ssrc)
            .ntp_timestamp(self.ntp(now))
            .rtp_timestamp(timestamp)
            .packet_count(self.sent)
            .octet_count(self.sent_octets);
        if let Some(block) = block {
            report = report.add_report_block(block);
        }
        let compound = Compound::builder().add_packet(report).add_packet(description);
        bye.into_iter().fold(compound, CompoundBuilder::add_packet).write_into(buffer).ok()
    }

    /// How good the line has been so far.
    pub fn quality(&self) -> Quality {
        let heard = self.heard;
        let expected = heard.map_or(0, |heard| heard.highest - heard.first + 1);
        Quality {
            sent: self.sent,
            received: heard.map_or(0, |heard| heard.received),
            lost: heard.map_or(0, |heard| expected.saturating_sub(heard.received)),
            jitter_ms: heard.map_or(0, |heard| (heard.jitter >> 4) / self.ticks_per_ms as u32),
            far: self.far.map(|far| (far.lost, far.jitter)),
            round_trip_ms: self
                .far
                .and_then(|far| far.round_trip)
                .map(|time| time.as_millis() as u32),
            ..Quality::default()
        }
    }

    fn block(&mut self, now: Instant) -> Option<ReportBlockBuilder> {
        let (middle, waited) = self.last_report.map_or((0, 0), |(middle, at)| {
            let waited = now.duration_since(at).as_micros() * 65_536 / 1_000_000;
            (middle, u32::try_from(waited).unwrap_or(u32::MAX))
        });
        let heard = self.heard.as_mut()?;
        let expected = heard.highest - heard.first + 1;
        let (all, came) =
            (expected - heard.expected_before, heard.received - heard.received_before);
        (heard.expected_before, heard.received_before) = (expected, heard.received);
        let fraction = (all.saturating_sub(came) * 256).checked_div(all).unwrap_or(0).min(255);
        Some(
            ReportBlock::builder(heard.ssrc)
                .fraction_lost(fraction as u8)
                .cumulative_lost(expected.saturating_sub(heard.received).min(LOST_MAX))
                .extended_sequence_number(heard.highest)
                .interarrival_jitter(heard.jitter >> 4)
                .last_sender_report_timestamp(middle)
                .delay_since_last_sender_report_timestamp(waited),
        )
    }

    /// The time as the reports write it: seconds of this era, and parts of 2^32.
    fn ntp(&self, now: Instant) -> u64 {
        let time = now.duration_since(self.start) + self.epoch;
        (time.as_secs() << 32) | ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000)
    }

    /// Half of five seconds to one and a half times as much, so that the reports of many calls do not meet.
    fn pause(&mut self) -> Duration {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        PAUSE / 2 + Duration::from_millis((self.random >> 32) % PAUSE.as_millis() as u64)
    }
}

impl std::fmt::Display for Quality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(fault) = self.fault {
            write!(f, "{fault}: ")?;
        } else if self.received == 0 && self.sent > ONE_WAY_MIN {
            write!(f, "one way, nothing comes: ")?;
        } else if self.far.is_some_and(|(lost, _)| self.sent > ONE_WAY_MIN && lost > self.sent / 2)
        {
            write!(f, "one way, little arrives there: ")?;
        } else if self.noise > ONE_WAY_MIN && self.noise == self.received {
            write!(f, "only comfort noise comes: ")?;
        }
        write!(
            f,
            "{} sent, {} heard, {} lost, jitter {} ms",
            self.sent, self.received, self.lost, self.jitter_ms
        )?;
        if let Some((lost, jitter)) = self.far {
            write!(f, "; far end: {lost} lost, jitter {jitter} ms")?;
        }
        if let Some(ms) = self.round_trip_ms {
            write!(f, "; round trip {ms} ms")?;
        }
        if self.keys_as_tones {
            write!(f, "; keys came as tones, not as events")?;
        }
        for (count, of) in [(self.refused, "of strangers"), (self.forged, "not authentic")] {
            if count > 0 {
                write!(f, "; {count} {of}")?;
            }
        }
        match self.encrypted {
            Some(suite) => write!(f, "; {}", suite.name()),
            None => Ok(()),
        }
    }
}

/// Packets; fewer say nothing.
const ONE_WAY_MIN: u32 = 100;
/// 15 s of packets.
const UNHEARD_MIN: u32 = 750;
/// Room for a report.
pub const REPORT_BYTES_MAX: usize = 256;
const FROM_1900_TO_1970: Duration = Duration::from_secs(2_208_988_800);
const PAUSE: Duration = Duration::from_secs(5);
/// A deviation of a second is no jitter but another clock.
const LEAP_MS: i64 = 1000;
const LOST_MAX: u32 = (1 << 23) - 1;
/// Seconds.
const ROUND_TRIP_MAX: u32 = 10;

#[cfg(test)]
mod tests;
