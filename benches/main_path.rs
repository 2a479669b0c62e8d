//! What the main job costs, measured from outside on the release binary: `cargo bench --bench main_path`.
//!
//! A scripted XMPP server and a scripted phone share this process's clock. Printed are start-up and idle
//! memory, then for each round: stanza written → INVITE read, beside the fsync of the same disk in the same
//! run; 200 OK written → first RTP packet → first voiced sample, with `speech.settle_ms = 0`.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

mod server;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use server::Server;

fn main() {
    let rounds: usize = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(100);
    let folder = std::env::temp_dir().join(format!("offhook-main-path-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    measure(rounds, &folder);
    fs::remove_dir_all(&folder).unwrap();
}

fn measure(rounds: usize, folder: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let phone = Phone::new();
    configure(folder, rounds, &listener, &phone);

    let started = Instant::now();
    let mut offhook = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["--config", "component.toml", "--log", "warn", "run"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = Server::accept(&listener);
    let up = started.elapsed();
    server.serve_for(Duration::from_secs(8));
    println!("start to handshake        {:8.1} ms", ms(up));
    println!(
        "idle memory               {:8.1} MB resident, {} threads",
        rss_mb(&offhook),
        threads(&offhook)
    );

    let (mut to_invite, mut to_rtp, mut to_voice, mut sync) = (vec![], vec![], vec![], vec![]);
    let mut floor = File::create(folder.join("floor")).unwrap();
    for round in 0..=rounds {
        // The disk has good and bad seconds, so it is asked in each round.
        sync.push(fsync(&mut floor));
        let sent = write_message(&mut server, round);
        let invite = phone.invite();
        // The first message waits until its sender is known to be no program, which this server does not tell.
        if round > 0 {
            to_invite.push(Instant::now() - sent);
        }
        // A phone rings before it is answered; what is said is rendered meanwhile.
        server.serve_for(RINGS);
        let (rtp, voice) = phone.answer(&invite);
        to_rtp.push(rtp);
        to_voice.push(voice);
        phone.hang_up(&invite);
        server.serve_for(Duration::from_millis(60));
    }
    print("fsync of this disk", &sync);
    print("stanza to INVITE", &to_invite);
    println!(
        "  beyond the fsync        {:8.3} ms at the median",
        ms(median(&to_invite)) - ms(median(&sync))
    );
    print("200 OK to first RTP", &to_rtp);
    print("200 OK to first voice", &to_voice);
    println!(
        "memory after the rounds   {:8.1} MB resident, {} threads",
        rss_mb(&offhook),
        threads(&offhook)
    );
    offhook.kill().unwrap();
    offhook.wait().unwrap();
}

const RINGS: Duration = Duration::from_millis(300);

fn configure(folder: &Path, rounds: usize, listener: &TcpListener, phone: &Phone) {
    let (xmpp, sip) = (listener.local_addr().unwrap(), phone.sip.local_addr().unwrap());
    let mut text = format!(
        "[component]\njid = \"phone.bench\"\nserver = \"{xmpp}\"\nsecret = \"bench\"\n\
         [[trunk]]\nname = \"bench\"\nproxy = \"sip:{sip}\"\nfrom = \"sip:offhook@127.0.0.1\"\ncalls_max = 1000\ncalls_per_s_max = 1000\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[media]\nlisten = \"127.0.0.1\"\n\
         [dial]\nallow = [\"+999\"]\nwait_s = 0\nquiet = \"\"\nthrottle = []\nsender_throttle = []\nsender_calls = []\nsenders = \"everyone\"\ncalls_per_day_max = 100000\nminutes_per_day_max = 1000000\n\
         [speech]\nsettle_ms = 0\n"
    );
    for person in 0..=rounds {
        text += &format!(
            "[[subscriber]]\njid = \"p{person}@bench.example\"\nname = \"Person\"\nnumber = \"+9990000{person:04}\"\noffline = \"phone\"\n"
        );
    }
    fs::write(folder.join("component.toml"), text).unwrap();
}

fn write_message(server: &mut Server, person: usize) -> Instant {
    let text = format!(
        "<message type='chat' id='m{person}' from='alice@bench.example/a' to='p{person}\\40bench.example@phone.bench'><body>Server room is 38 degrees, can you come?</body></message>"
    );
    let now = Instant::now();
    server.write(&text);
    now
}

/// The phone's end: answers at once, listens to the first packets, hangs up.
struct Phone {
    sip: UdpSocket,
    rtp: UdpSocket,
}

struct Invite {
    text: String,
    from: std::net::SocketAddr,
}

impl Phone {
    fn new() -> Self {
        let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let phone = Self { sip: bind(), rtp: bind() };
        for socket in [&phone.sip, &phone.rtp] {
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        }
        phone
    }

    fn invite(&self) -> Invite {
        let mut buffer = [0; 4096];
        loop {
            let (len, from) = self.sip.recv_from(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            if text.starts_with("INVITE ") {
                return Invite { text, from };
            }
        }
    }

    fn answer(&self, invite: &Invite) -> (Duration, Duration) {
        let port = self.rtp.local_addr().unwrap().port();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        );
        let head: String = ["Via", "From", "Call-ID", "CSeq"]
            .iter()
            .map(|name| header(&invite.text, name))
            .collect();
        let to = header(&invite.text, "To");
        let at = self.sip.local_addr().unwrap();
        let ok = format!(
            "SIP/2.0 200 OK\r\n{head}{};tag=bench\r\nContact: <sip:phone@{at}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
            to.trim_end(),
            sdp.len()
        );
        let answered = Instant::now();
        self.sip.send_to(ok.as_bytes(), invite.from).unwrap();
        let mut packet = [0; 1500];
        let mut first = None;
        loop {
            let (len, _) = self.rtp.recv_from(&mut packet).unwrap();
            let now = Instant::now();
            first.get_or_insert(now);
            // µ-law: a byte whose lower bits are not all ones is further from zero.
            let voiced = packet[12..len].iter().any(|sample| !sample & 0x7f > 0x20);
            if voiced {
                return (first.unwrap_or(now) - answered, now - answered);
            }
        }
    }

    fn hang_up(&self, invite: &Invite) {
        let at = self.sip.local_addr().unwrap();
        let contact = header(&invite.text, "Contact");
        let uri = contact.split(['<', '>']).nth(1).unwrap();
        let (from, to) = (header(&invite.text, "To"), header(&invite.text, "From"));
        let value = |line: &str| line.split_once(':').unwrap().1.trim().to_owned();
        let bye = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKbye{}\r\nFrom: {};tag=bench\r\nTo: {}\r\n{}CSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            value(&header(&invite.text, "Call-ID")),
            value(&from),
            value(&to),
            header(&invite.text, "Call-ID")
        );
        self.sip.send_to(bye.as_bytes(), invite.from).unwrap();
        self.rtp.set_read_timeout(Some(Duration::from_millis(40))).unwrap();
        let mut packet = [0; 1500];
        while self.rtp.recv_from(&mut packet).is_ok() {}
        self.rtp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
}

fn header(message: &str, name: &str) -> String {
    let is_it = |line: &&str| {
        line.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name))
    };
    format!(
        "{}\r\n",
        message.split("\r\n").find(is_it).unwrap_or_else(|| panic!("no {name} in {message}"))
    )
}

/// What an append of one page that reaches the disk takes.
fn fsync(file: &mut File) -> Duration {
    let start = Instant::now();
    file.write_all(&[7; 4096]).unwrap();
    file.sync_data().unwrap();
    start.elapsed()
}

fn median(times: &[Duration]) -> Duration {
    percentile(times, 50)
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn print(what: &str, times: &[Duration]) {
    let (p50, p99) = (percentile(times, 50), percentile(times, 99));
    println!("{what:25} {:8.3} ms median {:9.3} ms p99", ms(p50), ms(p99));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn status(child: &Child, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn rss_mb(child: &Child) -> f64 {
    status(child, "VmRSS:") / 1024.0
}

fn threads(child: &Child) -> f64 {
    status(child, "Threads:")
}
