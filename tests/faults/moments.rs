//! SIGKILL at each named moment in the life of a message: what its sender was told stays true.
//!
//! `OFFHOOK_FAULTS=long` kills at each moment so often that there are 500 kills.

use std::time::Duration;

use offhook::seed::Seed;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::auto_phone::{Manner, Step};
use crate::chat::LONG;
use crate::told::Told;
use crate::world::{World, count, is_long, meets_offhook, number, room_for, start, write};

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The stanza has left for the server.
    Written,
    /// The sender has read the first word about it.
    Told,
    Phone(Step),
    /// The answer has come to the sender.
    AnswerRead,
    /// SIGTERM was sent: the program says goodbye, or is about to.
    Stopping,
}

/// Three worlds at once, so that a call that is made again after a minute is waited for once.
const MOMENTS: [[Moment; 3]; 3] = [
    [Moment::Written, Moment::Phone(Step::PickedUp), Moment::AnswerRead],
    [Moment::Told, Moment::Phone(Step::SpokenTo), Moment::Phone(Step::PressedAnswer)],
    [Moment::Phone(Step::Rings), Moment::Phone(Step::PressedHear), Moment::Stopping],
];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_stays_true_over_a_kill_at_each_moment() {
    let _room = room_for(MOMENTS.len()).await;
    let rounds = if is_long() { ROUNDS_LONG } else { 1 };
    let mut seed = Seed::fresh();
    let mut worlds = JoinSet::new();
    for moments in MOMENTS {
        worlds.spawn(live_through(moments, rounds, seed.split()));
    }
    println!(
        "kills at each of                        kills  told  answered  copies  called after it was heard  set aside"
    );
    while let Some(world) = worlds.join_next().await {
        println!("{}", world.unwrap());
    }
}

/// Gives a row of the table.
async fn live_through(moments: [Moment; 3], rounds: usize, mut seed: Seed) -> String {
    let mut world = World::build(Manner::Key, moments.len() * rounds).await;
    let mut told = Told::default();
    let mut offhook = start(&world.home);
    meets_offhook(&mut world.alice).await;
    for person in 0..moments.len() * rounds {
        let moment = moments[person % moments.len()];
        let to = format!("p{person}\\40localhost@phone.localhost");
        write(&mut world.alice, &world.prosody, &to, &format!("m{person}")).await;
        let comes = comes(moment, person, &mut world, &mut told);
        assert!(
            timeout(LONG, comes).await.is_ok(),
            "{moment:?} of p{person} never comes\n{}",
            offhook.last_lines(30)
        );
        if moment == Moment::Stopping {
            offhook.ask_to_end();
        }
        sleep(Duration::from_millis(seed.below(JITTER_MS))).await;
        offhook.kill_and_wait().await;
        offhook = start(&world.home);
        meets_offhook(&mut world.alice).await;
    }
    told.until_all_is_over(&mut world).await;
    offhook.stop().await;
    let (again, set_aside) = (called_after_it_was_heard(&world), set_aside(&world));
    let row = format!(
        "{:<40}{:5} {:5} {:9} {:7} {again:26} {set_aside:10}",
        moments.map(|it| it.name()).join(", "),
        moments.len() * rounds,
        told.held.len(),
        told.answers.len(),
        told.copies,
    );
    assert_eq!((again, set_aside), (0, 0), "{row}");
    let is_rare = told.copies * 100 <= told.stanzas().max(100);
    assert!(is_rare || !is_long(), "{row}: more than 1 % came twice");
    row
}

/// Waits for this moment of this person's message.
async fn comes(moment: Moment, person: usize, world: &mut World, told: &mut Told) {
    let name = format!("p{person}");
    let number = number(person);
    loop {
        let has_come = match moment {
            Moment::Written => true,
            Moment::Told => told.first_words.contains(&name),
            Moment::AnswerRead => told.answers.contains_key(&name),
            Moment::Phone(step) => world.phone.has_come_to(&number, step),
            Moment::Stopping => world.phone.has_come_to(&number, Step::SpokenTo),
        };
        if has_come {
            return;
        }
        told.until(&mut world.alice, Duration::from_millis(10)).await;
    }
}

/// So many calls were begun about a message after it was committed that it had been heard or answered.
fn called_after_it_was_heard(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM attempt_messages
               JOIN attempts ON attempts.id = attempt JOIN messages ON messages.id = message
               WHERE started > coalesce(messages.answered, messages.heard)";
    count(&world.home, sql)
}

fn set_aside(world: &World) -> i64 {
    count(&world.home, "SELECT count(*) FROM messages WHERE ending = 'set_aside'")
}

impl Moment {
    fn name(self) -> String {
        match self {
            Self::Phone(step) => format!("{step:?}"),
            other => format!("{other:?}"),
        }
    }
}

/// Nine moments so often are 504 kills.
const ROUNDS_LONG: usize = 56;
/// A commit falls within it, or does not.
const JITTER_MS: u64 = 40;
