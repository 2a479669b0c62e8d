//! A talk with a real phone, which sends back what it hears.

use std::f64::consts::TAU;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::codec::{Clip, Codec};
use offhook::media::engine::{Engine, EngineSettings};
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::media::reports::Quality;
use offhook::media::stream::MediaTimeouts;
use offhook::media::{self, MediaCommand};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{accept, offer, protect};
use offhook::sip::trunk::Dtmf;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::call::Call;
use crate::programs::Baresip;

/// How it went.
pub(crate) struct Talked {
    pub(crate) codec: Codec,
    /// What came back.
    pub(crate) heard: Vec<i16>,
    pub(crate) keys: String,
    /// Whether it then wanted our packets, and had keys.
    pub(crate) reoffered: Vec<(bool, bool)>,
    pub(crate) quality: Quality,
}

/// Calls the phone, plays the melody, records what comes back, and has the phone do what its user would, until he
/// hangs up or presses `#`.
///
/// `change` may change what we offer before it leaves.
pub(crate) async fn talk(
    call: Call,
    phone: &Baresip,
    offered: &[Codec],
    change: impl Fn(String) -> String,
    user: &'static [&'static str],
) -> Talked {
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 43_000..=43_999,
        timeouts: MediaTimeouts::with_silence(Duration::from_secs(60)),
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let mut media = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    let agent = call.agent().await;
    let path = agent.reach("test").await.unwrap();
    let offer = offer(media.local, offered, Dtmf::Auto, 1);
    let plan = InvitePlan {
        offer: change(protect(offer, call.trunk.srtp, &mut Seed::fresh())),
        trunk: Arc::new(call.trunk),
        number: "+81312345678".parse().ok(),
        local_addr: path.local_addr,
        patience: path.patience(),
        setup: Duration::from_secs(20),
        ring: Duration::from_secs(20),
    };
    let mut invite = Invite::new(plan, Seed::fresh(), now());
    let mut line = agent.channel(path, invite.call_id());
    let (mut keys, mut taken, mut codec, mut spoken) = (String::new(), None, Codec::Pcmu, false);
    let (mut quality, mut reoffered) = (None, vec![]);
    let end = now() + Duration::from_secs(20);
    loop {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => line.send(&bytes).await.unwrap(),
                Output::Answered(sdp) => {
                    let agreed = accept(&sdp, invite.offer()).unwrap();
                    codec = agreed.codec;
                    assert!(agreed.events_payload_type.is_some(), "{sdp}");
                    media.command(MediaCommand::Start(agreed));
                    let buffer =
                        Box::new(RecordingBuffer::new(codec, Duration::from_secs(8), now()));
                    let (back, take_back) = oneshot::channel();
                    media.command(MediaCommand::Record { buffer, back });
                    let clip = Arc::new(Clip::encode(codec, &said(codec)));
                    media.command(MediaCommand::Play { clip, tag: 1 });
                    taken = Some(take_back);
                }
                Output::Reoffered(agreed) => {
                    reoffered.push((agreed.sending, agreed.keys.is_some()));
                    media.command(MediaCommand::Start(agreed));
                }
                Output::Over(_) => {
                    media.command(MediaCommand::StopRecording);
                    let (back, told) = oneshot::channel();
                    media.command(MediaCommand::Quality(back));
                    quality = told.await.ok();
                }
                _ => {}
            }
        }
        if invite.is_settled() {
            break;
        }
        assert!(now() < end, "the call does not end; keys: {keys}");
        tokio::select! {
            Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            Some(event) = media.events.recv() => match event {
                media::MediaEvent::Key(key) => {
                    keys.push(key);
                    if key == '#' {
                        invite.handle(Input::HangUp, now());
                    }
                }
                media::MediaEvent::Played(_) if !spoken => {
                    spoken = true;
                    let control = phone.control;
                    std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_millis(200));
                        for command in user {
                            std::thread::sleep(Duration::from_millis(400));
                            Baresip::command(control, command);
                        }
                    });
                }
                _ => {}
            },
            () = sleep(Duration::from_millis(100)) => invite.handle(Input::Tick, now()),
        }
    }
    let take = taken.unwrap().await.unwrap();
    Talked { codec, heard: take.samples(), keys, reoffered, quality: quality.unwrap() }
}

/// Hz; each sounds for 300 ms.
pub(crate) const TONES: [u32; 4] = [500, 1100, 700, 1700];

/// The melody, at the rate that the codec takes, once the phone has settled.
fn said(codec: Codec) -> Vec<i16> {
    let rate = if codec.is_wide() { 16_000 } else { 8_000 };
    let tone = rate * 3 / 10;
    let at = |n: usize| {
        let hz = f64::from(TONES[n / tone]);
        ((n as f64 * hz / rate as f64 * TAU).sin() * 9000.0) as i16
    };
    let settle = std::iter::repeat_n(0, rate / 2);
    settle.chain((0..tone * TONES.len()).map(at)).collect()
}

/// The tones that sound alone for 100 ms and more, in order.
pub(crate) fn melody(samples: &[i16]) -> Vec<u32> {
    let mut melody: Vec<(u32, u32)> = vec![];
    for frame in samples.chunks_exact(320) {
        let energy: f64 = frame.iter().map(|s| f64::from(*s).powi(2)).sum();
        let tone = TONES.into_iter().find(|hz| {
            let turn = f64::from(*hz) / 8000.0 * TAU;
            let part = |f: fn(f64) -> f64| -> f64 {
                frame.iter().enumerate().map(|(n, s)| f64::from(*s) * f(turn * n as f64)).sum()
            };
            let power = (part(f64::sin).powi(2) + part(f64::cos).powi(2)) * 2.0 / 320.0;
            energy > 320.0 * 1e6 && power > 0.8 * energy
        });
        match (tone, melody.last_mut()) {
            (Some(hz), Some((last, frames))) if *last == hz => *frames += 1,
            (Some(hz), _) => melody.push((hz, 1)),
            (None, _) => {}
        }
    }
    melody.into_iter().filter(|(_, frames)| *frames >= 3).map(|(hz, _)| hz).collect()
}
