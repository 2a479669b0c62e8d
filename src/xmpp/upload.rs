//! Slots of an upload service (XEP-0363): requested, and checked before a file is sent there.

use minidom::Element;
use url::{Host, Url};
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoItemsQuery};
use xmpp_parsers::http_upload::SlotRequest;
use xmpp_parsers::jid::Jid;

use crate::xmpp::ns;

/// The query for what there is at a server.
pub fn items_query() -> Element {
    DiscoItemsQuery { node: None, rsm: None }.into()
}

/// The query for what an entity is.
pub fn info_query() -> Element {
    DiscoInfoQuery { node: None }.into()
}

/// The JIDs in an answer to [`items_query`], a hundred at most.
pub fn items(result: &Element) -> Vec<Jid> {
    let query = result.get_child("query", ns::DISCO_ITEMS);
    let items = query.into_iter().flat_map(Element::children);
    items.filter_map(|item| Jid::new(item.attr("jid")?).ok()).take(ITEMS_MAX).collect()
}

/// The limits of an upload service; `None` if the answer to [`info_query`] is of something else.
///
/// Source: XEP-0363 §4.
pub fn service(result: &Element) -> Option<UploadLimits> {
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
    Some(UploadLimits { octets_max })
}

/// The limits of an upload service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest file; `None` if the service does not say.
    pub octets_max: Option<u64>,
}

/// The request for a slot.
///
/// Source: XEP-0363 §5.
pub fn slot_request(file_name: &str, octets: usize, media_type: &str) -> Element {
    let (filename, content_type) = (file_name.to_owned(), Some(media_type.to_owned()));
    SlotRequest { filename, size: octets as u64, content_type }.into()
}

/// A slot for a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    /// The address of the upload.
    pub put: Url,
    /// The headers of the upload: `Authorization`, `Cookie` and `Expires` only.
    pub headers: Vec<(&'static str, String)>,
    /// The address of the download.
    pub get: Url,
}

/// The hosts that a slot may name.
#[derive(Clone, Debug)]
pub struct Trusted<'t> {
    /// The domain of the upload service.
    pub service: &'t str,
    /// The operator's further hosts (`voice_reply.upload_hosts`).
    pub hosts: &'t [String],
    /// Whether the XMPP server runs on this machine, so that its upload service may, too.
    pub local: bool,
}

/// Reads a slot.
///
/// Contract: unknown headers are left out; `xmpp_parsers` would refuse the whole slot.
/// Errors:   [`BadSlot`] for everything that could carry the recording to another host.
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
    /// There is no slot.
    #[error("the upload service gave no slot")]
    None,
    /// An address is not a URL.
    #[error("the upload service gave an address that is none")]
    NotAUrl,
    /// An address is not encrypted.
    #[error("the upload service gave an address without https")]
    NotHttps,
    /// An address has another host than the service's own.
    #[error(
        "the upload service sent us to another host; if that is right, name it in voice_reply.upload_hosts"
    )]
    OtherHost,
    /// A header has a character that could begin another header.
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
    /// The service itself, a parent domain of it, or a host that the operator names.
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
    fn a_slot_may_name_the_services_own_hosts_only() {
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
