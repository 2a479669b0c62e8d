//! `[voice_reply]`

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use xmpp_parsers::jid::DomainPart;

use super::section::Section;
use crate::sealing::SealingKey;
use crate::voice_reply::file::Format;

/// `[voice_reply]`: answers that are spoken.
#[derive(Clone, Debug)]
pub struct VoiceReply {
    /// What the sender's client gets.
    pub format: Format,
    /// The longest recording.
    pub longest: Duration,
    /// How long a recording is stored, and its link works.
    pub keep: Duration,
    /// Where recordings are uploaded.
    pub upload: Upload,
    /// Hosts that upload links may point to beside the upload service's own. Lower case.
    pub upload_hosts: Vec<String>,
    /// What stored recordings are sealed with, if they are.
    pub key: Option<SealingKey>,
    /// A program and its arguments that print what is said in a WAV file; empty for none.
    pub transcribe: Vec<String>,
}

/// Which HTTP upload service is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// The one that our server names.
    Ask,
    /// None.
    Off,
    /// The one at this domain.
    At(String),
}

/// Reads the table, and whether answers are spoken at all.
pub(super) fn read(mut section: Section<'_>) -> Option<(VoiceReply, bool)> {
    let enabled = section.flag("enabled", true);
    let formats =
        [("mp3", Format::Mp3), ("opus", Format::Opus), ("wav", Format::Wav), ("m4a", Format::M4a)];
    let format = section.choice("format", &formats, Format::Mp3);
    let longest = section.seconds("seconds_max", 5..=600, 120);
    let keep = section.number("keep_days", 1..=3650, 30, "days");
    let upload = section.text("upload").and_then(|text| {
        let upload = upload(&text.unwrap_or_default());
        if upload.is_none() {
            section.mistake(
                "upload",
                "upload is \"\" to ask the server, \"off\", or a service such as upload.example.org",
            );
        }
        upload
    });
    let upload_hosts = section.list("upload_hosts", &[], host);
    let key = section.text("key_file").and_then(|file| match file.unwrap_or_default() {
        none if none.is_empty() || !section.reads_secrets() => Some(None),
        file => {
            let path = section.secret_file(&file);
            key(&path).map_err(|says| section.mistake("key_file", &says)).ok().map(Some)
        }
    });
    let transcribe = section.list("transcribe", &[], |text| Ok(text.to_owned()));
    let transcribe = transcribe.filter(|command| {
        let is_program = command.first().is_none_or(|program| !program.trim().is_empty());
        if !is_program {
            section.mistake("transcribe", "transcribe must begin with a program");
        }
        is_program
    });
    section.refuse_unknown_keys();
    let voice_reply = VoiceReply {
        format: format?,
        longest: longest?,
        keep: DAY * keep?,
        upload: upload?,
        upload_hosts: upload_hosts?,
        key: key?,
        transcribe: transcribe?,
    };
    Some((voice_reply, enabled?))
}

fn upload(text: &str) -> Option<Upload> {
    match text {
        "" => Some(Upload::Ask),
        "off" => Some(Upload::Off),
        _ if text.contains(['@', '/', ':']) => None,
        _ => Some(Upload::At(DomainPart::new(text).ok()?.as_str().to_owned())),
    }
}

fn host(text: &str) -> Result<String, String> {
    let is_host = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if is_host {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a host name alone, such as files.example.org".into())
    }
}

/// Reads a key from a file that only its owner can read; says what to do otherwise.
fn key(path: &Path) -> Result<SealingKey, String> {
    let shown = path.display();
    let unreadable = |error: io::Error| format!("{shown} cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    // With an access list the group's bits are its mask; systemd hands over credentials so (acl(5)).
    let listed = rustix::fs::fgetxattr(&file, ACCESS_LIST, &mut [0_u8; 1024]).is_ok();
    let others = if listed { 0o007 } else { 0o077 };
    if about.permissions().mode() & others != 0 {
        return Err(format!("others can read {shown}; run chmod 600 {shown}"));
    }
    let mut octets = SecretBox::new(Box::new([0; KEY_FILE_BYTES_MAX]));
    let mut length = 0;
    let room = octets.expose_secret_mut();
    loop {
        match (&file).read(&mut room[length..]).map_err(unreadable)? {
            0 => break,
            more => length += more,
        }
    }
    let written = str::from_utf8(&octets.expose_secret()[..length]).unwrap_or_default();
    SealingKey::from_hex(written).map_err(|error| format!("{shown}: {error}"))
}

const DAY: Duration = Duration::from_secs(86_400);
const ACCESS_LIST: &str = "system.posix_acl_access";
/// A key and white space around it.
const KEY_FILE_BYTES_MAX: usize = 128;
