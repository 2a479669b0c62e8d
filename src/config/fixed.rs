//! The keys that only a restart changes, as one value.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Component;
use super::difference::differing;
use super::phone::{self, Media, Sip};
use crate::sip::trunk::Trunk;

/// What the program is started with: addresses, secrets and trunks. A running program keeps it to its end.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// `[component]`
    pub component: Component,
    /// `store.path`, beside the configuration file when it is relative.
    pub store: PathBuf,
    /// `[[trunk]]`, in order; never empty.
    pub trunks: Vec<Trunk>,
    /// `[sip]`
    pub sip: Sip,
    /// `[media]`
    pub media: Media,
    /// `http.listen`; none when the HTTP server is off.
    pub http: Option<SocketAddr>,
}

impl Fixed {
    /// The keys whose values differ in `other`, such as `media.listen` and `trunk[0].proxy`. A trunk that only one of
    /// the two has is named as a whole.
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let Self { component, store, trunks, sip, media, http } = self;
        let tables = [
            ("component".to_owned(), component.differing_keys(&other.component)),
            ("store".to_owned(), differing([("path", *store != other.store)])),
            ("sip".to_owned(), sip.differing_keys(&other.sip)),
            ("media".to_owned(), media.differing_keys(&other.media)),
            ("http".to_owned(), differing([("listen", *http != other.http)])),
        ];
        let pairs = trunks.iter().zip(&other.trunks).enumerate();
        let in_both = pairs.map(|(place, (trunk, other))| {
            (format!("trunk[{place}]"), phone::differing_keys(trunk, other))
        });
        let (fewer, more) =
            (trunks.len().min(other.trunks.len()), trunks.len().max(other.trunks.len()));
        let in_one = (fewer..more).map(|place| format!("trunk[{place}]"));
        let in_tables = tables
            .into_iter()
            .chain(in_both)
            .flat_map(|(table, keys)| keys.into_iter().map(move |key| format!("{table}.{key}")));
        in_tables.chain(in_one).collect()
    }
}
