//! What an operator and their machines see of the running program: its unit, its health, its numbers, its log.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

mod logs;
mod page;
mod service;
mod test_bed;
mod watching;
#[path = "../support/xmpp_server.rs"]
mod xmpp_server;
