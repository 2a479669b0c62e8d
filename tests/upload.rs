//! Uploads to services that behave, and to those that do not.

#![allow(clippy::unwrap_used)] // What fails here fails the test.

#[path = "support/voice_answer.rs"]
mod voice_answer;
#[path = "support/xmpp_server.rs"]
mod xmpp_server;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use offhook::clock;
use offhook::demo::child_process::{ChildProcess, Folder};
use offhook::voice_reply::http_put::{UploadError, UploadTimeouts, Uploader};
use offhook::xmpp::upload::Slot;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use voice_answer::{record, upload_service_answers};
use xmpp_server::{SECRET, Server};

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

#[tokio::test]
async fn a_service_with_a_certificate_of_the_operators_own_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let port = tls_service(&certificate, &key).await;
    let url: url::Url = format!("https://localhost:{port}/a/voice.mp3").parse().unwrap();
    let slot = Slot { put: url.clone(), headers: vec![], get: url };
    let timeouts = UploadTimeouts::default();
    for (tls_ca, expected) in
        [(None, Err(UploadError::Unreachable)), (Some(certificate.as_path()), Ok(()))]
    {
        let uploader = Uploader::new(true, tls_ca, timeouts);
        assert_eq!(uploader.put(&slot, "audio/mpeg", vec![0; 100]).await, expected, "{tls_ca:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_hangs_does_not_hold_the_exit() {
    let server = Server::start().await;
    let files = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = Folder::make().unwrap();
    record(&folder.path().join("offhook.db")).await;
    let component_toml = format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{}\"\nsecret = \"{SECRET}\"\n\
         [[trunk]]\nproxy = \"sip:127.0.0.1:9\"\nfrom = \"sip:a@127.0.0.1\"\n[sip]\nlisten = \"127.0.0.1:0\"\n\
         [media]\nlisten = \"127.0.0.1\"\n[dial]\nallow = [\"+81\"]\n[voice_reply]\nupload = \"upload.example.org\"\n\
         [[subscriber]]\njid = \"bob@example.org\"\nnumber = \"+81378901111\"\n",
        server.port()
    );
    fs::write(folder.path().join("component.toml"), component_toml).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_offhook"));
    let mut offhook = ChildProcess::start("offhook", program, &["run"], folder.path()).unwrap();
    let mut session = server.accepts().await;
    let link = format!("http://{}/voice.mp3", files.local_addr().unwrap());
    let serves = tokio::spawn(async move {
        // Ends with the stream, which the component ends first.
        loop {
            let stanza = session.hears().await;
            if stanza.has_child("ping", "urn:xmpp:ping") {
                session.returns(&stanza).await;
            } else if stanza.attr("to") == Some("upload.example.org") {
                session.says(&upload_service_answers(&stanza, &link)).await;
            }
        }
    });
    let begins = async {
        let (mut upload, _) = files.accept().await.unwrap();
        upload.read_exact(&mut [0; 4]).await.unwrap();
        upload
    };
    let begun = tokio::time::timeout(Duration::from_secs(30), begins).await;
    let _upload = begun.unwrap_or_else(|_| panic!("no upload\n{}", offhook.last_lines(30)));
    let asked = clock::now();
    assert_eq!(offhook.stop().await, Some(0), "{}", offhook.last_lines(30));
    let took = clock::now() - asked;
    assert!(took < Duration::from_secs(10), "{took:?}");
    serves.abort();
}

/// An upload service that speaks TLS and takes every file; gives its port.
async fn tls_service(certificate: &Path, key: &Path) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = tokio::net::TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut read = vec![];
            while !read.ends_with(&[0; 100]) {
                stream.read_buf(&mut read).await.unwrap();
            }
            let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    port
}

fn uploader(local: bool) -> Uploader {
    Uploader::new(
        local,
        None,
        UploadTimeouts { connect: Duration::from_secs(1), whole: Duration::from_secs(2) },
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
