//! A phone and its exchange on the wire: it does what the test says, and hears all that is said to it (PCMU).

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use offhook::clock;
use offhook::media::codec::Codec;
use rtp_rs::RtpPacketBuilder;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

/// Takes the calls that come to it, one after the other.
pub(crate) struct Phone {
    pub(crate) address: SocketAddr,
    socket: Arc<UdpSocket>,
    events: UnboundedReceiver<Event>,
    made: u32,
    _life: JoinSet<()>,
}

/// One call, from its INVITE on.
pub(crate) struct Call {
    pub(crate) invite: String,
    from: SocketAddr,
    socket: Arc<UdpSocket>,
    rtp: Arc<UdpSocket>,
    heard: Arc<Mutex<Heard>>,
    answered: Option<Instant>,
    /// What is said next, each 20 ms.
    to_say: Arc<Mutex<VecDeque<Frame>>>,
    life: JoinSet<()>,
}

/// The sound of a call.
#[derive(Default)]
struct Heard {
    octets: Vec<u8>,
    first_sound: Option<Instant>,
    last_sound: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Frame {
    Key(u8),
    Voice,
    Pause,
}

enum Event {
    Invite(String, SocketAddr),
    /// This call was ended or given up by the caller.
    Over(String),
    Response(String),
}

impl Phone {
    pub(crate) async fn start() -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (tells, events) = unbounded_channel();
        let mut life = JoinSet::new();
        life.spawn(serve(socket.clone(), tells));
        let address = socket.local_addr().unwrap();
        Self { address, socket, events, made: 0, _life: life }
    }

    /// The next call; it rings.
    pub(crate) async fn rings(&mut self) -> Call {
        patiently(self.next_call()).await
    }

    /// The next call, however late; it rings.
    pub(crate) async fn next_call(&mut self) -> Call {
        let (invite, from) = loop {
            if let Some(Event::Invite(invite, from)) = self.events.recv().await {
                break (invite, from);
            }
        };
        let call = Call::new(invite, from, self.socket.clone()).await;
        call.responds("180 Ringing", "", "").await;
        call
    }

    /// Whether no call comes within this time.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        let calls =
            async { while !matches!(self.events.recv().await, Some(Event::Invite(..)) | None) {} };
        timeout(time, calls).await.is_err()
    }

    /// Waits until this call is over for the other side.
    pub(crate) async fn is_left(&mut self, call: &Call) {
        let id = header(&call.invite, "Call-ID");
        let left = async {
            while !matches!(self.events.recv().await, Some(Event::Over(over)) if over == id) {}
        };
        patiently(left).await;
    }

    /// Calls this address as this number; gives the final status. A call that is taken is ended at once.
    pub(crate) async fn calls(&mut self, to: SocketAddr, number: &str) -> u16 {
        self.made += 1;
        let (made, here) = (self.made, self.address);
        let sdp = sdp(here.port());
        let request = |method: &str, to_tag: &str, body: &str| {
            let cseq = if method == "BYE" { 2 } else { 1 };
            let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
            format!(
                "{method} sip:offhook@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{method}{made}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:{number}@{here}>;tag=in{made}\r\nTo: <sip:offhook@{to}>{to_tag}\r\n\
                 Call-ID: in-{made}\r\nCSeq: {cseq} {method}\r\nContact: <sip:phone@{here}>\r\n{content}\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let send = async |request: String| {
            self.socket.send_to(request.as_bytes(), to).await.unwrap();
        };
        send(request("INVITE", "", &sdp)).await;
        let id = format!("in-{made}");
        let answered = async {
            loop {
                let Some(Event::Response(response)) = self.events.recv().await else { continue };
                let status: u16 = response.split(' ').nth(1).unwrap().parse().unwrap();
                if status >= 200 && header(&response, "Call-ID") == id {
                    return (status, response);
                }
            }
        };
        let (status, response) = patiently(answered).await;
        let to_header = header(&response, "To");
        let tag = to_header.split_once(";tag=").map(|(_, tag)| format!(";tag={tag}"));
        send(request("ACK", &tag.clone().unwrap_or_default(), "")).await;
        if status == 200 {
            send(request("BYE", &tag.unwrap_or_default(), "")).await;
        }
        status
    }
}

impl Call {
    async fn new(invite: String, from: SocketAddr, socket: Arc<UdpSocket>) -> Self {
        let rtp = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut life = JoinSet::new();
        life.spawn(listen(rtp.clone(), heard.clone()));
        let to_say = Arc::new(Mutex::new(VecDeque::new()));
        Self { invite, from, socket, rtp, heard, answered: None, to_say, life }
    }

    /// The codecs on offer, as payload types in their order, without telephone events.
    pub(crate) fn offers(&self) -> Vec<String> {
        let names = self.invite.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
        let names = names.filter_map(|it| it.split([' ', '/']).nth(1)).map(str::to_lowercase);
        names.filter(|name| name != "telephone-event").collect()
    }

    /// The number that is called.
    pub(crate) fn number(&self) -> &str {
        self.invite.split([':', '@']).nth(1).unwrap()
    }

    pub(crate) async fn picks_up(&mut self) {
        let sdp = sdp(self.rtp.local_addr().unwrap().port());
        let contact = self.socket.local_addr().unwrap();
        let head = format!("Contact: <sip:phone@{contact}>\r\nContent-Type: application/sdp\r\n");
        self.answered = Some(clock::now());
        self.responds("200 OK", &head, &sdp).await;
        self.life.spawn(speak(self.rtp.clone(), media(&self.invite), self.to_say.clone()));
    }

    pub(crate) async fn refuses(&self, status: &str) {
        self.responds(status, "", "").await;
    }

    async fn responds(&self, status: &str, head: &str, body: &str) {
        let response = response(&self.invite, status, head, body);
        self.socket.send_to(response.as_bytes(), self.from).await.unwrap();
    }

    /// Hangs up.
    pub(crate) async fn hangs_up(&self) {
        let here = self.socket.local_addr().unwrap();
        let contact = header(&self.invite, "Contact");
        let target = contact.trim_matches(['<', '>']).split('>').next().unwrap();
        let (from, to) = (header(&self.invite, "To"), header(&self.invite, "From"));
        let id = header(&self.invite, "Call-ID");
        let bye = format!(
            "BYE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKbye{id}\r\nMax-Forwards: 70\r\n\
             From: {from};tag=phone\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        self.socket.send_to(bye.as_bytes(), self.from).await.unwrap();
    }

    /// Waits until this has been heard, whatever else is.
    pub(crate) async fn hears(&self, sound: &[u8]) {
        let found = async {
            while !self.has_heard(sound) {
                sleep(STEP).await;
            }
        };
        if timeout(LONG, found).await.is_err() {
            let heard = lock(&self.heard);
            let (ms, likeness) = (heard.octets.len() / 8, likeness(&heard.octets, sound));
            panic!("not heard in {ms} ms of sound, {likeness:.2} alike");
        }
    }

    pub(crate) fn has_heard(&self, sound: &[u8]) -> bool {
        likeness(&lock(&self.heard).octets, sound) > ALIKE
    }

    /// From the answer to the first sound.
    pub(crate) async fn settles(&self) -> Duration {
        let found = async {
            loop {
                if let Some(at) = lock(&self.heard).first_sound {
                    return at;
                }
                sleep(STEP).await;
            }
        };
        patiently(found).await.duration_since(self.answered.unwrap())
    }

    pub(crate) fn presses(&self, key: u8) {
        lock(&self.to_say).push_back(Frame::Key(key));
    }

    /// Waits for a sound that comes later than what a key has cut short.
    pub(crate) async fn is_spoken_to(&self) {
        let since = clock::now() + CUT_SHORT;
        let spoken = async {
            while lock(&self.heard).last_sound.is_none_or(|last| last < since) {
                sleep(STEP).await;
            }
        };
        patiently(spoken).await;
    }

    /// Waits until there was no sound for so long.
    pub(crate) async fn hears_nothing_for(&self, time: Duration) {
        let quiet = async {
            while lock(&self.heard).last_sound.is_some_and(|last| last + time > clock::now()) {
                sleep(STEP).await;
            }
        };
        patiently(quiet).await;
    }

    /// Speaks for as long as that.
    pub(crate) async fn speaks(&self, time: Duration) {
        let frames = time.as_millis() / 20;
        // Loud and quiet by turns, as words are.
        let frame = |at| if at / 10 % 2 == 0 { Frame::Voice } else { Frame::Pause };
        lock(&self.to_say).extend((0..frames).map(frame));
        sleep(time).await;
    }
}

/// Speaks to the caller, and keeps quiet aloud.
async fn speak(rtp: Arc<UdpSocket>, to: SocketAddr, to_say: Arc<Mutex<VecDeque<Frame>>>) {
    let mut beat = interval(Duration::from_millis(20));
    let (mut sequence, mut timestamp) = (0_u16, 0_u32);
    loop {
        beat.tick().await;
        let frame = lock(&to_say).pop_front().unwrap_or(Frame::Pause);
        let (payload_type, payload, copies) = match frame {
            Frame::Key(key) => (101, vec![key, 0x8a, 2, 128], 3),
            Frame::Voice => (0, vec![0x90; 160], 1),
            Frame::Pause => (0, vec![0xff; 160], 1),
        };
        for _ in 0..copies {
            let packet = RtpPacketBuilder::new()
                .payload_type(payload_type)
                .ssrc(7)
                .sequence(sequence.into())
                .timestamp(timestamp)
                .payload(&payload)
                .build()
                .unwrap();
            sequence += 1;
            let _ = rtp.send_to(&packet, to).await;
        }
        timestamp += 160;
    }
}

async fn serve(socket: Arc<UdpSocket>, tells: UnboundedSender<Event>) {
    let mut buffer = vec![0; 8192];
    let (mut known, mut invites) = (HashSet::new(), HashMap::new());
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let call = header(&message, "Call-ID");
        let ok = response(&message, "200 OK", "", "");
        let event = match message.split(' ').next().unwrap_or_default() {
            "SIP/2.0" => Event::Response(message),
            "INVITE" if known.insert(call.clone()) => {
                invites.insert(call, message.clone());
                Event::Invite(message, from)
            }
            "BYE" => {
                let _ = socket.send_to(ok.as_bytes(), from).await;
                Event::Over(call)
            }
            "CANCEL" => {
                let _ = socket.send_to(ok.as_bytes(), from).await;
                if let Some(invite) = invites.get(&call) {
                    let gone = response(invite, "487 Request Terminated", "", "");
                    let _ = socket.send_to(gone.as_bytes(), from).await;
                }
                Event::Over(call)
            }
            "OPTIONS" => {
                let _ = socket.send_to(ok.as_bytes(), from).await;
                continue;
            }
            _ => continue,
        };
        if tells.send(event).is_err() {
            return;
        }
    }
}

async fn listen(rtp: Arc<UdpSocket>, heard: Arc<Mutex<Heard>>) {
    let mut buffer = vec![0; 2048];
    loop {
        let Ok(length) = rtp.recv(&mut buffer).await else { continue };
        if length > 12 && buffer[1] & 0x7f == 0 {
            let payload = &buffer[12..length];
            let mut heard = lock(&heard);
            if payload.iter().any(|octet| octet & 0x7f < 0x50) {
                heard.last_sound = Some(clock::now());
                heard.first_sound = heard.first_sound.or(heard.last_sound);
            }
            heard.octets.extend_from_slice(payload);
        }
    }
}

/// How much like this sound the most similar part of what was heard is, at most 1. The voice says a sentence never twice
/// with the same octets, but always as loud at each time.
fn likeness(heard: &[u8], sound: &[u8]) -> f64 {
    let (heard, sound) = (loudness(heard), loudness(sound));
    let sound = without_mean(&sound);
    let of = |part: &[f64]| {
        let part = without_mean(part);
        let product: f64 = part.iter().zip(&sound).map(|(a, b)| a * b).sum();
        let power = |it: &[f64]| it.iter().map(|a| a * a).sum::<f64>();
        product / (power(&part) * power(&sound)).sqrt().max(1.0)
    };
    heard.windows(sound.len()).map(of).fold(0.0, f64::max)
}

/// The loudness of each 10 ms.
fn loudness(sound: &[u8]) -> Vec<f64> {
    let power = |octet: &u8| f64::from(Codec::Pcmu.decode(*octet)).powi(2);
    sound.chunks_exact(80).map(|it| (it.iter().map(power).sum::<f64>() / 80.0).sqrt()).collect()
}

fn without_mean(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

fn sdp(port: u16) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

fn response(request: &str, status: &str, head: &str, body: &str) -> String {
    let copied: String = ["Via", "From", "Call-ID", "CSeq"]
        .map(|name| format!("{name}: {}\r\n", header(request, name)))
        .concat();
    let to = header(request, "To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=phone" };
    format!(
        "SIP/2.0 {status}\r\n{copied}To: {to}{tag}\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn header(message: &str, name: &str) -> String {
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    message.lines().find_map(value).unwrap_or_default()
}

/// Where the caller wants audio.
fn media(invite: &str) -> SocketAddr {
    let field = |start: &str, word: usize| {
        let line = invite.lines().find(|line| line.starts_with(start)).unwrap();
        line.split_whitespace().nth(word).unwrap().to_owned()
    };
    format!("{}:{}", field("c=", 2), field("m=audio", 1)).parse().unwrap()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(LONG, work).await.expect("nothing happened for as long as only a hang takes")
}

/// Two sentences are less alike, and the same one twice is more.
const ALIKE: f64 = 0.95;
const STEP: Duration = Duration::from_millis(50);
const CUT_SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(300);
