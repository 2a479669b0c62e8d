//! `[[trunk]]`, `[sip]` and `[media]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::difference::differing;
use super::section::Section;
use crate::media::codec::Codec;
use crate::sip::trunk::{Credentials, Dtmf, Proxy, Srtp, Transport, Trunk, caller};

/// `[sip]`, as far as only a restart changes it: our end of the trunks.
#[derive(Clone, Debug)]
pub struct Sip {
    /// Local address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where trunks reach us, behind NAT.
    pub advertise: Option<SocketAddr>,
    /// How the network is asked to treat SIP.
    pub dscp: u8,
    /// Authorities that are trusted beside the system's.
    pub tls_ca: Option<PathBuf>,
    /// The DNS server to ask in place of the system's.
    pub name_server: Option<SocketAddr>,
}

impl Sip {
    pub(super) fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let Self { listen, advertise, dscp, tls_ca, name_server } = self;
        differing([
            ("listen", *listen != other.listen),
            ("advertise", *advertise != other.advertise),
            ("dscp", *dscp != other.dscp),
            ("tls_ca", *tls_ca != other.tls_ca),
            ("name_server", *name_server != other.name_server),
        ])
    }
}

/// `[sip]`, as far as SIGHUP changes it: the calls that subscribers make to us.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Whether subscribers may call in to hear what is held.
    pub enabled: bool,
    /// Whether they may do so from any phone, by number and PIN.
    pub by_pin: bool,
    /// Whether the number alone shows who calls, where they have no PIN.
    pub without_pin: bool,
}

/// `[media]`, as far as only a restart changes it: where voice goes and comes.
#[derive(Clone, Debug)]
pub struct Media {
    /// Local address for RTP.
    pub listen: IpAddr,
    /// Address for session descriptions, behind NAT.
    pub advertise: Option<IpAddr>,
    /// Ports to use.
    pub ports: RangeInclusive<u16>,
    /// How long nothing may come before a call is ended.
    pub silence: Duration,
    /// How the network is asked to treat voice.
    pub dscp: u8,
}

impl Media {
    pub(super) fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let Self { listen, advertise, ports, silence, dscp } = self;
        differing([
            ("listen", *listen != other.listen),
            ("advertise", *advertise != other.advertise),
            ("ports", *ports != other.ports),
            ("silence_s", *silence != other.silence),
            ("dscp", *dscp != other.dscp),
        ])
    }
}

/// `[media]`, as far as SIGHUP changes it: what new calls offer.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Codecs, best first.
    pub codecs: Vec<Codec>,
}

pub(super) fn trunks(top: &mut Section<'_>) -> Option<Vec<Trunk>> {
    if !top.is_written("trunk") {
        top.sections("trunk");
        top.mistake("trunk", "a trunk is missing: write [[trunk]] with proxy and from");
        return None;
    }
    let sections = top.sections("trunk");
    let places: Vec<_> = sections.iter().map(|section| section.at("name")).collect();
    let read: Vec<Option<Trunk>> = sections.into_iter().map(trunk).collect();
    let trunks: Vec<Trunk> = read.into_iter().collect::<Option<_>>()?;
    let named: Vec<_> = trunks.iter().map(|trunk| &trunk.name).zip(places).collect();
    let is_double = top.has_doubles(&named, |name| format!("two trunks are called {name}"));
    (!is_double && !trunks.is_empty()).then_some(trunks)
}

// Long: a trunk has sixteen keys, and each is read by one statement.
fn trunk(mut section: Section<'_>) -> Option<Trunk> {
    let name = section.text("name").map(|name| name.unwrap_or_else(|| "trunk".into()));
    let proxy = section.required("proxy");
    let outbound_proxy = section.parsed_if_written("outbound_proxy");
    let from = section.required_text("from");
    let from = from.and_then(|from| caller_id(&section, "from", &from));
    let identity = match section.text("identity") {
        Some(Some(identity)) => caller_id(&section, "identity", &identity).map(Some),
        other => other,
    };
    let privacy = section.flag("privacy", false);
    let credentials = credentials(&mut section);
    let register = section.flag("register", false);
    let calls_max = section.number("calls_max", 1..=5000, 30, "calls at once");
    let calls_per_s_max = section.number("calls_per_s_max", 1..=1000, 5, "calls a second");
    let srtp = srtp(&mut section, proxy.as_ref(), outbound_proxy.as_ref());
    let choices = [
        ("auto", Dtmf::Auto),
        ("rfc4733", Dtmf::Rfc4733),
        ("inband", Dtmf::Inband),
        ("info", Dtmf::Info),
    ];
    let dtmf = section.choice("dtmf", &choices, Dtmf::Auto);
    let answering_machine = section.flag("answering_machine", false);
    let prefixes = section.list("prefixes", &["+"], |text| prefix(text, true));
    let country = country(&mut section);
    section.refuse_unknown_keys();
    Some(Trunk {
        name: name?,
        proxy: proxy?,
        outbound_proxy: outbound_proxy?,
        from: from?,
        identity: identity?,
        privacy: privacy?,
        credentials: credentials?,
        register: register?,
        calls_max: calls_max?,
        calls_per_s_max: calls_per_s_max?,
        prefixes: prefixes?,
        country: country?,
        srtp: srtp?,
        dtmf: dtmf?,
        answering_machine: answering_machine?,
    })
}

fn credentials(section: &mut Section<'_>) -> Option<Option<Credentials>> {
    let username = section.text("username");
    let password = section.secret("password", "password_file");
    match (username?, password?) {
        (Some(username), Some(password)) => Some(Some(Credentials { username, password })),
        (None, None) => Some(None),
        (Some(_), None) => {
            section.mistake("username", "username needs password or password_file");
            None
        }
        (None, Some(_)) => {
            section.mistake("password", "a password needs username");
            None
        }
    }
}

fn srtp(
    section: &mut Section<'_>,
    proxy: Option<&Proxy>,
    outbound_proxy: Option<&Option<Proxy>>,
) -> Option<Srtp> {
    let choices = [("off", Srtp::Off), ("optional", Srtp::Optional), ("required", Srtp::Required)];
    let srtp = section.choice("srtp", &choices, Srtp::Off);
    if let (Some(Srtp::Optional | Srtp::Required), Some(proxy), Some(outbound)) =
        (srtp, proxy, outbound_proxy)
    {
        let first = outbound.as_ref().unwrap_or(proxy);
        if first.transport != Some(Transport::Tls) {
            let key = if outbound.is_some() { "outbound_proxy" } else { "proxy" };
            section.mistake(
                "srtp",
                &format!("the keys would stand in the clear: write {key} with ;transport=tls"),
            );
            return None;
        }
    }
    srtp
}

fn country(section: &mut Section<'_>) -> Option<Option<String>> {
    let Some(code) = section.text("country")?.filter(|text| !text.is_empty()) else {
        return Some(None);
    };
    if let Ok(code) = prefix(&code, false) {
        return Some(Some(code));
    }
    section.mistake("country", "country is a country code, such as +81");
    None
}

/// The keys of a `[[trunk]]` whose values differ.
pub(super) fn differing_keys(trunk: &Trunk, other: &Trunk) -> Vec<&'static str> {
    let Trunk {
        name,
        proxy,
        outbound_proxy,
        from,
        identity,
        privacy,
        credentials,
        register,
        calls_max,
        calls_per_s_max,
        prefixes,
        country,
        srtp,
        dtmf,
        answering_machine,
    } = trunk;
    let (ours, theirs) = (credentials.as_ref(), other.credentials.as_ref());
    let username = |it: &Credentials| it.username.clone();
    let password = |it: &Credentials| it.password.expose_secret().to_owned();
    differing([
        ("name", *name != other.name),
        ("proxy", *proxy != other.proxy),
        ("outbound_proxy", *outbound_proxy != other.outbound_proxy),
        ("from", *from != other.from),
        ("identity", *identity != other.identity),
        ("privacy", *privacy != other.privacy),
        ("username", ours.map(username) != theirs.map(username)),
        ("password", ours.map(password) != theirs.map(password)),
        ("register", *register != other.register),
        ("calls_max", *calls_max != other.calls_max),
        ("calls_per_s_max", *calls_per_s_max != other.calls_per_s_max),
        ("prefixes", *prefixes != other.prefixes),
        ("country", *country != other.country),
        ("srtp", *srtp != other.srtp),
        ("dtmf", *dtmf != other.dtmf),
        ("answering_machine", *answering_machine != other.answering_machine),
    ])
}

fn caller_id(section: &Section<'_>, key: &str, written: &str) -> Option<String> {
    let read = caller(written);
    if let Err(error) = &read {
        section.mistake(key, &error.to_string());
    }
    read.ok()
}

/// The beginning of a number; `+` alone is every number.
pub(super) fn prefix(text: &str, every: bool) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or("x");
    let plain = digits.len() <= 15
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if plain && (every || !digits.is_empty()) {
        Ok(text.into())
    } else {
        Err("a prefix is written with + and digits, such as +81".into())
    }
}

pub(super) fn sip(mut section: Section<'_>, config: &Path) -> Option<(Sip, Callback)> {
    let listen = section.parsed("listen", SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
    let advertise = match section.text("advertise")? {
        Some(text) if !text.is_empty() => match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => Some(Some(address)),
            Ok(_) | Err(_) => {
                section.mistake(
                    "advertise",
                    "advertise is an address with its port, such as 198.51.100.7:5060",
                );
                None
            }
        },
        Some(_) | None => Some(None),
    };
    let dscp = section.number("dscp", 0..=63_u8, 24, "(RFC 2474)");
    let tls_ca = section.text("tls_ca")?.filter(|file| !file.is_empty());
    let tls_ca = tls_ca.map(|file| config.parent().unwrap_or(Path::new("")).join(file));
    let missing = tls_ca.as_ref().filter(|file| !file.is_file());
    if let Some(file) = missing {
        section.mistake("tls_ca", &format!("there is no file {}", file.display()));
    }
    let found = missing.is_none();
    let written = section.text("name_server")?.filter(|text| !text.is_empty());
    let name_server = written.as_deref().map(address_of_dns);
    if name_server == Some(None) {
        section.mistake("name_server", "name_server is an address, such as 192.0.2.53");
    }
    let (found, name_server) = (found && name_server != Some(None), name_server.flatten());
    let enabled = section.flag("callback", false)?;
    let by_pin = section.flag("callback_pin", false)?;
    if by_pin && !enabled {
        section.note("callback_pin", "has no effect without callback");
    }
    let without_pin = section.flag("callback_without_pin", false)?;
    if without_pin && !enabled {
        section.note("callback_without_pin", "has no effect without callback");
    }
    section.refuse_unknown_keys();
    let callback = Callback { enabled, by_pin, without_pin };
    let (listen, advertise, dscp) = (listen?, advertise?, dscp?);
    found.then_some((Sip { listen, advertise, dscp, tls_ca, name_server }, callback))
}

fn address_of_dns(text: &str) -> Option<SocketAddr> {
    let with_port = text.parse().ok();
    with_port.or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)))
}

pub(super) fn media(mut section: Section<'_>) -> Option<(Media, Offer)> {
    let listen = section.parsed("listen", IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let advertise = match section.text("advertise")? {
        Some(text) if !text.is_empty() => section.parsed_if_written("advertise"),
        Some(_) | None => Some(None),
    };
    let ports = ports(&mut section);
    let read = |text: &str| {
        let known = Codec::ALL.into_iter().find(|codec| codec.description().name == text);
        known.ok_or_else(|| {
            let names = Codec::ALL.map(|codec| format!("{:?}", codec.description().name));
            format!("must be one of {}", names.join(", "))
        })
    };
    let codecs = section.list("codecs", &["opus", "g722", "pcmu", "pcma"], read);
    if codecs.as_ref().is_some_and(Vec::is_empty) {
        section.mistake("codecs", "codecs must name one at least");
        return None;
    }
    let silence = section.number("silence_s", 10..=300_u64, 30, "seconds");
    let dscp = section.number("dscp", 0..=63_u8, 46, "(RFC 2474)");
    section.refuse_unknown_keys();
    let media = Media {
        listen: listen?,
        advertise: advertise?,
        ports: ports?,
        silence: Duration::from_secs(silence?),
        dscp: dscp?,
    };
    Some((media, Offer { codecs: codecs? }))
}

fn ports(section: &mut Section<'_>) -> Option<RangeInclusive<u16>> {
    let ports = section.port_pair("ports", (20_000, 29_999))?;
    if ports.0 < 1024 || ports.1 < ports.0.saturating_add(1) {
        section.mistake(
            "ports",
            "ports must be two numbers, low and high, from 1024 to 65535, such as [20000, 29999]",
        );
        return None;
    }
    Some(ports.0..=ports.1)
}
