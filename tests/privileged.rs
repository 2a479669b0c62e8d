//! A server like ejabberd from 24.10 on with mod_privilege, which drops the component's IQs to domains.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

#[path = "support/voice_answer.rs"]
mod voice_answer;
#[path = "support/xmpp_server.rs"]
mod xmpp_server;

use std::fs;
use std::path::Path;
use std::time::Duration;

use offhook::demo::child_process::{ChildProcess, Folder};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use voice_answer::{record, upload_service_answers};
use xmpp_server::{SECRET, Server, Session};

#[tokio::test(flavor = "multi_thread")]
async fn people_are_phoned_and_voice_answers_uploaded() {
    let (server, files) = (Server::start().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let trunk = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let folder = Folder::make().unwrap();
    record(&folder.path().join("offhook.db")).await;
    let component_toml = format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{}\"\nsecret = \"{SECRET}\"\n\
         [[trunk]]\nproxy = \"sip:{}\"\nfrom = \"sip:a@127.0.0.1\"\n[sip]\nlisten = \"127.0.0.1:0\"\n\
         [media]\nlisten = \"127.0.0.1\"\n[dial]\nallow = [\"+81\"]\nwait_s = 0\nquiet = \"\"\n\
         [[subscriber]]\njid = \"bob@example.org\"\nnumber = \"+81378901111\"\n\
         [[subscriber]]\njid = \"carol@example.org\"\nnumber = \"+81378902222\"\n",
        server.port(),
        trunk.local_addr().unwrap(),
    );
    fs::write(folder.path().join("component.toml"), component_toml).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_offhook"));
    let mut offhook = ChildProcess::start("offhook", program, &["run"], folder.path()).unwrap();
    let mut session = server.accepts().await;
    session.says(GRANT).await;
    session.says(MESSAGE).await;
    let link = format!("http://{}/voice.mp3", files.local_addr().unwrap());
    let serves = tokio::spawn(drops_what_goes_to_domains(session, link));

    let both = async { tokio::join!(invited(&trunk, "+81378902222"), uploaded(&files)) };
    if timeout(LONG, both).await.is_err() {
        panic!("no call or no upload\n{}", offhook.last_lines(30));
    }
    let log = offhook.last_lines(usize::MAX);
    assert_eq!(log.matches("link up").count(), 1, "{log}");
    assert!(!log.contains("link down") && !log.contains("revoke"), "{log}");
    serves.abort();
    offhook.kill_and_wait().await;
}

/// Returns what goes to a resource of the component, and has an upload service that can be reached at a resource.
async fn drops_what_goes_to_domains(mut session: Session, link: String) {
    loop {
        let stanza = session.hears().await;
        let to = stanza.attr("to").unwrap_or_default();
        if stanza.name() != "iq" || !to.contains('/') {
            continue;
        }
        if to.starts_with("upload.example.org/") {
            session.says(&upload_service_answers(&stanza, &link)).await;
        } else {
            session.returns(&stanza).await;
        }
    }
}

async fn invited(trunk: &UdpSocket, number: &str) {
    let mut packet = vec![0; 65_536];
    loop {
        let length = trunk.recv(&mut packet).await.unwrap();
        let request = String::from_utf8_lossy(&packet[..length]).into_owned();
        if request.starts_with(&format!("INVITE sip:{number}@")) {
            return;
        }
    }
}

async fn uploaded(files: &TcpListener) {
    let (mut upload, _) = files.accept().await.unwrap();
    let mut method = [0; 4];
    upload.read_exact(&mut method).await.unwrap();
    assert_eq!(&method, b"PUT ");
}

/// With a permission for IQs that permits none.
const GRANT: &str = "<message from='example.org' to='phone.example.org'><privilege xmlns='urn:xmpp:privilege:2'>\
    <perm access='message' type='outgoing'/><perm access='roster' type='none'/><perm access='iq'/>\
    <perm access='presence' type='none'/></privilege></message>";
const MESSAGE: &str = "<message from='alice@example.org/desk' to='carol\\40example.org@phone.example.org' \
    type='chat' id='m1'><body>Hello</body></message>";
/// Only a hang takes as long.
const LONG: Duration = Duration::from_secs(120);
