//! One clock for the time stamps of all codecs.

use crate::media::codec::{Codec, OCTETS_PER_MS};

/// The clock of a source as G.711 would count it: 8 ticks a millisecond.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimestampScaler {
    last: u32,
    /// Since some beginning; does not wrap in any call.
    ticks: i64,
}

impl TimestampScaler {
    /// The time stamp of a packet in this codec as that clock would have it.
    pub(super) fn plain(&mut self, timestamp: u32, codec: Codec) -> u32 {
        if codec.ticks_per_ms() == OCTETS_PER_MS as u32 {
            return timestamp;
        }
        self.ticks += i64::from(timestamp.wrapping_sub(self.last).cast_signed());
        self.last = timestamp;
        (self.ticks * OCTETS_PER_MS as i64).div_euclid(codec.ticks_per_ms().into()) as u32
    }
}
