//! Many spoken answers at once: `cargo bench --bench recordings -- [CALLS [SECONDS]]`.
//!
//! Every line is sent speech and records it, while it plays speech itself; then all recordings become MP3 files at
//! once, while the lines go on. Printed are frames that are missing, ticks that began late before and while the
//! files are made, memory for a recording, and what a file costs.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use offhook::media::codec::{Clip, Codec, FRAME};
use offhook::media::engine::{Engine, EngineSettings, RtpPort};
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::media::stream::MediaTimeouts;
use offhook::media::{MediaCommand, Negotiated};
use offhook::seed::Seed;
use offhook::voice_reply::file::{Format, encode, finish};
use rtp_rs::RtpPacketBuilder;
use tokio::sync::oneshot;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let (calls, seconds) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(10));
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 30_000..=49_999,
        timeouts: MediaTimeouts { first: HOUR, silence: HOUR },
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let speech = Arc::new(Clip::encode(Codec::Pcmu, &words(seconds + 60)));
    let mouth = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let mut lines: Vec<RtpPort> = vec![];
    for _ in 0..calls {
        let line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
        line.command(MediaCommand::Start(Negotiated {
            remote: mouth.local_addr().unwrap(),
            codec: Codec::Pcmu,
            payload_type: 0,
            events_payload_type: Some(101),
            formats: vec![],
            tones: false,
            packet_ms: 20,
            sending: true,
            keys: None,
        }));
        line.command(MediaCommand::Play { clip: speech.clone(), tag: 1 });
        lines.push(line);
    }
    let speaking = Arc::new(AtomicBool::new(true));
    let sender = speak(
        mouth,
        lines.iter().map(|line| line.local.port()).collect(),
        speech,
        speaking.clone(),
    );
    thread::sleep(Duration::from_millis(500));

    let before = resident_kb();
    let taken: Vec<_> = lines
        .iter()
        .map(|line| {
            let (back, taken) = oneshot::channel();
            let take = RecordingBuffer::new(Codec::Pcmu, Duration::from_secs(120), Instant::now());
            line.command(MediaCommand::Record { buffer: Box::new(take), back });
            taken
        })
        .collect();
    thread::sleep(Duration::from_secs(seconds));
    let grown = resident_kb().saturating_sub(before);
    lines.iter().for_each(|line| line.command(MediaCommand::StopRecording));
    let takes: Vec<RecordingBuffer> =
        taken.into_iter().map(|taken| *taken.blocking_recv().unwrap()).collect();
    let late = engine.load().late.load(Ordering::Relaxed);
    let expected: u32 = takes.iter().map(|take| take.account().expected).sum();
    let concealed: u32 = takes.iter().map(|take| take.account().concealed).sum();
    let late_frames: u32 = takes.iter().map(|take| take.account().late).sum();
    println!("{calls} recordings of {seconds} s beside {calls} lines that play");
    println!(
        "frames: {expected} expected, {concealed} missing, of which {late_frames} were sent too late; ticks late by more than 5 ms: {late}"
    );
    println!(
        "memory for a recording: {} KB so far, {} KB at 120 s",
        grown / calls,
        RecordingBuffer::new(Codec::Pcmu, Duration::from_secs(120), Instant::now())
            .to_bytes()
            .capacity()
            / 1024
            + 120 * 8000 / 1024
    );

    let (begun, cpu) = (Instant::now(), cpu_s());
    thread::scope(|scope| {
        // As the program does it: one after the other, on a thread of its own.
        scope.spawn(|| {
            takes.iter().for_each(|take| drop(encode(&finish(take), Format::Mp3).unwrap()))
        });
    });
    let cost = (cpu_s() - cpu) / (calls * seconds) as f64;
    let after = engine.load().late.load(Ordering::Relaxed) - late;
    println!(
        "all as MP3 after {:.1} s; {:.1} ms of processor time for a second of sound, the lines among it; ticks late meanwhile: {after}",
        begun.elapsed().as_secs_f64(),
        cost * 1000.0
    );
    speaking.store(false, Ordering::Relaxed);
    sender.join().unwrap();
}

/// Sends to every port, each 20 ms, spread over them as many far ends would.
fn speak(
    mouth: Arc<UdpSocket>,
    ports: Vec<u16>,
    speech: Arc<Clip>,
    speaking: Arc<AtomicBool>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let begun = Instant::now();
        for number in 0_u32.. {
            if !speaking.load(Ordering::Relaxed) {
                return;
            }
            let due = begun + FRAME * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let frame = speech.frame(number as usize % 500).unwrap();
            for port in &ports {
                let packet = RtpPacketBuilder::new()
                    .payload_type(0)
                    .ssrc(u32::from(*port))
                    .sequence((number as u16).into())
                    .timestamp(number * 160)
                    .payload(frame)
                    .build()
                    .unwrap();
                let _ = mouth.send_to(&packet, (Ipv4Addr::LOCALHOST, *port));
            }
        }
    })
}

/// Loud and quiet by turns, as words are.
fn words(seconds: u64) -> Vec<i16> {
    let sample = |n: u64| {
        let level = if n / 2000 % 3 == 2 { 20.0 } else { 6000.0 };
        ((n as f64 * 0.3).sin() * level) as i16
    };
    (0..seconds * 8000).map(sample).collect()
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

const HOUR: Duration = Duration::from_secs(3600);
