//! What stands behind the colon of a header: lists, addresses, parameters.

use ezk_sip_types::uri::SipUri;

/// Splits a value at its commas, those inside quotes and angle brackets excepted.
///
/// Contract: yields at most `ITEMS_MAX` items; a peer cannot make us hold more.
pub fn list(value: &str) -> impl Iterator<Item = &str> {
    split(value, ',').filter(|item| !item.is_empty()).take(ITEMS_MAX)
}

/// The parameters of a value: what follows its first semicolon outside quotes and brackets.
pub fn parameters(value: &str) -> impl Iterator<Item = (&str, &str)> {
    split(value, ';').skip(1).map(|item| {
        let (name, text) = item.split_once('=').unwrap_or((item, ""));
        (name.trim(), text.trim().trim_matches('"'))
    })
}

/// The value of one parameter; a parameter without a value gives an empty text.
pub fn parameter<'v>(value: &'v str, wanted: &str) -> Option<&'v str> {
    parameters(value).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, text)| text)
}

/// The URI of an address, with or without a display name.
///
/// Shape:  `"Bob" <sip:bob@example.org;lr>;tag=x` or `sip:bob@example.org;tag=x`; in the second form the parameters belong to the header.
/// Source: RFC 3261 §20.10.
pub fn uri(address: &str) -> Option<&str> {
    let bare = || address.split(';').next().map(str::trim);
    match outside_quotes(address, '<') {
        Some(open) => {
            let inside = address.get(open + 1..)?;
            Some(inside.get(..inside.find('>')?)?.trim())
        }
        None => bare(),
    }
}

/// Tells whether a text is a SIP URI that may be sent back as it came.
pub fn is_sip_uri(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"'));
    plain && text.parse::<SipUri>().is_ok()
}

fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        match outside(text, separator) {
            Some(at) => {
                rest = text.get(at + 1..);
                text.get(..at).map(str::trim)
            }
            None => {
                rest = None;
                Some(text.trim())
            }
        }
    })
}

/// Finds a character outside quotes and angle brackets.
fn outside(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped, mut inside) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if c == wanted && !inside => return Some(at),
            '<' => inside = true,
            '>' => inside = false,
            _ => {}
        }
    }
    None
}

fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    outside(text, wanted)
}

const ITEMS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_of_an_address_is_found_whatever_the_display_name_says() {
        let cases = [
            ("<sip:bob@192.0.2.4>", Some("sip:bob@192.0.2.4")),
            ("\"a <sip:x@y>, \\\" b\" <sip:bob@192.0.2.4;lr>;tag=1", Some("sip:bob@192.0.2.4;lr")),
            ("Bob <sip:bob@192.0.2.4>", Some("sip:bob@192.0.2.4")),
            ("sip:bob@192.0.2.4;expires=60", Some("sip:bob@192.0.2.4")),
            ("\"unended <sip:bob@192.0.2.4>", Some("\"unended <sip:bob@192.0.2.4>")),
            ("<sip:bob@192.0.2.4", None),
        ];
        for (address, expected) in cases {
            assert_eq!(uri(address), expected, "{address}");
        }
    }

    #[test]
    fn commas_and_semicolons_count_only_outside_quotes_and_brackets() {
        let value = "\"x, y\" <sip:a;b=c,d@e>;q=1 , <sip:f>;tag=\"u;v\";lr";
        let items: Vec<_> = list(value).collect();
        assert_eq!(items, ["\"x, y\" <sip:a;b=c,d@e>;q=1", "<sip:f>;tag=\"u;v\";lr"]);
        let found: Vec<_> = parameters(items[1]).collect();
        assert_eq!(found, [("tag", "u;v"), ("lr", "")]);
        assert_eq!(parameter(items[0], "Q"), Some("1"));
    }

    #[test]
    fn only_a_uri_that_cannot_end_a_header_goes_back() {
        assert!(is_sip_uri("sip:+81312345678@192.0.2.4:5060;transport=udp;x=a%20b"));
        for text in [
            "tel:+81312345678",
            "sip:a b@c",
            "sip:a@b\r\nX: y",
            "sip:a@b>",
            "",
            "http://example.org",
        ] {
            assert!(!is_sip_uri(text), "{text:?}");
        }
    }
}
