//! Uploads to services that behave, and to those that do not.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use offhook::upload::{Patience, UploadError, Uploader};
use offhook::xmpp::upload::Slot;

#[tokio::test]
async fn a_file_arrives_whole_with_the_headers_of_its_slot_and_no_other() {
    let (service, told) = Service::that(|stream| answer(stream, "201 Created"));
    let file: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    let slot = Slot { headers: vec![("Authorization", "Bearer abc".into())], ..slot(service) };
    uploader(true).put(&slot, "audio/mpeg", file.clone()).await.unwrap();
    let (head, body) = told.recv().unwrap();
    let mut lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "put /a/voice.mp3 http/1.1");
    for expected in
        ["content-type: audio/mpeg", "content-length: 100000", "authorization: bearer abc"]
    {
        assert!(lines.iter().any(|line| line == expected), "{expected} is missing in {lines:?}");
    }
    let known = [
        "content-type",
        "content-length",
        "authorization",
        "host",
        "accept",
        "user-agent",
        "accept-encoding",
    ];
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap();
        assert!(known.contains(&name), "{line} is sent, too");
    }
    assert!(body == file, "the file is what was sent");
}

#[tokio::test]
async fn a_service_that_misbehaves_gets_an_end_and_stops_nothing() {
    use UploadError::*;
    let elsewhere = Service::that(|stream| answer(stream, "201 Created"));
    let there = elsewhere.0;
    let cases: Vec<(&str, Script, UploadError)> = vec![
        ("says no", Box::new(|stream| answer(stream, "403 Forbidden")), Refused { status: 403 }),
        ("is broken", Box::new(|stream| answer(stream, "500 Oops")), Refused { status: 500 }),
        (
            "finds it too large",
            Box::new(|stream| answer(stream, "413 Too Large")),
            Refused { status: 413 },
        ),
        (
            "sends us elsewhere",
            Box::new(move |stream| {
                let to = format!("307 Temporary Redirect\r\nLocation: http://{there}/a/voice.mp3");
                answer(stream, &to);
            }),
            Redirected,
        ),
        ("never answers", Box::new(|_| thread::sleep(LONG)), TimedOut),
        ("hangs up", Box::new(|_| {}), Unreachable),
        (
            "never ends its head",
            Box::new(|stream| {
                let _ = stream.write_all(b"HTTP/1.1 201 Created\r\n");
                while stream.write_all(b"X-More: and more\r\n").is_ok() {}
            }),
            Unreachable,
        ),
        (
            "drips",
            Box::new(|stream| {
                for octet in b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" {
                    if stream.write_all(&[*octet]).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            }),
            TimedOut,
        ),
        (
            "talks another language",
            Box::new(|stream| drop(stream.write_all(b"SSH-2.0-x\r\n\r\n"))),
            Unreachable,
        ),
    ];
    for (who, script, expected) in cases {
        let (service, _) = Service::that(script);
        let result = uploader(true).put(&slot(service), "audio/mpeg", vec![0; 100]).await;
        assert_eq!(result, Err(expected), "a service that {who}");
    }
    assert!(elsewhere.1.try_recv().is_err(), "nothing went elsewhere");
}

#[tokio::test]
async fn an_answer_without_end_is_not_listened_to() {
    let (service, _) = Service::that(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream
            .write_all(b"400\r\n")
            .and_then(|()| stream.write_all(&[b'x'; 1024]))
            .and_then(|()| stream.write_all(b"\r\n"))
            .is_ok()
        {}
    });
    assert_eq!(uploader(true).put(&slot(service), "audio/mpeg", vec![0; 100]).await, Ok(()));
}

#[tokio::test]
async fn nothing_goes_to_an_address_inside_the_network() {
    let (service, told) = Service::that(|stream| answer(stream, "201 Created"));
    let result = uploader(false).put(&slot(service), "audio/mpeg", vec![0; 100]).await;
    assert_eq!(result, Err(UploadError::NotPublic));
    assert!(told.try_recv().is_err());
}

fn uploader(local: bool) -> Uploader {
    Uploader::new(
        local,
        Patience { connect: Duration::from_secs(1), whole: Duration::from_secs(2) },
    )
}

fn slot(service: SocketAddr) -> Slot {
    let url: url::Url = format!("http://{service}/a/voice.mp3").parse().unwrap();
    Slot { put: url.clone(), headers: vec![], get: url }
}

fn answer(stream: &mut TcpStream, status: &str) {
    let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
}

type Script = Box<dyn FnMut(&mut TcpStream) + Send>;

/// A web server that reads one request after the other and then does as it is told.
struct Service;

impl Service {
    fn that(
        mut does: impl FnMut(&mut TcpStream) + Send + 'static,
    ) -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = tell.send(request(&mut stream));
                does(&mut stream);
            }
        });
        (address, told)
    }
}

fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut read = vec![];
    let mut buffer = [0; 4096];
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let Ok(len @ 1..) = stream.read(&mut buffer) else { break read.len() };
        read.extend_from_slice(&buffer[..len]);
    };
    let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while read.len() < head_end + length.unwrap_or(0) {
        let Ok(len @ 1..) = stream.read(&mut buffer) else { break };
        read.extend_from_slice(&buffer[..len]);
    }
    (head, read[head_end..].to_vec())
}

const LONG: Duration = Duration::from_secs(10);
