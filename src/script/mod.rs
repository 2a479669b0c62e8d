//! script

pub mod speakable;
