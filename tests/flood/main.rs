//! Floods: what many send, or one sends without end, costs no memory, no stream, and nothing that is held.
//!
//! The real program runs beside a scripted server, which hands it whatever a server could not keep from it.
//! How long anything takes is not looked at; what grows is.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

#[path = "../support/offhook.rs"]
mod offhook;
#[path = "../support/xmpp_server.rs"]
mod xmpp_server;

mod commands;
mod crowd;
mod iq_requests;
mod odd;
mod one_sender;
mod test_bed;
