//! The store keeps its promises, on a real file.

// A step that fails is a test that fails; clippy knows test functions but not what they share.
#![allow(clippy::unwrap_used)]

mod alerts;
mod audit;
mod backups;
mod call_ins;
mod calls;
mod clocks;
mod consents;
mod corrections;
mod crash;
mod damage;
mod dialogs;
mod limits;
mod messages;
mod opening;
mod personal_data;
mod returned;
mod rings;
mod settings;
mod voice_answers;
mod weeks;
mod world;
