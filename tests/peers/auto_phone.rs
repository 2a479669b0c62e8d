//! A phone on the wire that answers every call and presses 5, then 1.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rtp_rs::RtpPacketBuilder;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Rings and answers as told, whatever number is called. It goes with its last handle.
pub(crate) struct AutoPhone {
    /// Where it takes calls.
    pub(crate) sip: SocketAddr,
    _life: JoinSet<()>,
}

impl AutoPhone {
    /// A phone that rings for `ring` and then is picked up.
    pub(crate) async fn start(ring: Duration) -> Self {
        let sip = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let rtp = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = sip.local_addr().unwrap();
        let mut life = JoinSet::new();
        life.spawn(serve(sip, rtp, ring));
        Self { sip: address, _life: life }
    }
}

async fn serve(sip: Arc<UdpSocket>, rtp: Arc<UdpSocket>, ring: Duration) {
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
                    hands.spawn(press(rtp.clone(), *to, call.len() as u32 + calls.len() as u32));
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

async fn press(rtp: Arc<UdpSocket>, to: SocketAddr, ssrc: u32) {
    for (key, timestamp) in [(5, 8000), (1, 16_000)] {
        sleep(Duration::from_millis(400)).await;
        for sequence in 0_u16..3 {
            let packet = RtpPacketBuilder::new()
                .payload_type(101)
                .ssrc(ssrc)
                .sequence((timestamp as u16).wrapping_add(sequence).into())
                .timestamp(timestamp)
                .payload(&[key, 0x8a, 2, 128])
                .build()
                .unwrap();
            let _ = rtp.send_to(&packet, to).await;
        }
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
