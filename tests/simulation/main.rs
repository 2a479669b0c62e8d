//! A world on one thread that a seed decides: the real component, gateway, calls and store with scripted people, a
//! server, a link and phones; the program is killed between any two steps. What the people see must keep the invariants.
//!
//! `OFFHOOK_SEED=7` replays one world (with `OFFHOOK_STEPS=500` it tells more of its last steps than fifty),
//! `OFFHOOK_SEEDS=10000` plays so many; docs/promises.md names what is checked.

// A step that fails is a test that fails; clippy knows test functions but not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::print_stdout)]

mod bounces;
mod call_edge;
mod call_in;
mod call_requests;
mod callee;
mod clocks;
mod disk;
mod events;
mod far_end;
mod faults;
mod invariants;
mod lines;
mod nature;
mod people;
mod phones;
mod plants;
mod program;
mod promises;
mod real_call;
mod runs;
mod scripted;
mod server;
mod stored;
mod stream;
mod the_end;
mod voice;
mod world;
