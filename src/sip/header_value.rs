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

/// Tells whether two SIP URIs are the same, however they are written.
///
/// Source: RFC 3261 §19.1.4. Of parameters that only one of them has, some tell them apart and others do not.
pub fn is_same_uri(one: &str, other: &str) -> bool {
    let parts = |uri: &str| {
        let (scheme, rest) = uri.split_once(':')?;
        let (address, parameters) = rest.split_once([';', '?']).unwrap_or((rest, ""));
        let (user, host) = address.rsplit_once('@').unwrap_or(("", address));
        let mut parameters: Vec<String> = parameters
            .split(';')
            .map(str::to_ascii_lowercase)
            .filter(|it| TELLING.contains(&it.split('=').next().unwrap_or_default()))
            .collect();
        parameters.sort();
        Some((scheme.to_ascii_lowercase(), unescaped(user), host.to_ascii_lowercase(), parameters))
    };
    parts(one).is_some_and(|one| parts(other) == Some(one))
}

/// A user with its `%XX` replaced by what they stand for.
pub(super) fn unescaped(user: &str) -> Vec<u8> {
    let (mut rest, mut octets) = (user.as_bytes(), vec![]);
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%');
        let octet = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        octets.push(octet.unwrap_or(first));
        rest = if octet.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    octets
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
/// Parameters by which a URI differs from one without them.
const TELLING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_compared_by_what_they_mean() {
        let ours = "sip:+81@192.0.2.2:5060;transport=tcp";
        let cases = [
            ("SIP:+81@192.0.2.2:5060;Transport=TCP", true),
            ("sip:%2B81@192.0.2.2:5060;transport=tcp", true),
            ("sip:%2b81@192.0.2.2:5060;transport=tcp;ob", true),
            ("sip:+81@192.0.2.2:5060", false),
            ("sip:+81@192.0.2.2;transport=tcp", false),
            ("sip:+82@192.0.2.2:5060;transport=tcp", false),
            ("sips:+81@192.0.2.2:5060;transport=tcp", false),
            ("sip:+81@192.0.2.2:5060;transport=tcp;user=phone", false),
            ("sip:%2@192.0.2.2:5060;transport=tcp", false),
            ("", false),
        ];
        for (other, expected) in cases {
            assert_eq!(is_same_uri(ours, other), expected, "{other}");
        }
    }

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
