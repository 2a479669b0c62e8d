//! Linphone, as people have it on their desks.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use offhook::media::engine::{Engine, EngineSettings};
use offhook::media::stream::MediaTimeouts;
use offhook::seed::Seed;
use tokio::sync::watch;

use crate::call::Call;
use crate::programs::Linphone;
use crate::scanner::talk;

#[tokio::test]
async fn linphone_answers_holds_resumes_and_hangs_up() {
    let mut phone = Linphone::start();
    let call = Call::to(phone.port);
    let script = std::thread::spawn(move || {
        for (wait, command) in [(1500, "pause"), (1000, "resume"), (1000, "terminate")] {
            std::thread::sleep(Duration::from_millis(wait));
            phone.command(command);
        }
        std::thread::sleep(Duration::from_millis(1000));
    });
    let call = call.run().await;
    script.join().unwrap();
    assert_eq!(
        call.told,
        ["ringing", "answered", "reoffered sending=false", "reoffered sending=true", "over ByPeer"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_pressed_on_linphone_are_heard() {
    let mut phone = Linphone::start();
    let settings = EngineSettings {
        listen: Ipv4Addr::LOCALHOST.into(),
        advertise: None,
        ports: 44_000..=44_999,
        timeouts: MediaTimeouts::with_silence(Duration::from_secs(60)),
        dscp: 46,
    };
    let engine = Engine::start(settings, Seed::fresh()).unwrap();
    let media = engine.open(Ipv4Addr::LOCALHOST.into()).unwrap();
    let call = Call::to(phone.port);
    let agent = call.agent().await;
    let (over, is_over) = watch::channel(false);
    let talk = tokio::spawn(talk(Arc::new(call.trunk), media, agent, is_over));
    for key in ["", "5", "7", "#"] {
        tokio::time::sleep(Duration::from_millis(1000)).await;
        if !key.is_empty() {
            phone.command(key);
        }
    }
    tokio::time::sleep(Duration::from_millis(1000)).await;
    over.send_replace(true);
    assert_eq!(talk.await.unwrap().0, "57#");
}
