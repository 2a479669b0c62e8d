//! SIGKILL at random moments: what Alice was told is held is delivered, phoned or reported, and no answer comes twice.

use std::collections::HashSet;
use std::time::Duration;

use offhook::clock;
use offhook::demo::chat_client::ChatMessage;
use offhook::seed::Seed;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::auto_phone::Manner;
use crate::chat::LONG;
use crate::told::Told;
use crate::world::{World, meets_offhook, number, room_for, start, until_nothing_is_owed, write};

/// Together they make [`ROUNDS`] times as many kills.
const WORLDS: u64 = 7;
const ROUNDS: usize = 8;
const VOICE_WORLDS: usize = 4;
const VOICE_ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_alice_was_told_is_held_is_lost_by_fifty_kills() {
    let _room = room_for(WORLDS as usize).await;
    let seed = match std::env::var("OFFHOOK_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => Seed::fresh().below(1_000_000),
    };
    println!("OFFHOOK_SEED={seed} replays the moments of the kills");
    let mut worlds = tokio::task::JoinSet::new();
    for world in 0..WORLDS {
        worlds.spawn(live_through(Seed::fixed(seed + world)));
    }
    let mut outcomes = Outcomes::default();
    while let Some(world) = worlds.join_next().await {
        let world = world.unwrap();
        outcomes.told_held += world.told_held;
        outcomes.answered += world.answered;
        outcomes.reported += world.reported;
    }
    println!("{} kills: {outcomes:?}", WORLDS as usize * ROUNDS);
    assert!(
        outcomes.answered > 10,
        "too few calls came through for the test to mean anything: {outcomes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_answer_survives_twenty_kills_and_arrives_once() {
    let _room = room_for(VOICE_WORLDS).await;
    let mut seed = Seed::fresh();
    let mut worlds = tokio::task::JoinSet::new();
    for _ in 0..VOICE_WORLDS {
        worlds.spawn(speak_and_be_killed(seed.split()));
    }
    while let Some(world) = worlds.join_next().await {
        world.unwrap();
    }
}

/// Each person speaks an answer; the program is killed at any moment after 8 was pressed.
async fn speak_and_be_killed(mut seed: Seed) {
    let (told, mut spoken) = mpsc::channel(1);
    let mut world = World::build(Manner::Voice(told), VOICE_ROUNDS).await;
    let mut offhook = start(&world.home);
    meets_offhook(&mut world.alice).await;
    for person in 0..VOICE_ROUNDS {
        let to = format!("p{person}\\40localhost@phone.localhost");
        write(&mut world.alice, &world.prosody, &to, &format!("m{person}")).await;
        let number = number(person);
        let speaks = async { while spoken.recv().await.is_some_and(|called| called != number) {} };
        let speaks = timeout(LONG, speaks).await;
        assert!(speaks.is_ok(), "p{person} never speaks\n{}", offhook.last_lines(30));
        // The recording is on the disk a few milliseconds after the key. Killed before that, the person is phoned again.
        sleep(Duration::from_millis(60 + seed.below(2500))).await;
        offhook.kill_and_wait().await;
        offhook = start(&world.home);
        meets_offhook(&mut world.alice).await;
        let (files, notes) = voice_of(&mut world, person).await;
        assert_eq!((files, notes), (1, 1), "p{person}\n{}", offhook.last_lines(30));
    }
    offhook.stop().await;
}

#[derive(Debug, Default)]
struct Outcomes {
    told_held: usize,
    answered: usize,
    reported: usize,
}

/// Waits for what this person has said, and for all else that is owed: how many files and notes there are, by their ids.
async fn voice_of(world: &mut World, person: usize) -> (usize, usize) {
    let from = format!("p{person}\\");
    let is_file =
        |it: &ChatMessage| it.from.starts_with(&from) && it.xml.contains("urn:xmpp:sfs:0");
    let is_note = |it: &ChatMessage| {
        let text = it.text.as_deref().unwrap_or_default();
        it.from.starts_with(&from) && text.starts_with("Voice answer")
    };
    let what = format!("the file of p{person}");
    world.alice.until(&what, is_file).await;
    if !world.alice.read.iter().any(is_note) {
        world.alice.until(&format!("the note of p{person}"), is_note).await;
    }
    until_nothing_is_owed(&world.home, &mut world.alice).await;
    let ids = |wanted: &dyn Fn(&ChatMessage) -> bool| {
        let wanted = world.alice.read.iter().filter(|it| wanted(it));
        wanted.map(|it| it.id.clone()).collect::<HashSet<_>>().len()
    };
    (ids(&is_file), ids(&is_note))
}

async fn live_through(mut seed: Seed) -> Outcomes {
    let mut world = World::build(Manner::Key, ROUNDS * 2).await;
    let mut told = Told::default();
    let mut offhook = start(&world.home);
    for round in 0..ROUNDS {
        meets_offhook(&mut world.alice).await;
        // Half the kills fall while messages are taken in, half while calls are made (which begin after 5 s).
        let (from, span) = if seed.below(2) == 0 { (100, 4_900) } else { (5_000, 2_500) };
        let kill_at = clock::now() + Duration::from_millis(from + seed.below(span));
        sleep(Duration::from_millis(300 + seed.below(300))).await;
        for message in 0..2 {
            let person = round * 2 + message;
            let to = format!("p{person}\\40localhost@phone.localhost");
            write(&mut world.alice, &world.prosody, &to, &format!("m{person}")).await;
        }
        told.until(&mut world.alice, kill_at.saturating_duration_since(clock::now())).await;
        offhook.kill_and_wait().await;
        offhook = start(&world.home);
    }
    told.until_all_is_over(&mut world).await;
    let outcomes = Outcomes {
        told_held: told.held.len(),
        answered: told.answers.len(),
        reported: told.over.difference(&told.answers.keys().cloned().collect()).count(),
    };
    offhook.stop().await;
    outcomes
}
