//! Many calls' audio from one process: `cargo bench --bench media_load -- [CALLS [SECONDS]]`.
//!
//! Every line plays speech to one socket of this process, which counts what is missing and measures how far
//! apart the packets of a call arrive. Printed are loss, pacing as the receiving thread sees it, the delay from
//! the start of a stream to its first packet, processor time, memory for a line, and threads.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use offhook::media::codec::{Clip, Codec, FRAME};
use offhook::media::engine::{Engine, EngineSettings, RtpPort};
use offhook::media::stream::MediaTimeouts;
use offhook::media::{MediaCommand, Negotiated};
use offhook::seed::Seed;
use rtp_rs::RtpReader;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let (calls, seconds) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(10));
    let ear = Ear::open();
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 30_000..=49_999,
        timeouts: MediaTimeouts { first: HOUR, silence: HOUR },
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let speech = Arc::new(Clip::encode(Codec::Pcmu, &vec![8000; 8000 * (seconds as usize + 5)]));

    let before = status("VmRSS:");
    let mut lines: Vec<RtpPort> = vec![];
    let mut starts = HashMap::new();
    for _ in 0..calls {
        let line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
        line.command(MediaCommand::Play { clip: speech.clone(), tag: 1 });
        starts.insert(line.local.port(), Instant::now());
        line.command(MediaCommand::Start(Negotiated {
            remote: ear.address,
            codec: Codec::Pcmu,
            payload_type: 0,
            events_payload_type: Some(101),
            formats: vec![],
            tones: false,
            packet_ms: 20,
            sending: true,
            keys: None,
        }));
        lines.push(line);
        // Calls do not begin all at once; this spreads them over the 20 ms.
        thread::sleep(Duration::from_micros(20_300 / 20));
    }
    let (cpu, began) = (cpu_s(), Instant::now());
    let threads = status("Threads:");
    thread::sleep(Duration::from_secs(seconds));
    let (cpu, wall) = (cpu_s() - cpu, began.elapsed());
    let memory = status("VmRSS:") - before;
    drop(lines);
    thread::sleep(Duration::from_millis(100));
    let heard = ear.close();

    let (mut gaps, mut firsts, mut lost, mut received) = (vec![], vec![], 0, 0);
    for (port, stream) in &heard {
        received += stream.arrivals.len() as u64;
        lost += stream.lost;
        firsts.push(stream.arrivals[0].saturating_duration_since(starts[port]));
        gaps.extend(
            stream.arrivals.windows(2).map(|pair| pair[1].duration_since(pair[0]).abs_diff(FRAME)),
        );
    }
    println!("calls                       {calls} for {seconds} s, {} heard", heard.len());
    println!(
        "packets                     {received} received, {lost} lost, {} refused by the kernel",
        engine.load().unsent.load(Ordering::Relaxed)
    );
    println!(
        "late ticks                  {} over 5 ms",
        engine.load().late.load(Ordering::Relaxed)
    );
    print("deviation from 20 ms", &mut gaps);
    print("start to first packet", &mut firsts);
    println!(
        "processor                   {:.4} s for a call-minute, the receiving thread included",
        cpu * 60.0 / wall.as_secs_f64() / calls as f64
    );
    println!("memory for a call           {:.1} KB", memory / calls as f64);
    println!("threads                     {threads}, {} of them this benchmark's", 2);
}

struct Heard {
    next: u16,
    lost: u64,
    arrivals: Vec<Instant>,
}

/// One socket for all calls, read by a thread of its own; a call is told by its port.
struct Ear {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<HashMap<u16, Heard>>,
}

impl Ear {
    fn open() -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        socket.set_recv_buffer_size(8 * 1024 * 1024).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let socket = UdpSocket::from(socket);
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (address, over) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let is_over = over.clone();
        let thread = thread::spawn(move || {
            let mut heard: HashMap<u16, Heard> = HashMap::new();
            let mut packet = [0; 1500];
            while !is_over.load(Ordering::Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut packet) else { continue };
                let now = Instant::now();
                let sequence = u16::from(RtpReader::new(&packet[..len]).unwrap().sequence_number());
                let stream = heard.entry(from.port()).or_insert_with(|| Heard {
                    next: sequence,
                    lost: 0,
                    arrivals: Vec::with_capacity(2000),
                });
                stream.lost += u64::from(sequence.wrapping_sub(stream.next));
                stream.next = sequence.wrapping_add(1);
                stream.arrivals.push(now);
            }
            heard
        });
        Self { address, over, thread }
    }

    fn close(self) -> HashMap<u16, Heard> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| {
        times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    println!("{what:27} {:.3} ms median, {:.3} ms p99, {:.3} ms at most", at(50), at(99), at(100));
}

fn status(field: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time of this process in seconds: the 14th and 15th field of its stat, in hundredths.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

const HOUR: Duration = Duration::from_secs(3600);
