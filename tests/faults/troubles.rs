//! The disk, the store, the server and the log fail for a while: everybody is told something true, and nothing is lost.
//!
//! `OFFHOOK_FAULTS=long` lets each trouble last as long as the field has seen it last.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use offhook::clock;
use offhook::demo::child_process::ChildProcess;
use rusqlite::Connection;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::auto_phone::Manner;
use crate::chat::LONG;
use crate::told::Told;
use crate::world::{World, is_long, meets_offhook, room_for, write};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    DiskFull,
    DiskFails,
    StoreLocked,
    ServerFrozen,
    Suspended,
    LogUnread,
}

/// Those of a row come one after the other, the rows side by side.
const TROUBLES: [[Trouble; 3]; 2] = [
    [Trouble::DiskFull, Trouble::StoreLocked, Trouble::Suspended],
    [Trouble::DiskFails, Trouble::ServerFrozen, Trouble::LogUnread],
];

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_the_truth_after_each_trouble() {
    let _room = room_for(TROUBLES.len()).await;
    let mut rows = JoinSet::new();
    for troubles in TROUBLES {
        rows.spawn(async move {
            for trouble in troubles {
                println!("{}", live_through(trouble).await);
            }
        });
    }
    println!(
        "trouble          lasts  written  told  refused  answered  copies  last word after its end"
    );
    while let Some(row) = rows.join_next().await {
        row.unwrap();
    }
}

/// Gives a row of the table.
async fn live_through(trouble: Trouble) -> String {
    let mut world = World::build(Manner::Key, BEFORE + DURING + AFTER).await;
    let mut told = Told::default();
    let mut program = Program::start(trouble, &world.home);
    meets_offhook(&mut world.alice).await;
    writes(&mut world, 0..BEFORE).await;
    hears_of(&mut world, &mut told, 0..BEFORE, &program.part).await;

    let during = BEFORE..BEFORE + DURING;
    let lasts = trouble.lasts();
    program.begin(&world).await;
    for person in during.clone() {
        writes(&mut world, person..person + 1).await;
        told.until(&mut world.alice, lasts / u32::try_from(DURING).unwrap()).await;
    }
    program.end(&world);
    let end = clock::now();
    hears_of(&mut world, &mut told, during.clone(), &program.part).await;
    let late = end.elapsed();

    // What is written now is taken as if nothing had been.
    let after = during.end..during.end + AFTER;
    writes(&mut world, after.clone()).await;
    hears_of(&mut world, &mut told, after.clone(), &program.part).await;
    for person in after {
        assert!(!told.refused.contains(&format!("p{person}")), "{trouble:?}: p{person} after it");
    }
    told.until_all_is_over(&mut world).await;
    assert_eq!(program.part.stop().await, Some(0), "{trouble:?}\n{}", program.part.last_lines(30));
    let row = format!(
        "{:<14} {lasts:7.0?} {:8} {:5} {:8} {:9} {:7} {late:.1?}",
        format!("{trouble:?}"),
        BEFORE + DURING + AFTER,
        told.first_words.len(),
        told.refused.len(),
        told.answers.len(),
        told.copies,
    );
    let both: Vec<_> = told.refused.intersection(&told.first_words).collect();
    assert!(both.is_empty(), "{row}: refused, and yet held: {both:?}");
    assert_eq!(told.copies, 0, "{row}: a stanza came twice while its stream stood");
    row
}

async fn writes(world: &mut World, people: std::ops::Range<usize>) {
    for person in people {
        let to = format!("p{person}\\40localhost@phone.localhost");
        write(&mut world.alice, &world.prosody, &to, &format!("m{person}")).await;
    }
}

/// Waits until each of these was refused or anything was told of it.
async fn hears_of(
    world: &mut World,
    told: &mut Told,
    people: std::ops::Range<usize>,
    part: &ChildProcess,
) {
    let end = clock::now() + LONG;
    let knows = |told: &Told, person: usize| {
        let name = format!("p{person}");
        told.first_words.contains(&name) || told.refused.contains(&name)
    };
    while let Some(person) = people.clone().find(|it| !knows(told, *it)) {
        assert!(clock::now() < end, "nothing of p{person}\n{}", part.last_lines(30));
        told.until(&mut world.alice, Duration::from_millis(20)).await;
    }
}

/// Offhook, started so that it can get into this trouble.
struct Program {
    trouble: Trouble,
    part: ChildProcess,
    home: PathBuf,
    lock: Option<Connection>,
    /// Its log, which nobody reads.
    _unread: Option<(ChildStdin, ChildStdout)>,
}

impl Program {
    fn start(trouble: Trouble, home: &Path) -> Self {
        let mut command = format!(
            "exec {} --config component.toml --log debug run",
            env!("CARGO_BIN_EXE_offhook")
        );
        let (mut unread, mut preload) = (None, String::new());
        if matches!(trouble, Trouble::DiskFull | Trouble::DiskFails) {
            let (library, told) = (disk(home), home.join("fault"));
            preload =
                format!("export LD_PRELOAD={} DISK_FAULT={}; ", library.display(), told.display());
        }
        let sh = Path::new("/bin/sh");
        let part = if trouble == Trouble::LogUnread {
            command += " 2>&1";
            let started = ChildProcess::start_piped("offhook", sh, &["-c", &command], home);
            let (part, input, output) = started.unwrap();
            unread = Some((input, output));
            part
        } else {
            let command = preload + &command;
            ChildProcess::start("offhook", sh, &["-c", &command], home).unwrap()
        };
        Self { trouble, part, home: home.to_path_buf(), lock: None, _unread: unread }
    }

    async fn begin(&mut self, world: &World) {
        match self.trouble {
            Trouble::DiskFull => fs::write(self.home.join("fault"), "f").unwrap(),
            Trouble::DiskFails => fs::write(self.home.join("fault"), "e").unwrap(),
            Trouble::StoreLocked => self.lock = Some(locked(&self.home).await),
            Trouble::ServerFrozen => signal(&world.prosody.part, "STOP"),
            Trouble::Suspended => signal(&self.part, "STOP"),
            Trouble::LogUnread => {}
        }
    }

    fn end(&mut self, world: &World) {
        match self.trouble {
            Trouble::DiskFull | Trouble::DiskFails => {
                fs::remove_file(self.home.join("fault")).unwrap();
            }
            Trouble::StoreLocked => drop(self.lock.take()),
            Trouble::ServerFrozen => signal(&world.prosody.part, "CONT"),
            Trouble::Suspended => signal(&self.part, "CONT"),
            Trouble::LogUnread => {}
        }
    }
}

impl Trouble {
    fn lasts(self) -> Duration {
        let seconds = match self {
            _ if !is_long() => 4,
            Self::ServerFrozen => 50,
            Self::LogUnread => 60,
            _ => 20,
        };
        Duration::from_secs(seconds)
    }
}

/// A connection of somebody else that may write, so that nobody else does.
async fn locked(home: &Path) -> Connection {
    let other = Connection::open(home.join("offhook.db")).unwrap();
    while other.execute_batch("BEGIN IMMEDIATE").is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    other
}

fn signal(part: &ChildProcess, name: &str) {
    let process = part.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
}

/// The library that makes a disk fail, built.
fn disk(folder: &Path) -> PathBuf {
    let library = folder.join("disk.so");
    let source: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/data/faults/disk.c"].iter().collect();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .status()
        .unwrap();
    assert!(built.success(), "cc cannot build tests/data/faults/disk.c");
    library
}

const BEFORE: usize = 2;
const DURING: usize = 8;
const AFTER: usize = 2;
