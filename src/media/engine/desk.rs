//! The media thread at work: lines, turns, packets.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc as events, oneshot};
use tracing::trace;

use super::{Load, Order};
use crate::clock;
use crate::media::codec::Clip;
use crate::media::reports::REPORT_BYTES_MAX;
use crate::media::strain::Strain;
use crate::media::stream::{PACKET_BYTES_MAX, Patience, Stream};
use crate::media::take::Take;
use crate::media::{Command, Event};

/// The thread's own view: lines, and in which milliseconds of 120 each has its turns.
pub(super) struct Desk<'l> {
    lines: Vec<Option<Box<Open>>>,
    places: HashMap<u64, usize>,
    free: Vec<usize>,
    slots: [Vec<usize>; SLOTS],
    started: Instant,
    tick: u64,
    patience: Patience,
    shunned: Vec<u16>,
    strain: Strain,
    load: &'l Load,
}

struct Open {
    socket: UdpSocket,
    reports: UdpSocket,
    events: events::Sender<Event>,
    random: u64,
    trunk: IpAddr,
    stream: Option<Stream>,
    /// What is to be played as soon as the stream starts, so that its first packet is not silence.
    prepared: Vec<(Arc<Clip>, u32)>,
    /// Where the recording goes that is being made.
    recording: Option<oneshot::Sender<Box<Take>>>,
}

impl<'l> Desk<'l> {
    pub(super) fn new(patience: Patience, load: &'l Load, started: Instant) -> Self {
        let slots = std::array::from_fn(|_| Vec::with_capacity(64));
        Self {
            lines: vec![],
            places: HashMap::new(),
            free: vec![],
            slots,
            started,
            tick: 0,
            patience,
            shunned: vec![],
            strain: Strain::default(),
            load,
        }
    }

    pub(super) fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            let order = match self.next_tick() {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => orders.recv_timeout(due.saturating_duration_since(clock::now())),
            };
            match order {
                Ok(order) => {
                    self.catch_up();
                    self.take(order);
                }
                Err(RecvTimeoutError::Timeout) => self.catch_up(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// When the next slot with a line in it is due.
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
                let line = self.slots[slot][position];
                if let Some(open) = self.lines[line].as_mut() {
                    open.turn(now, self.load);
                }
            }
            self.tick += 1;
        }
    }

    fn late(&mut self, now: Instant) {
        self.load.late.fetch_add(1, Ordering::Relaxed);
        if let Some(until) = self.strain.late(now) {
            let until = until.duration_since(self.started).as_millis() as u64;
            self.load.strained_until_ms.store(until, Ordering::Relaxed);
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Open { id, socket, reports, events, random, trunk } => {
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
                        self.lines.push(None);
                        self.lines.len() - 1
                    }
                };
                self.lines[place] = open;
                self.places.insert(id, place);
            }
            Order::Command { id, command } => self.command(id, command),
            Order::Shun(port) => self.shunned.push(port),
            Order::Close { id } => {
                if let Some(place) = self.places.remove(&id) {
                    if let Some(mut open) = self.lines[place].take() {
                        self.load
                            .lines
                            .fetch_sub(u64::from(open.stream.is_some()), Ordering::Relaxed);
                        open.take_leave();
                    }
                    self.free.push(place);
                    self.slots.iter_mut().for_each(|slot| slot.retain(|&line| line != place));
                }
            }
        }
    }

    /// Whether an address is one where we listen ourselves.
    fn is_ours(&self, remote: SocketAddr) -> bool {
        let port = remote.port();
        let bound = |socket: &UdpSocket| socket.local_addr().is_ok_and(|it| it.port() == port);
        let mut lines = self.lines.iter().flatten();
        let known = self.shunned.contains(&port)
            || lines.any(|open| bound(&open.socket) || bound(&open.reports));
        // Only an address of this machine can be bound.
        known && UdpSocket::bind((remote.ip(), 0)).is_ok()
    }

    /// A line takes its turns from the millisecond that has just passed on, so the next one is a packet's time from now;
    /// a little sooner where so many lines have begun at once that they would wait for each other.
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

    fn command(&mut self, id: u64, command: Command) {
        let Some(&place) = self.places.get(&id) else { return };
        let barred = matches!(&command, Command::Start(agreed) if self.is_ours(agreed.remote));
        let Some(open) = self.lines[place].as_mut() else { return };
        let now = clock::now();
        match (command, open.stream.as_mut()) {
            (Command::Start(agreed), None) => {
                let packet_ms = usize::from(agreed.packet_ms());
                let stream = open.stream.insert(Stream::new(
                    agreed,
                    open.trunk,
                    open.random,
                    self.patience,
                    now,
                ));
                stream.bar(barred);
                open.prepared.drain(..).for_each(|(clip, tag)| stream.play(clip, tag));
                open.turn(now, self.load);
                self.load.lines.fetch_add(1, Ordering::Relaxed);
                self.take_turns(place, packet_ms);
            }
            (Command::Start(agreed), Some(stream)) => {
                let before = stream.packet_ms();
                stream.renegotiate(agreed, now);
                stream.bar(barred);
                let packet_ms = stream.packet_ms();
                if packet_ms != before {
                    self.slots.iter_mut().for_each(|slot| slot.retain(|&line| line != place));
                    self.take_turns(place, packet_ms);
                }
            }
            (Command::Play { clip, tag }, Some(stream)) => stream.play(clip, tag),
            (Command::Hush, Some(stream)) => stream.hush(),
            (Command::Play { clip, tag }, None) => open.prepared.push((clip, tag)),
            (Command::Hush, None) => open.prepared.clear(),
            (Command::Record { take, back }, Some(stream)) => {
                stream.record(take);
                open.recording = Some(back);
            }
            (Command::StopRecording, Some(stream)) => {
                if let (Some(take), Some(back)) =
                    (stream.stop_recording(now), open.recording.take())
                {
                    let _ = back.send(take);
                }
            }
            (Command::Screen, Some(stream)) => stream.screen(),
            (Command::Screen, None) => {}
            (Command::Quality(back), Some(stream)) => drop(back.send(stream.quality())),
            (Command::Record { .. } | Command::StopRecording | Command::Quality(_), None) => {}
        }
    }
}

impl Open {
    /// One turn of a line: what has arrived, then the packet that is due.
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
        for event in ended.into_iter().chain(stream.silent(now)).chain(stream.recorded(now)) {
            let _ = self.events.try_send(event);
        }
    }

    fn take_leave(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let mut report = [0; REPORT_BYTES_MAX];
        if let Some(len) = stream.farewell(&mut report) {
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
    fn lines_that_begin_at_once_are_spread_and_few_are_not_moved() {
        for packet_ms in [10, 20, 30, 40, 60] {
            let load = Load::default();
            let mut desk =
                Desk::new(Patience::with_silence(Duration::from_secs(30)), &load, clock::now());
            desk.tick = 1234;
            (0..CROWD_MAX).for_each(|place| desk.take_turns(place, packet_ms));
            let together = 1233 % SLOTS;
            assert_eq!(desk.slots[together].len(), CROWD_MAX, "a packet's time from the first one");

            (CROWD_MAX..1000).for_each(|place| desk.take_turns(place, packet_ms));
            let most = desk.slots.iter().map(Vec::len).max().unwrap();
            assert!(most <= 1000 / packet_ms + 1 + CROWD_MAX, "{most} in one ms of {packet_ms}");
            // Each comes as often as its packets are due, at equal distances.
            for place in 0..1000 {
                let turns = (0..SLOTS).filter(|slot| desk.slots[*slot].contains(&place));
                let turns: Vec<_> = turns.collect();
                assert_eq!(turns.len(), SLOTS / packet_ms);
                assert!(turns.windows(2).all(|two| two[1] - two[0] == packet_ms), "{turns:?}");
            }
        }
    }
}
