//! What a call costs beside its sound: `cargo bench --bench dialling -- [CALLS_A_SECOND [SECONDS]]`.
//!
//! A scripted phone rings, is picked up, and is hung up at once. First the signalling is measured by itself: calls
//! about messages that are held already are claimed, placed from INVITE to BYE and settled, every state made durable.
//! Then the whole daemon is: a scripted server brings one message for each of many people, and the processor time of
//! each counts from stanza to settled call, with holding it, what is to be said, and what the sender is told. Speech
//! is made by the workers, which are told apart.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

mod server;
#[path = "dialling/signalling.rs"]
mod signalling;

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use server::Server;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == SIGNALLING) {
        let number = |after: usize| words[at + after].parse().unwrap();
        let sip = words[at + 3].parse().unwrap();
        return signalling::run(number(1), number(2), sip, Path::new(&words[at + 4]));
    }
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let (rate, seconds) = (numbers.next().unwrap_or(300), numbers.next().unwrap_or(10));
    let folder = std::env::temp_dir().join(format!("offhook-dialling-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let alone = signalling(rate, rate * seconds, &folder);
    measure(rate, rate * seconds, alone, &folder);
    fs::remove_dir_all(&folder).unwrap();
}

/// Processor ms of a call's signalling, measured in a process of its own.
fn signalling(rate: usize, calls: usize, folder: &Path) -> f64 {
    let phone = Phone::start();
    let told = Command::new(std::env::current_exe().unwrap())
        .args([SIGNALLING, &rate.to_string(), &calls.to_string(), &phone.sip.to_string()])
        .arg(folder)
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let mut figures = told.split_whitespace().map(|figure| figure.parse::<f64>().unwrap());
    let (spent, wall) = (figures.next().unwrap(), figures.next().unwrap());
    println!("signalling: {calls} calls in {wall:.1} s");
    println!("  processor ms a call     {spent:8.3}");
    spent
}

fn measure(rate: usize, calls: usize, alone: f64, folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let phone = Phone::start();
    configure(folder, calls, listener.local_addr().unwrap(), phone.sip);
    let mut offhook = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["--config", "component.toml", "--log", "error", "run"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = Server::accept(&listener);
    server.serve_for(Duration::from_secs(8));
    // Each sender is asked once what he is; after that his messages go their way at once.
    for sender in 0..SENDERS {
        server.write(&message(sender, sender));
    }
    server.serve_for(Duration::from_secs(3));

    let (own, workers) = cpu_s(offhook.id());
    let (began, before) = (Instant::now(), phone.over.load(Ordering::Relaxed));
    let mut written = SENDERS;
    while written < calls {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as usize + SENDERS;
        let mut batch = String::new();
        while written < due.min(calls) {
            batch += &message(written, written % SENDERS);
            written += 1;
        }
        server.write(&batch);
        server.serve_for(Duration::from_millis(5));
    }
    let wanted = before + calls - SENDERS;
    while phone.over.load(Ordering::Relaxed) < wanted && began.elapsed() < Duration::from_secs(60) {
        server.serve_for(Duration::from_millis(20));
    }
    let wall = began.elapsed();
    server.serve_for(Duration::from_secs(1));
    let (own_after, workers_after) = cpu_s(offhook.id());
    let made = phone.over.load(Ordering::Relaxed) - before;
    let spent = (own_after - own) * 1e3 / made as f64;
    println!("from stanza to settled call: {made} calls in {:.1} s", wall.as_secs_f64());
    println!("  calls a second          {:8.0}", made as f64 / wall.as_secs_f64());
    println!("  processor ms a call     {spent:8.3}");
    println!("    beside signalling     {:8.3}", spent - alone);
    println!("  and of speech workers   {:8.3}", (workers_after - workers) * 1e3 / made as f64);
    offhook.kill().unwrap();
    offhook.wait().unwrap();
}

fn message(person: usize, sender: usize) -> String {
    format!(
        "<message type='chat' id='m{person}' from='a{sender}@bench.example/a' to='p{person}\\40bench.example@phone.bench'><body>Can you come?</body></message>"
    )
}

fn configure(folder: &Path, people: usize, xmpp: SocketAddr, sip: SocketAddr) {
    let mut text = format!(
        "[component]\njid = \"phone.bench\"\nserver = \"{xmpp}\"\nsecret = \"bench\"\n\
         [[trunk]]\nname = \"bench\"\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\ncalls_max = 5000\ncalls_per_s_max = 1000\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 0\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\nsenders = \"everyone\"\ncalls_per_day_max = 1000000\nminutes_per_day_max = 1000000\nattempts = 1\n\
         [speech]\nsettle_ms = 0\n"
    );
    for person in 0..people {
        writeln!(
            text,
            "[[subscriber]]\njid = \"p{person}@bench.example\"\nname = \"Person\"\nnumber = \"+999000{person:06}\"\noffline = \"phone\""
        )
        .unwrap();
    }
    fs::write(folder.join("component.toml"), text).unwrap();
}

/// All phones at once: each is picked up and hung up.
struct Phone {
    sip: SocketAddr,
    over: Arc<AtomicUsize>,
}

impl Phone {
    fn start() -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        socket.set_recv_buffer_size(8 * 1024 * 1024).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let socket = UdpSocket::from(socket);
        let (sip, over) = (socket.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let count = over.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..len]);
                for answer in answers(&text, sip) {
                    socket.send_to(answer.as_bytes(), from).unwrap();
                }
                // The answer to our BYE.
                let ended =
                    text.starts_with("SIP/2.0 200") && header(&text, "CSeq").contains("BYE");
                count.fetch_add(usize::from(ended), Ordering::Relaxed);
            }
        });
        Self { sip, over }
    }
}

fn answers(request: &str, at: SocketAddr) -> Vec<String> {
    let get = |name| header(request, name);
    if request.starts_with("INVITE ") {
        let head: String = ["Via", "From", "Call-ID", "CSeq"].into_iter().map(get).collect();
        let to = get("To");
        let head = format!("{head}{};tag=phone\r\nContact: <sip:phone@{at}>\r\n", to.trim_end());
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        let ringing = format!("SIP/2.0 180 Ringing\r\n{head}Content-Length: 0\r\n\r\n");
        let length = sdp.len();
        let ok = format!(
            "SIP/2.0 200 OK\r\n{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
        );
        vec![ringing, ok]
    } else if request.starts_with("ACK ") {
        let contact = get("To").replacen("To:", "From:", 1);
        let to = get("From").replacen("From:", "To:", 1);
        let call_id = get("Call-ID");
        let tag: String = call_id.chars().filter(char::is_ascii_alphanumeric).collect();
        vec![format!(
            "BYE sip:offhook@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n{contact}{to}{call_id}CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        )]
    } else {
        vec![]
    }
}

/// One header, whole, with its end of line.
fn header(message: &str, name: &str) -> String {
    let line = message
        .split("\r\n")
        .find(|line| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name)));
    format!("{}\r\n", line.unwrap_or_default())
}

/// Processor time of the daemon so far, and of its workers, those that have ended too, in seconds.
fn cpu_s(process: u32) -> (f64, f64) {
    let of = |id: &str| -> Option<(f64, f64)> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().unwrap() / 100.0;
        Some((ticks(11) + ticks(12), ticks(13) + ticks(14)))
    };
    let id = process.to_string();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let (own, ended) = of(&id).unwrap();
    (own, ended + children.split_whitespace().filter_map(of).map(|(alive, _)| alive).sum::<f64>())
}

const SENDERS: usize = 100;
/// Asks this program for the signalling alone.
const SIGNALLING: &str = "signalling-alone";
