//! `[component]` and `[store]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use xmpp_parsers::jid::{BareJid, DomainPart};

use super::difference::differing;
use super::section::Section;
use crate::notification::policy::{Quota, Quotas};
use crate::xmpp::directory::NAME;
use crate::xmpp::sender_rate::MessageRate;

/// `[component]`, as far as only a restart changes it: who we are to the XMPP server.
#[derive(Clone, Debug)]
pub struct Component {
    /// Our own address: a domain.
    pub jid: String,
    /// Host and port of the XEP-0114 listener.
    pub server: String,
    /// What the server knows us by.
    pub secret: SecretString,
}

impl Component {
    pub(super) fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let Self { jid, server, secret } = self;
        differing([
            ("jid", *jid != other.jid),
            ("server", *server != other.server),
            ("secret", secret.expose_secret() != other.secret.expose_secret()),
        ])
    }
}

/// `[component]`, as far as SIGHUP changes it: who may ask something of the component, and what it calls itself.
#[derive(Clone, Debug)]
pub struct Access {
    /// What the component is called.
    pub name: String,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// Who may see and change everything.
    pub admins: Vec<BareJid>,
    /// Whose accounts may register themselves: domains.
    pub users: Vec<String>,
    /// How fast one sender may write.
    pub message_rate: MessageRate,
}

pub(super) fn component(mut section: Section<'_>) -> Option<(Component, Access)> {
    let jid = section.required_text("jid");
    let jid = jid.and_then(|jid| match DomainPart::new(&jid) {
        Ok(domain) if !jid.contains(['@', '/']) => Some(domain.as_str().to_owned()),
        Ok(_) | Err(_) => {
            section.mistake("jid", "jid must be a domain, such as phone.example.org");
            None
        }
    });
    let server = section
        .text("server")
        .map(|server| server.unwrap_or_else(|| SERVER.into()))
        .and_then(|server| {
            let well_formed = server.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0)
            });
            if !well_formed {
                section.mistake("server", "server is written host:port, such as 127.0.0.1:5347");
            }
            well_formed.then_some(server)
        });
    let secret = section.secret("secret", "secret_file").and_then(|secret| {
        if secret.is_none() {
            section.mistake(
                "secret",
                "secret is missing in [component]: write secret or secret_file, as the server knows it",
            );
        }
        secret
    });
    let admins = section
        .list("admins", &[], |text| text.parse::<BareJid>().map_err(|error| error.to_string()));
    // A component is mostly called phone.example.org where its people are at example.org.
    let parent = jid.as_deref().and_then(|jid| jid.split_once('.')).map(|(_, parent)| parent);
    let parent: Vec<&str> = parent.into_iter().collect();
    let users = section.list("users", &parent, |text| {
        DomainPart::new(text)
            .map(|domain| domain.as_str().to_owned())
            .map_err(|_| "users are domains, such as example.org".to_owned())
    });
    let rate = MessageRate::default();
    let burst = section.number("messages_burst", 1..=100_000, rate.burst, "messages");
    let per_min = section.number("messages_per_min", 1..=60_000, rate.per_min, "messages");
    let name = shown_text(&mut section, "name");
    let description = shown_text(&mut section, "description");
    section.refuse_unknown_keys();
    let name = name?.unwrap_or_else(|| NAME.to_owned());
    let message_rate = MessageRate { burst: burst?, per_min: per_min? };
    let description = description?;
    let access = Access { name, description, admins: admins?, users: users?, message_rate };
    Some((Component { jid: jid?, server: server?, secret: secret? }, access))
}

/// A line that clients show; nothing if it is empty.
fn shown_text(section: &mut Section<'_>, key: &'static str) -> Option<Option<String>> {
    let text = section.text(key)?.map(|text| text.trim().to_owned());
    let text = text.filter(|text| !text.is_empty());
    let is_line = |text: &String| {
        text.chars().count() <= SHOWN_CHARS_MAX && !text.chars().any(char::is_control)
    };
    if text.as_ref().is_some_and(|text| !is_line(text)) {
        section.mistake(key, &format!("{key} is one line of at most {SHOWN_CHARS_MAX} characters"));
        return None;
    }
    Some(text)
}

/// `[store]`, as far as SIGHUP changes it.
pub(super) struct Kept {
    pub(super) quotas: Quotas,
    pub(super) trace: Duration,
    pub(super) calls: Duration,
}

/// `[store]`: where everything durable is, how much of it there may be, and for how long.
pub(super) fn store(mut section: Section<'_>, config: &Path) -> Option<(PathBuf, Kept)> {
    let path = section.text("path").map(|path| path.unwrap_or_else(|| STORE.into()));
    if section.text("postgres").is_some_and(|postgres| postgres.is_some()) {
        section.mistake("postgres", "PostgreSQL is not in this version; use path");
    }
    let defaults = Quotas::default();
    let megabytes = |bytes: i64| bytes >> 20;
    let held =
        section.number("held_max", 1_000..=100_000_000, defaults.of_all.messages, "messages");
    let held_mb =
        section.number("held_mb_max", 16..=1_000_000, megabytes(defaults.of_all.bytes), "MB");
    let one =
        section.number("person_held_max", 10..=1_000_000, defaults.of_one.messages, "messages");
    let one_mb =
        section.number("person_held_mb_max", 1..=100_000, megabytes(defaults.of_one.bytes), "MB");
    let trace = section.number("trace_days", 1..=3650_u64, 3, "days");
    let calls = section.number("keep_calls_days", 1..=3650_u64, 30, "days");
    section.refuse_unknown_keys();
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let quotas = Quotas {
        of_one: Quota { messages: one?, bytes: one_mb? << 20 },
        of_all: Quota { messages: held?, bytes: held_mb? << 20 },
    };
    let path = config.parent().unwrap_or(Path::new("")).join(path?);
    Some((path, Kept { quotas, trace: days(trace?), calls: days(calls?) }))
}

/// Longer lines are cut by clients.
const SHOWN_CHARS_MAX: usize = 200;
const SERVER: &str = "127.0.0.1:5347";
const STORE: &str = "offhook.db";
