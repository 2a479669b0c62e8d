//! A million changed SIP messages, session descriptions, RTP and RTCP packets: none panics, none makes us grow, none
//! makes us say what is no SIP.
//!
//! Each test is a target of bolero. `cargo test` gives it inputs of chance beside those that are kept in `corpus` and
//! those that once broke something, in `crashes`; docs/fuzzing.md tells how a fuzzer that follows coverage runs it for hours.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

mod calls;
mod corpus;
mod messages;
mod sound;
mod tape;
