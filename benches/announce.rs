//! Two-way calls beside the least that they can cost: `cargo bench --bench announce -- RTPUA [CALLS [SECONDS]]`.
//!
//! `RTPUA` is a program that answers calls and measures them by the kernel's time stamps, and that can place them
//! itself with an engine that does nothing else. Both engines play speech and look for keypad tones in the speech
//! that comes back, one after the other, to the same answering program. Printed are processor time for a
//! call-minute, pacing, loss, the time from 200 OK to the first packet, and what a call needs of memory.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::codec::{Clip, Codec};
use offhook::media::engine::{Engine, EngineSettings, RtpPort};
use offhook::media::stream::MediaTimeouts;
use offhook::media::{self, MediaCommand as Ask};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{accept, offer};
use offhook::sip::transport::{self, SipSettings, UserAgent};
use offhook::sip::trunk::{Dtmf, Trunk};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let given: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let Some(rtpua) = given.first().map(PathBuf::from) else {
        println!("give the program that answers: cargo bench --bench announce -- RTPUA");
        return;
    };
    let number = |at: usize, or| given.get(at).map_or(or, |word| word.parse().unwrap());
    let (calls, seconds) = (number(1, 400) as usize, number(2, 20));
    let folder = std::env::temp_dir().join(format!("offhook-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    speech(&folder, seconds);
    println!("                                  ours     the floor");
    let ours = ours(&rtpua, &folder, calls, seconds).await;
    let floor = floor(&rtpua, &folder, calls, seconds).await;
    let row = |name: &str, value: fn(&Figures) -> f64| {
        println!("{name:26} {:12.4} {:12.4}", value(&ours), value(&floor));
    };
    row("processor s a call-minute", |it| it.cpu);
    row("pacing deviation p99 ms", |it| it.pacing_p99);
    row("  and at most", |it| it.pacing_max);
    row("200 OK to packet p50 ms", |it| it.first_p50);
    row("packets lost", |it| it.lost);
    row("keys in the speech", |it| it.keys);
    println!("ratio of processor time    {:12.2}", ours.cpu / floor.cpu);
    println!("memory for a call of ours  {:9.1} KB", ours.memory_kb);
    println!(
        "calls heard                {:9} {:12} of {calls}, for {seconds} s",
        ours.streams, floor.streams
    );
    fs::remove_dir_all(&folder).unwrap();
}

/// What one engine cost, and how the other end found it.
struct Figures {
    cpu: f64,
    pacing_p99: f64,
    pacing_max: f64,
    first_p50: f64,
    lost: f64,
    keys: f64,
    memory_kb: f64,
    streams: u64,
}

async fn ours(rtpua: &Path, folder: &Path, calls: usize, seconds: u64) -> Figures {
    let answerer = Rtpua::start(rtpua, folder, "ours", 26_000, calls, &["-N", "-p", "25998"]);
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 12_000..=24_999,
        timeouts: MediaTimeouts { first: HOUR, silence: HOUR },
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let spoken: Vec<i16> = fs::read(folder.join(SPEECH))
        .unwrap()
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let speech = Arc::new(Clip::encode(Codec::Pcmu, &spoken));
    let trunk = Arc::new(trunk(25_998));
    let any = "127.0.0.1:0".parse().unwrap();
    let agent = UserAgent::bind(SipSettings::listening(any), vec![trunk.clone()], Seed::fresh())
        .await
        .unwrap();
    let (over, is_over) = watch::channel(false);
    let before = status_kb("self", "VmRSS:");
    let mut lines = tokio::task::JoinSet::new();
    for call in 0..calls {
        let line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
        let path = agent.reach("bench").await.unwrap();
        let plan = InvitePlan {
            trunk: trunk.clone(),
            number: "+81312345678".parse().ok(),
            local_addr: path.local_addr,
            offer: offer(line.local, &[Codec::Pcmu], Dtmf::Inband, call as u64),
            patience: path.patience(),
            setup: Duration::from_secs(20),
            ring: Duration::from_secs(20),
        };
        lines.spawn(talk(plan, path, line, speech.clone(), agent.clone(), is_over.clone()));
        sleep(Duration::from_secs(1) / CALLS_PER_S).await;
    }
    sleep(Duration::from_secs(2)).await;
    let memory_kb = (status_kb("self", "VmRSS:") - before) / calls as f64;
    answerer.signal(Signal::USR1);
    let (cpu, began) = (cpu_s("self"), now());
    sleep(Duration::from_secs(seconds)).await;
    let (cpu, wall) = (cpu_s("self") - cpu, now() - began);
    let figures = answerer.figures().await;
    over.send_replace(true);
    let keys: usize = lines.join_all().await.into_iter().sum();
    let late = engine.load().late.load(Ordering::Relaxed);
    if late > 0 {
        println!("(ours began {late} turns more than 5 ms late)");
    }
    let cpu = cpu * 60.0 / wall.as_secs_f64() / calls as f64;
    Figures { cpu, memory_kb, keys: keys as f64, ..figures }
}

async fn talk(
    plan: InvitePlan,
    path: transport::Route,
    mut media: RtpPort,
    speech: Arc<Clip>,
    agent: UserAgent,
    mut over: watch::Receiver<bool>,
) -> usize {
    let mut invite = Invite::new(plan, Seed::fresh(), now());
    let mut line = agent.channel(path, invite.call_id());
    let mut keys = 0;
    loop {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => line.send(&bytes).await.unwrap(),
                Output::Answered(sdp) => {
                    let agreed = accept(&sdp, invite.offer()).unwrap();
                    for tag in 0..8 {
                        media.command(Ask::Play { clip: speech.clone(), tag });
                    }
                    media.command(Ask::Start(Dtmf::Inband.heard(agreed)));
                }
                Output::Over(_) | Output::Done => return keys,
                _ => {}
            }
        }
        let deadline = invite.deadline().unwrap_or_else(|| now() + Duration::from_secs(3600));
        tokio::select! {
            Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            Some(event) = media.events.recv() => {
                keys += usize::from(matches!(event, media::MediaEvent::Key(_)));
            }
            () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
            Ok(_) = over.wait_for(|over| *over) => invite.handle(Input::HangUp, now()),
        }
    }
}

async fn floor(rtpua: &Path, folder: &Path, calls: usize, seconds: u64) -> Figures {
    let answerer = Rtpua::start(rtpua, folder, "answerer", 26_000, calls, &["-N", "-p", "25996"]);
    let rate = CALLS_PER_S.to_string();
    let placing =
        ["-p", "25994", "-T", "127.0.0.1:25996", "-n", &calls.to_string(), "-R", &rate, "-G"];
    let caller = Rtpua::start(rtpua, folder, "caller", 12_000, calls, &placing);
    sleep(Duration::from_secs(calls as u64 / u64::from(CALLS_PER_S) + 2)).await;
    answerer.signal(Signal::USR1);
    let id = caller.child.id().to_string();
    let (cpu, began) = (cpu_s(&id), now());
    sleep(Duration::from_secs(seconds)).await;
    let (cpu, wall) = (cpu_s(&id) - cpu, now() - began);
    let figures = answerer.figures().await;
    let keys = caller.json().await["gz_digits"].as_f64().unwrap();
    Figures { cpu: cpu * 60.0 / wall.as_secs_f64() / calls as f64, keys, ..figures }
}

/// The other program; it ends with its value.
struct Rtpua {
    child: Child,
    out: PathBuf,
}

impl Rtpua {
    fn start(
        program: &Path,
        folder: &Path,
        name: &str,
        rtp_from: u16,
        calls: usize,
        more: &[&str],
    ) -> Self {
        let out = folder.join(format!("{name}.json"));
        let child = Command::new("chrt")
            .args(["--fifo", "20"])
            .arg(program)
            .args(["-P", "-q", "-j", "-k", &calls.to_string(), "-b", &rtp_from.to_string()])
            .args(more)
            .arg("-f")
            .arg(folder.join(SPEECH))
            .arg("-o")
            .arg(&out)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(500));
        Self { child, out }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    async fn json(&self) -> Value {
        self.signal(Signal::USR2);
        sleep(Duration::from_millis(500)).await;
        serde_json::from_slice(&fs::read(&self.out).unwrap()).unwrap()
    }

    async fn figures(&self) -> Figures {
        let told = self.json().await;
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        Figures {
            cpu: 0.0,
            pacing_p99: number(&told["absD_ms"]["p99"]),
            pacing_max: number(&told["absD_ms"]["max"]),
            first_p50: number(&told["ok200_to_first_rtp_ms"]["p50"]),
            lost: number(&told["lost"]),
            keys: 0.0,
            memory_kb: 0.0,
            streams: told["streams"].as_u64().unwrap_or_default(),
        }
    }
}

impl Drop for Rtpua {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn trunk(port: u16) -> Trunk {
    Trunk {
        name: "bench".to_owned(),
        calls_max: 5000,
        calls_per_s_max: 1000,
        dtmf: Dtmf::Inband,
        ..Trunk::plain(format!("sip:127.0.0.1:{port}").parse().unwrap(), "sip:offhook@127.0.0.1")
    }
}

/// Real speech in both directions, so that the detectors have work.
fn speech(folder: &Path, seconds: u64) {
    let wav = folder.join("speech.wav");
    let text =
        "The server room is at thirty eight degrees, and nobody else answers. Can you come? ";
    let times = seconds as usize / 4 + 2;
    let spoke = Command::new("espeak-ng").arg("-w").arg(&wav).arg(text.repeat(times)).status();
    assert!(spoke.unwrap().success());
    let raw = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16"];
    let made = Command::new("sox").arg(&wav).args(raw).arg(folder.join(SPEECH)).status();
    assert!(made.unwrap().success());
    // Nothing may be listening where the programs will.
    UdpSocket::bind("127.0.0.1:25998").unwrap();
}

/// Processor time of a process so far, in seconds.
fn cpu_s(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let field = |at: usize| after_name.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (field(11) + field(12)) / 100.0
}

fn status_kb(process: &str, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

const SPEECH: &str = "speech.s16";
const CALLS_PER_S: u32 = 100;

const HOUR: Duration = Duration::from_secs(3600);
