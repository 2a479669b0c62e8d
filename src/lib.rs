//! Offhook holds chat messages for people who are offline, phones them, and brings their answer back.
//!
//! A module imports only from modules on lower layers; `docs/architecture.md` has the table.

pub mod address_scope;
pub mod backoff;
pub mod call;
pub mod cli;
pub mod clock;
pub mod component;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod dscp;
pub mod http;
pub mod log_levels;
pub mod media;
pub mod message_language;
pub mod notification;
pub mod numbers;
pub mod operator_page;
pub mod phone_number;
pub mod rate_limit;
pub mod redaction;
pub mod script;
pub mod sealing;
pub mod seed;
pub mod sip;
pub mod speech;
pub mod store;
pub mod subscriber;
pub mod trunks;
pub mod trust_store;
pub mod voice_reply;
pub mod wording;
pub mod xmpp;
