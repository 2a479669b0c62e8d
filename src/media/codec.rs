//! The codecs, and speech made ready to send.

use std::time::Duration;

/// How samples travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

/// Speech as ready frames of one codec, 20 ms each, shared between calls.
#[derive(Debug, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    frames: Box<[u8]>,
}

impl Clip {
    /// Its codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_millis((self.frames.len() / 8) as u64)
    }
}
