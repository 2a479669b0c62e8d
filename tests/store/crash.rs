//! What a crash leaves behind, and what is made of it.

use std::collections::VecDeque;
use std::env;
use std::process::Command;

use offhook::notification::policy::Policy;
use offhook::notification::{Draft, Outcome, Progress, Status};
use offhook::store::{Listing, Reader, Store, StoreError};
use offhook::subscriber::Subscriber;

use crate::world::{Folder, World, bob, draft, policy, start};

#[tokio::test]
async fn a_call_that_a_crash_broke_off_is_made_again_for_what_was_not_heard() {
    let mut world = World::new().await;
    let first = world.alice_writes("One").await;
    let second = world.alice_writes("Two").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    world.progress(&claim, Progress::Answered).await;
    world.spoken(&claim, first).await;
    world.answers(&claim, first, '1').await;
    world.at(70);
    world.crash().await;
    let interrupted =
        Status::NotReached { outcome: Outcome::Interrupted, next: Some(world.time(130)) };
    assert_eq!(world.statuses().await.last(), Some(&(second, interrupted)));
    assert_eq!(world.owes().await.matches("Answer(1)").count(), 1);
    world.at(130);
    let again = world.claim().await.unwrap();
    assert!(again.continuing);
    assert_eq!(again.messages.iter().map(|m| m.id).collect::<Vec<_>>(), [second]);
    // The first call's task is gone; should it speak up after all, nothing goes wrong.
    world.settle(&claim, Outcome::Answered).await;
    world.settle(&again, Outcome::Busy).await;
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(130 + 180)));
}

#[tokio::test]
async fn crashes_do_not_get_around_the_throttle() {
    let throttle = vec!["2/1h".parse().unwrap()];
    let mut world = World::with(Policy { throttle, ..policy() }).await;
    world.alice_writes("One").await;
    for seconds in [60, 120] {
        world.at(seconds);
        let claim = world.claim().await.unwrap();
        world.progress(&claim, Progress::Ringing).await;
        world.crash().await;
    }
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(3660)));
}

#[tokio::test]
async fn a_message_that_crashes_the_program_twice_is_delivered_without_a_call_and_those_beside_it_are_heard()
 {
    let mut world = World::new().await;
    let good = world.alice_writes("One").await;
    let poison = world.alice_writes("s's's's").await;
    let late = world.alice_writes("Three").await;
    let (mut crashes, mut calls) = (0, 0);
    while let Some(due) = world.store().next_due().await.unwrap() {
        world.now = world.now.max(due);
        let claim = world.claim().await.unwrap();
        calls += 1;
        assert!(calls < 10, "it does not come to an end");
        world.progress(&claim, Progress::Answered).await;
        let mut to_tell: VecDeque<_> = claim.messages.clone().into();
        let mut crashed = false;
        while let Some(message) = to_tell.pop_front() {
            to_tell.extend(world.store().joined(claim.attempt, world.now).await.unwrap());
            if message.id == poison {
                crashed = true;
                break;
            }
            world.spoken(&claim, message.id).await;
            to_tell.extend(world.store().joined(claim.attempt, world.now).await.unwrap());
        }
        if crashed {
            crashes += 1;
            world.crash().await;
        } else {
            world.settle(&claim, Outcome::Answered).await;
        }
    }
    assert_eq!(crashes, 3, "once beside another message, twice alone");
    let owed = world.owes().await;
    assert_eq!(owed.matches("SetAside").count(), 1, "{owed}");
    assert!(owed.contains(&format!("{}: Status(SetAside)", poison.0)), "{owed}");
    // The lines of one sender have one status.
    assert!(owed.contains(&format!("{}: Status(Heard)", good.0)), "{owed}");
    assert!(late > good, "{owed}");
    let held =
        Reader::open(&world.folder.file()).unwrap().held_list(&Listing::newest(1000)).unwrap();
    assert_eq!(held.len(), 3);
    assert_eq!(world.comes_online().await, 3);
    let owed = world.owes().await;
    assert!(owed.contains(&format!("{}: Delivery", poison.0)), "{owed}");
}

#[tokio::test]
async fn kills_while_phones_are_tried_or_ring_blame_nobody() {
    let mut world = World::new().await;
    let carol = Subscriber {
        number: Some("+81378902222".parse().unwrap()),
        ..Subscriber::new("carol@example.org".parse().unwrap(), "Carol".to_owned())
    };
    let people = vec![bob(), carol.clone()];
    world.store().configure_subscribers(people, world.now).await.unwrap();
    for text in ["Please call the hospital", "It is urgent"] {
        world.alice_writes(text).await;
    }
    let unrelated = Draft { recipient: carol.jid.clone(), ..draft("c", "dan@example.org/x", "Hi") };
    world.hold(unrelated, 0).await.unwrap();
    for kill in 0..6 {
        let due = world.store().next_due().await.unwrap().unwrap();
        world.now = world.now.max(due);
        let claims = world.store().claim_due(world.now, 8).await.unwrap();
        assert!(!claims.is_empty());
        for claim in &claims {
            assert_eq!(claim.messages.len(), if claim.callee.jid == carol.jid { 1 } else { 2 });
            if kill % 2 == 1 {
                world.progress(claim, Progress::Ringing).await;
            }
        }
        world.crash().await;
        assert!(!world.owes().await.contains("SetAside"), "after kill {kill}");
    }
    assert!(world.store().next_due().await.unwrap().is_some(), "phoned again");
    assert_eq!(world.comes_online().await, 2);
    assert_eq!(world.store().came_online(&carol.jid, world.now).await.unwrap().messages, 1);
    assert_eq!(world.owes().await.matches("Delivery").count(), 3);
}

#[tokio::test]
async fn a_kill_with_several_calls_on_the_line_blames_none_of_their_messages() {
    let mut world = World::new().await;
    let erin = Subscriber {
        number: Some("+81378903333".parse().unwrap()),
        ..Subscriber::new("erin@example.org".parse().unwrap(), "Erin".to_owned())
    };
    let people = vec![bob(), erin.clone()];
    world.store().configure_subscribers(people, world.now).await.unwrap();
    world.alice_writes("One").await;
    let other = Draft { recipient: erin.jid, ..draft("e", "dan@example.org/x", "Hi") };
    world.hold(other, 0).await.unwrap();
    for kill in 1..5 {
        world.at(kill * 3 * 3600);
        let claims = world.store().claim_due(world.now, 8).await.unwrap();
        assert_eq!(claims.len(), 2, "kill {kill}");
        for claim in &claims {
            world.progress(claim, Progress::Answered).await;
        }
        world.crash().await;
        assert!(!world.owes().await.contains("SetAside"), "after kill {kill}");
    }
}

#[tokio::test]
async fn a_call_that_never_ends_counts_as_lost_when_its_lease_runs_out() {
    let mut world = World::new().await;
    world.alice_writes("One").await;
    world.at(60);
    let claim = world.claim().await.unwrap();
    assert_eq!(claim.lease_until, world.time(660));
    world.at(500);
    world.progress(&claim, Progress::Answered).await;
    world.at(660);
    assert!(world.claim().await.is_none(), "a sign of life keeps the lease");
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(1100)));
    world.at(1100);
    assert!(world.claim().await.is_none());
    assert_eq!(world.store().next_due().await.unwrap(), Some(world.time(1160)));
}

#[tokio::test]
async fn what_was_said_to_be_held_is_there_after_a_crash() {
    let mut world = World::new().await;
    for number in 0..20 {
        let text = format!("Message {number}");
        let sender = format!("alice{number}@example.org/x");
        world.hold(draft(&text, &sender, &text), 0).await.unwrap();
        world.crash().await;
        assert_eq!(world.owed().await.len(), number + 1);
    }
    world.at(60);
    assert_eq!(world.claim().await.unwrap().messages.len(), 20);
}

/// Holds messages until the disk has refused three in a row, and prints what was acknowledged.
// Standard output is how this process tells the test that started it.
#[allow(clippy::print_stdout)]
async fn hold_until_the_disk_fails(file: &str) {
    let store = Store::open(file.as_ref(), policy()).unwrap();
    let (mut refused, mut failed) = (0, false);
    for number in 0.. {
        let text = format!("{number} {}", "x".repeat(10_000));
        match store.hold(draft(&number.to_string(), "alice@example.org/x", &text), start(), 0).await
        {
            Ok(held) => {
                println!("\nheld {}", held.message.0);
                refused = 0;
            }
            Err(error) => {
                failed |= matches!(error, StoreError::Failed(_));
                refused += 1;
            }
        }
        if refused == 3 {
            break;
        }
    }
    println!("\nfailed {failed}");
}

#[tokio::test]
async fn a_disk_that_fails_in_mid_write_makes_no_promise_hollow() {
    if let Ok(file) = env::var("OFFHOOK_FAILING_DISK") {
        return hold_until_the_disk_fails(&file).await;
    }
    // A limit on the size of files fails a write in its middle, as a bad disk does; it holds for a whole process.
    let folder = Folder::new();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("crash::a_disk_that_fails_in_mid_write_makes_no_promise_hollow")
        .env("OFFHOOK_FAILING_DISK", folder.file())
        .output()
        .unwrap();
    let told = String::from_utf8(child.stdout).unwrap();
    assert!(told.contains("\nfailed true"), "{told} {}", String::from_utf8_lossy(&child.stderr));
    let acknowledged: Vec<i64> =
        told.lines().filter_map(|line| line.strip_prefix("held ")?.parse().ok()).collect();
    assert!(acknowledged.len() > 10, "{told}");
    let store = Store::open(&folder.file(), policy()).unwrap();
    let held = Reader::open(&folder.file()).unwrap().held_list(&Listing::newest(1000)).unwrap();
    let there: Vec<_> = held.iter().rev().map(|message| message.id.0).collect();
    assert_eq!(there, acknowledged);
    store.close().await;
}
