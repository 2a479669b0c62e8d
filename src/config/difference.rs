//! Which keys of two configurations differ.

/// The keys of which it is true that their values differ.
pub(super) fn differing<const KEYS: usize>(
    keys: [(&'static str, bool); KEYS],
) -> Vec<&'static str> {
    keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}
