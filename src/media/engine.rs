//! The media thread: owns every RTP socket and each millisecond's turn.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc as events, oneshot};
use tracing::{debug, info, trace};

use super::codec::Clip;
use super::ports::Ports;
use super::reports::REPORT_BYTES_MAX;
use super::stream::{PACKET_BYTES_MAX, Stream};
use super::take::Take;
use super::{Command, Event, realtime};
use crate::clock;
use crate::seed::Seed;

/// A handle to the media thread. The thread ends when the last handle and the last line are gone.
///
/// The thread sleeps while no line is open. A command wakes it, so the first packet of a call leaves at once and
/// not at the next tick. In the steady state it allocates nothing and takes no lock.
#[derive(Clone, Debug)]
pub struct Engine {
    orders: Sender<Order>,
    shared: Arc<Shared>,
}

/// What the operator has set (`[media]`).
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Local address of the sockets.
    pub listen: IpAddr,
    /// Address for session descriptions, behind NAT.
    pub advertise: Option<IpAddr>,
    /// Ports to use.
    pub ports: RangeInclusive<u16>,
    /// How long nothing may arrive before [`Event::Silent`].
    pub silence: Duration,
}

#[derive(Debug)]
struct Shared {
    settings: EngineSettings,
    ports: Mutex<(Ports, Seed, u64)>,
    load: Load,
}

/// Plain counters of the thread.
#[derive(Debug, Default)]
pub struct Load {
    /// Packets sent.
    pub sent: AtomicU64,
    /// Packets that the kernel refused.
    pub unsent: AtomicU64,
    /// Ticks that began more than 5 ms late.
    pub late: AtomicU64,
    /// The latest a tick has begun, in microseconds.
    pub late_us_max: AtomicU64,
}

/// One call's line: an RTP port, commands in, events out. Dropping it closes the port.
#[derive(Debug)]
pub struct Line {
    /// Where the far end is to send, as the session description says it.
    pub local: SocketAddr,
    /// What happens on the line. Bounded; a call that does not listen loses what comes next.
    pub events: events::Receiver<Event>,
    id: u64,
    port: u16,
    orders: Sender<Order>,
    shared: Arc<Shared>,
}

enum Order {
    Open {
        id: u64,
        socket: UdpSocket,
        reports: UdpSocket,
        events: events::Sender<Event>,
        random: u64,
        trunk: IpAddr,
    },
    Command {
        id: u64,
        command: Command,
    },
    Close {
        id: u64,
    },
}

impl Engine {
    /// Starts the thread.
    pub fn start(settings: EngineSettings, mut seed: Seed) -> Result<Self, MediaError> {
        let ports = Ports::new(settings.ports.clone(), seed.below(u64::MAX));
        let silence = settings.silence;
        let shared = Arc::new(Shared {
            settings,
            ports: Mutex::new((ports, seed, 0)),
            load: Load::default(),
        });
        let (orders, taken) = channel();
        let load = shared.clone();
        let run = move || {
            match realtime::request() {
                Ok(()) => info!("the media thread has real-time priority"),
                Err(error) => {
                    info!(%error, "the media thread runs without real-time priority; allow it with LimitRTPRIO=25");
                }
            }
            Desk::new(silence, &load.load).run(&taken);
        };
        thread::Builder::new().name("media".into()).spawn(run).map_err(MediaError::Thread)?;
        Ok(Self { orders, shared })
    }

    /// Opens a line on a free port, for a call through the trunk with this address.
    pub fn open(&self, trunk: IpAddr) -> Result<Line, MediaError> {
        let Shared { settings, ports, .. } = &*self.shared;
        let mut guard = ports.lock().unwrap_or_else(PoisonError::into_inner);
        let (ports, seed, count) = &mut *guard;
        for _ in 0..BIND_TRIES_MAX {
            let port = ports.take(clock::now()).ok_or(MediaError::NoPort)?;
            // Reports have the port above (RFC 3550 §11).
            let bind = |port| UdpSocket::bind((settings.listen, port));
            let sockets = bind(port).and_then(|packets| Ok((packets, bind(port + 1)?)));
            let (socket, reports) = match sockets {
                Ok(sockets) => sockets,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    debug!(port, "another program has this port");
                    ports.put_back(port, clock::now());
                    continue;
                }
                Err(error) => {
                    ports.put_back(port, clock::now());
                    return Err(MediaError::Socket(error));
                }
            };
            for socket in [&socket, &reports] {
                socket.set_nonblocking(true).map_err(MediaError::Socket)?;
            }
            *count += 1;
            let id = *count;
            let (tell, told) = events::channel(EVENTS_MAX);
            let random = seed.below(u64::MAX);
            let open = Order::Open { id, socket, reports, events: tell, random, trunk };
            self.orders.send(open).map_err(|_| MediaError::Stopped)?;
            let ip = settings.advertise.unwrap_or(settings.listen);
            let (orders, shared) = (self.orders.clone(), self.shared.clone());
            return Ok(Line {
                local: SocketAddr::new(ip, port),
                events: told,
                id,
                port,
                orders,
                shared,
            });
        }
        Err(MediaError::NoPort)
    }

    /// What the thread has done so far.
    pub fn load(&self) -> &Load {
        &self.shared.load
    }
}

impl Line {
    /// Asks something of the stream.
    pub fn command(&self, command: Command) {
        // A thread that is gone ends the call by silence; there is nothing better to do here.
        let _ = self.orders.send(Order::Command { id: self.id, command });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Close { id: self.id });
        let mut guard = self.shared.ports.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.put_back(self.port, clock::now());
    }
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The range is used up.
    #[error("no free RTP port in media.ports; widen the range")]
    NoPort,
    /// The socket cannot be made.
    #[error("an RTP socket cannot be opened on media.listen: {0}")]
    Socket(io::Error),
    /// The thread cannot be started.
    #[error("the media thread did not start: {0}")]
    Thread(io::Error),
    /// The thread has ended.
    #[error("the media thread has ended; restart offhook")]
    Stopped,
}

/// The thread's own view: lines, and in which milliseconds of 120 each has its turns.
struct Desk<'l> {
    lines: Vec<Option<Open>>,
    places: HashMap<u64, usize>,
    free: Vec<usize>,
    slots: [Vec<usize>; SLOTS],
    started: Instant,
    tick: u64,
    silence: Duration,
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
    fn new(silence: Duration, load: &'l Load) -> Self {
        let slots = std::array::from_fn(|_| Vec::with_capacity(64));
        Self {
            lines: vec![],
            places: HashMap::new(),
            free: vec![],
            slots,
            started: clock::now(),
            tick: 0,
            silence,
            load,
        }
    }

    fn run(&mut self, orders: &Receiver<Order>) {
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
            self.load.late.fetch_add(1, Ordering::Relaxed);
            self.tick = due;
        }
        while self.tick <= due {
            let slot = (self.tick % SLOTS as u64) as usize;
            if !self.slots[slot].is_empty() {
                let late =
                    now.saturating_duration_since(self.started + Duration::from_millis(self.tick));
                self.load.late_us_max.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
                self.load.late.fetch_add(u64::from(late > LATE), Ordering::Relaxed);
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

    fn take(&mut self, order: Order) {
        match order {
            Order::Open { id, socket, reports, events, random, trunk } => {
                let open = Some(Open {
                    socket,
                    reports,
                    events,
                    random,
                    trunk,
                    stream: None,
                    prepared: vec![],
                    recording: None,
                });
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
            Order::Close { id } => {
                if let Some(place) = self.places.remove(&id) {
                    if let Some(open) = self.lines[place].take() {
                        open.take_leave();
                    }
                    self.free.push(place);
                    self.slots.iter_mut().for_each(|slot| slot.retain(|&line| line != place));
                }
            }
        }
    }

    /// A line takes its turns from the millisecond that has just passed on, so the next one is a packet's time from now.
    fn take_turns(&mut self, place: usize, packet_ms: usize) {
        let passed = (self.tick + SLOTS as u64 - 1) as usize;
        for turn in 0..SLOTS / packet_ms.clamp(1, SLOTS) {
            self.slots[(passed + turn * packet_ms) % SLOTS].push(place);
        }
    }

    fn command(&mut self, id: u64, command: Command) {
        let Some(&place) = self.places.get(&id) else { return };
        let Some(open) = self.lines[place].as_mut() else { return };
        let now = clock::now();
        match (command, open.stream.as_mut()) {
            (Command::Start(agreed), None) => {
                let stream = open.stream.insert(Stream::new(
                    agreed,
                    open.trunk,
                    open.random,
                    self.silence,
                    now,
                ));
                open.prepared.drain(..).for_each(|(clip, tag)| stream.play(clip, tag));
                open.turn(now, self.load);
                let packet_ms = usize::from(agreed.packet_ms);
                self.take_turns(place, packet_ms);
            }
            (Command::Start(agreed), Some(stream)) => {
                let before = stream.packet_ms();
                stream.renegotiate(agreed, now);
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
                    if let Some(event) = stream.receive(from, &datagram[..len], now) {
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
            stream.read_report(from, &datagram[..len], now);
        }
        if let Some(len) = stream.report(&mut report, now) {
            let _ = self.reports.send_to(&report[..len], stream.reports_to());
        }
        for event in ended.into_iter().chain(stream.silent(now)).chain(stream.recorded(now)) {
            let _ = self.events.try_send(event);
        }
    }
}

impl Open {
    fn take_leave(&self) {
        let Some(stream) = &self.stream else { return };
        let mut report = [0; REPORT_BYTES_MAX];
        if let Some(len) = stream.farewell(&mut report) {
            let _ = self.reports.send_to(&report[..len], stream.reports_to());
        }
    }
}

/// Turns are spread over 120 ms, of which packets of 10, 20, 30, 40 and 60 ms are whole parts.
const SLOTS: usize = 120;
const LATE: Duration = Duration::from_millis(5);
/// Further behind than this, in ms, ticks are left out.
const BEHIND_MAX: u64 = 200;
const EVENTS_MAX: usize = 256;
const DATAGRAM_BYTES_MAX: usize = 1500;
const RECEIVED_PER_TURN_MAX: usize = 32;
const REPORTS_PER_TURN_MAX: usize = 2;
const BIND_TRIES_MAX: usize = 100;
