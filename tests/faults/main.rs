//! The running program while the machine under it misbehaves.

// A test stops where it fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)] // Other tests have use for more of it.
#[path = "../support/auto_phone.rs"]
mod auto_phone;
#[allow(dead_code)] // Other tests have use for more of it.
#[path = "../support/chat.rs"]
mod chat;
mod clock;
mod kills;
mod moments;
#[allow(dead_code)] // Other tests have use for more of it.
#[path = "../support/phone.rs"]
mod phone;
mod told;
mod troubles;
mod world;
