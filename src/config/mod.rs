//! `component.toml`: read at start and on SIGHUP; every mistake is shown with its line.

mod component;
mod dial;
mod difference;
mod file;
mod fixed;
mod http;
mod included;
mod live;
mod log;
mod phone;
mod secret;
mod section;
mod speech;
mod subscribers;
mod voice;
mod voice_reply;
mod warnings;

use std::collections::BTreeSet;
use std::path::Path;

use toml::de::DeTable;

pub use component::{Access, Component};
pub use file::Finding;
pub use fixed::Fixed;
pub use http::Links;
pub use live::Live;
pub use phone::{Callback, Media, Offer, Sip};
pub use speech::Speech;
pub use voice::{Engine, VOICE_PROGRAM_FOLDERS, VoiceChoice};
pub use voice_reply::{Upload, VoiceReply};

use crate::notification::policy::Policy;
use crate::script::ScriptSettings;
use crate::sip::trunk::Trunk;
use file::{ConfigFile, Secrets};
use section::Section;
use warnings::Warning;

/// What the program needs to know, ready to use.
#[derive(Clone, Debug)]
pub struct Config {
    /// What only a restart changes.
    pub fixed: Fixed,
    /// What SIGHUP changes.
    pub live: Live,
    /// What is written but has no effect in this version, as it is shown to the operator.
    pub notes: Vec<Finding>,
    /// What works but is dangerous, or cannot do what it is there for, from top to bottom.
    pub warnings: Vec<Finding>,
    /// Every key that the tables in the file know, written or not, such as `media.codecs`.
    pub known_keys: BTreeSet<String>,
}

/// Reads the whole file.
///
/// Errors: [`Mistakes`], all of them, each with file, line and caret.
pub fn read(path: &Path) -> Result<Config, Mistakes> {
    read_text(path, text_of(path)?)
}

/// As [`read`] for a command that needs no secret: files with secrets stay closed, and their values are empty. Who may see
/// the store need not see them, and what systemd hands to the service is not there while it is stopped.
///
/// Errors: as of [`read`].
pub fn read_without_secrets(path: &Path) -> Result<Config, Mistakes> {
    read_source(path, ConfigFile::new(path, text_of(path)?, Secrets::LeftAlone))
}

fn text_of(path: &Path) -> Result<String, Mistakes> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))
        .map_err(|says| Mistakes(vec![Finding::without_place(says)]))
}

/// Reads a file's text; `path` is where secrets and the store are looked for.
pub fn read_text(path: &Path, text: String) -> Result<Config, Mistakes> {
    read_source(path, ConfigFile::new(path, text, Secrets::Read))
}

fn read_source(path: &Path, source: ConfigFile) -> Result<Config, Mistakes> {
    let config = source.parse().and_then(|top| {
        let (fixed, live) = sections(&source, &top, path)?;
        for Warning { table, index, key, says } in warnings::warnings(&fixed, &live) {
            source.warn(file::span_of(&top, table, index, key), &says);
        }
        Some((fixed, live))
    });
    let known_keys = source.known_keys();
    match (source.into_findings(), config) {
        (Ok((notes, warnings)), Some((fixed, live))) => {
            Ok(Config { fixed, live, notes, warnings, known_keys })
        }
        (Ok(_), None) => unreachable!("a section that cannot be read has noted why"),
        (Err(mistakes), _) => Err(Mistakes(mistakes)),
    }
}

/// Everything that is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n\n"))]
pub struct Mistakes(pub Vec<Finding>);

fn sections(source: &ConfigFile, top: &DeTable<'_>, path: &Path) -> Option<(Fixed, Live)> {
    let absent = DeTable::new();
    let mut top = Section::top(source, top);
    // Its files are read already.
    let include = top.text("include");
    // Each section is read before any is given up, so that all mistakes are shown.
    let component = top.section("component", &absent).map(component::component);
    let store = top.section("store", &absent).map(|section| component::store(section, path));
    let trunks = phone::trunks(&mut top);
    let sip = top.section("sip", &absent).map(|section| phone::sip(section, path));
    let media = top.section("media", &absent).map(phone::media);
    let own: Vec<_> = trunks.iter().flatten().flat_map(Trunk::own_numbers).collect();
    let dial = top.section("dial", &absent).map(|section| dial::read(section, own));
    let speech = top.section("speech", &absent).map(|section| speech::read(section, path));
    let menu = speech::menu(&mut top);
    let voice_reply = top.section("voice_reply", &absent).map(voice_reply::read);
    let http = top.section("http", &absent).map(http::read);
    let log = top.section("log", &absent).map(log::read);
    let allowed = dial.as_ref().and_then(|dial| dial.as_ref()).map(|(policy, _)| policy);
    let subscribers = subscribers::read(&mut top, allowed);
    top.refuse_unknown_keys();
    let ((component, access), (sip, callback), (media, offer)) = (component??, sip??, media??);
    let ((policy, call_max), (speech, script, voices)) = (dial??, speech??);
    let ((voice_reply, voice), (http, links)) = (voice_reply??, http??);
    let ((store, kept), log_levels) = (store??, log??);
    include?;
    let fixed = Fixed { component, store, trunks: trunks?, sip, media, voices, http };
    let live = Live {
        access,
        callback,
        offer,
        policy: Policy {
            keep_voice: voice_reply.keep,
            keep_trace: kept.trace,
            keep_calls: kept.calls,
            quotas: kept.quotas,
            ..policy
        },
        script: ScriptSettings { menu: menu?, voice, call_max, ..script },
        speech,
        voice_reply,
        links,
        log_levels,
        subscribers: subscribers?,
    };
    Some((fixed, live))
}
