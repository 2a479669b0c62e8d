//! What a page is asked for beside its path.

use url::form_urlencoded;

use crate::store::Listing;

/// The query of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// People and numbers are to be named.
    pub(super) wants_names: bool,
    /// Who wrote, or caused.
    pub(super) from: Option<String>,
    /// For whom.
    pub(super) to: Option<String>,
    /// Only what is held.
    pub(super) held_only: bool,
    /// Only what comes before this one.
    pub(super) before: Option<String>,
}

impl Query {
    /// Reads it. What nobody knows or what is too long is left out.
    pub(super) fn read(written: &str) -> Self {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(written.as_bytes()).take(FIELDS_MAX) {
            let value = value.trim().to_owned();
            if value.is_empty() || value.len() > VALUE_OCTETS_MAX {
                continue;
            }
            match key.as_ref() {
                "names" => query.wants_names = value == "shown",
                "from" => query.from = Some(value),
                "for" => query.to = Some(value),
                "held" => query.held_only = value == "only",
                "before" => query.before = Some(value),
                _ => {}
            }
        }
        if !query.wants_names {
            // Whoever may not see names learns nothing by asking for one.
            (query.from, query.to) = (None, None);
        }
        query
    }

    /// A page of records, and one more by which it is known that there are more.
    pub(super) fn listing(&self) -> Listing {
        Listing {
            from: self.from.clone(),
            to: self.to.clone(),
            before: self.before.as_ref().and_then(|it| it.parse().ok()),
            ..Listing::newest(ROWS + 1)
        }
    }

    /// The same, written.
    pub(super) fn written(&self) -> String {
        let mut fields = form_urlencoded::Serializer::new(String::new());
        let texts = [("from", &self.from), ("for", &self.to), ("before", &self.before)];
        for (key, value) in texts {
            if let Some(value) = value {
                fields.append_pair(key, value);
            }
        }
        if self.held_only {
            fields.append_pair("held", "only");
        }
        if self.wants_names {
            fields.append_pair("names", "shown");
        }
        fields.finish()
    }
}

/// Rows of a page.
pub(super) const ROWS: usize = 50;
const FIELDS_MAX: usize = 20;
const VALUE_OCTETS_MAX: usize = 3071;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_is_written() {
        let long = format!("before={}", "9".repeat(4000));
        let cases = [
            ("", ""),
            ("from=alice&for=bob%40example.org", ""),
            ("names=shown&from=al+ice&for=&x=y", "from=al+ice&names=shown"),
            ("held=only&before=17", "before=17&held=only"),
            ("held=yes&names=yes", ""),
            (long.as_str(), ""),
        ];
        for (written, expected) in cases {
            let query = Query::read(written);
            assert_eq!(query.written(), expected, "{written}");
            assert_eq!(Query::read(expected), query, "{written}");
        }
        assert_eq!(Query::read("before=17").listing().before, Some(17));
        assert_eq!(Query::read("before=x").listing().before, None);
    }
}
