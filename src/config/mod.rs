//! `component.toml`: read once at start; every mistake is shown with its line.

mod chat;
mod dial;
mod http;
mod phone;
mod source;
mod speech;
mod subscribers;
mod voice_reply;

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

pub use chat::Component;
pub use http::Http;
pub use phone::{Media, Sip};
pub use speech::Speech;
pub use voice_reply::{Upload, VoiceReply};

use crate::notification::policy::Policy;
use crate::script::menu::Menu;
use crate::sip::trunk::Trunk;
use crate::subscriber::Subscriber;
use source::{Section, Source};

/// What the program needs to know, ready to use.
#[derive(Clone, Debug)]
pub struct Config {
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
    /// `[dial]`: what decides when which phone rings.
    pub policy: Policy,
    /// `dial.call_s_max`
    pub call_max: Duration,
    /// `[speech]`
    pub speech: Speech,
    /// `[[key]]`
    pub menu: Menu,
    /// `[voice_reply]`
    pub voice_reply: VoiceReply,
    /// `[http]`; none when it is off.
    pub http: Option<Http>,
    /// `[[subscriber]]`
    pub subscribers: Vec<Subscriber>,
    /// What is written but has no effect in this version, as it is shown to the operator.
    pub notes: Vec<String>,
}

/// Reads the whole file.
///
/// Errors: [`Mistakes`], all of them, each with file, line and caret.
pub fn read(path: &Path) -> Result<Config, Mistakes> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Mistakes(vec![format!("{}: cannot be read: {error}", path.display())]))?;
    read_text(path, text)
}

/// Reads a file's text; `path` is where secrets and the store are looked for.
pub fn read_text(path: &Path, text: String) -> Result<Config, Mistakes> {
    let source = Source::new(path, text);
    let config = source.parse().and_then(|top| sections(&source, &top, path));
    match (source.into_notes(), config) {
        (Ok(notes), Some(config)) => Ok(Config { notes, ..config }),
        (Ok(_), None) => unreachable!("a section that cannot be read has noted why"),
        (Err(mistakes), _) => Err(Mistakes(mistakes)),
    }
}

/// Everything that is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n\n"))]
pub struct Mistakes(pub Vec<String>);

fn sections(source: &Source, top: &DeTable<'_>, path: &Path) -> Option<Config> {
    let absent = DeTable::new();
    let mut top = Section::top(source, top);
    // Each section is read before any is given up, so that all mistakes are shown.
    let component = top.section("component", &absent).map(chat::component);
    let store = top.section("store", &absent).map(|section| chat::store(section, path));
    let trunks = phone::trunks(&mut top);
    let sip = top.section("sip", &absent).map(|section| phone::sip(section, path));
    let media = top.section("media", &absent).map(phone::media);
    let dial = top.section("dial", &absent).map(dial::read);
    let speech = top.section("speech", &absent).map(speech::read);
    let menu = speech::menu(&mut top);
    let voice_reply =
        top.section("voice_reply", &absent).map(|section| voice_reply::read(section, path));
    let http = top.section("http", &absent).map(http::read);
    let allowed = dial.as_ref().and_then(|dial| dial.as_ref()).map(|(policy, _)| policy);
    let subscribers = subscribers::read(&mut top, allowed);
    top.refuse_unknown_keys();
    let ((policy, call_max), voice_reply) = (dial??, voice_reply??);
    let policy = Policy { keep_voice: voice_reply.keep, ..policy };
    Some(Config {
        component: component??,
        store: store??,
        trunks: trunks?,
        sip: sip??,
        media: media??,
        policy,
        call_max,
        speech: speech??,
        menu: menu?,
        voice_reply,
        http: http??,
        subscribers: subscribers?,
        notes: vec![],
    })
}
