//! Redaction of personal data in log lines.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Wraps a JID, number, key or text on its way into a log line and shows only a tag in its place.
///
/// The tag is the same for the same value, so that lines about one person can be told to belong together.
#[derive(Clone, Copy)]
pub struct Pii<T>(pub T);

impl<T: Hash> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        write!(f, "‹{:04x}›", hasher.finish() & 0xffff)
    }
}

impl<T: Hash> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_value_shows_only_its_tag() {
        let shown = format!("{} {:?}", Pii("bob@example.org"), Pii("bob@example.org"));
        assert!(!shown.contains("bob"));
        let (first, second) = shown.split_once(' ').unwrap();
        assert_eq!(first, second);
    }
}
