//! How the parts are at this moment, as `/health`, `/metrics` and the operator's page tell it.

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tracing::debug;

use crate::clock;
use crate::config::{Live, VoiceChoice};
use crate::http::{Asker, Page, PageAnswer, PageSource, PageStatus};
use crate::numbers::{Condition, Numbers};
use crate::operator_page::{self, Shown};
use crate::speech::voices::is_spoken;
use crate::store::Store;
use crate::store::totals::totals;
use crate::trunks::TrunkPool;

/// Where the state of each part is read.
#[derive(Clone)]
pub(super) struct Observed {
    pub(super) link: watch::Receiver<bool>,
    pub(super) trunk_pool: TrunkPool,
    pub(super) voices: Arc<[VoiceChoice]>,
    pub(super) live: watch::Receiver<Arc<Live>>,
    pub(super) store: Arc<Path>,
    /// Where it is written down who has looked at names.
    pub(super) audit: Store,
    pub(super) numbers: Numbers,
}

impl Observed {
    /// The pages, for whoever asks from this machine or with the token of `http.token_file`.
    pub(super) fn pages(self) -> PageSource {
        Arc::new(move |page, asker| {
            let observed = self.clone();
            Box::pin(async move {
                let is_known = observed.knows(&asker);
                if !asker.is_local && !is_known {
                    return None;
                }
                if is_known && names_people(&page) {
                    // Nobody sees a name of which nothing is written down.
                    observed.audit.audit_names_shown(clock::moment()).await.ok()?;
                }
                // It reads the disk.
                spawn_blocking(move || observed.page(page, is_known)).await.ok().flatten()
            })
        })
    }

    /// Whether they have shown the token.
    fn knows(&self, asker: &Asker) -> bool {
        let live = self.live.borrow();
        let expected = live.links.token.as_ref().map(|token| token.expose_secret().as_bytes());
        let given = asker.token.as_ref().map(|token| token.as_bytes());
        expected.zip(given).is_some_and(|(expected, given)| expected.ct_eq(given).into())
    }

    /// `None` where the token must be shown first.
    fn page(&self, page: Page, is_known: bool) -> Option<PageAnswer> {
        Some(match page {
            Page::Operator { path, query } => {
                return self.operator_page(&path, &query, is_known);
            }
            Page::Health => {
                let condition = self.condition();
                let failing = failing(&condition);
                let body = health(&condition, &failing).to_string();
                let status =
                    if failing.is_empty() { PageStatus::Well } else { PageStatus::Failing };
                PageAnswer { status, media_type: JSON, body }
            }
            Page::Metrics => {
                let body = self.numbers.exposition(&self.condition());
                PageAnswer { status: PageStatus::Well, media_type: OPEN_METRICS, body }
            }
        })
    }

    fn operator_page(&self, path: &str, query: &str, is_known: bool) -> Option<PageAnswer> {
        let live = self.live.borrow().clone();
        let (store, policy, now) = (&*self.store, &live.policy, clock::timestamp());
        let condition: &dyn Fn() -> Condition = &|| self.condition();
        let observed = operator_page::Observed { store, policy, condition, now };
        let shown = operator_page::show(&observed, path, query, is_known);
        let (status, media_type, body) = match shown {
            Ok(Shown::Page(page)) => (PageStatus::Well, HTML, page),
            Ok(Shown::Style(style)) => (PageStatus::Well, CSS, style.to_owned()),
            Ok(Shown::Nothing(page)) => (PageStatus::Nothing, HTML, page),
            Ok(Shown::NeedsToken) => return None,
            Err(error) => {
                debug!(%error, "the store was not read for a page");
                (PageStatus::Failing, TEXT, "the store cannot be read; see the log\n".to_owned())
            }
        };
        Some(PageAnswer { status, media_type, body })
    }

    fn condition(&self) -> Condition {
        let store = totals(&self.store, clock::timestamp());
        let store = store.inspect_err(|error| debug!(%error, "the store was not read for a page"));
        let folder = self.store.parent().filter(|it| !it.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok();
        Condition {
            is_linked: *self.link.borrow(),
            trunks: self.trunk_pool.condition(),
            store: store.ok(),
            has_voice: is_spoken(&self.live.borrow().speech.language, &self.voices),
            disk_free: disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        }
    }
}

/// Whether this page names people.
fn names_people(page: &Page) -> bool {
    matches!(page, Page::Operator { query, .. } if operator_page::names_people(query))
}

/// The parts without which no call can be made.
fn failing(condition: &Condition) -> Vec<&'static str> {
    let Condition { is_linked, trunks, store, has_voice, disk_free } = condition;
    let parts = [
        ("link", *is_linked),
        ("trunks", trunks.iter().any(|trunk| trunk.is_usable)),
        ("store", store.is_some()),
        ("voices", *has_voice),
        ("disk", disk_free.is_none_or(|free| free >= DISK_FREE_MIN)),
    ];
    parts.into_iter().filter_map(|(part, works)| (!works).then_some(part)).collect()
}

fn health(condition: &Condition, failing: &[&str]) -> Value {
    let state = |part: &str| if failing.contains(&part) { "failing" } else { "works" };
    let trunks = condition.trunks.iter().map(|trunk| {
        let state = if trunk.is_usable { "works" } else { "cools down" };
        json!({ "name": trunk.name, "state": state, "calls": trunk.calls })
    });
    let store = condition.store.unwrap_or_default();
    json!({
        "status": if failing.is_empty() { "works" } else { "failing" },
        "failing": failing,
        "parts": {
            "link": { "state": state("link") },
            "trunks": { "state": state("trunks"), "each": trunks.collect::<Value>() },
            "store": { "state": state("store"), "held": store.held, "owed": store.owed, "octets": store.octets },
            "queue": { "age_s": store.queue_age.as_secs() },
            "voices": { "state": state("voices") },
            "disk": { "state": state("disk"), "free_octets": condition.disk_free },
        },
    })
}

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// With less nothing is held any more soon.
const DISK_FREE_MIN: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::{StoreCondition, TrunkCondition};

    #[test]
    fn each_part_without_which_no_call_can_be_made_is_named() {
        let trunk = |is_usable| TrunkCondition { name: "pbx".into(), is_usable, calls: 0 };
        let well = Condition {
            is_linked: true,
            trunks: vec![trunk(false), trunk(true)],
            store: Some(StoreCondition::default()),
            has_voice: true,
            disk_free: Some(1 << 30),
        };
        let cases = [
            (well.clone(), None),
            (Condition { disk_free: None, ..well.clone() }, None),
            (Condition { is_linked: false, ..well.clone() }, Some("link")),
            (Condition { trunks: vec![trunk(false)], ..well.clone() }, Some("trunks")),
            (Condition { store: None, ..well.clone() }, Some("store")),
            (Condition { has_voice: false, ..well.clone() }, Some("voices")),
            (Condition { disk_free: Some(1 << 20), ..well.clone() }, Some("disk")),
        ];
        for (condition, expected) in cases {
            let found = failing(&condition);
            assert_eq!(found, Vec::from_iter(expected), "{condition:?}");
            let told = health(&condition, &found);
            let status = if expected.is_some() { "failing" } else { "works" };
            assert_eq!(told["status"], status, "{told}");
            for part in ["link", "trunks", "store", "voices", "disk"] {
                let state = if expected == Some(part) { "failing" } else { "works" };
                assert_eq!(told["parts"][part]["state"], state, "{told}");
            }
        }
    }
}
