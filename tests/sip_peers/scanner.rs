//! Scanners from Debian's own shelves, while calls are on.
//!
//! `OFFHOOK_NOISE_S=600 cargo test --test sip_peers scanner` makes noise for ten minutes.

use std::collections::HashMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::codec::Clip;
use offhook::media::engine::{Engine, EngineSettings, RtpPort};
use offhook::media::reports::Quality;
use offhook::media::stream::MediaTimeouts;
use offhook::media::{self, MediaCommand as Ask};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{accept, offer};
use offhook::sip::transport::{SipSettings, UserAgent};
use offhook::sip::trunk::{Dtmf, Trunk};
use rtp_rs::RtpReader;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use crate::call::{CODECS, Call};
use crate::programs::Sipp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scanners_get_no_answer_and_cost_no_frame() {
    let noise = std::env::var("OFFHOOK_NOISE_S").map_or(15, |seconds| seconds.parse().unwrap());
    let options = ["-i", "127.0.0.1"];
    let phone = Sipp::start_lasting("answers_through_loss", CALLS, &options, noise + 75);
    // The phones' one ear; the scenario names its port.
    let ear = UdpSocket::bind("127.0.0.1:40000").unwrap();
    ear.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let trunk = Arc::new(Trunk { calls_max: 100, ..Call::to(phone.port).trunk });
    let any = "0.0.0.0:0".parse().unwrap();
    let agent = UserAgent::bind(SipSettings::listening(any), vec![trunk.clone()], Seed::fresh())
        .await
        .unwrap();
    let settings = EngineSettings {
        listen: Ipv4Addr::UNSPECIFIED.into(),
        advertise: Some(Ipv4Addr::LOCALHOST.into()),
        ports: 26_000..=27_999,
        timeouts: MediaTimeouts { first: HOUR, silence: HOUR },
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();

    let (over, is_over) = watch::channel(false);
    let mut calls = tokio::task::JoinSet::new();
    let mut rtp_ports = vec![];
    for _ in 0..CALLS {
        let line = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
        rtp_ports.push(line.local.port());
        calls.spawn(talk(trunk.clone(), line, agent.clone(), is_over.clone()));
    }
    let hearing = std::thread::spawn(move || hear(&ear, Duration::from_secs(noise + 2)));
    let port = agent.local().port();
    let scanning = std::thread::spawn(move || scan(port, &rtp_ports, Duration::from_secs(noise)));
    let found = tokio::task::spawn_blocking(|| scanning.join().unwrap()).await.unwrap();
    let heard = tokio::task::spawn_blocking(|| hearing.join().unwrap()).await.unwrap();
    over.send_replace(true);
    let told = calls.join_all().await;
    let keys: String = told.iter().map(|(keys, _)| keys.as_str()).collect();
    let came: Vec<_> = told.into_iter().filter_map(|(_, quality)| quality).collect();
    let sum = |count: fn(&Quality) -> u32| came.iter().map(count).sum::<u32>();
    println!(
        "{CALLS} calls, {noise} s, {} datagrams of noise dropped: {} frames out, {} lost; {} in, {} lost; {} turns late",
        agent.dropped(),
        heard.values().map(|(frames, _)| frames).sum::<u32>(),
        heard.values().map(|(_, lost)| lost).sum::<u32>(),
        sum(|it| it.received),
        sum(|it| it.lost),
        engine.load().late.load(Ordering::Relaxed),
    );

    assert_eq!(found, "", "a scanner was answered");
    assert!(agent.dropped() > 500, "only {} datagrams of noise", agent.dropped());
    assert_eq!(keys, "", "a stranger's keys were believed");
    assert_eq!(heard.len(), CALLS, "voices");
    for (frames, lost) in heard.values() {
        // Calls begin one after the other, and a busy machine may take its time to begin.
        assert!(*frames as u64 > noise * 50 / 2, "{frames} frames in {noise} s");
        assert_eq!(*lost, 0, "lost of {frames}");
    }
    assert_eq!((came.len(), sum(|it| it.lost)), (CALLS, 0), "frames from the phones");
}

/// Speaks until told to stop, and gives the keys that were heard.
pub(crate) async fn talk(
    trunk: Arc<Trunk>,
    mut media: RtpPort,
    agent: UserAgent,
    mut over: watch::Receiver<bool>,
) -> (String, Option<Quality>) {
    let path = agent.reach(&trunk.name).await.unwrap();
    let plan = InvitePlan {
        trunk: trunk.clone(),
        number: "+81312345678".parse().ok(),
        local_addr: path.local_addr,
        offer: offer(media.local, &CODECS, Dtmf::Auto, 1),
        patience: path.patience(),
        setup: Duration::from_secs(20),
        ring: Duration::from_secs(20),
    };
    let mut invite = Invite::new(plan, Seed::fresh(), now());
    let mut line = agent.channel(path, invite.call_id());
    let mut keys = String::new();
    loop {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => line.send(&bytes).await.unwrap(),
                Output::Answered(sdp) => {
                    let agreed = accept(&sdp, invite.offer()).unwrap();
                    let speech = Arc::new(Clip::encode(agreed.codec, &[8000; 8000]));
                    media.command(Ask::Play { clip: speech, tag: 1 });
                    media.command(Ask::Start(agreed));
                }
                Output::Over(_) => {
                    let (back, told) = oneshot::channel();
                    media.command(Ask::Quality(back));
                    return (keys, told.await.ok());
                }
                _ => {}
            }
        }
        let deadline = invite.deadline().unwrap_or_else(|| now() + Duration::from_secs(3600));
        tokio::select! {
            Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            Some(event) = media.events.recv() => {
                keys.extend(match event { media::MediaEvent::Key(key) => Some(key), _ => None });
            }
            () = sleep(deadline.saturating_duration_since(now())) => invite.handle(Input::Tick, now()),
            Ok(_) = over.wait_for(|over| *over) => invite.handle(Input::HangUp, now()),
        }
    }
}

/// By SSRC: frames that came, and those that did not. Each is sent back.
fn hear(ear: &UdpSocket, time: Duration) -> HashMap<u32, (u32, u32)> {
    // A thread that sleeps too long loses what its socket cannot keep: a quarter of a second of twenty calls.
    let _ = rustix::process::nice(-15);
    let end = now() + time;
    let mut heard: HashMap<u32, (u32, u32)> = HashMap::new();
    let mut next: HashMap<u32, u16> = HashMap::new();
    let mut packet = [0; 1500];
    while now() < end {
        let Ok((length, from)) = ear.recv_from(&mut packet) else { continue };
        let _ = ear.send_to(&packet[..length], from);
        let Ok(read) = RtpReader::new(&packet[..length]) else { continue };
        let sequence = u16::from(read.sequence_number());
        let expected = next.insert(read.ssrc(), sequence.wrapping_add(1)).unwrap_or(sequence);
        let (frames, lost) = heard.entry(read.ssrc()).or_default();
        *frames += 1;
        *lost += u32::from(sequence.wrapping_sub(expected));
    }
    heard
}

/// Looks for telephones from another address, guesses extensions and passwords, and throws keys at the RTP ports.
/// Tells what it found. The scanners give up soon when nothing answers, so they are begun again and again, and a
/// flood in their manner goes on meanwhile.
fn scan(port: u16, rtp_ports: &[u16], time: Duration) -> String {
    let end = now() + time;
    let port = port.to_string();
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let mut found = String::new();
    let scanners: [&[&str]; 5] = [
        &["svmap", "-m", "OPTIONS"],
        &["svmap", "-m", "INVITE"],
        &["svwar", "-e", "100-999", "-m", "REGISTER", "--force"],
        &["svwar", "-e", "100-999", "-m", "INVITE", "--force"],
        &["svcrack", "-u", "100", "-r", "100-9999"],
    ];
    while now() < end {
        let running: Vec<_> = scanners
            .iter()
            .map(|words| {
                let mut command = Command::new("timeout");
                command.args(["4"]).args(*words);
                command.args(["-b", "127.0.0.2", "-x", "127.0.0.2", "-p", &port]);
                command.arg("127.0.0.1").stdin(Stdio::null()).stdout(Stdio::piped());
                command.stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for round in 0..200_u32 {
            let options = format!(
                "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK{round};rport\r\n\
                 From: <sip:x@y>;tag=a\r\nTo: <sip:x@y>\r\nCall-ID: {round}\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
            );
            let _ = stranger.send_to(options.as_bytes(), format!("127.0.0.1:{port}"));
            for rtp in rtp_ports {
                let press =
                    [0x80, 101, 0, round as u8, 0, 0, round as u8, 0, 0, 0, 0, 7, 9, 0x8a, 3, 0x20];
                let _ = stranger.send_to(&press, ("127.0.0.1", *rtp));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        for scanner in running {
            let told = scanner.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            // A table of what it found begins so.
            if told.contains('|') {
                found += &told;
            }
        }
        if let Ok((length, _)) = stranger.recv_from(&mut [0; 1500]) {
            found += &format!("an answer of {length} bytes");
        }
    }
    found
}

const CALLS: usize = 20;
const HOUR: Duration = Duration::from_secs(3600);
