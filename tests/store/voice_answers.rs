//! Voice answers in the store, and their removal.

use std::fs;
use std::time::Duration;

use offhook::notification::{Claim, MessageId, Outcome, Reply, VoiceAnswer, VoiceFile, VoiceNews};
use offhook::store::{NotPassedOn, Sound, erasure};

use crate::world::{World, bob};

const SOUND: &[u8] = b"\0the sound of a voice that says something";

fn answer(message: MessageId, name: &str) -> VoiceAnswer {
    VoiceAnswer {
        message,
        name: name.into(),
        sound: SOUND.to_vec(),
        length: Duration::from_secs(14),
        cut: false,
    }
}

fn file() -> VoiceFile {
    VoiceFile {
        url: "https://upload.example.org/a/voice.mp3".into(),
        file_name: "voice.mp3".into(),
        media_type: "audio/mpeg".into(),
        octets: 56_000,
        length: Duration::from_secs(13),
    }
}

/// A call in which Bob hears Alice's message.
async fn called(world: &mut World) -> (Claim, MessageId) {
    let message = world.alice_writes("Where are you?").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.spoken(&claim, message).await;
    world.send_all().await;
    (claim, message)
}

async fn news(world: &World) -> Vec<VoiceNews> {
    let voices = world.owed().await.into_iter().filter_map(|owed| match owed.content {
        Reply::Voice(news) => Some(news),
        _ => None,
    });
    voices.collect()
}

#[tokio::test]
async fn what_was_kept_becomes_an_answer_when_it_is_sent_or_a_crash_comes_and_only_once() {
    for crashes in [false, true] {
        let mut world = World::new().await;
        let (claim, message) = called(&mut world).await;
        let (store, now) = (world.store(), world.now);
        store.keep_voice(claim.attempt, answer(message, "dropped"), now).await.unwrap();
        store.drop_voice("dropped".into()).await.unwrap();
        store.keep_voice(claim.attempt, answer(message, "kept"), now).await.unwrap();
        assert!(store.next_recording(now).await.unwrap().is_none(), "it is not sent yet");
        if crashes {
            world.crash().await;
        } else {
            store.send_voice("kept".into(), now).await.unwrap();
            store.send_voice("kept".into(), now).await.unwrap();
            world.settle(&claim, Outcome::Answered).await;
        }
        let (store, now) = (world.store(), world.now);
        let waits = store.next_recording(now).await.unwrap().unwrap();
        assert_eq!((waits.answer.name.as_str(), &*waits.answer.sound), ("kept", SOUND));
        store.recording_sent(waits.id, file(), Sound::Erased, now).await.unwrap();
        store.recording_sent(waits.id, file(), Sound::Erased, now).await.unwrap();
        assert!(store.next_recording(now).await.unwrap().is_none());
        let told = news(&world).await;
        assert!(
            matches!(told[..], [VoiceNews::Note { cut: false, .. }, VoiceNews::File(_)]),
            "{told:?}"
        );
        assert!(!in_files(&world, SOUND), "it is uploaded; nothing of it stays");
    }
}

#[tokio::test]
async fn what_cannot_be_passed_on_is_tried_again_and_the_sender_is_told_once() {
    let mut world = World::new().await;
    let (claim, message) = called(&mut world).await;
    world.store().keep_voice(claim.attempt, answer(message, "kept"), world.now).await.unwrap();
    world.store().send_voice("kept".into(), world.now).await.unwrap();
    let mut told = vec![];
    let (failed, no_way) = (NotPassedOn::Failed, NotPassedOn::NoWay);
    for (second, why) in
        [(65, failed), (100, failed), (125, failed), (200, failed), (260, no_way), (300, no_way)]
    {
        world.at(second);
        let waits = world.store().next_recording(world.now).await.unwrap().unwrap();
        let again = world.time(second + 5);
        world.store().recording_failed(waits.id, why, again, world.now).await.unwrap();
        assert!(world.store().next_recording(world.now).await.unwrap().is_none());
        assert_eq!(world.store().next_recording_due().await.unwrap(), Some(again));
        told.extend(news(&world).await.into_iter().map(|news| (second, news)));
        world.send_all().await;
    }
    let length = Duration::from_secs(14);
    assert_eq!(told, [(125, VoiceNews::Late(length)), (260, VoiceNews::NoWay(length))]);
}

#[tokio::test]
async fn what_is_served_from_here_is_found_by_its_name_until_its_days_are_over() {
    let mut world = World::new().await;
    let (claim, message) = called(&mut world).await;
    world.store().keep_voice(claim.attempt, answer(message, "kept"), world.now).await.unwrap();
    world.store().send_voice("kept".into(), world.now).await.unwrap();
    let id = world.store().next_recording(world.now).await.unwrap().unwrap().id;
    world
        .store()
        .recording_sent(id, file(), Sound::Served(SOUND.to_vec()), world.now)
        .await
        .unwrap();
    world.store().transcribed(id, Some("on my way".into()), Sound::Kept, world.now).await.unwrap();
    let transcript = news(&world).await.pop().unwrap();
    let VoiceNews::Transcript { text, of, .. } = transcript else { panic!("{transcript:?}") };
    let note = &world.owed().await[0];
    assert_eq!((text.as_str(), of), ("on my way", note.stanza_id.clone()));
    world.send_all().await;
    world.settle(&claim, Outcome::Answered).await;
    world.comes_online().await;
    world.send_all().await;

    let day = 86_400;
    for (days, is_there) in [(29, true), (31, false)] {
        world.at(days * day);
        while world.store().expire(world.now).await.unwrap() > 0 {}
        let served = world.store().served("kept".into()).await.unwrap();
        assert_eq!(
            served.map(|served| served.sound),
            is_there.then(|| SOUND.to_vec()),
            "day {days}"
        );
    }
    assert!(world.store().served("kepT".into()).await.unwrap().is_none());
}

#[tokio::test]
async fn who_is_erased_is_gone_from_the_file_too() {
    for asked_from_outside in [false, true] {
        let mut world = World::new().await;
        let (claim, message) = called(&mut world).await;
        let (store, now) = (world.store(), world.now);
        store.keep_voice(claim.attempt, answer(message, "kept"), now).await.unwrap();
        let jid = &bob().jid;
        assert!(!store.erase(jid, world.now).await.unwrap(), "he is on the phone");
        store.send_voice("kept".into(), now).await.unwrap();
        world.settle(&claim, Outcome::Answered).await;
        world.alice_writes("And now?").await;
        assert!(in_files(&world, SOUND) && in_files(&world, b"And now?"));
        if asked_from_outside {
            let file = world.folder.file();
            erasure::ask_to_erase(&file, jid).unwrap();
            assert!(!erasure::is_erased(&file, jid).unwrap());
            world.store().erase_as_asked(world.now).await.unwrap();
            assert!(erasure::is_erased(&file, jid).unwrap());
        } else {
            assert!(world.store().erase(jid, world.now).await.unwrap());
        }
        for gone in [SOUND, b"And now?", b"Where are you?", b"alice@example.org"] {
            assert!(!in_files(&world, gone), "{}", String::from_utf8_lossy(gone));
        }
        world.alice_writes("Can I still write?").await;
    }
}

/// Whether these octets stand in the database, or in the files beside it.
fn in_files(world: &World, octets: &[u8]) -> bool {
    let files = fs::read_dir(&world.folder.0).unwrap().map(|entry| entry.unwrap().path());
    let mut contents = files.map(|file| fs::read(file).unwrap());
    contents.any(|content| content.windows(octets.len()).any(|window| window == octets))
}
