//! Redaction of personal data in log lines.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::LazyLock;

/// Wraps a JID, number, key or text on its way into a log line and shows only a tag in its place.
///
/// The tag is the same for the same value while the program runs, so that lines about one person can be told to belong
/// together. Another run has another key: nobody who has the log and a list of people can tell who is meant.
#[derive(Clone, Copy)]
pub struct Pii<T>(pub T);

impl<T: Hash> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        write!(f, "‹{:08x}›", KEY.hash_one(&self.0) & 0xffff_ffff)
    }
}

impl<T: Hash> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    #[test]
    fn a_wrapped_value_shows_only_its_tag() {
        let shown = format!("{} {:?}", Pii("bob@example.org"), Pii("bob@example.org"));
        assert!(!shown.contains("bob"));
        let (first, second) = shown.split_once(' ').unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn the_tag_does_not_follow_from_the_value_alone() {
        let unkeyed = {
            let mut hasher = DefaultHasher::new();
            "bob@example.org".hash(&mut hasher);
            hasher.finish()
        };
        let shown = Pii("bob@example.org").to_string();
        assert!(!shown.contains(&format!("{:08x}›", unkeyed & 0xffff_ffff)), "{shown}");
    }
}
