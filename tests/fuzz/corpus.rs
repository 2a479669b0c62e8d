//! What is changed, and what is put in.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use offhook::sip::trunk::{Credentials, Trunk};

/// Messages of RFC 4475 and of programs.
pub(crate) static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    NAMES.iter().map(|name| on_the_wire(&fs::read_to_string(file(name)).unwrap())).collect()
});

/// Their names, in order.
pub(crate) static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = fs::read_dir(file("").parent().unwrap()).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<_> =
        files.filter_map(|it| it.to_str()?.strip_suffix(".sip").map(str::to_owned)).collect();
    names.sort();
    assert!(names.len() > 40, "only {} messages", names.len());
    names
});

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/data/sip/messages", &format!("{name}.sip")].iter().collect()
}

/// The bodies of those that describe a session.
pub(crate) static DESCRIPTIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let body = |message: &Vec<u8>| {
        let text = String::from_utf8_lossy(message).into_owned();
        let (_, body) = text.split_once("\r\n\r\n")?;
        body.starts_with("v=0").then(|| body.to_owned())
    };
    MESSAGES.iter().filter_map(body).collect()
});

/// Lines end as they do in SIP, and `LENGTH` is the length of the body.
fn on_the_wire(file: &str) -> Vec<u8> {
    let text = file.replace('\n', "\r\n");
    let length = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    text.replace("LENGTH", &length.to_string()).into_bytes()
}

pub(crate) fn trunk(user: &str) -> Trunk {
    let (username, password) = (user.to_owned(), "secret".into());
    Trunk {
        credentials: Some(Credentials { username, password }),
        register: true,
        ..Trunk::plain("sip:192.0.2.1".parse().unwrap(), "sip:offhook@192.0.2.2")
    }
}

pub(crate) const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

pub(crate) const SIP: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    " \r\n ",
    ";tag=",
    ";tag=far",
    "\"",
    "\\\"",
    "<",
    ">",
    ";lr",
    ",",
    ":",
    "@",
    "%00",
    "%41",
    "\0",
    "\u{e9}",
    "\u{2028}",
    "4294967296",
    "99999999999999999999",
    "-1",
    "0",
    "sips:",
    "tel:+1",
    "[::1]",
    "[",
    "SIP/2.0",
    "SIP / 2.0 / UDP h ;branch=z9hG4bK",
    "Via: SIP/2.0/TCP 192.0.2.1;rport=99999;received=::1;branch=z9hG4bKa\r\n",
    "Contact: *\r\n",
    "Contact: \"a <x>\" <sip:b@c:5062;transport=tcp>;q=0.5, <sip:d@e>;expires=3600\r\n",
    "Contact: <sip:+81312345678@192.0.2.9>\r\n",
    "m: sip:a@b;expires=0\r\n",
    "Record-Route: <sip:x;lr>, <sip:y>\r\n",
    "Require: 100rel\r\n",
    "Require: timer, foo\r\n",
    "Supported: timer, 100rel\r\n",
    "RSeq: 1\r\n",
    "RSeq: 4294967295\r\n",
    "RAck: 1 1 INVITE\r\n",
    "Session-Expires: 90;refresher=uac\r\n",
    "Session-Expires: 4294967295;refresher=uas\r\n",
    "x: 90\r\n",
    "Min-SE: 120\r\n",
    "Min-Expires: 7200\r\n",
    "Expires: 0\r\n",
    "Retry-After: 18000;duration=3600\r\n",
    "Content-Length: 0\r\n",
    "l: 99999999999\r\n",
    "Content-Type: application/sdp\r\n",
    "Content-Type: multipart/mixed;boundary=x\r\n",
    "Content-Encoding: gzip\r\n",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\n",
    "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", stale=true, opaque=\"\"\r\n",
    "Replaces: a;to-tag=b;from-tag=c\r\n",
];

pub(crate) const CHALLENGE: &[&str] = &[
    "realm=\"",
    "nonce=\"",
    "\"",
    "\\",
    ",",
    ", ",
    "=",
    "algorithm=MD5",
    "algorithm=MD5-sess",
    "algorithm=SHA-256",
    "algorithm=SHA-512-256-sess",
    "algorithm=x",
    "qop=\"auth-int\"",
    "qop=auth",
    "qop=\"\"",
    "stale=true",
    "userhash=true",
    "opaque=\"\r\n x\"",
    "Basic realm=\"x\"",
    "Digest ",
    "\r\n ",
    "\r\nX: y",
    "\0",
    "\u{e9}",
    "domain=\"sip:a sip:b\"",
    "charset=UTF-8",
];

pub(crate) const SDP: &[&str] = &[
    "\r\n",
    "m=audio 0 RTP/AVP 0\r\n",
    "m=audio 4002/2 RTP/AVP 8\r\n",
    "m=video 4004 RTP/AVP 34\r\n",
    "m=image 4006 udptl t38\r\n",
    "m=audio 4008 RTP/SAVP 0 8\r\n",
    "m=audio 65535 RTP/AVP 0 101\r\n",
    "a=ptime:",
    "a=ptime:60\r\n",
    "a=maxptime:10\r\n",
    "a=rtpmap:",
    "a=rtpmap:101 telephone-event/8000\r\n",
    "a=rtpmap:96 opus/48000/2\r\n",
    "a=rtpmap:9 G722/8000\r\n",
    "a=fmtp:96 useinbandfec=1;maxplaybackrate=8000\r\n",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4\r\n",
    "a=inactive\r\n",
    "a=sendonly\r\n",
    "a=recvonly\r\n",
    "a=rtcp:4001\r\n",
    "a=rtcp-mux\r\n",
    "99999999999",
    "65536",
    "-1",
    "127",
    "-",
    "/",
    " ",
    "IN IP6 ::1",
    "IN IP4 0.0.0.0",
    "IN IP4 224.2.1.1/127/3",
    "IN IP4 example.org",
    "c=IN IP4 192.0.2.7\r\n",
    "b=AS:64\r\n",
    "k=prompt\r\n",
    "\0",
    "\u{e9}",
    "=",
    "v=0\r\n",
    "o=",
    "t=0 0\r\n",
    "r=7d 1h 0 25h\r\n",
    "z=0 -1h\r\n",
];
