//! A handle to the media thread, which owns every RTP socket and each millisecond's turn.

mod media_loop;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::sync::{mpsc as events, watch};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use self::media_loop::MediaLoop;
use super::ports::Ports;
use super::stream::MediaTimeouts;
use super::{MediaCommand, MediaEvent, realtime};
use crate::clock;
use crate::dscp;
use crate::seed::Seed;

/// A handle to the media thread. The thread ends when the last handle and the last port are gone.
///
/// The thread sleeps while no port is open. A command wakes it, so the first packet of a call leaves at once and
/// not at the next tick. In the steady state it allocates nothing and takes no lock.
#[derive(Clone, Debug)]
pub struct Engine {
    commands: Sender<EngineCommand>,
    shared: Arc<EngineState>,
    /// Closed when the thread has ended, however it did.
    ended: watch::Receiver<()>,
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
    /// How long nothing may arrive before [`MediaEvent::Silent`].
    pub timeouts: MediaTimeouts,
    /// How the network is asked to treat the packets (RFC 2474).
    pub dscp: u8,
}

#[derive(Debug)]
struct EngineState {
    settings: EngineSettings,
    ports: Mutex<(Ports, Seed, u64)>,
    load: Load,
    started: Instant,
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
    /// Lines that send.
    ports: AtomicU64,
    /// Until when no call should begin, in ms from the thread's start on.
    strained_until_ms: AtomicU64,
}

/// One call's RTP port, commands in, events out. Dropping it closes the port.
#[derive(Debug)]
pub struct RtpPort {
    /// Where the far end is to send, as the session description says it.
    pub local: SocketAddr,
    /// What happens in the stream. Bounded; a call that does not listen loses what comes next.
    pub events: events::Receiver<MediaEvent>,
    id: u64,
    port: u16,
    commands: Sender<EngineCommand>,
    shared: Arc<EngineState>,
}

enum EngineCommand {
    Open {
        id: u64,
        socket: UdpSocket,
        reports: UdpSocket,
        events: events::Sender<MediaEvent>,
        random: u64,
        trunk: IpAddr,
    },
    MediaCommand {
        id: u64,
        command: MediaCommand,
    },
    Close {
        id: u64,
    },
    ReservePort(u16),
}

impl Engine {
    /// Starts the thread.
    pub fn start(settings: EngineSettings, mut seed: Seed) -> Result<Self, MediaError> {
        let ports = Ports::new(settings.ports.clone(), seed.below(u64::MAX));
        let timeouts = settings.timeouts;
        let shared = Arc::new(EngineState {
            settings,
            ports: Mutex::new((ports, seed, 0)),
            load: Load::default(),
            started: clock::now(),
        });
        let (commands, taken) = channel();
        let load = shared.clone();
        let (alive, ended) = watch::channel(());
        let run = move || {
            let _alive = alive;
            match realtime::request() {
                Ok(()) => info!("the media thread has real-time priority"),
                Err(error) => {
                    info!(%error, "the media thread runs without real-time priority; allow it with LimitRTPRIO=25");
                }
            }
            MediaLoop::new(timeouts, &load.load, load.started).run(&taken);
        };
        thread::Builder::new().name("media".into()).spawn(run).map_err(MediaError::Thread)?;
        Ok(Self { commands, shared, ended })
    }

    /// Returns when the thread has ended: no call has sound any more.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// Opens a free port, for a call through the trunk with this address.
    pub fn open(&self, trunk: IpAddr) -> Result<RtpPort, MediaError> {
        let EngineState { settings, ports, .. } = &*self.shared;
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
                    debug!(port, "RTP port in use by another program");
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
                if let Err(error) = dscp::mark(&SockRef::from(socket), settings.dscp) {
                    debug!(%error, "voice cannot be marked for the network");
                }
            }
            *count += 1;
            let id = *count;
            let (events, events_out) = events::channel(EVENTS_MAX);
            let random = seed.below(u64::MAX);
            let open = EngineCommand::Open { id, socket, reports, events, random, trunk };
            self.commands.send(open).map_err(|_| MediaError::Stopped)?;
            let ip = settings.advertise.unwrap_or(settings.listen);
            let (commands, shared) = (self.commands.clone(), self.shared.clone());
            return Ok(RtpPort {
                local: SocketAddr::new(ip, port),
                events: events_out,
                id,
                port,
                commands,
                shared,
            });
        }
        Err(MediaError::NoPort)
    }

    /// Sends nothing to this port of this machine, which is ours for something else. Ports of calls are known.
    pub fn reserve_port(&self, port: u16) {
        let _ = self.commands.send(EngineCommand::ReservePort(port));
    }

    /// Waits while one more call would harm those that run.
    ///
    /// Contract: does not wait when none runs. What makes the machine late then is not ours to wait for.
    pub async fn until_calm(&self) {
        let load = &self.shared.load;
        let mut warned = false;
        loop {
            let passed = clock::now().duration_since(self.shared.started).as_millis() as u64;
            let calm = load.strained_until_ms.load(Ordering::Relaxed) <= passed;
            if calm || load.ports.load(Ordering::Relaxed) == 0 {
                return;
            }
            if !warned {
                warn!("machine overloaded by the calls that run; the next call waits");
            }
            warned = true;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What the thread has done so far.
    pub fn load(&self) -> &Load {
        &self.shared.load
    }
}

impl RtpPort {
    /// [`RtpPort::local`], or this address of ours where the engine listens at all of them.
    pub fn advertised(&self, ours: IpAddr) -> SocketAddr {
        let ip = if self.local.ip().is_unspecified() { ours } else { self.local.ip() };
        SocketAddr::new(ip, self.local.port())
    }

    /// Asks something of the stream.
    pub fn command(&self, command: MediaCommand) {
        // A thread that is gone ends the call by silence; there is nothing better to do here.
        let _ = self.commands.send(EngineCommand::MediaCommand { id: self.id, command });
    }
}

impl Drop for RtpPort {
    fn drop(&mut self) {
        let _ = self.commands.send(EngineCommand::Close { id: self.id });
        let mut guard = self.shared.ports.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.put_back(self.port, clock::now());
    }
}

/// Why there is no RTP port.
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

const EVENTS_MAX: usize = 256;
const BIND_TRIES_MAX: usize = 100;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
