//! Who calls us, as far as a trunk can tell.

use super::header_value::{list, parameter, unescaped, uri};
use super::message::Message;
use crate::phone_number::PhoneNumber;

/// The number of a caller, if the trunk vouches for one.
///
/// What the network asserts goes before what it shows, and that before what the caller says of themselves. A number that is not written in
/// international form belongs to `country`, such as `+81`, if the operator has said so; else it is no number.
///
/// COMPAT(Cisco, Asterisk with `send_rpid`): `Remote-Party-ID` is what they show instead of P-Asserted-Identity.
/// Source: RFC 3325 §9.1 (P-Asserted-Identity from whom we trust); RFC 3966 §5.1.4 (`00` and `0` are no part of a number).
pub fn caller(invite: &Message, country: Option<&str>) -> Option<PhoneNumber> {
    let from = invite.from.text.as_str();
    let identities = ["P-Asserted-Identity", "Remote-Party-ID"].map(|name| invite.all(name));
    if identities.into_iter().flatten().chain([from]).any(is_forged) {
        return None;
    }
    let mut asserted = invite.all("P-Asserted-Identity").flat_map(list).peekable();
    if asserted.peek().is_some() {
        return asserted.find_map(|identity| number(uri(identity)?, country));
    }
    let calling = |it: &&str| {
        parameter(it, "party").is_none_or(|party| party.eq_ignore_ascii_case("calling"))
    };
    if let Some(shown) = invite.all("Remote-Party-ID").flat_map(list).find(calling) {
        return number(uri(shown)?, country);
    }
    number(uri(&invite.from.text)?, country)
}

/// Whether the network has looked at a number and does not vouch for it.
///
/// Source: 3GPP TS 24.229 §7.2A.20 (`verstat`, a parameter of the URI or beside it).
fn is_forged(identity: &str) -> bool {
    let identity = identity.to_ascii_lowercase();
    let mut said = identity.split("verstat=").skip(1);
    said.any(|status| !status.trim_start_matches('"').starts_with("tn-validation-passed"))
}

fn number(uri: &str, country: Option<&str>) -> Option<PhoneNumber> {
    let (scheme, rest) = uri.split_once(':')?;
    let user = match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => rest.split_once('@')?.0,
        "tel" => rest,
        _ => return None,
    };
    let user = String::from_utf8(unescaped(user.split([';', ':']).next()?)).ok()?;
    let written = user.replace(['-', '.', '(', ')'], "");
    PhoneNumber::as_dialled(&written, country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_known_by_what_his_trunk_asserts_else_by_from() {
        let (from, asserted) = ("From: <sip:+81312345678@pbx>", "P-Asserted-Identity: ");
        let cases = [
            ("international", from.to_owned(), None, Some("+81312345678")),
            ("with 00", "f: \"Bob\" <sip:0081312345678@pbx>".into(), None, Some("+81312345678")),
            (
                "with parameters",
                "From: <sip:+81-3-1234-5678;cpc=ordinary@pbx;user=phone>".into(),
                None,
                Some("+81312345678"),
            ),
            ("national", "From: <sip:0312345678@pbx>".into(), Some("+81"), Some("+81312345678")),
            (
                "national, of which country is not known",
                "From: <sip:0312345678@pbx>".into(),
                None,
                None,
            ),
            (
                "international without its +",
                "From: <sip:81312345678@pbx>".into(),
                Some("+81"),
                Some("+81312345678"),
            ),
            ("the same, of which country is not known", "From: <sip:81312345678@pbx>".into(), None, None),
            (
                "escaped",
                "From: <sip:%2B81%2d312345678;npdi@pbx>".into(),
                None,
                Some("+81312345678"),
            ),
            ("escaped to be two", "From: <sip:+8131234%0d%0a5678@pbx>".into(), None, None),
            (
                "shown",
                "From: <sip:trunk@pbx>\r\nRemote-Party-ID: \"A, B\" <sip:+81999999999@pbx>;party=calling;screen=no".into(),
                None,
                Some("+81999999999"),
            ),
            (
                "shown beside who is called",
                "From: <sip:trunk@pbx>\r\nRemote-Party-ID: <sip:+81311111111@pbx>;party=called, \
                 <sip:+81999999999@pbx>;screen=yes"
                    .into(),
                None,
                Some("+81999999999"),
            ),
            (
                "shown and asserted",
                format!("{from}\r\nRemote-Party-ID: <sip:+81311111111@pbx>\r\n{asserted}<sip:+81999999999@pbx>"),
                None,
                Some("+81999999999"),
            ),
            ("a name", "From: <sip:bob@pbx>".into(), Some("+81"), None),
            (
                "withheld",
                "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>".into(),
                Some("+81"),
                None,
            ),
            ("an extension", "From: <sip:201@pbx>".into(), Some("+81"), None),
            (
                "asserted",
                format!("{from}\r\n{asserted}<sip:+81999999999@pbx>"),
                None,
                Some("+81999999999"),
            ),
            (
                "asserted twice",
                format!("{from}\r\n{asserted}<sip:bob@pbx>, <tel:+81999999999>"),
                None,
                Some("+81999999999"),
            ),
            ("asserted to be nobody", format!("{from}\r\n{asserted}<sip:bob@pbx>"), None, None),
            (
                "vouched for",
                format!("{asserted}<sip:+81312345678;verstat=TN-Validation-Passed@pbx;user=phone>\r\n{from}"),
                None,
                Some("+81312345678"),
            ),
            (
                "found to be forged",
                format!("{asserted}<sip:+81312345678;verstat=TN-Validation-Failed@pbx;user=phone>\r\n{from}"),
                None,
                None,
            ),
            (
                "found to be forged, beside the URI",
                format!("{asserted}<tel:+81312345678>;verstat=tn-validation-failed-c\r\n{from}"),
                None,
                None,
            ),
            (
                "not looked at",
                "From: <sip:+81312345678;verstat=No-TN-Validation@pbx>".into(),
                None,
                None,
            ),
            ("without a scheme", "From: <+81312345678>".into(), None, None),
        ];
        for (caller_is, headers, country, expected) in cases {
            let text = format!(
                "INVITE sip:us@here SIP/2.0\r\nVia: SIP/2.0/UDP pbx;branch=z9hG4bKa\r\n{headers}\r\n\
                 To: <sip:us@here>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
            );
            let Ok(invite) = Message::parse(text.as_bytes()) else {
                assert_eq!(expected, None, "{caller_is}");
                continue;
            };
            let found = caller(&invite, country);
            assert_eq!(found.as_ref().map(PhoneNumber::as_str), expected, "{caller_is}");
        }
    }
}
