//! A phone on the wire that answers every call, and answers by key or by voice.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtp_rs::RtpPacketBuilder;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

/// What it does once it is answered.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Presses 5, then 1.
    Key,
    /// Presses 5 and 7, speaks, presses 8, which it tells here, and 1.
    Voice(mpsc::Sender<()>),
}

/// Rings and answers as told, whatever number is called. It goes with its last handle.
pub(crate) struct AutoPhone {
    /// Where it takes calls.
    pub(crate) sip: SocketAddr,
    _life: JoinSet<()>,
}

impl AutoPhone {
    /// A phone that rings for `ring` and then is picked up.
    pub(crate) async fn start(ring: Duration, manner: Manner) -> Self {
        let sip = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let rtp = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = sip.local_addr().unwrap();
        let mut life = JoinSet::new();
        life.spawn(serve(sip, rtp, ring, manner));
        Self { sip: address, _life: life }
    }
}

async fn serve(sip: Arc<UdpSocket>, rtp: Arc<UdpSocket>, ring: Duration, manner: Manner) {
    let mut buffer = vec![0; 8192];
    let mut calls: HashMap<String, SocketAddr> = HashMap::new();
    let mut hands = JoinSet::new();
    loop {
        let Ok((len, from)) = sip.recv_from(&mut buffer).await else { continue };
        let message = String::from_utf8_lossy(&buffer[..len]).into_owned();
        let call = header(&message, "Call-ID");
        match message.split(' ').next().unwrap_or_default() {
            "INVITE" if !calls.contains_key(&call) => {
                calls.insert(call, media(&message));
                hands.spawn(pick_up(
                    sip.clone(),
                    rtp.local_addr().unwrap().port(),
                    message,
                    from,
                    ring,
                ));
            }
            "ACK" => {
                if let Some(to) = calls.get(&call) {
                    let ssrc = call.len() as u32 + calls.len() as u32;
                    hands.spawn(Hand::new(rtp.clone(), *to, ssrc).answer(manner.clone()));
                }
            }
            "BYE" => {
                let _ = sip.send_to(response(&message, "200 OK", "").as_bytes(), from).await;
            }
            "CANCEL" => {
                let _ = sip.send_to(response(&message, "200 OK", "").as_bytes(), from).await;
            }
            _ => {}
        }
    }
}

async fn pick_up(
    sip: Arc<UdpSocket>,
    rtp_port: u16,
    invite: String,
    from: SocketAddr,
    ring: Duration,
) {
    let _ = sip.send_to(response(&invite, "180 Ringing", "").as_bytes(), from).await;
    sleep(ring).await;
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {rtp_port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    );
    let contact = sip.local_addr().unwrap();
    let head = format!("Contact: <sip:phone@{contact}>\r\nContent-Type: application/sdp\r\n");
    let _ = sip.send_to(response_with(&invite, "200 OK", &head, &sdp).as_bytes(), from).await;
}

/// One call's keys and voice.
struct Hand {
    rtp: Arc<UdpSocket>,
    to: SocketAddr,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Hand {
    fn new(rtp: Arc<UdpSocket>, to: SocketAddr, ssrc: u32) -> Self {
        Self { rtp, to, ssrc, sequence: 0, timestamp: 0 }
    }

    async fn answer(mut self, manner: Manner) {
        self.press(5).await;
        match manner {
            Manner::Key => self.press(1).await,
            Manner::Voice(told) => {
                self.press(7).await;
                // Cuts short what is said before the tone, which lasts a quarter of a second.
                self.press(1).await;
                sleep(Duration::from_millis(600)).await;
                let mut beat = interval(Duration::from_millis(20));
                for frame in 0..110 {
                    beat.tick().await;
                    // Loud and quiet by turns, as words are.
                    let octet = if frame / 10 % 2 == 0 { 0x90 } else { 0xff };
                    self.send(0, &[octet; 160], 160).await;
                }
                self.press(8).await;
                let _ = told.send(()).await;
                self.press(1).await;
            }
        }
    }

    async fn press(&mut self, key: u8) {
        sleep(Duration::from_millis(400)).await;
        for _ in 0..3 {
            self.send(101, &[key, 0x8a, 2, 128], 0).await;
        }
        self.timestamp += 3200;
    }

    async fn send(&mut self, payload_type: u8, payload: &[u8], samples: u32) {
        let packet = RtpPacketBuilder::new()
            .payload_type(payload_type)
            .ssrc(self.ssrc)
            .sequence(self.sequence.into())
            .timestamp(self.timestamp)
            .payload(payload)
            .build()
            .unwrap();
        (self.sequence, self.timestamp) = (self.sequence + 1, self.timestamp + samples);
        let _ = self.rtp.send_to(&packet, self.to).await;
    }
}

fn response(request: &str, status: &str, head: &str) -> String {
    response_with(request, status, head, "")
}

fn response_with(request: &str, status: &str, head: &str, body: &str) -> String {
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
