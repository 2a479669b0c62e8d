//! Bodies of several parts: gateways put what the telephone network says beside the session description.

use crate::sip::header_value::parameter;

/// Tells whether a Content-Type is this one, whatever its parameters.
pub(super) fn is_type(content_type: &str, wanted: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

/// The first part of this type in a body of several.
///
/// Source: RFC 2046 §5.1.1; RFC 5621 §3.1 (everybody takes bodies of several parts).
pub(super) fn part<'b>(content_type: &str, body: &'b [u8], wanted: &str) -> Option<&'b [u8]> {
    let kind = content_type.split('/').next().unwrap_or_default().trim();
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    if !kind.eq_ignore_ascii_case("multipart") {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let begins_line = |at: usize| at == 0 || body.get(..at).is_some_and(|it| it.ends_with(b"\r\n"));
    let windows = body.windows(delimiter.len()).enumerate();
    let places = windows.filter(|(at, text)| *text == delimiter.as_bytes() && begins_line(*at));
    let mut places: Vec<_> = places.map(|(at, _)| at).take(PARTS_MAX).collect();
    // COMPAT(cut off): the last delimiter may be missing.
    places.push(body.len() + 2);
    places.windows(2).find_map(|pair| {
        let [from, to] = *pair else { return None };
        let part = body.get(from + delimiter.len()..to.checked_sub(2)?)?;
        let head_end = part.windows(4).position(|text| text == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(part.get(..head_end)?).into_owned();
        let mut headers = head.lines().filter_map(|line| line.split_once(':'));
        let named = |name: &str| ["content-type", "c"].contains(&name);
        let (_, kind) = headers.find(|(name, _)| named(&name.trim().to_ascii_lowercase()))?;
        part.get(head_end + 4..).filter(|_| is_type(kind, wanted))
    })
}

const PARTS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_found_among_other_parts() {
        let isup = "--x\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\u{1}\0--x\0\r\n";
        let sdp = "--x\r\nContent-Disposition: session\r\nc : Application/SDP\r\n\r\nv=0\r\n\r\n";
        let cases = [
            ("multipart/mixed;boundary=x", format!("{isup}{sdp}--x--\r\n"), Some("v=0\r\n")),
            ("Multipart/Mixed; boundary=\"x\"", format!("{sdp}{isup}--x--"), Some("v=0\r\n")),
            ("multipart/mixed;boundary=x", format!("preamble\r\n{sdp}--x--"), Some("v=0\r\n")),
            ("multipart/mixed;boundary=x", sdp.to_owned(), Some("v=0\r\n\r\n")),
            ("multipart/mixed;boundary=x", format!("{isup}--x--\r\n"), None),
            ("multipart/mixed;boundary=y", format!("{sdp}--x--\r\n"), None),
            ("multipart/mixed", format!("{sdp}--x--\r\n"), None),
            ("multipart/mixed;boundary=x", "--x".to_owned(), None),
            ("multipart/mixed;boundary=x", String::new(), None),
            ("text/plain;boundary=x", sdp.to_owned(), None),
        ];
        for (content_type, body, expected) in cases {
            let found = part(content_type, body.as_bytes(), "application/sdp");
            let found = found.map(|found| String::from_utf8_lossy(found).into_owned());
            assert_eq!(found.as_deref(), expected, "{content_type} {body:?}");
        }
    }
}
