//! How many calls may be in wide band, whose speech costs a hundred times as much to encode.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::media::codec::Codec;

/// How many calls may be in wide band at once. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct CodecBudget(Arc<AtomicUsize>);

/// The permit of one call to be in wide band, given up when it is dropped.
#[derive(Debug)]
pub struct CodecPermit(CodecBudget);

impl CodecBudget {
    /// The codecs that a new call offers: wide band only while a permit is free.
    pub fn offer(&self, codecs: &[Codec]) -> (Vec<Codec>, Option<CodecPermit>) {
        let wide = codecs.iter().any(|codec| codec.is_wide());
        let permit = wide.then(|| self.permit()).flatten();
        let offered = codecs.iter().filter(|codec| permit.is_some() || !codec.is_wide());
        (offered.copied().collect(), permit)
    }

    fn permit(&self) -> Option<CodecPermit> {
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let more = |calls: usize| (calls < CALLS_MAX).then_some(calls + 1);
        self.0.fetch_update(set, fetch, more).ok().map(|_| CodecPermit(self.clone()))
    }
}

impl Drop for CodecPermit {
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
    fn wide_band_is_offered_while_a_permit_is_free() {
        let budget = CodecBudget::default();
        let all = [Opus, G722, Pcmu, Pcma];
        let mut calls: Vec<_> = (0..CALLS_MAX).map(|_| budget.offer(&all)).collect();
        assert!(calls.iter().all(|(offered, permit)| *offered == all && permit.is_some()));
        let (offered, permit) = budget.offer(&all);
        assert_eq!((offered, permit.is_some()), (vec![Pcmu, Pcma], false));
        calls.pop();
        assert_eq!(budget.offer(&all).0, all);
        let (offered, permit) = CodecBudget::default().offer(&[Pcma]);
        assert_eq!(
            (offered, permit.is_some()),
            (vec![Pcma], false),
            "a call in the telephone band takes no permit"
        );
    }
}
