//! G.722 and Opus with a real phone, which sends back what it hears.

use std::f64::consts::TAU;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::codec::{Clip, Codec};
use offhook::media::engine::{Engine, EngineSettings};
use offhook::media::stream::Patience;
use offhook::media::take::Take;
use offhook::media::{self, Command};
use offhook::seed::Seed;
use offhook::sip::invite::{Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::{accept, offer};
use offhook::sip::trunk::Dtmf;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::call::Call;
use crate::programs::{Baresip, Kamailio};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_in_wide_band_is_heard_and_keys_are_too() {
    for (codec, module, name) in
        [(Codec::G722, "g722.so", "g722/16000/1"), (Codec::Opus, "opus.so", "opus/48000/2")]
    {
        let phone = Baresip::start_with(module, name);
        let (heard, keys) = talk(&phone, codec).await;
        assert_eq!(melody(&heard), TONES, "{codec:?}, {} ms were heard", heard.len() / 8);
        assert_eq!(keys, "5#", "{codec:?}");
    }
}

/// Calls the phone, plays the melody, records what comes back, and gives it with the keys that were pressed.
async fn talk(phone: &Baresip, codec: Codec) -> (Vec<i16>, String) {
    let settings = EngineSettings {
        listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertise: None,
        ports: 43_000..=43_999,
        patience: Patience::with_silence(Duration::from_secs(60)),
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let mut media = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    let proxy = Kamailio::start(phone.port, "MD5");
    let call = Call::to(proxy.port).with_password("secret");
    let agent = call.agent().await;
    let path = agent.reach("test").await.unwrap();
    let offered = [Codec::Opus, Codec::G722, Codec::Pcmu];
    let plan = InvitePlan {
        trunk: Arc::new(call.trunk),
        number: "+81312345678".parse().ok(),
        hop: path.hop,
        offer: offer(media.local, &offered, Dtmf::Auto, 1),
        patience: path.patience(),
        ring: Duration::from_secs(20),
    };
    let mut invite = Invite::new(plan, Seed::fresh(), now());
    let mut line = agent.line(path, invite.call_id());
    let (mut keys, mut taken, mut spoken) = (String::new(), None, false);
    let end = now() + Duration::from_secs(15);
    while !invite.is_settled() {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => line.send(&bytes).await.unwrap(),
                Output::Answered(sdp) => {
                    let agreed = accept(&sdp, invite.offer()).unwrap();
                    assert_eq!(agreed.codec, codec);
                    assert!(agreed.events_payload_type.is_some(), "{sdp}");
                    media.command(Command::Start(agreed));
                    let take = Box::new(Take::new(codec, Duration::from_secs(8), now()));
                    let (back, take_back) = oneshot::channel();
                    media.command(Command::Record { take, back });
                    let clip = Arc::new(Clip::encode(codec, &said()));
                    media.command(Command::Play { clip, tag: 1 });
                    taken = Some(take_back);
                }
                _ => {}
            }
        }
        assert!(now() < end, "the call does not end");
        tokio::select! {
            Some(bytes) = line.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            Some(event) = media.events.recv() => match event {
                media::Event::Key(key) => {
                    keys.push(key);
                    if key == '#' {
                        media.command(Command::StopRecording);
                        invite.handle(Input::HangUp, now());
                    }
                }
                media::Event::Played(_) if !spoken => {
                    spoken = true;
                    let control = phone.control;
                    std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_millis(600));
                        Baresip::command(control, "sndcode 5");
                        std::thread::sleep(Duration::from_millis(400));
                        Baresip::command(control, "sndcode #");
                    });
                }
                _ => {}
            },
            () = sleep(Duration::from_millis(100)) => invite.handle(Input::Tick, now()),
        }
    }
    let take = taken.unwrap().await.unwrap();
    (take.samples(), keys)
}

/// Hz; each sounds for 300 ms.
const TONES: [u32; 4] = [500, 1100, 700, 1700];

fn said() -> Vec<i16> {
    let at = |n: usize| {
        let hz = f64::from(TONES[n / 4800]);
        ((n as f64 * hz / 16_000.0 * TAU).sin() * 9000.0) as i16
    };
    (0..4800 * TONES.len()).map(at).collect()
}

/// The tones that sound alone for 100 ms and more, in order.
fn melody(samples: &[i16]) -> Vec<u32> {
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
