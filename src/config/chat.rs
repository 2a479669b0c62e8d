//! `[component]` and `[store]`.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use xmpp_parsers::jid::{BareJid, DomainPart};

use super::source::Section;

/// `[component]`: who we are to the XMPP server.
#[derive(Clone, Debug)]
pub struct Component {
    /// Our own address: a domain.
    pub jid: String,
    /// Host and port of the XEP-0114 listener.
    pub server: String,
    /// What the server knows us by.
    pub secret: SecretString,
    /// Who may see and change everything.
    pub admins: Vec<BareJid>,
    /// Whose accounts may register themselves: domains.
    pub users: Vec<String>,
}

pub(super) fn component(mut section: Section<'_>) -> Option<Component> {
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
    section.refuse_unknown_keys();
    Some(Component { jid: jid?, server: server?, secret: secret?, admins: admins?, users: users? })
}

/// `[store]`: where everything durable is.
pub(super) fn store(mut section: Section<'_>, config: &Path) -> Option<PathBuf> {
    let path = section.text("path").map(|path| path.unwrap_or_else(|| STORE.into()));
    if section.text("postgres").is_some_and(|postgres| postgres.is_some()) {
        section.mistake("postgres", "PostgreSQL is not in this version; use path");
    }
    section.refuse_unknown_keys();
    Some(config.parent().unwrap_or(Path::new("")).join(path?))
}

const SERVER: &str = "127.0.0.1:5347";
const STORE: &str = "offhook.db";
