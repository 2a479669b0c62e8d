//! A scripted trunk for the timelines of a call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::*;
use crate::clock::now;
use crate::media::codec::Codec;
use crate::sip::message_builder::MessageBuilder;
use crate::sip::offer_answer::{codecs, offer, protect};
use crate::sip::trunk::{Dtmf, Srtp, Transport, Trunk};
use crate::sip::via::LocalAddr;

/// The trunk's side of a call. A word plays one step: a status (with a To tag, `+sdp`, `:realm`,
/// `=seconds`, `/session`, `/update`, `>contact`), `cancel:`, `bye:`, `prack:`, `update:` or `again:` (a new INVITE)
/// and a status for those, `!` and extensions that are not known, a method, `@` and seconds that pass.
pub(super) struct Peer {
    us: Invite,
    time: Instant,
    pub(super) invite: Vec<u8>,
    first_invite: Vec<u8>,
    pub(super) cancel: Vec<u8>,
    pub(super) bye: Vec<u8>,
    prack: Vec<u8>,
    refresh: Vec<u8>,
    last_received: Vec<u8>,
    cseq: u32,
    refused: bool,
}

impl Peer {
    pub(super) fn new() -> Self {
        Self::of(Srtp::Off)
    }

    /// A trunk that is to encrypt so.
    pub(super) fn of(srtp: Srtp) -> Self {
        let time = now();
        let offer = offer("192.0.2.2:20000".parse().unwrap(), &OFFERED, Dtmf::Auto, 7);
        let plan = InvitePlan {
            trunk: Arc::new(Trunk::example()),
            number: "+81312345678".parse().ok(),
            local_addr: LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
            offer: protect(offer, srtp, &mut Seed::fixed(2)),
            patience: Duration::from_secs(8),
            setup: Duration::from_secs(30),
            ring: Duration::from_secs(30),
        };
        let us = Invite::new(plan, Seed::fixed(1), time);
        let none = Vec::new;
        let mut peer = Self {
            us,
            time,
            invite: none(),
            first_invite: none(),
            cancel: none(),
            bye: none(),
            prack: none(),
            refresh: none(),
            last_received: none(),
            cseq: 100,
            refused: false,
        };
        if let Some(invite) = peer.us.sends.front() {
            (peer.invite, peer.first_invite) = (invite.clone(), invite.clone());
        }
        peer
    }

    pub(super) fn play(&mut self, word: &str, events: &mut Vec<String>) {
        if let Some(seconds) = word.strip_prefix('@') {
            self.pass(Duration::from_secs(seconds.parse().unwrap()), events);
        } else if word == "hang" {
            self.us.handle(Input::HangUp, self.time);
        } else if word == "elsewhere" {
            self.us.handle(Input::HangUpFor(Reason::CompletedElsewhere), self.time);
        } else if word == "unheard" {
            self.us.handle(Input::HangUpFor(Reason::NoRtp), self.time);
        } else if word == "unreachable" {
            self.us.handle(Input::TransportFailed, self.time);
        } else if word == "rubbish" {
            self.receive(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n".to_vec());
        } else if word == "gap" {
            self.cseq += 100;
        } else if word == "back" {
            self.cseq -= 50;
        } else if word == "copy" {
            self.receive(self.last_received.clone());
        } else if word == "loop" {
            self.receive(self.invite.clone());
        } else if let Some(status) = word.strip_prefix("cancel:") {
            self.receive(
                Message::parse(&self.cancel).unwrap().respond(status.parse().unwrap(), "a").end(),
            );
        } else if let Some((answered, status)) = word
            .split_once(':')
            .filter(|(answered, _)| ["bye", "prack", "update", "again"].contains(answered))
        {
            let request = match answered {
                "bye" => &self.bye,
                "prack" => &self.prack,
                _ => &self.refresh,
            };
            self.receive(respond(request, status));
        } else if let Some(status) = word.strip_prefix("old:") {
            self.receive(respond(&self.first_invite, status));
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            self.refused = !word.starts_with(['1', '2']);
            self.receive(respond(&self.invite, word));
        } else {
            self.ask(word);
        }
        self.listen(events);
    }

    fn receive(&mut self, bytes: Vec<u8>) {
        self.us.handle(Input::Received(&bytes), self.time);
        self.last_received = bytes;
    }

    /// Lets time pass, from deadline to deadline.
    fn pass(&mut self, time: Duration, events: &mut Vec<String>) {
        let end = self.time + time;
        while let Some(deadline) = self.us.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline >= self.time, "a deadline lies in the past");
            self.time = deadline;
            self.us.handle(Input::Tick, self.time);
            self.listen(events);
            assert_ne!(self.us.deadline(), Some(deadline), "a deadline does not move");
        }
        self.time = end;
    }

    /// Sends a request of the far end: a method, the tag of its fork, `+` and what it brings.
    fn ask(&mut self, word: &str) {
        let invite = Message::parse(&self.invite).unwrap();
        let (word, session) = word.split_once('/').unwrap_or((word, ""));
        let (name, extra) = word.split_once(['+', '=']).unwrap_or((word, ""));
        let tag = name.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let method = Method::from(name.trim_end_matches(|c: char| c.is_ascii_lowercase()));
        let repeats = matches!(method, Method::Ack | Method::Cancel);
        if !repeats {
            self.cseq += 1;
        }
        let branch = if method == Method::Cancel { Method::Invite } else { method.clone() };
        let tag = if tag.is_empty() { "a" } else { tag };
        let mut builder = MessageBuilder::request(&method, "sip:offhook@192.0.2.2")
            .header(
                "Via",
                &format!("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}{}", branch.as_str(), self.cseq),
            )
            .header("From", &format!("{};tag={tag}", invite.to.text))
            .header("To", &invite.from.text)
            .header("Call-ID", &invite.call_id)
            .header("CSeq", &format!("{} {}", self.cseq, method.as_str()));
        if !session.is_empty() {
            builder = builder.header("Session-Expires", session).header("Require", "timer");
        }
        if extra == "100rel" {
            builder = builder.header("Require", "100rel");
        }
        let bytes = match extra {
            "sdp" | "hold" | "video" | "safe" | "safehold" | "odd" => {
                builder.body("application/sdp", &sdp(extra))
            }
            _ if method == Method::Info && extra.starts_with('S') => {
                builder.body("application/dtmf-relay", &format!("{extra}\r\nDuration=120\r\n"))
            }
            "isup" => builder.body("application/isup", "x"),
            _ if method == Method::Info && extra.starts_with('<') => {
                builder.body("application/xml", extra)
            }
            _ if method == Method::Info => builder.body("application/dtmf", extra),
            _ => builder.end(),
        };
        self.receive(bytes);
    }

    /// Notes what we say, and checks what must hold for each message.
    pub(super) fn listen(&mut self, events: &mut Vec<String>) {
        while let Some(output) = self.us.poll() {
            let word = match output {
                Output::Send(bytes) => self.hear(bytes),
                Output::Ringing => "Ringing".to_owned(),
                Output::EarlyMedia(sdp) => {
                    format!("Early{}", if sdp.is_empty() { "?" } else { "" })
                }
                Output::Answered(sdp) => {
                    format!("Answered{}", if sdp.is_empty() { "" } else { "+sdp" })
                }
                Output::Accepted(_) => unreachable!("all calls here are ours"),
                Output::Reoffered(now) => {
                    let keys = if now.keys.is_some() { "+keys" } else { "" };
                    format!("{}{keys}", if now.sending { "on" } else { "hold" })
                }
                Output::Dialog(_) => continue,
                Output::Key(key) => format!("Key{key}"),
                Output::Over(Ending::Refused { status, retry_after: None }) => {
                    format!("Refused{status}")
                }
                Output::Over(Ending::Refused { status, retry_after: Some(wait) }) => {
                    format!("Refused{status}/{}", wait.as_secs())
                }
                Output::Over(ending) => format!("{ending:?}"),
                Output::Done => {
                    assert!(self.us.is_settled());
                    assert_eq!(self.us.deadline(), None);
                    "Done".to_owned()
                }
            };
            events.push(word);
        }
    }

    fn hear(&mut self, bytes: Vec<u8>) -> String {
        let message = Message::parse(&bytes).unwrap();
        let invite = Message::parse(&self.invite).unwrap();
        if let Some(status) = message.status() {
            assert_eq!(message.to.tag, invite.from.tag);
            // Who looks after the far end is told why.
            assert_eq!(status == 488, message.header("Warning").is_some());
            let sdp = if message.sdp().is_some() { "+sdp" } else { "" };
            let session = message.header("Session-Expires").map(|it| format!("={it}"));
            return format!("->{status}{sdp}{}", session.unwrap_or_default());
        }
        assert_eq!((&message.call_id, &message.from.text), (&invite.call_id, &invite.from.text));
        let mut said = String::new();
        match message.method {
            Method::Cancel => {
                assert_eq!((message.branch(), message.cseq), (invite.branch(), invite.cseq));
                assert_eq!(
                    (message.to.tag.clone(), message.request_uri()),
                    (None, invite.request_uri())
                );
                self.cancel = bytes.clone();
            }
            Method::Ack if self.refused && message.cseq == invite.cseq => {
                assert_eq!(message.branch(), invite.branch());
                assert_eq!(message.request_uri(), invite.request_uri());
            }
            Method::Ack => {
                let again = Message::parse(&self.refresh).is_ok_and(|it| it.cseq == message.cseq);
                assert!(again || message.cseq == invite.cseq || message.cseq == 1);
            }
            Method::Bye => {
                assert!(message.cseq > invite.cseq && message.branch() != invite.branch());
                self.bye = bytes.clone();
            }
            Method::Prack => {
                let rack = message.header("RAck").unwrap();
                let (number, invited) = rack.split_once(' ').unwrap();
                assert_eq!(invited, format!("{} INVITE", invite.cseq));
                assert!(message.cseq > invite.cseq && message.branch() != invite.branch());
                let again = bytes == self.prack;
                let last = Message::parse(&self.prack).map_or(0, |last| last.cseq);
                let same_dialog =
                    Message::parse(&self.prack).is_ok_and(|last| last.to.tag == message.to.tag);
                assert!(again || !same_dialog || message.cseq == last + 1);
                self.prack = bytes.clone();
                let auth = "+auth".repeat(message.all("Proxy-Authorization").count());
                return format!("PRACK{number}{auth}");
            }
            Method::Update | Method::Invite if message.to.tag.is_some() => {
                assert!(message.header("Session-Expires").is_some());
                assert_eq!(message.to.tag.as_deref(), Some("a"));
                let sdp = if message.sdp().is_some() { "+sdp" } else { "" };
                let auth = "+auth".repeat(message.all("Proxy-Authorization").count());
                let word = format!("{}{sdp}{auth}", message.method.as_str());
                self.refresh = bytes;
                return word;
            }
            _ => {
                assert_eq!((message.method.as_str(), message.to.tag.as_deref()), ("INVITE", None));
                let first = Message::parse(&self.first_invite).unwrap();
                self.invite = bytes.clone();
                if message.request_uri() != first.request_uri() {
                    let host = message.request_uri().split_once('@').unwrap().1;
                    return format!("INVITE>{host}");
                }
                said = match message.header("Session-Expires") {
                    Some("1800") if message.header("Supported") == Some("timer") => {
                        "-100rel".into()
                    }
                    Some("1800") => String::new(),
                    Some(seconds) => format!("={seconds}"),
                    None => "-timer".to_owned(),
                };
                if message.body != first.body {
                    assert_eq!(codecs(message.sdp().unwrap()), [Codec::Pcmu, Codec::Pcma]);
                    said += "+plain";
                }
            }
        }
        let named = |name: &str| "+auth".repeat(message.all(name).count());
        format!(
            "{}{said}{}{}",
            message.method.as_str(),
            named("Authorization"),
            named("Proxy-Authorization")
        )
    }
}

fn respond(invite: &[u8], word: &str) -> Vec<u8> {
    let (status, rest) = word.split_at(3);
    let (rest, unknown) = rest.split_once('!').map_or((rest, None), |(rest, it)| (rest, Some(it)));
    let (rest, contact) = rest.split_once('>').map_or((rest, None), |(rest, it)| (rest, Some(it)));
    let (rest, session) = rest.split_once('/').map_or((rest, None), |(rest, it)| (rest, Some(it)));
    let (rest, with_sdp) = rest.strip_suffix("+sdp").map_or((rest, false), |rest| (rest, true));
    let (rest, number) = rest.split_once('*').map_or((rest, None), |(rest, at)| (rest, Some(at)));
    let tag = match rest {
        "b" | "c" | "d" | "e" | "f" => rest,
        _ => "a",
    };
    let mut builder = Message::parse(invite).unwrap().respond(status.parse().unwrap(), tag);
    if rest == "-" {
        let plain = String::from_utf8(builder.end()).unwrap().replace(";tag=a\r\n", "\r\n");
        return plain.into_bytes();
    }
    if let Some(seconds) = rest.strip_prefix('=') {
        builder = builder.header("Retry-After", &format!("{seconds};duration=9 (busy)"));
    }
    if let Some(unknown) = unknown {
        builder = builder.header("Unsupported", unknown);
    }
    if let Some(contact) = contact {
        builder = builder.header("Contact", &format!("<sip:x@y>;q=0.1, <{contact}>"));
    }
    if let Some(session) = session {
        let (session, allow) = session.split_once("/update").unwrap_or((session, "none"));
        let allow = if allow == "none" { "INVITE, ACK, BYE" } else { "INVITE, ACK, BYE, UPDATE" };
        let session =
            if status == "422" { ("Min-SE", session) } else { ("Session-Expires", session) };
        builder = builder.header("Allow", allow).header(session.0, session.1);
    }
    if let Some(number) = number {
        builder = builder.header("Require", "precondition, 100rel").header("RSeq", number);
    }
    builder = challenge(builder, status, rest.strip_prefix(':').unwrap_or("one"));
    builder.body("application/sdp", &if with_sdp { sdp("sdp") } else { String::new() })
}

fn challenge(builder: MessageBuilder, status: &str, realm: &str) -> MessageBuilder {
    let name = match status {
        "401" => "WWW-Authenticate",
        "407" => "Proxy-Authenticate",
        _ => return builder,
    };
    let (realm, stale) = if realm == "stale" { ("one", ", stale=true") } else { (realm, "") };
    let nonce = Seed::fresh().token();
    builder
        .header(name, &format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"{stale}"))
}

fn sdp(kind: &str) -> String {
    let (media, direction) = match kind {
        "hold" => ("audio 40000 RTP/AVP 0", "sendonly"),
        "video" => ("video 40000 RTP/AVP 99", "sendrecv"),
        "safe" => ("audio 40000 RTP/SAVP 8", "sendrecv"),
        "safehold" => ("audio 40000 RTP/SAVP 8", "sendonly"),
        "odd" => ("audio 40000 RTP/SAVP 8", "sendrecv"),
        _ => ("audio 40000 RTP/AVP 8", "sendrecv"),
    };
    let keys = match kind {
        "safe" | "safehold" => {
            format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n", "A".repeat(40))
        }
        "odd" => format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{} KDR=1\r\n", "A".repeat(40)),
        _ => String::new(),
    };
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm={media}\r\na={direction}\r\n{keys}"
    )
}

const OFFERED: [Codec; 3] = [Codec::Opus, Codec::Pcmu, Codec::Pcma];
