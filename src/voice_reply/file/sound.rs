//! Recorded sound, at the rate of the telephone.

pub(super) use crate::media::resample::WIDE_HZ;
use crate::media::resample::{TELEPHONE_HZ, resampled};

/// Mono sound.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    /// 8,000 samples a second.
    pub samples: Vec<i16>,
}

impl Sound {
    /// The same sound at [`WIDE_HZ`]: file formats are made for more than the rate of the telephone.
    pub(super) fn wide_band(&self) -> Option<Vec<i16>> {
        let samples = resampled(&self.samples, TELEPHONE_HZ, WIDE_HZ)?;
        Some(samples.into_iter().map(|sample| sample as i16).collect())
    }
}
