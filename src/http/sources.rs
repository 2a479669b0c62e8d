//! How many connections each source has, so that one cannot take all of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client_address;

/// The connections that are open, by where they come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    open: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Sources {
    /// Counts one more connection of this peer, unless it has so many already.
    pub(super) fn take(&self, peer: IpAddr, max: usize) -> Option<SourceSlot> {
        let source = client_address::source(peer);
        let mut open = self.lock();
        let count = open.entry(source).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(SourceSlot { source, sources: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right of one connection, given up when it is dropped.
#[derive(Debug)]
pub(super) struct SourceSlot {
    source: IpAddr,
    sources: Sources,
}

impl Drop for SourceSlot {
    fn drop(&mut self) {
        let mut open = self.sources.lock();
        if let Some(count) = open.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_and_leaves_nothing_behind() {
        let sources = Sources::default();
        let take = |peer: &str| sources.take(peer.parse().unwrap(), 2);
        let (first, _second) = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(first.is_some() && take("2001:db8::3").is_none(), "one household");
        let other = take("2001:db8:0:1::1");
        assert!(other.is_some(), "its neighbours have their own");
        drop(first);
        assert!(take("2001:db8::3").is_some());
        drop((_second, other));
        assert!(sources.lock().is_empty());
    }
}
