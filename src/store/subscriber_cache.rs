//! The subscribers that were read last.

use std::cell::RefCell;
use std::collections::HashMap;

use xmpp_parsers::jid::BareJid;

use crate::subscriber::Subscriber;

/// Subscribers as they were read last, and addresses that belong to none; each call asks for both of its ends several times.
///
/// Contract: [`SubscriberCache::forget`] before each change of the table, which has one writer.
#[derive(Debug, Default)]
pub(super) struct SubscriberCache(RefCell<HashMap<BareJid, Option<Subscriber>>>);

impl SubscriberCache {
    /// What is known of an address; the outer `None` means that the table has to be read.
    pub(super) fn get(&self, jid: &BareJid) -> Option<Option<Subscriber>> {
        self.0.borrow().get(jid).cloned()
    }

    /// Keeps what was read.
    pub(super) fn put(&self, jid: BareJid, found: Option<Subscriber>) {
        let mut known = self.0.borrow_mut();
        if known.len() >= CACHED_MAX {
            known.clear();
        }
        known.insert(jid, found);
    }

    /// Empties the cache, as the table changes.
    pub(super) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Enough for the calls of a busy quarter of an hour.
const CACHED_MAX: usize = 1024;
