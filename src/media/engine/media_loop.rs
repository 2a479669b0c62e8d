//! The media thread at work: ports, turns, packets.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc as events, oneshot};
use tracing::trace;

use super::{EngineCommand, Load};
use crate::clock;
use crate::media::codec::Clip;
use crate::media::overload::Overload;
use crate::media::recording_buffer::RecordingBuffer;
use crate::media::reports::REPORT_BYTES_MAX;
use crate::media::stream::{MediaTimeouts, PACKET_BYTES_MAX, Stream};
use crate::media::{MediaCommand, MediaEvent};

/// The thread's own view: open ports, and in which milliseconds of 120 each has its turns.
pub(super) struct MediaLoop<'l> {
    ports: Vec<Option<Box<Open>>>,
    places: HashMap<u64, usize>,
    free: Vec<usize>,
    slots: [Vec<usize>; SLOTS],
    started: Instant,
    tick: u64,
    timeouts: MediaTimeouts,
    shunned: Vec<u16>,
    overload: Overload,
    load: &'l Load,
}

struct Open {
    socket: UdpSocket,
    reports: UdpSocket,
    events: events::Sender<MediaEvent>,
    random: u64,
    trunk: IpAddr,
    stream: Option<Stream>,
    /// What is to be played as soon as the stream starts, so that its first packet is not silence.
    prepared: Vec<(Arc<Clip>, u32)>,
    /// Where the recording goes that is being made.
    recording: Option<oneshot::Sender<Box<RecordingBuffer>>>,
}

impl<'l> MediaLoop<'l> {
    pub(super) fn new(timeouts: MediaTimeouts, load: &'l Load, started: Instant) -> Self {
        let slots = std::array::from_fn(|_| Vec::with_capacity(64));
        Self {
            ports: vec![],
            places: HashMap::new(),
            free: vec![],
            slots,
            started,
            tick: 0,
            timeouts,
            shunned: vec![],
            overload: Overload::default(),
            load,
        }
    }

    pub(super) fn run(&mut self, commands: &Receiver<EngineCommand>) {
        loop {
            let command = match self.next_tick() {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => commands.recv_timeout(due.saturating_duration_since(clock::now())),
            };
            match command {
                Ok(command) => {
                    self.catch_up();
                    self.carry_out(command);
                }
                Err(RecvTimeoutError::Timeout) => self.catch_up(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// When the next slot with a port in it is due.
    fn next_tick(&self) -> Option<Instant> {
        (self.tick..self.tick + SLOTS as u64)
            .find(|tick| !self.slots[(tick % SLOTS as u64) as usize].is_empty())
            .map(|tick| self.started + Duration::from_millis(tick))
    }

    fn catch_up(&mut self) {
        let now = clock::now();
        let due = now.duration_since(self.started).as_millis() as u64;
        if self.slots.iter().all(Vec::is_empty) {
            self.tick = due + 1;
            return;
        }
        if due > self.tick + BEHIND_MAX {
            // The process was stopped or the clock of the machine leapt; what was missed is not sent in a burst.
            self.late(now);
            self.tick = due;
        }
        while self.tick <= due {
            let slot = (self.tick % SLOTS as u64) as usize;
            if !self.slots[slot].is_empty() {
                let late =
                    now.saturating_duration_since(self.started + Duration::from_millis(self.tick));
                self.load.late_us_max.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
                if late > LATE {
                    self.late(now);
                }
            }
            for position in 0..self.slots[slot].len() {
                let place = self.slots[slot][position];
                if let Some(open) = self.ports[place].as_mut() {
                    open.turn(now, self.load);
                }
            }
            self.tick += 1;
        }
    }

    fn late(&mut self, now: Instant) {
        self.load.late.fetch_add(1, Ordering::Relaxed);
        if let Some(until) = self.overload.late(now) {
            let until = until.duration_since(self.started).as_millis() as u64;
            self.load.strained_until_ms.store(until, Ordering::Relaxed);
        }
    }

    fn carry_out(&mut self, command: EngineCommand) {
        match command {
            EngineCommand::Open { id, socket, reports, events, random, trunk } => {
                let open = Some(Box::new(Open {
                    socket,
                    reports,
                    events,
                    random,
                    trunk,
                    stream: None,
                    prepared: vec![],
                    recording: None,
                }));
                let place = match self.free.pop() {
                    Some(place) => place,
                    None => {
                        self.ports.push(None);
                        self.ports.len() - 1
                    }
                };
                self.ports[place] = open;
                self.places.insert(id, place);
            }
            EngineCommand::MediaCommand { id, command } => self.command(id, command),
            EngineCommand::ReservePort(port) => self.shunned.push(port),
            EngineCommand::Close { id } => {
                if let Some(place) = self.places.remove(&id) {
                    if let Some(mut open) = self.ports[place].take() {
                        self.load
                            .ports
                            .fetch_sub(u64::from(open.stream.is_some()), Ordering::Relaxed);
                        open.say_goodbye();
                    }
                    self.free.push(place);
                    self.slots.iter_mut().for_each(|slot| slot.retain(|&other| other != place));
                }
            }
        }
    }

    /// Whether an address is one where we listen ourselves.
    fn is_ours(&self, remote: SocketAddr) -> bool {
        let port = remote.port();
        let bound = |socket: &UdpSocket| socket.local_addr().is_ok_and(|it| it.port() == port);
        let mut ports = self.ports.iter().flatten();
        let known = self.shunned.contains(&port)
            || ports.any(|open| bound(&open.socket) || bound(&open.reports));
        // Only an address of this machine can be bound.
        known && UdpSocket::bind((remote.ip(), 0)).is_ok()
    }

    /// A port takes its turns from the millisecond that has just passed on, so the next one is a packet's time from now;
    /// a little sooner where so many ports have begun at once that they would wait for each other.
    fn take_turns(&mut self, place: usize, packet_ms: usize) {
        let packet_ms = packet_ms.clamp(1, SLOTS);
        let passed = self.tick as usize % SLOTS + SLOTS - 1;
        let turns = |sooner: usize| {
            (0..SLOTS / packet_ms).map(move |turn| (passed - sooner + turn * packet_ms) % SLOTS)
        };
        let crowd = |sooner: usize| turns(sooner).map(|slot| self.slots[slot].len()).sum::<usize>();
        let emptiest = (0..packet_ms).min_by_key(|sooner| crowd(*sooner)).unwrap_or(0);
        let crowded = crowd(0) > crowd(emptiest) + CROWD_MAX * SLOTS / packet_ms;
        for slot in turns(if crowded { emptiest } else { 0 }) {
            self.slots[slot].push(place);
        }
    }

    fn command(&mut self, id: u64, command: MediaCommand) {
        let Some(&place) = self.places.get(&id) else { return };
        let Some(trunk) = self.ports[place].as_ref().map(|open| open.trunk) else { return };
        let command = command.through(trunk);
        let forbidden_ports =
            matches!(&command, MediaCommand::Start(agreed) if self.is_ours(agreed.remote));
        let Some(open) = self.ports[place].as_mut() else { return };
        let now = clock::now();
        match (command, open.stream.as_mut()) {
            (MediaCommand::Start(agreed), None) => {
                let packet_ms = usize::from(agreed.packet_ms());
                let new = Stream::new(agreed, open.trunk, open.random, self.timeouts, now);
                let stream = open.stream.insert(new);
                stream.set_clock(clock::timestamp(), now);
                stream.forbid_port(forbidden_ports);
                open.prepared.drain(..).for_each(|(clip, tag)| stream.play(clip, tag));
                open.turn(now, self.load);
                self.load.ports.fetch_add(1, Ordering::Relaxed);
                self.take_turns(place, packet_ms);
            }
            (MediaCommand::Start(agreed), Some(stream)) => {
                let before = stream.packet_ms();
                stream.renegotiate(agreed, now);
                stream.forbid_port(forbidden_ports);
                let packet_ms = stream.packet_ms();
                if packet_ms != before {
                    self.slots.iter_mut().for_each(|slot| slot.retain(|&other| other != place));
                    self.take_turns(place, packet_ms);
                }
            }
            (MediaCommand::Play { clip, tag }, Some(stream)) => stream.play(clip, tag),
            (MediaCommand::StopPlayback, Some(stream)) => stream.stop_playback(),
            (MediaCommand::Play { clip, tag }, None) => open.prepared.push((clip, tag)),
            (MediaCommand::StopPlayback, None) => open.prepared.clear(),
            (MediaCommand::Record { buffer, back }, Some(stream)) => {
                stream.record(buffer);
                open.recording = Some(back);
            }
            (MediaCommand::StopRecording, Some(stream)) => {
                if let (Some(buffer), Some(back)) =
                    (stream.stop_recording(now), open.recording.take())
                {
                    let _ = back.send(buffer);
                }
            }
            (MediaCommand::DetectMachine, Some(stream)) => stream.detect_machine(),
            (MediaCommand::ListenForTones, Some(stream)) => stream.listen_for_tones(),
            (MediaCommand::DetectMachine | MediaCommand::ListenForTones, None) => {}
            (MediaCommand::Quality(back), Some(stream)) => drop(back.send(stream.quality())),
            (
                MediaCommand::Record { .. }
                | MediaCommand::StopRecording
                | MediaCommand::Quality(_),
                None,
            ) => {}
        }
    }
}

impl Open {
    /// One turn of a port: what has arrived, then the packet that is due.
    fn turn(&mut self, now: Instant, load: &Load) {
        let Some(stream) = self.stream.as_mut() else { return };
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..RECEIVED_PER_TURN_MAX {
            match self.socket.recv_from(&mut datagram) {
                Ok((len, from)) => {
                    trace!(len, "RTP received");
                    if let Some(event) = stream.receive(from, &mut datagram[..len], now) {
                        let _ = self.events.try_send(event);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {} // An ICMP error about an earlier packet; silence will tell if it matters.
            }
        }
        let mut packet = [0; PACKET_BYTES_MAX];
        let (len, ended) = stream.next(&mut packet);
        if let Some(len) = len {
            let sent = self.socket.send_to(&packet[..len], stream.remote()).is_ok();
            let counter = if sent { &load.sent } else { &load.unsent };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let mut report = [0; REPORT_BYTES_MAX];
        // Reports are few, but how long they wait here would count as the way they took.
        for _ in 0..REPORTS_PER_TURN_MAX {
            let Ok((len, from)) = self.reports.recv_from(&mut datagram) else { break };
            stream.read_report(from, &mut datagram[..len], now);
        }
        if let Some(len) = stream.report(&mut report, now) {
            let _ = self.reports.send_to(&report[..len], stream.reports_to());
        }
        let playback = ended.into_iter().chain(stream.began());
        for event in playback.chain(stream.silent(now)).chain(stream.recorded(now)) {
            let _ = self.events.try_send(event);
        }
    }

    fn say_goodbye(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let mut report = [0; REPORT_BYTES_MAX];
        if let Some(len) = stream.farewell(&mut report, clock::now()) {
            let _ = self.reports.send_to(&report[..len], stream.reports_to());
        }
    }
}

/// Turns are spread over 120 ms, of which packets of 10, 20, 30, 40 and 60 ms are whole parts.
const SLOTS: usize = 120;
/// Lines of one millisecond beyond those of another: a tenth of a millisecond's work.
const CROWD_MAX: usize = 10;
const LATE: Duration = Duration::from_millis(5);
/// Further behind than this, in ms, ticks are left out.
const BEHIND_MAX: u64 = 200;
const DATAGRAM_BYTES_MAX: usize = 1500;
/// So many that 10,000 packets of strangers in a second do not keep those of the peer waiting.
const RECEIVED_PER_TURN_MAX: usize = 256;
const REPORTS_PER_TURN_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_begin_at_once_are_spread_and_few_are_not_moved() {
        for packet_ms in [10, 20, 30, 40, 60] {
            let load = Load::default();
            let mut media_loop = MediaLoop::new(
                MediaTimeouts::with_silence(Duration::from_secs(30)),
                &load,
                clock::now(),
            );
            media_loop.tick = 1234;
            (0..CROWD_MAX).for_each(|place| media_loop.take_turns(place, packet_ms));
            let together = 1233 % SLOTS;
            assert_eq!(
                media_loop.slots[together].len(),
                CROWD_MAX,
                "a packet's time from the first one"
            );

            (CROWD_MAX..1000).for_each(|place| media_loop.take_turns(place, packet_ms));
            let most = media_loop.slots.iter().map(Vec::len).max().unwrap();
            assert!(most <= 1000 / packet_ms + 1 + CROWD_MAX, "{most} in one ms of {packet_ms}");
            // Each comes as often as its packets are due, at equal distances.
            for place in 0..1000 {
                let turns = (0..SLOTS).filter(|slot| media_loop.slots[*slot].contains(&place));
                let turns: Vec<_> = turns.collect();
                assert_eq!(turns.len(), SLOTS / packet_ms);
                assert!(turns.windows(2).all(|two| two[1] - two[0] == packet_ms), "{turns:?}");
            }
        }
    }
}
