//! Building links; `request.rs` reads them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The link to a file.
///
/// Contract: `public_url` is the public address of our root; `token` comes from [`crate::seed::Seed::token`].
pub fn link(public_url: &str, token: &str, file_name: &str) -> String {
    let root = public_url.trim_end_matches('/');
    format!("{root}{FOLDER}{token}/{}", utf8_percent_encode(file_name, ESCAPED))
}

/// What links begin with, after the root.
pub(super) const FOLDER: &str = "/r/";

/// All but the unreserved characters (RFC 3986 §2.3).
pub(super) const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_survives_every_client() {
        let cases = [
            ("https://v.example.org", "a-b_1.mp3", "https://v.example.org/r/t/a-b_1.mp3"),
            ("https://example.org/voice/", "x.opus", "https://example.org/voice/r/t/x.opus"),
            ("", "Bob's 100% é/.mp3", "/r/t/Bob%27s%20100%25%20%C3%A9%2F.mp3"),
        ];
        for (root, name, expected) in cases {
            assert_eq!(link(root, "t", name), expected);
        }
    }
}
