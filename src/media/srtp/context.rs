//! The encryption of one stream, if there is any, over all that is agreed on during a call.

use std::sync::Arc;

use super::{Inbound, Keys, Outbound, Suite};

/// Passes on what is in the clear while nothing else is agreed on; from then on only what is encrypted.
///
/// Contract: a key of ours goes on where it stopped when it is agreed on again, so that no keystream is used twice.
#[derive(Debug, Default)]
pub(in crate::media) struct SrtpContext {
    /// A key for each suite at most, as offered.
    outbound: Vec<Outbound>,
    /// Most calls have none, so it lies elsewhere.
    inbound: Option<Box<Inbound>>,
    /// Which of ours is in use; none: all is in the clear.
    current: Option<usize>,
}

impl SrtpContext {
    /// Uses these keys from the packet with this index on.
    pub(in crate::media) fn agree(&mut self, keys: Option<&Arc<Keys>>, index: u64) {
        let Some(keys) = keys else { return self.current = None };
        if self.inbound.as_ref().is_none_or(|inbound| *inbound.key() != keys.theirs) {
            self.inbound = Some(Box::new(Inbound::new(keys.theirs.clone())));
        }
        let known = self.outbound.iter().position(|outbound| *outbound.key() == keys.ours);
        self.current = known.or_else(|| {
            self.outbound.push(Outbound::new(keys.ours.clone(), index));
            Some(self.outbound.len() - 1)
        });
    }

    /// What encrypts the stream now.
    pub(in crate::media) fn suite(&self) -> Option<Suite> {
        self.outbound.get(self.current?).map(|outbound| outbound.key().suite())
    }

    pub(in crate::media) fn seal(
        &self,
        buffer: &mut [u8],
        length: usize,
        index: u64,
    ) -> Option<usize> {
        match self.current {
            Some(current) => self.outbound.get(current)?.packet(buffer, length, index),
            None => Some(length),
        }
    }

    pub(in crate::media) fn seal_report(
        &mut self,
        buffer: &mut [u8],
        length: usize,
    ) -> Option<usize> {
        match self.current {
            Some(current) => self.outbound.get_mut(current)?.report(buffer, length),
            None => Some(length),
        }
    }

    /// The packet as it was before it was encrypted; `None` if it is not to be taken.
    pub(in crate::media) fn open<'d>(&mut self, datagram: &'d mut [u8]) -> Option<&'d [u8]> {
        let length = match self.current {
            Some(_) => self.inbound.as_mut()?.packet(datagram)?,
            None => datagram.len(),
        };
        datagram.get(..length)
    }

    /// The same for a report.
    pub(in crate::media) fn open_report<'d>(&mut self, datagram: &'d mut [u8]) -> Option<&'d [u8]> {
        let length = match self.current {
            Some(_) => self.inbound.as_mut()?.report(datagram)?,
            None => datagram.len(),
        };
        datagram.get(..length)
    }
}
