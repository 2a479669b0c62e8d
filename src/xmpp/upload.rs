//! Asking for a place to put a file, and checking what is answered before anything is sent there.

use minidom::Element;
use url::{Host, Url};
use xmpp_parsers::jid::Jid;

use crate::xmpp::ns;
use crate::xmpp::stanza::element;

/// Asks what there is at a server.
pub fn items_query() -> Element {
    Element::bare("query", ns::DISCO_ITEMS)
}

/// Asks what something is.
pub fn info_query() -> Element {
    Element::bare("query", ns::DISCO_INFO)
}

/// The JIDs in an answer to [`items_query`]; more than anybody has are left out.
pub fn items(result: &Element) -> Vec<Jid> {
    let query = result.get_child("query", ns::DISCO_ITEMS);
    let items = query.into_iter().flat_map(Element::children);
    items.filter_map(|item| Jid::new(item.attr("jid")?).ok()).take(ITEMS_MAX).collect()
}

/// What an upload service takes, if the answer to [`info_query`] is one's.
///
/// Source: XEP-0363 §4.
pub fn service(result: &Element) -> Option<Limits> {
    let query = result.get_child("query", ns::DISCO_INFO)?;
    let has = |child: &Element| child.name() == "feature" && child.attr("var") == Some(ns::UPLOAD);
    if !query.children().any(has) {
        return None;
    }
    let forms = query.children().filter(|child| child.is("x", ns::DATA_FORMS));
    let fields = forms.flat_map(Element::children);
    let mut sizes = fields.filter(|field| field.attr("var") == Some("max-file-size"));
    let octets_max = sizes
        .find_map(|field| field.get_child("value", ns::DATA_FORMS)?.text().trim().parse().ok());
    Some(Limits { octets_max })
}

/// What an upload service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest file; `None` if it does not say.
    pub octets_max: Option<u64>,
}

/// Asks for a place for a file.
///
/// Source: XEP-0363 §5.
pub fn slot_request(file_name: &str, octets: usize, media_type: &str) -> Element {
    let size = octets.to_string();
    let attributes = [("filename", file_name), ("size", &*size), ("content-type", media_type)];
    element("request", ns::UPLOAD, &attributes)
}

/// A place for a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    /// Where it goes.
    pub put: Url,
    /// What goes with it: `Authorization`, `Cookie` and `Expires` only.
    pub headers: Vec<(&'static str, String)>,
    /// Where people find it.
    pub get: Url,
}

/// Whom a slot may send us to.
#[derive(Clone, Debug)]
pub struct Trusted<'t> {
    /// The domain of the upload service.
    pub service: &'t str,
    /// What the operator adds (`voice_reply.upload_hosts`).
    pub hosts: &'t [String],
    /// Whether the XMPP server is this machine, and so may its upload service be.
    pub local: bool,
}

/// Reads a slot.
///
/// Contract: by hand, since one header of no concern to us must not spoil it all.
/// Errors:   [`BadSlot`], for whatever would carry the recording elsewhere.
/// Source:   XEP-0363 §5 and §9.
pub fn slot(result: &Element, trusted: &Trusted<'_>) -> Result<Slot, BadSlot> {
    let slot = result.get_child("slot", ns::UPLOAD).ok_or(BadSlot::None)?;
    let put = slot.get_child("put", ns::UPLOAD).ok_or(BadSlot::None)?;
    let get = slot.get_child("get", ns::UPLOAD).ok_or(BadSlot::None)?;
    Ok(Slot { put: url(put, trusted)?, headers: headers(put)?, get: url(get, trusted)? })
}

/// Why a slot is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSlot {
    /// There is none.
    #[error("the upload service gave no slot")]
    None,
    /// Its addresses are none.
    #[error("the upload service gave an address that is none")]
    NotAUrl,
    /// The way there is open to everyone.
    #[error("the upload service gave an address without https")]
    NotHttps,
    /// It is not the service's own host.
    #[error(
        "the upload service sent us to another host; if that is right, name it in voice_reply.upload_hosts"
    )]
    OtherHost,
    /// A header could end itself and begin another.
    #[error("the upload service gave a header that cannot be sent")]
    Header,
}

fn url(element: &Element, trusted: &Trusted<'_>) -> Result<Url, BadSlot> {
    let text = element.attr("url").ok_or(BadSlot::NotAUrl)?;
    if text.len() > URL_BYTES_MAX {
        return Err(BadSlot::NotAUrl);
    }
    let url = Url::parse(text).map_err(|_| BadSlot::NotAUrl)?;
    let host = url.host().ok_or(BadSlot::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(BadSlot::NotAUrl);
    }
    let is_local = is_loopback(&host);
    match url.scheme() {
        "https" => {}
        "http" if is_local && trusted.local => {}
        "http" => return Err(BadSlot::NotHttps),
        _ => return Err(BadSlot::NotAUrl),
    }
    let is_trusted = if is_local { trusted.local } else { trusted.trusts(&host.to_string()) };
    if is_trusted { Ok(url) } else { Err(BadSlot::OtherHost) }
}

impl Trusted<'_> {
    /// The service itself, a domain that it is part of, or one that the operator names.
    fn trusts(&self, host: &str) -> bool {
        let is_parent = host.contains('.')
            && self.service.strip_suffix(host).is_some_and(|rest| rest.ends_with('.'));
        host == self.service || is_parent || self.hosts.iter().any(|named| named == host)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

fn headers(put: &Element) -> Result<Vec<(&'static str, String)>, BadSlot> {
    let mut headers = vec![];
    for header in put.children().filter(|child| child.is("header", ns::UPLOAD)) {
        let name = header.attr("name").unwrap_or_default();
        let known = HEADERS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known else { continue };
        let value = header.text();
        let is_plain = value.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        if !is_plain || value.len() > HEADER_BYTES_MAX || headers.len() >= HEADERS.len() {
            return Err(BadSlot::Header);
        }
        headers.push((known, value));
    }
    Ok(headers)
}

const ITEMS_MAX: usize = 100;
const URL_BYTES_MAX: usize = 2048;
const HEADER_BYTES_MAX: usize = 8192;
const HEADERS: [&str; 3] = ["Authorization", "Cookie", "Expires"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_prosody_and_ejabberd_are_taken() {
        let prosody = "<slot xmlns='urn:xmpp:http:upload:0'>\
            <get url='https://upload.example.org:5281/file_share/a/voice.mp3'/>\
            <put url='https://upload.example.org:5281/file_share/a/voice.mp3'>\
            <header name='Authorization'>Bearer abc.def</header></put></slot>";
        let slot = read(prosody).unwrap();
        assert_eq!(slot.headers, [("Authorization", "Bearer abc.def".to_owned())]);
        let ejabberd = "<slot xmlns='urn:xmpp:http:upload:0'>\
            <get url='https://example.org:5443/upload/a/voice.mp3'/>\
            <put url='https://example.org:5443/upload/a/voice.mp3'/></slot>";
        assert_eq!(read(ejabberd).unwrap().get.port(), Some(5443));
    }

    #[test]
    fn only_the_services_own_hosts_are_gone_to() {
        use BadSlot::*;
        let cases = [
            ("https://upload.example.org/a", Ok(())),
            ("https://files.example.net/a", Ok(())),
            ("https://example.org/a", Ok(())),
            ("https://org/a", Err(OtherHost)),
            ("https://evil.example/a", Err(OtherHost)),
            ("https://evil-example.org/a", Err(OtherHost)),
            ("https://upload.example.org.evil.example/a", Err(OtherHost)),
            ("https://192.168.1.1/a", Err(OtherHost)),
            ("https://[fd00::1]/a", Err(OtherHost)),
            ("https://127.0.0.1/a", Err(OtherHost)),
            ("http://localhost:5280/a", Err(NotHttps)),
            ("http://upload.example.org/a", Err(NotHttps)),
            ("https://user@upload.example.org/a", Err(NotAUrl)),
            ("https://upload.example.org/a#b", Err(NotAUrl)),
            ("file:///etc/passwd", Err(NotAUrl)),
            ("gopher://upload.example.org/a", Err(NotAUrl)),
            ("voice.mp3", Err(NotAUrl)),
        ];
        for (url, expected) in cases {
            let good = "https://upload.example.org/good";
            for (put, get) in [(url, good), (good, url)] {
                let xml = format!(
                    "<slot xmlns='urn:xmpp:http:upload:0'><put url='{put}'/><get url='{get}'/></slot>"
                );
                assert_eq!(read(&xml).map(drop), expected, "{put} {get}");
            }
        }
        let local = "<slot xmlns='urn:xmpp:http:upload:0'><put url='http://127.0.0.1:1/a'/><get url='http://localhost:1/a'/></slot>";
        assert!(read_as(local, true).is_ok());
    }

    #[test]
    fn of_the_headers_only_those_that_are_allowed_are_sent() {
        let with = |headers: &str| {
            let url = "https://upload.example.org/a";
            read(&format!(
                "<slot xmlns='urn:xmpp:http:upload:0'><put url='{url}'>{headers}</put><get url='{url}'/></slot>"
            ))
        };
        let slot = with(
            "<header name='x-evil'>1</header><header name='cookie'>a=b</header><header name='Host'>x</header>",
        );
        assert_eq!(slot.unwrap().headers, [("Cookie", "a=b".to_owned())]);
        let broken = with("<header name='Cookie'>a&#10;Host: evil</header>").map(drop);
        assert_eq!(broken, Err(BadSlot::Header));
    }

    #[test]
    fn a_service_is_known_by_its_feature_and_tells_its_limit() {
        let info = |inside: &str| -> Element {
            format!("<iq xmlns='jabber:component:accept'><query xmlns='http://jabber.org/protocol/disco#info'>{inside}</query></iq>").parse().unwrap()
        };
        let feature = "<feature var='urn:xmpp:http:upload:0'/>";
        let form = "<x xmlns='jabber:x:data' type='result'><field var='max-file-size'><value>5242880</value></field></x>";
        let limits = service(&info(&format!("{feature}{form}"))).unwrap();
        assert_eq!(limits.octets_max, Some(5_242_880));
        assert_eq!(service(&info(feature)).unwrap().octets_max, None);
        assert_eq!(service(&info("<feature var='urn:xmpp:ping'/>")), None);
    }

    fn read(slot: &str) -> Result<Slot, BadSlot> {
        read_as(slot, false)
    }

    fn read_as(xml: &str, local: bool) -> Result<Slot, BadSlot> {
        let result = format!("<iq xmlns='jabber:component:accept'>{xml}</iq>").parse().unwrap();
        let hosts = ["files.example.net".to_owned()];
        slot(&result, &Trusted { service: "upload.example.org", hosts: &hosts, local })
    }
}
