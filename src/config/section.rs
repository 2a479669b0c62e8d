//! Typed readers for the tables of the file.

use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::file::ConfigFile;

/// One table of the file.
pub(super) struct Section<'s> {
    pub(super) source: &'s ConfigFile,
    table: &'s DeTable<'s>,
    /// The table's own name; empty for the top of the file.
    name: &'static str,
    at: Range<usize>,
    known: Vec<&'static str>,
    /// Tables within this one.
    tables: Vec<&'static str>,
}

impl<'s> Section<'s> {
    pub(super) fn top(source: &'s ConfigFile, table: &'s DeTable<'s>) -> Self {
        Self::new(source, table, "", 0..0)
    }

    fn new(
        source: &'s ConfigFile,
        table: &'s DeTable<'s>,
        name: &'static str,
        at: Range<usize>,
    ) -> Self {
        Self { source, table, name, at, known: vec![], tables: vec![] }
    }

    /// The subtable `key`, empty if it is not written.
    pub(super) fn section(
        &mut self,
        key: &'static str,
        absent: &'s DeTable<'s>,
    ) -> Option<Section<'s>> {
        self.known.push(key);
        match self.table.get_key_value(key) {
            None => Some(Section::new(self.source, absent, key, self.at.clone())),
            Some((name, value)) => match value.get_ref().as_table() {
                Some(table) => Some(Section::new(self.source, table, key, name.span())),
                None => {
                    self.source
                        .mistake(value.span(), &format!("{key} must be a table, written [{key}]"));
                    None
                }
            },
        }
    }

    /// The tables of `[[key]]`, in order.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'s>> {
        self.known.push(key);
        let Some((name, value)) = self.table.get_key_value(key) else { return vec![] };
        let tables = value.get_ref().as_array().map(|array| {
            array
                .iter()
                .filter_map(|entry| {
                    let table = entry.get_ref().as_table()?;
                    // The span of a table of an array is its header line.
                    Some(Section::new(self.source, table, key, entry.span()))
                })
                .collect::<Vec<_>>()
        });
        match tables {
            Some(tables) if !tables.is_empty() => tables,
            Some(_) | None => {
                self.source.mistake(
                    name.span(),
                    &format!("{key} must be a list of tables, each written [[{key}]]"),
                );
                vec![]
            }
        }
    }

    /// The tables of `[[table.key]]`, in order; `name` is both.
    pub(super) fn subsections(
        &mut self,
        key: &'static str,
        name: &'static str,
    ) -> Vec<Section<'s>> {
        self.tables.push(key);
        if !self.is_written(key) {
            return vec![];
        }
        let found = self.sections(key);
        self.known.retain(|known| *known != key);
        found.into_iter().map(|section| Section { name, ..section }).collect()
    }

    /// Notes that the table knows a key that is read only where it is written.
    pub(super) fn knows(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// Where a value stands, else where the table does.
    pub(super) fn at(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.at.clone(), |value| value.span())
    }

    pub(super) fn is_written(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn mistake(&self, key: &str, says: &str) {
        self.source.mistake(self.at(key), says);
    }

    /// Notes each value that an earlier table has, too, at both places; tells whether there are any.
    pub(super) fn has_doubles<T: PartialEq>(
        &self,
        tables: &[(T, Range<usize>)],
        says: impl Fn(&T) -> String,
    ) -> bool {
        let mut found = false;
        for (place, (value, at)) in tables.iter().enumerate() {
            if let Some((_, first)) = tables[..place].iter().find(|(other, _)| other == value) {
                self.source.double(first.clone(), at.clone(), &says(value));
                found = true;
            }
        }
        found
    }

    pub(super) fn note(&self, key: &str, says: &str) {
        self.source.note(self.at(key), says);
    }

    fn value(&mut self, key: &'static str) -> Option<&'s DeValue<'s>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key).map(|value| value.get_ref())
    }

    /// A whole number with its bounds.
    pub(super) fn number<N>(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<N>,
        default: N,
        unit: &str,
    ) -> Option<N>
    where
        N: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let Some(value) = self.value(key) else { return Some(default) };
        match value.as_integer().and_then(|integer| integer.as_str().parse().ok()) {
            Some(number) if allowed.contains(&number) => Some(number),
            Some(_) | None => {
                let (low, high) = allowed.into_inner();
                self.mistake(key, &format!("{key} must be {low} to {high} {unit}"));
                None
            }
        }
    }

    /// A number of seconds.
    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<u64>,
        default: u64,
    ) -> Option<Duration> {
        self.number(key, allowed, default, "seconds").map(Duration::from_secs)
    }

    /// A list of numbers of seconds.
    pub(super) fn seconds_list(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<u64>,
        default: &[u64],
    ) -> Option<Vec<Duration>> {
        let Some(value) = self.value(key) else {
            return Some(default.iter().copied().map(Duration::from_secs).collect());
        };
        let numbers: Option<Vec<u64>> = value.as_array().and_then(|array| {
            array
                .iter()
                .map(|entry| {
                    entry
                        .get_ref()
                        .as_integer()?
                        .as_str()
                        .parse()
                        .ok()
                        .filter(|n| allowed.contains(n))
                })
                .collect()
        });
        if numbers.as_ref().is_none_or(Vec::is_empty) {
            let (low, high) = allowed.into_inner();
            self.mistake(
                key,
                &format!(
                    "{key} must be a list of one or more numbers, {low} to {high} seconds each"
                ),
            );
            return None;
        }
        numbers.map(|numbers| numbers.into_iter().map(Duration::from_secs).collect())
    }

    /// Two port numbers; `(0, 0)` stands for anything else.
    pub(super) fn port_pair(
        &mut self,
        key: &'static str,
        default: (u16, u16),
    ) -> Option<(u16, u16)> {
        let Some(value) = self.value(key) else { return Some(default) };
        let port = |entry: &toml::Spanned<DeValue<'_>>| {
            entry.get_ref().as_integer()?.as_str().parse().ok()
        };
        let ports: Option<Vec<u16>> =
            value.as_array().and_then(|array| array.iter().map(port).collect());
        Some(match ports.as_deref() {
            Some(&[low, high]) => (low, high),
            Some(_) | None => (0, 0),
        })
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> Option<bool> {
        let Some(value) = self.value(key) else { return Some(default) };
        let flag = value.as_bool();
        if flag.is_none() {
            self.mistake(key, &format!("{key} must be true or false"));
        }
        flag
    }

    /// A text, if it is written.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Option<String>> {
        let Some(value) = self.value(key) else { return Some(None) };
        match value.as_str() {
            Some(text) => Some(Some(text.to_owned())),
            None => {
                self.mistake(key, &format!("{key} must be a text in quotes"));
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required_text(&mut self, key: &'static str) -> Option<String> {
        match self.text(key)? {
            Some(text) if !text.trim().is_empty() => Some(text),
            Some(_) | None => {
                self.mistake(
                    key,
                    &format!("{key} is missing in [{}]; it has no default", self.name),
                );
                None
            }
        }
    }

    /// A text that stands for a value.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, default: T) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        Some(self.parsed_if_written(key)?.unwrap_or(default))
    }

    pub(super) fn parsed_if_written<T: FromStr>(&mut self, key: &'static str) -> Option<Option<T>>
    where
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.text(key)? else { return Some(None) };
        match text.parse() {
            Ok(value) => Some(Some(value)),
            Err(error) => {
                self.mistake(key, &format!("{key}: {error}"));
                None
            }
        }
    }

    pub(super) fn required<T: FromStr>(&mut self, key: &'static str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        self.required_text(key)?;
        self.parsed_if_written(key)?
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
        default: T,
    ) -> Option<T> {
        let Some(text) = self.text(key)? else { return Some(default) };
        let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if chosen.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.mistake(key, &format!("{key} must be {}", words.join(" or ")));
        }
        chosen
    }

    /// A list of texts, each of which stands for a value.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        default: &[&str],
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let Some(value) = self.value(key) else {
            return default.iter().map(|text| read(text).ok()).collect();
        };
        let Some(array) = value.as_array() else {
            self.mistake(key, &format!("{key} must be a list of texts, such as [\"…\"]"));
            return None;
        };
        let mut all_good = true;
        let mut values = vec![];
        for entry in array.iter() {
            let read = match entry.get_ref().as_str() {
                Some(text) => read(text),
                None => Err("must be a text in quotes".into()),
            };
            match read {
                Ok(value) => values.push(value),
                Err(says) => {
                    self.source.mistake(entry.span(), &format!("{key}: {says}"));
                    all_good = false;
                }
            }
        }
        all_good.then_some(values)
    }

    /// Call last: whatever has not been read by now is a mistake.
    pub(super) fn refuse_unknown_keys(self) {
        if !self.name.is_empty() {
            self.source.knows(self.known.iter().map(|key| format!("{}.{key}", self.name)));
        }
        for key in self.table.keys() {
            let name: &str = key.get_ref().as_ref();
            if !self.known.contains(&name) && !self.tables.contains(&name) {
                let known = self.known.join(", ");
                let meant = like(name, &self.known);
                let meant = meant.map(|key| format!("did you mean {key}? ")).unwrap_or_default();
                let says = format!("unknown key; {meant}this section knows {known}");
                self.source.mistake(key.span(), &says);
            }
        }
    }
}

/// The key that is most like the written one, if it is like any.
fn like(written: &str, known: &[&'static str]) -> Option<&'static str> {
    let likeness = |key: &&'static str| (strsim::jaro_winkler(written, key), *key);
    let (likeness, key) = known.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > LIKENESS_MIN).then_some(key)
}

const LIKENESS_MIN: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_the_key_that_is_most_alike() {
        let known = ["wait_s", "ring_s", "quiet", "time_zone", "throttle", "sender_throttle"];
        let cases = [
            ("quite", Some("quiet")),
            ("timezone", Some("time_zone")),
            ("throtle", Some("throttle")),
            ("ring", Some("ring_s")),
            ("colour", None),
            ("", None),
        ];
        for (written, meant) in cases {
            assert_eq!(like(written, &known), meant, "{written}");
        }
        assert_eq!(like("quiet", &[]), None);
    }
}
