//! Offhook holds chat messages for people who are offline, phones them, and brings their answer back.
//!
//! The layers, from the ground up (`docs/architecture.md`); a module imports only from those below it:
//! `phone_number redaction clock seed sealing wording` · `subscriber` and the pure parts of `sip media xmpp` ·
//! `notification` · `script` · `config` · the edges `xmpp::link call sip::transport media::engine
//! speech store http upload` · `daemon dialer` · `cli`.

pub mod call;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod dialer;
pub mod http;
pub mod media;
pub mod notification;
pub mod phone_number;
pub mod recording;
pub mod redaction;
pub mod script;
pub mod sealing;
pub mod seed;
pub mod sip;
pub mod speech;
pub mod store;
pub mod subscriber;
pub mod upload;
pub mod wording;
pub mod xmpp;
