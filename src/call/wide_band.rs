//! Room for calls in wide band, whose speech costs a hundred times as much to encode.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::media::codec::Codec;

/// How many calls may be in wide band at once. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct WideBand(Arc<AtomicUsize>);

/// The room of one call, given up when it is dropped.
#[derive(Debug)]
pub struct Room(WideBand);

impl WideBand {
    /// The codecs that a new call offers: wide band only while there is room for it.
    pub fn offer(&self, codecs: &[Codec]) -> (Vec<Codec>, Option<Room>) {
        let wide = codecs.iter().any(|codec| codec.is_wide());
        let room = wide.then(|| self.room()).flatten();
        let offered = codecs.iter().filter(|codec| room.is_some() || !codec.is_wide());
        (offered.copied().collect(), room)
    }

    fn room(&self) -> Option<Room> {
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let more = |calls: usize| (calls < CALLS_MAX).then_some(calls + 1);
        self.0.fetch_update(set, fetch, more).ok().map(|_| Room(self.clone()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A minute of speech in Opus takes 0.4 s of a processor to encode: so many calls at once leave nine tenths of one.
const CALLS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use Codec::{G722, Opus, Pcma, Pcmu};

    #[test]
    fn wide_band_is_offered_while_there_is_room() {
        let band = WideBand::default();
        let all = [Opus, G722, Pcmu, Pcma];
        let mut calls: Vec<_> = (0..CALLS_MAX).map(|_| band.offer(&all)).collect();
        assert!(calls.iter().all(|(offered, room)| *offered == all && room.is_some()));
        let (offered, room) = band.offer(&all);
        assert_eq!((offered, room.is_some()), (vec![Pcmu, Pcma], false));
        calls.pop();
        assert_eq!(band.offer(&all).0, all);
        let (offered, room) = WideBand::default().offer(&[Pcma]);
        assert_eq!((offered, room.is_some()), (vec![Pcma], false), "who is narrow takes no room");
    }
}
