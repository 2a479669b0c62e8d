//! The keys that only a restart changes, as one value.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Component;
use super::difference::differing;
use super::phone::{self, Media, Sip};
use super::voice::VoiceChoice;
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
    /// `[[speech.voice]]`, in order.
    pub voices: Vec<VoiceChoice>,
    /// `http.listen`; none when the HTTP server is off.
    pub http: Option<SocketAddr>,
}

impl Fixed {
    /// The keys whose values differ in `other`, such as `media.listen` and `trunk[0].proxy`. A table that only one of
    /// the two has is named as a whole.
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let Self { component, store, trunks, sip, media, voices, http } = self;
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
        let voice_pairs = voices.iter().zip(&other.voices).enumerate();
        let in_voices = voice_pairs.map(|(place, (voice, other))| {
            (format!("speech.voice[{place}]"), voice.differing_keys(other))
        });
        let in_one = |name: &'static str, one: usize, other: usize| {
            (one.min(other)..one.max(other)).map(move |place| format!("{name}[{place}]"))
        };
        let in_one = in_one("trunk", trunks.len(), other.trunks.len()).chain(in_one(
            "speech.voice",
            voices.len(),
            other.voices.len(),
        ));
        let in_tables =
            tables.into_iter().chain(in_both).chain(in_voices).flat_map(|(table, keys)| {
                keys.into_iter().map(move |key| format!("{table}.{key}"))
            });
        in_tables.chain(in_one).collect()
    }
}
