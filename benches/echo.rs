//! What a message through a component costs, beside the Python library most components are written with:
//! `cargo bench --bench echo -- [MESSAGES [ROUNDS]]`.
//!
//! A Prosody and an ejabberd of our own each carry three components: one that writes messages, and two that
//! hand them back with `from` and `to` swapped, on our link and on slixmpp. Printed are, per server, round trips
//! a second, the processor time of the echoing process per message (median of the rounds), and the ratio.

// A benchmark reads the clock, prints, and stops where it fails.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/support/ejabberd.rs"]
mod ejabberd;
#[path = "echo/load.rs"]
mod load;
#[path = "echo/ours.rs"]
mod ours;
#[path = "../tests/support/prosody.rs"]
mod prosody;
#[path = "../tests/support/server_root.rs"]
mod server_root;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use ejabberd::Ejabberd;
use load::Load;
use offhook::demo::child_process::{ChildProcess, Folder};
use prosody::{Extra, Prosody};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == COMPONENT) {
        return ours::run(&arguments[1], &arguments[2], &arguments[3]);
    }
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<usize>().ok());
    let (messages, rounds) = (numbers.next().unwrap_or(20_000), numbers.next().unwrap_or(5));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("                     round trips a second      processor µs per message");
        println!("                          ours    slixmpp       ours    slixmpp     ratio");
        let folder = Folder::make().unwrap();
        let room = folder.room("prosody").unwrap();
        let prosody = Prosody::start(&room, &PEOPLE, SECRET, &further_components()).await;
        let prosody = prosody.unwrap();
        compare("Prosody", prosody.components, &folder, messages, rounds);
        drop(prosody);
        let room = folder.room("ejabberd").unwrap();
        let ejabberd = Ejabberd::start(&room, &PEOPLE, SECRET).await.unwrap();
        compare("ejabberd", ejabberd.components, &folder, messages, rounds);
    });
}

/// The Prosody of the demo knows one component; these come after it.
fn further_components() -> Extra {
    let section = |name| format!("Component \"{name}\"\n  component_secret = \"{SECRET}\"\n");
    Extra { component: section(SLIXMPP) + &section(load::HOST), ..Extra::default() }
}

/// Both echoes stay connected; each round asks one, then the other, so that a busy minute meets both.
fn compare(server: &str, address: SocketAddr, folder: &Folder, messages: usize, rounds: usize) {
    let mut load = Load::connect(address, SECRET);
    let mut echoes = [
        Echo::start("ours", OURS, &std::env::current_exe().unwrap(), COMPONENT, address, folder),
        Echo::start("slixmpp", SLIXMPP, Path::new(PYTHON), SCRIPT, address, folder),
    ];
    for echo in &mut echoes {
        load.until_there(echo.host);
        load.round_trips(echo.host, (messages / 5).max(1000));
    }
    for _ in 0..rounds {
        for echo in &mut echoes {
            echo.measure(&mut load, messages);
        }
    }
    let [ours, slixmpp] = &echoes;
    println!(
        "{server:16} {:13.0} {:10.0} {:10.1} {:10.1} {:9.2}",
        median(&ours.rates),
        median(&slixmpp.rates),
        median(&ours.costs_us),
        median(&slixmpp.costs_us),
        median(&slixmpp.costs_us) / median(&ours.costs_us),
    );
}

/// A component that hands messages back, as a process of its own.
struct Echo {
    host: &'static str,
    part: ChildProcess,
    /// Round trips a second, and processor time per message, in each round.
    rates: Vec<f64>,
    costs_us: Vec<f64>,
}

impl Echo {
    fn start(
        name: &'static str,
        host: &'static str,
        program: &Path,
        first: &str,
        address: SocketAddr,
        folder: &Folder,
    ) -> Self {
        let arguments = [first, &address.to_string(), host, SECRET];
        let part = ChildProcess::start(name, program, &arguments, folder.path()).unwrap();
        Self { host, part, rates: Vec::new(), costs_us: Vec::new() }
    }

    fn measure(&mut self, load: &mut Load, messages: usize) {
        let (cpu_us, start) = (self.cpu_us(), Instant::now());
        load.round_trips(self.host, messages);
        self.rates.push(messages as f64 / start.elapsed().as_secs_f64());
        self.costs_us.push((self.cpu_us() - cpu_us) / messages as f64);
    }

    /// User and system time of all its threads so far.
    ///
    /// Source: proc_pid_stat(5): fields 14 and 15, in hundredths of a second.
    fn cpu_us(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.part.id().unwrap())).unwrap();
        let (_, after_name) = stat.rsplit_once(')').unwrap();
        let times = after_name.split_whitespace().skip(11).take(2);
        times.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() * 10_000.0
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What this program is called with to be the echo itself.
const COMPONENT: &str = "--component";
const OURS: &str = "phone.localhost";
const SLIXMPP: &str = "echo.localhost";
/// The distribution's, which has the distribution's slixmpp.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/echo.py");
const SECRET: &str = "secret";
const PEOPLE: [(&str, &str); 1] = [("alice@localhost", "password")];
