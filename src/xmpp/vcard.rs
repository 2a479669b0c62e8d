//! The vCards of the component and of its contacts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use sha1::{Digest, Sha1};
use xmpp_parsers::vcard_update::{Photo, VCardUpdate};

use crate::xmpp::ns;
use crate::xmpp::stanza::text;

/// A vCard in the form that all clients know.
///
/// Source: XEP-0054 §3, XEP-0153 (avatar).
pub(super) fn vcard(name: &str, description: Option<&str>, tel: Option<&str>) -> Element {
    let mut vcard = Element::bare("vCard", ns::VCARD);
    vcard.append_child(text("FN", ns::VCARD, name));
    vcard.append_child(text("NICKNAME", ns::VCARD, name));
    if let Some(description) = description {
        vcard.append_child(text("DESC", ns::VCARD, description));
    }
    if let Some(number) = tel {
        let mut tel = Element::bare("TEL", ns::VCARD);
        tel.append_child(Element::bare("VOICE", ns::VCARD));
        tel.append_child(text("NUMBER", ns::VCARD, number));
        vcard.append_child(tel);
    }
    let mut photo = Element::bare("PHOTO", ns::VCARD);
    photo.append_child(text("TYPE", ns::VCARD, "image/png"));
    photo.append_child(text("BINVAL", ns::VCARD, &STANDARD.encode(AVATAR)));
    vcard.append_child(photo);
    vcard
}

/// The same in the newer form. With the number in their address book, people can let these calls through at night.
///
/// Source: XEP-0292 §3, RFC 6351 §5.
pub(super) fn vcard4(name: &str, description: Option<&str>, tel: Option<&str>) -> Element {
    let mut vcard = Element::bare("vcard", ns::VCARD4);
    let mut property = |name: &str, kind: &'static str, value: &str| {
        let mut property = Element::bare(name, ns::VCARD4);
        property.append_child(text(kind, ns::VCARD4, value));
        vcard.append_child(property);
    };
    property("fn", "text", name);
    if let Some(description) = description {
        property("note", "text", description);
    }
    if let Some(number) = tel {
        property("tel", "uri", &format!("tel:{number}"));
    }
    property("photo", "uri", &format!("data:image/png;base64,{}", STANDARD.encode(AVATAR)));
    vcard
}

/// Which picture the vCard has, for a presence.
///
/// Source: XEP-0153 §3.1.
pub(super) fn update() -> Element {
    let data = Some(Sha1::digest(AVATAR).into());
    VCardUpdate { photo: Some(Photo { data }) }.into()
}

const AVATAR: &[u8] = include_bytes!("avatar.png");
