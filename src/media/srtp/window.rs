//! Which packets have come: an old one is not taken again.

/// The packets of one source, up to the latest.
///
/// Source: RFC 3711 §3.3.1 (the index), §3.3.2 (replay).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    latest: Option<u64>,
    /// Bit n: the one n before the latest has come.
    come: u128,
}

impl Window {
    /// The index that a sequence number most likely stands for; `None` if it would lie before the first.
    pub(super) fn index(&self, sequence: u16) -> Option<u64> {
        let Some(latest) = self.latest else { return Some(sequence.into()) };
        let ahead = sequence.wrapping_sub(latest as u16).cast_signed();
        latest.checked_add_signed(ahead.into())
    }

    /// Whether this one has not come, and is not too old to know.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.latest {
            Some(latest) if index <= latest => {
                let before = latest - index;
                before < u128::BITS.into() && self.come & 1 << before == 0
            }
            Some(_) | None => true,
        }
    }

    /// This one has come.
    pub(super) fn take(&mut self, index: u64) {
        let latest = self.latest.unwrap_or(index);
        if index >= latest {
            let shift = u32::try_from(index - latest).unwrap_or(u32::MAX);
            self.come = self.come.checked_shl(shift).unwrap_or(0) | 1;
            self.latest = Some(index);
        } else {
            self.come |= 1_u128.checked_shl((latest - index) as u32).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_taken_once_in_any_order_within_the_window() {
        let mut window = Window::default();
        let taken: Vec<bool> = [500, 502, 501, 502, 500, 400, 374, 375, 375, 9000, 502, 9000]
            .into_iter()
            .map(|index| {
                let new = window.is_new(index);
                if new {
                    window.take(index);
                }
                new
            })
            .collect();
        let expected =
            [true, true, true, false, false, true, false, true, false, true, false, false];
        assert_eq!(taken, expected);
    }

    #[test]
    fn the_sequence_rolls_over_and_stragglers_stay_before_it() {
        let mut window = Window::default();
        for (sequence, index) in
            [(65_533, 65_533), (65_535, 65_535), (1, 65_537), (65_534, 65_534), (0, 65_536)]
        {
            assert_eq!(window.index(sequence), Some(index));
            window.take(index);
        }
        assert_eq!(Window { latest: Some(5), come: 1 }.index(65_000), None, "before the first");
    }
}
