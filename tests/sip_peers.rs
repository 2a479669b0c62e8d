//! The SIP user agent against real peers: sipp, baresip and Kamailio on loopback.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::invite::{Ending, Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{accept, offer};
use offhook::sip::transport::UserAgent;
use offhook::sip::trunk::{Credentials, Dtmf, Trunk};

#[tokio::test]
async fn a_phone_answers_and_hangs_up() {
    let mut phone = Sipp::start("answer_then_bye");
    let call = Call::to(phone.port).run().await;
    assert_eq!(call.told, ["ringing", "answered", "over ByPeer"]);
    let negotiated = accept(&call.sdp, &CODECS).unwrap();
    assert_eq!((negotiated.codec, negotiated.remote.port()), (Codec::Pcma, 40000));
    phone.is_content();
}

/// A call of ours through a trunk on loopback.
struct Call {
    trunk: Trunk,
    ring: Duration,
    hang_up_when: &'static str,
    told: Vec<String>,
    sdp: String,
}

impl Call {
    fn to(port: u16) -> Self {
        let trunk = Trunk {
            name: "test".to_owned(),
            proxy: format!("sip:127.0.0.1:{port}").parse().unwrap(),
            from: "sip:offhook@127.0.0.1".to_owned(),
            credentials: None,
            register: false,
            calls_max: 1,
            calls_per_s_max: 1,
            prefixes: vec!["+".to_owned()],
            dtmf: Dtmf::Auto,
        };
        Self {
            trunk,
            ring: Duration::from_secs(20),
            hang_up_when: "",
            told: vec![],
            sdp: String::new(),
        }
    }

    fn with_password(mut self, username: &str, password: &str) -> Self {
        self.trunk.credentials =
            Some(Credentials { username: username.to_owned(), password: password.into() });
        self
    }

    fn ringing_for(mut self, ring: Duration) -> Self {
        self.ring = ring;
        self
    }

    /// Hangs up as soon as this is told.
    fn hanging_up_when(mut self, told: &'static str) -> Self {
        self.hang_up_when = told;
        self
    }

    /// Runs until the call is over and nobody owes us an answer.
    async fn run(mut self) -> Self {
        let trunk = Arc::new(self.trunk.clone());
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let agent = UserAgent::bind(any, vec![trunk.clone()], Seed::fresh()).await.unwrap();
        let plan = InvitePlan {
            trunk,
            number: "+81312345678".parse().unwrap(),
            local: agent.local(),
            offer: offer("127.0.0.1:41000".parse().unwrap(), &CODECS, 1),
            ring: self.ring,
        };
        let mut invite = Invite::new(plan, Seed::fresh(), Instant::now());
        let mut line = agent.line("test", invite.call_id()).unwrap();
        loop {
            while let Some(output) = invite.poll() {
                let told = match output {
                    Output::Send(bytes) => {
                        line.send(&bytes).await.unwrap();
                        continue;
                    }
                    Output::Done => continue,
                    Output::Ringing => "ringing".to_owned(),
                    Output::EarlyMedia(_) => "early media".to_owned(),
                    Output::Answered(sdp) => {
                        self.sdp = sdp;
                        "answered".to_owned()
                    }
                    Output::Reoffered(now) => format!("reoffered sending={}", now.sending),
                    Output::Key(key) => format!("key {key}"),
                    Output::Over(ending) => format!("over {ending:?}"),
                };
                if told == self.hang_up_when {
                    invite.handle(Input::HangUp, Instant::now());
                }
                self.told.push(told);
            }
            if invite.is_settled() {
                tokio::spawn(line.see_out(invite));
                // Copies of the last message of the phone still want their answer.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return self;
            }
            let wake = tokio::time::sleep_until(invite.deadline().unwrap().into());
            tokio::select! {
                Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), Instant::now()),
                () = wake => invite.handle(Input::Tick, Instant::now()),
            }
        }
    }
}

/// A scripted phone; killed when dropped.
struct Sipp {
    child: Child,
    port: u16,
    scenario: &'static str,
}

impl Sipp {
    fn start(scenario: &'static str) -> Self {
        let port = free_port();
        let file = format!("{}/tests/data/sip/{scenario}.xml", env!("CARGO_MANIFEST_DIR"));
        let child = Command::new("timeout")
            .args([
                "30",
                "sipp",
                "-sf",
                &file,
                "-i",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-m",
                "1",
                "-nostdin",
            ])
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_port(port);
        Self { child, port, scenario }
    }

    /// Waits for the scenario's end and checks that it went as written.
    fn is_content(&mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{} saw something else: {status}", self.scenario);
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens.
fn wait_for_port(port: u16) {
    let patience = Instant::now() + Duration::from_secs(10);
    while UdpSocket::bind(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < patience, "nobody listens on {port}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];
