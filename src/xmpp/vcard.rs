//! The vCards of the component and of its contacts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;

use crate::xmpp::ns;
use crate::xmpp::stanza::text;

/// A vCard in the form that all clients know.
///
/// Source: XEP-0054 §3, XEP-0153 (avatar).
pub(super) fn vcard(name: &str, tel: Option<&str>, with_avatar: bool) -> Element {
    let mut vcard = Element::bare("vCard", ns::VCARD);
    vcard.append_child(text("FN", ns::VCARD, name));
    vcard.append_child(text("NICKNAME", ns::VCARD, name));
    if let Some(number) = tel {
        let mut tel = Element::bare("TEL", ns::VCARD);
        tel.append_child(Element::bare("VOICE", ns::VCARD));
        tel.append_child(text("NUMBER", ns::VCARD, number));
        vcard.append_child(tel);
    }
    if with_avatar {
        let mut photo = Element::bare("PHOTO", ns::VCARD);
        photo.append_child(text("TYPE", ns::VCARD, "image/png"));
        photo.append_child(text("BINVAL", ns::VCARD, &STANDARD.encode(AVATAR)));
        vcard.append_child(photo);
    }
    vcard
}

/// The same in the newer form. With the number in their address book, people can let these calls through at night.
///
/// Source: XEP-0292 §3, RFC 6351 §5.
pub(super) fn vcard4(name: &str, tel: Option<&str>) -> Element {
    let mut vcard = Element::bare("vcard", ns::VCARD4);
    let mut full_name = Element::bare("fn", ns::VCARD4);
    full_name.append_child(text("text", ns::VCARD4, name));
    vcard.append_child(full_name);
    if let Some(number) = tel {
        let mut tel = Element::bare("tel", ns::VCARD4);
        tel.append_child(text("uri", ns::VCARD4, &format!("tel:{number}")));
        vcard.append_child(tel);
    }
    vcard
}

const AVATAR: &[u8] = include_bytes!("avatar.png");
