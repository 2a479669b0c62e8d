//! A trunk: where calls go out, and who we are to it.

use std::fmt;
use std::str::FromStr;

use ezk_sip_types::host::Host;
use ezk_sip_types::uri::{SipUri, SipUriUserPart};
use secrecy::SecretString;

use crate::media::{Negotiated, PayloadFormat};
use crate::phone_number::PhoneNumber;

/// One SIP trunk of the operator.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name in the configuration.
    pub name: String,
    /// Whose numbers are called. Requests go there too, unless there is an outbound proxy.
    pub proxy: Proxy,
    /// Where all requests go first. Only the addresses of [`Trunk::edge`] may talk to us.
    pub outbound_proxy: Option<Proxy>,
    /// The caller ID, and the address that is bound when `register` is set.
    ///
    /// Shape: a SIP URI with a user, as [`caller`] makes it.
    pub from: String,
    /// Who calls, as the trunk is assured of it (P-Asserted-Identity).
    ///
    /// Shape: as [`Trunk::from`].
    pub identity: Option<String>,
    /// Withhold the caller ID from the callee.
    pub privacy: bool,
    /// What challenges are answered with.
    pub credentials: Option<Credentials>,
    /// Keep a binding at the registrar.
    pub register: bool,
    /// How many calls at once.
    pub calls_max: u32,
    /// How many new calls a second.
    pub calls_per_s_max: u32,
    /// The beginnings of the numbers it carries, with `+`.
    pub prefixes: Vec<String>,
    /// Where a caller's number belongs that is not written in international form, such as `+81`.
    pub country: Option<String>,
    /// Whether voice is encrypted. Only where signalling is, since the keys stand in it.
    pub srtp: Srtp,
    /// How keys are expected.
    pub dtmf: Dtmf,
    /// Tell machines from people before anything is said.
    pub answering_machine: bool,
}

impl Trunk {
    /// A trunk of which the operator says no more than this.
    pub fn plain(proxy: Proxy, from: &str) -> Self {
        Self {
            name: proxy.host.clone(),
            proxy,
            outbound_proxy: None,
            from: from.to_owned(),
            identity: None,
            privacy: false,
            credentials: None,
            register: false,
            calls_max: 30,
            calls_per_s_max: 5,
            prefixes: vec!["+".to_owned()],
            country: None,
            srtp: Srtp::Off,
            dtmf: Dtmf::Auto,
            answering_machine: false,
        }
    }

    /// A trunk for tests.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        let proxy = Proxy { host: "192.0.2.1".to_owned(), port: None, transport: None };
        let (username, password) = ("offhook".to_owned(), "secret".into());
        Self {
            name: "pbx".to_owned(),
            credentials: Some(Credentials { username, password }),
            register: true,
            ..Self::plain(proxy, "sip:offhook@pbx.example.org")
        }
    }

    /// The first proxy on the way of a request.
    pub fn edge(&self) -> &Proxy {
        self.outbound_proxy.as_ref().unwrap_or(&self.proxy)
    }

    /// The Route of requests outside a dialog.
    ///
    /// Source: RFC 3261 §8.1.2.
    pub fn route(&self) -> Option<String> {
        let edge = self.outbound_proxy.as_ref()?;
        let transport = edge.transport.map(Transport::parameter).unwrap_or_default();
        Some(format!("<sip:{}{transport};lr>", edge.authority()))
    }

    /// The caller as a call shows it: the value of From, without its tag.
    ///
    /// Source: RFC 3323 §4.1.1.3.
    pub fn caller(&self) -> String {
        if self.privacy { ANONYMOUS.to_owned() } else { format!("<{}>", self.from) }
    }

    /// The numbers that the trunk is called by: those of its caller ID and identity.
    pub fn own_numbers(&self) -> impl Iterator<Item = PhoneNumber> {
        [Some(&self.from), self.identity.as_ref()].into_iter().flatten().filter_map(|uri| {
            let user = uri.split_once(':')?.1.split_once('@')?.0;
            PhoneNumber::as_dialled(user, self.country.as_deref())
        })
    }

    /// The user of the address at which a call of ours is reached.
    ///
    /// Source: RFC 3323 §4.1.1.3: a withheld number is not shown there either.
    pub fn contact_user(&self) -> &str {
        if self.privacy { "anonymous" } else { self.user() }
    }

    /// What only the trunk learns of the caller. Without an `identity` a withheld caller is [`Trunk::from`].
    ///
    /// Source: RFC 3325 §9.1, §9.3 (`id`: not to be passed on behind the trunk).
    pub fn assurance(&self) -> Vec<(&'static str, String)> {
        let withheld = self.privacy.then_some(&self.from);
        let asserted = self.identity.as_ref().or(withheld);
        let asserted = asserted.map(|who| ("P-Asserted-Identity", format!("<{who}>")));
        let privacy = self.privacy.then(|| ("Privacy", "id".to_owned()));
        asserted.into_iter().chain(privacy).collect()
    }

    /// The user of [`Trunk::from`], as it stands in the URI.
    pub fn user(&self) -> &str {
        let after_scheme = self.from.split_once(':').map_or(self.from.as_str(), |(_, rest)| rest);
        after_scheme.split_once('@').map_or("", |(user, _)| user)
    }

    /// The domain of [`Trunk::from`], with its port if one is written: the registrar's.
    pub fn domain(&self) -> &str {
        let domain = self.from.split_once('@').map_or(self.from.as_str(), |(_, domain)| domain);
        domain.split(';').next().unwrap_or(domain)
    }
}

/// Where a trunk listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// How it is reached, if that is written; else its domain may say so (RFC 3263).
    pub transport: Option<Transport>,
}

impl Proxy {
    /// Host and port as they stand in a SIP URI.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl FromStr for Proxy {
    type Err = TrunkError;

    fn from_str(written: &str) -> Result<Self, TrunkError> {
        let uri: SipUri = written.parse().map_err(|_| TrunkError::NotAProxy)?;
        if uri.user_part != SipUriUserPart::Empty || !uri.header_params.is_empty() {
            return Err(TrunkError::NotAProxy);
        }
        let transport = match uri.uri_params.get_val("transport") {
            None => uri.sips.then_some(Transport::Tls),
            Some(name) => Some(Transport::named(name).ok_or(TrunkError::Transport)?),
        };
        if uri.sips && transport != Some(Transport::Tls) {
            return Err(TrunkError::Transport);
        }
        let host = match uri.host_port.host {
            Host::IP4(address) => address.to_string(),
            Host::IP6(address) => address.to_string(),
            Host::Name(name) => name.to_string(),
        };
        Ok(Self { host, port: uri.host_port.port, transport })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = self.transport.map(Transport::parameter).unwrap_or_default();
        write!(f, "sip:{}{transport}", self.authority())
    }
}

/// How a trunk is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection for all calls.
    Tcp,
    /// The same, encrypted, with the trunk's certificate verified.
    Tls,
}

impl Transport {
    /// Its name in a Via.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The transport of a URI parameter or a Via.
    pub fn named(name: &str) -> Option<Self> {
        let known = [Self::Udp, Self::Tcp, Self::Tls];
        known.into_iter().find(|transport| transport.name().eq_ignore_ascii_case(name))
    }

    /// The URI parameter that asks for it; nothing for UDP, which is what everybody expects.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Tls => ";transport=tls",
        }
    }

    /// The port where nothing else is said.
    pub fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// Whether a trunk that we reach by this transport may send by the other: what goes out encrypted comes back so, and what
    /// goes over a connection, of which the far end's address is proved, is not believed of a datagram.
    ///
    /// Source: RFC 3261 §18.1.1 (large requests to a trunk by UDP go over TCP).
    pub fn is_answered_by(self, other: Self) -> bool {
        self == other || (self, other) == (Self::Udp, Self::Tcp)
    }

    /// Tells whether what is sent arrives, or the connection breaks; then nothing need be sent twice.
    pub fn is_reliable(self) -> bool {
        self != Self::Udp
    }
}

/// Whether voice is encrypted on a trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// Never.
    #[default]
    Off,
    /// Where the far end wants it too.
    Optional,
    /// Always, or there is no call.
    Required,
}

/// How keys are expected on a trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dtmf {
    /// Telephone events if both sides know them, else tones.
    #[default]
    Auto,
    /// Telephone events only (RFC 4733).
    Rfc4733,
    /// Tones only.
    Inband,
    /// INFO only.
    Info,
}

impl Dtmf {
    /// Whether telephone events are offered.
    pub fn offers_events(self) -> bool {
        matches!(self, Self::Auto | Self::Rfc4733)
    }

    /// What is listened to of what was agreed on.
    pub fn heard(self, agreed: Negotiated) -> Negotiated {
        let events_payload_type = agreed.events_payload_type.filter(|_| self.offers_events());
        let tones = match self {
            Self::Auto => events_payload_type.is_none(),
            Self::Inband => true,
            Self::Rfc4733 | Self::Info => false,
        };
        let mut formats = agreed.formats;
        formats.retain(|(_, format)| {
            matches!(format, PayloadFormat::Audio(_)) || self.offers_events()
        });
        Negotiated { events_payload_type, tones, formats, ..agreed }
    }
}

/// What a challenge is answered with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// With what.
    pub password: SecretString,
}

/// Reads a caller ID such as `sip:+81312345678@example.org`.
///
/// Errors: [`TrunkError::NotACaller`] without a user or a host, or with anything that may not stand in a header.
pub fn caller(written: &str) -> Result<String, TrunkError> {
    let uri: SipUri = written.parse().map_err(|_| TrunkError::NotACaller)?;
    let plain =
        written.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'?'));
    match uri.user_part {
        SipUriUserPart::User(user) if plain && !user.is_empty() => Ok(written.to_owned()),
        _ => Err(TrunkError::NotACaller),
    }
}

const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// What is wrong with a trunk's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrunkError {
    /// Not of the form `sip:host[:port]`.
    #[error("a proxy is written sip:host or sip:host:port, such as sip:pbx.example.org")]
    NotAProxy,
    /// A transport that we cannot speak.
    #[error("transport must be udp, tcp or tls")]
    Transport,
    /// Not of the form `sip:user@host`.
    #[error("a caller ID is written sip:user@host, such as sip:+81312345678@example.org")]
    NotACaller,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_with_port_and_transport() {
        let cases = [
            ("sip:pbx.example.org", Ok(("pbx.example.org", None))),
            (
                "sip:pbx.example.org:5080;transport=UDP",
                Ok(("pbx.example.org:5080", Some(Transport::Udp))),
            ),
            ("sip:192.0.2.1;transport=tcp", Ok(("192.0.2.1", Some(Transport::Tcp)))),
            ("sip:[2001:db8::1]:5062", Ok(("[2001:db8::1]:5062", None))),
            ("sip:pbx.example.org;transport=Tls", Ok(("pbx.example.org", Some(Transport::Tls)))),
            ("sips:pbx.example.org", Ok(("pbx.example.org", Some(Transport::Tls)))),
            ("sips:pbx.example.org;transport=tcp", Err(TrunkError::Transport)),
            ("sip:pbx.example.org;transport=carrier-pigeon", Err(TrunkError::Transport)),
            ("sip:bob@pbx.example.org", Err(TrunkError::NotAProxy)),
            ("sip:pbx.example.org:99999", Err(TrunkError::NotAProxy)),
            ("sip:pbx example", Err(TrunkError::NotAProxy)),
            ("pbx.example.org", Err(TrunkError::NotAProxy)),
            ("", Err(TrunkError::NotAProxy)),
        ];
        for (written, expected) in cases {
            let proxy = written.parse::<Proxy>();
            let shown = proxy.map(|proxy| (proxy.authority(), proxy.transport));
            let expected = expected.map(|(a, t): (&str, Option<Transport>)| (a.to_owned(), t));
            assert_eq!(shown, expected, "{written}");
        }
    }

    #[test]
    fn a_caller_id_is_shown_assured_or_withheld() {
        let paying = "sip:+81312345678@example.org";
        let cases = [
            (None, false, "<sip:offhook@pbx.example.org>", "offhook", vec![]),
            (
                Some(paying),
                false,
                "<sip:offhook@pbx.example.org>",
                "offhook",
                vec!["P-Asserted-Identity: <sip:+81312345678@example.org>"],
            ),
            (
                None,
                true,
                ANONYMOUS,
                "anonymous",
                vec!["P-Asserted-Identity: <sip:offhook@pbx.example.org>", "Privacy: id"],
            ),
            (
                Some(paying),
                true,
                ANONYMOUS,
                "anonymous",
                vec!["P-Asserted-Identity: <sip:+81312345678@example.org>", "Privacy: id"],
            ),
        ];
        for (identity, privacy, caller, contact, assurance) in cases {
            let identity = identity.map(str::to_owned);
            let trunk = Trunk { identity, privacy, ..Trunk::example() };
            let told: Vec<_> =
                trunk.assurance().iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert_eq!((trunk.caller().as_str(), trunk.contact_user()), (caller, contact));
            assert_eq!(told, assurance);
        }
    }

    #[test]
    fn a_caller_has_a_user_and_nothing_that_could_end_a_header() {
        assert!(caller("sip:+81312345678@example.org").is_ok());
        assert!(caller("sip:offhook@192.0.2.1:5070").is_ok());
        for written in [
            "sip:example.org",
            "+81312345678",
            "sip:a@b>\r\nX: y",
            "sip:a@b?Subject=x",
            "sip:a:pw@b",
            "",
        ] {
            assert_eq!(caller(written), Err(TrunkError::NotACaller), "{written:?}");
        }
    }
}
