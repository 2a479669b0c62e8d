//! What the seed chooses: what people do, and what goes wrong, each with its weight.

use std::time::Duration;

use crate::world::{CALLEES, SENDERS, World};

/// What people do.
#[derive(Clone, Copy, Debug)]
enum Act {
    Writes,
    Retracts,
    Corrects,
    LogsIn,
    LogsOut,
    /// A message, and the recipient's presence right after it.
    WritesAsTheyLogIn,
    /// A setting by chat.
    Commands,
    PhonesIn,
}

const ACTS: &[(Act, u64)] = &[
    (Act::Writes, 100),
    (Act::Retracts, 20),
    (Act::Corrects, 20),
    (Act::LogsIn, 40),
    (Act::LogsOut, 50),
    (Act::WritesAsTheyLogIn, 20),
    (Act::Commands, 30),
    (Act::PhonesIn, 15),
];

/// What goes wrong. A further kind is a variant here, its weight in [`FAULTS`], and an arm in [`Fault::befalls`] that
/// calls into a file of its own.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The stream is lost.
    LinkDown,
    /// The server takes us for a second connection, and refuses us for a while.
    Conflict,
    /// The server does nothing for a while, so that pongs are late.
    ServerFreezes,
    /// The server starts anew.
    ServerRestarts,
    /// SIGKILL.
    Kill,
    /// SIGTERM, and a new start.
    Stop,
    /// SIGHUP, with other values in the file.
    Reload,
    /// The disk refuses, fails or takes long.
    Disk,
    /// A stanza that no program of ours would send.
    Garbage,
}

const FAULTS: &[(Fault, u64)] = &[
    (Fault::LinkDown, 10),
    (Fault::Conflict, 3),
    (Fault::ServerFreezes, 5),
    (Fault::ServerRestarts, 4),
    (Fault::Kill, 20),
    (Fault::Stop, 10),
    (Fault::Reload, 8),
    (Fault::Disk, 12),
    (Fault::Garbage, 6),
];

impl World {
    /// What the seed chooses.
    pub(crate) fn chance(&mut self) {
        let (acts, faults) = (sum(ACTS), sum(FAULTS));
        let chosen = self.below(acts + faults);
        if chosen < acts {
            self.act(pick(ACTS, chosen))
        } else {
            self.befall(pick(FAULTS, chosen - acts))
        }
    }

    fn act(&mut self, act: Act) {
        let callee = CALLEES[self.below(2) as usize];
        let sender = SENDERS[self.below(3) as usize];
        match act {
            Act::Writes if self.below(3) == 0 => self.writes_and_is_served(sender, callee),
            Act::Writes => drop(self.writes(sender, callee)),
            Act::Retracts => {
                if let Some(id) = self.some_message() {
                    self.retracts(&id);
                }
            }
            Act::Corrects => {
                if let Some(id) = self.some_message() {
                    self.corrects(&id);
                }
            }
            Act::LogsIn => self.logs_in(callee),
            Act::LogsOut => self.logs_out(callee),
            Act::WritesAsTheyLogIn => {
                self.writes(sender, callee);
                self.logs_in(callee);
            }
            Act::Commands => self.commands(callee),
            Act::PhonesIn => self.phones_in(),
        }
    }

    fn befall(&mut self, fault: Fault) {
        self.note(|| format!("fault {fault:?}"));
        match fault {
            Fault::LinkDown => {
                let pause = self.ms(20_000);
                self.link_down(pause);
            }
            Fault::Conflict => {
                let pause = Duration::from_secs(50) + self.ms(3000);
                self.link_down(pause);
            }
            Fault::ServerFreezes => self.server_freezes(),
            Fault::ServerRestarts => self.server_restarts(),
            Fault::Kill => self.kill(),
            Fault::Stop => self.stop_and_start(),
            Fault::Reload => self.hangs_up_signal(),
            Fault::Disk => self.disk_breaks(),
            Fault::Garbage => {
                self.garbage_arrives();
                let sender = SENDERS[self.below(3) as usize];
                self.writes_and_is_served(sender, CALLEES[0]);
            }
        }
    }
}

fn sum<T>(weighed: &[(T, u64)]) -> u64 {
    weighed.iter().map(|(_, weight)| weight).sum()
}

fn pick<T: Copy>(weighed: &[(T, u64)], mut chosen: u64) -> T {
    for (one, weight) in weighed {
        match chosen.checked_sub(*weight) {
            Some(rest) => chosen = rest,
            None => return *one,
        }
    }
    unreachable!("what is chosen is less than the sum")
}
