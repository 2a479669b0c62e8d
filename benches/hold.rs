//! How many messages a second become durable, and what the disk itself allows.
//!
//! Run with `cargo bench --bench hold`. The floor is measured on the same disk in the same run: a record of
//! the same size, appended and synced.

// The figures are the output, and a step that fails ends the run.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use offhook::clock::{now, timestamp};
use offhook::notification::Draft;
use offhook::notification::policy::Policy;
use offhook::store::Store;
use offhook::subscriber::{Quiet, Subscriber};

fn main() {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("hold-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    println!("{:<44} {:>10} {:>10} {:>10}", "", "a second", "median", "99 in 100");
    for group in GROUPS {
        tell(&format!("append and fdatasync, {group} to a sync"), group, floor(&folder, group));
        let held = runtime.block_on(holds(&folder, group, false));
        tell(&format!("Store::hold, {group} at once"), group, held);
    }
    let claimed = runtime.block_on(holds(&folder, 1, true));
    tell("Store::hold that claims its call, 1 at once", 1, claimed);
    fs::remove_dir_all(folder).unwrap();
}

/// The time of each group of appended records, one sync for all.
fn floor(folder: &Path, group: usize) -> Vec<Duration> {
    let mut file = File::create(folder.join("floor")).unwrap();
    let records = vec![b'x'; RECORD_BYTES * group];
    let took = (0..rounds(group)).map(|_| {
        let start = now();
        file.write_all(&records).unwrap();
        file.sync_data().unwrap();
        start.elapsed()
    });
    took.collect()
}

/// The time of each group of messages that were handed over together, until the last is durable.
async fn holds(folder: &Path, group: usize, claim: bool) -> Vec<Duration> {
    let file = folder.join(format!("{group}-{claim}.db"));
    let wait = if claim { Duration::ZERO } else { Duration::from_secs(60) };
    let (allow, quiet) = (vec!["+81".to_owned()], Quiet::Never);
    let (throttle, sender_throttle, calls_per_day_max) = (vec![], vec![], u32::MAX);
    let rules = Policy {
        wait,
        allow,
        quiet,
        throttle,
        sender_throttle,
        sender_calls: vec![],
        calls_per_day_max,
        minutes_per_day_max: u32::MAX,
        ..Policy::default()
    };
    let store = Store::open(&file, rules).unwrap();
    store.recover(timestamp()).await.unwrap();
    let people = (0..PEOPLE).map(person).collect();
    store.configure_subscribers(people, timestamp()).await.unwrap();
    let mut took = vec![];
    for round in 0..rounds(group) {
        let drafts: Vec<_> = (0..group).map(|n| draft(round * group + n)).collect();
        let start = now();
        let holds = drafts.into_iter().map(|draft| store.hold(draft, timestamp(), claim.into()));
        let held = join_all(holds).await;
        took.push(start.elapsed());
        assert!(held.into_iter().all(|held| held.unwrap().claim.is_some() == claim));
    }
    store.close().await;
    took
}

fn tell(what: &str, group: usize, mut took: Vec<Duration>) {
    took.sort_unstable();
    let all: Duration = took.iter().sum();
    let rate = (took.len() * group) as f64 / all.as_secs_f64();
    let ms = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!("{what:<44} {rate:>10.0} {:>7.2} ms {:>7.2} ms", ms(50), ms(99));
}

fn rounds(group: usize) -> usize {
    (ROUNDS / group).max(50)
}

fn person(number: usize) -> Subscriber {
    Subscriber {
        number: format!("+8137890{number:04}").parse().ok(),
        ..Subscriber::new(
            format!("person{number}@example.org").parse().unwrap(),
            format!("Person {number}"),
        )
    }
}

fn draft(number: usize) -> Draft {
    let body = "Where are you? The train leaves at ten.".to_owned();
    let stanza = format!("<message id='{number}'><body>{body}</body></message>");
    let stanza = format!("{stanza:RECORD_BYTES$}");
    Draft {
        stanza_id: Some(number.to_string()),
        sender: format!("sender{}@example.org/phone", number % 97).parse().unwrap(),
        recipient: format!("person{}@example.org", number % PEOPLE).parse().unwrap(),
        body,
        language: None,
        wants_receipt: false,
        stanza,
        how: Default::default(),
    }
}

const GROUPS: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 1000;
const RECORD_BYTES: usize = 500;
const PEOPLE: usize = 2000;
