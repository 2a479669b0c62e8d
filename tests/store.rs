//! The store keeps its promises, on a real file.

// A step that fails is a test that fails; clippy knows test functions but not what they share.
#![allow(clippy::unwrap_used)]

#[path = "store/call_ins.rs"]
mod call_ins;
#[path = "store/calls.rs"]
mod calls;
#[path = "store/crash.rs"]
mod crash;
#[path = "store/messages.rs"]
mod messages;
#[path = "store/opening.rs"]
mod opening;
#[path = "store/settings.rs"]
mod settings;
#[path = "store/voices.rs"]
mod voices;
#[path = "store/weeks.rs"]
mod weeks;
#[path = "store/world.rs"]
mod world;
