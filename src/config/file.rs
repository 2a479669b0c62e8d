//! The file as text with positions, and what is found in it, each shown with line and caret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use toml::de::{DeTable, DeValue};

use super::included::Gathered;

/// Something to tell the operator about the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line and column in the file, counted from 1, if it is about a place there.
    pub place: Option<(usize, usize)>,
    /// What is found, in one line.
    pub says: String,
    /// The same with the file, the line and a caret.
    shown: String,
}

impl Finding {
    /// A finding that is about no place in the file.
    pub fn without_place(says: String) -> Self {
        Self { place: None, shown: says.clone(), says }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What is done with the files that `secret_file` and its like name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Read,
    LeftAlone,
}

/// One configuration file. Collects mistakes, so that the operator sees all of them at once.
#[derive(Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    source: Gathered,
    secrets: Secrets,
    mistakes: RefCell<Vec<Finding>>,
    notes: RefCell<Vec<Finding>>,
    warnings: RefCell<Vec<Finding>>,
    known_keys: RefCell<BTreeSet<String>>,
}

impl ConfigFile {
    pub(super) fn new(path: &Path, text: String, secrets: Secrets) -> Self {
        let mut source = Gathered::new(path, text);
        let wrong = std::mem::take(&mut source.wrong).into_iter().map(|it| {
            let shown = Shown { path: &it.path, text: &it.text, at: it.at, label: &it.says };
            shown.finding(Level::ERROR.no_name(), None)
        });
        let mistakes = RefCell::new(wrong.collect());
        Self {
            path: path.to_owned(),
            source,
            secrets,
            mistakes,
            notes: RefCell::default(),
            warnings: RefCell::default(),
            known_keys: RefCell::default(),
        }
    }

    /// The file in which a place is.
    pub(super) fn path_of(&self, at: &Range<usize>) -> &Path {
        self.source.part(at.start).0
    }

    pub(super) fn reads_secrets(&self) -> bool {
        self.secrets == Secrets::Read
    }

    /// Where the file with a secret lies: among what systemd hands to the service, else beside this one.
    ///
    /// Source: systemd.exec(5), `LoadCredential=`.
    pub(super) fn secret_file(&self, name: &str) -> PathBuf {
        let handed = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let handed = handed.map(|folder| folder.join(name)).filter(|file| file.is_file());
        handed.unwrap_or_else(|| self.path.parent().unwrap_or(Path::new("")).join(name))
    }

    /// Reads the top table; a file that is no TOML is one mistake.
    pub(super) fn parse(&self) -> Option<DeTable<'_>> {
        match DeTable::parse(&self.source.text) {
            Ok(table) => Some(table.into_inner()),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                self.mistake(at, error.message());
                None
            }
        }
    }

    /// Notes what is wrong at a place in the file.
    pub(super) fn mistake(&self, at: Range<usize>, says: &str) {
        let found = self.find(Level::ERROR.no_name(), at, says, None);
        self.mistakes.borrow_mut().push(found);
    }

    /// Notes what stands at two places and may stand at one.
    pub(super) fn double(&self, first: Range<usize>, second: Range<usize>, says: &str) {
        let found = self.find(Level::ERROR.no_name(), second, says, Some(first));
        self.mistakes.borrow_mut().push(found);
    }

    /// Notes what is allowed but has no effect.
    pub(super) fn note(&self, at: Range<usize>, says: &str) {
        let found = self.find(Level::NOTE.no_name(), at, says, None);
        self.notes.borrow_mut().push(found);
    }

    /// Notes what works but is dangerous, or cannot do what it is there for.
    pub(super) fn warn(&self, at: Range<usize>, says: &str) {
        let found = self.find(Level::WARNING.no_name(), at, says, None);
        self.warnings.borrow_mut().push(found);
    }

    /// Notes that a table knows these keys, such as `media.codecs`.
    pub(super) fn knows(&self, keys: impl Iterator<Item = String>) {
        self.known_keys.borrow_mut().extend(keys);
    }

    /// Every key that the tables of this file know.
    pub(super) fn known_keys(&self) -> BTreeSet<String> {
        self.known_keys.borrow().clone()
    }

    /// Notes and warnings, or else the mistakes.
    pub(super) fn into_findings(self) -> Result<(Vec<Finding>, Vec<Finding>), Vec<Finding>> {
        let mistakes = self.mistakes.into_inner();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let mut warnings = self.warnings.into_inner();
        warnings.sort_by_key(|warning| warning.place);
        Ok((self.notes.into_inner(), warnings))
    }

    fn find(
        &self,
        level: Level<'_>,
        at: Range<usize>,
        says: &str,
        earlier: Option<Range<usize>>,
    ) -> Finding {
        let earlier = earlier.map(|at| self.shown(at, "first here"));
        self.shown(at, says).finding(level, earlier)
    }

    fn shown<'a>(&'a self, at: Range<usize>, label: &'a str) -> Shown<'a> {
        let (path, text, start) = self.source.part(at.start);
        let at = at.start - start..at.end.saturating_sub(start).min(text.len());
        Shown { path, text, at, label }
    }
}

/// A place in a file, with what is said of it.
struct Shown<'a> {
    path: &'a Path,
    text: &'a str,
    at: Range<usize>,
    label: &'a str,
}

impl<'a> Shown<'a> {
    fn finding(self, level: Level<'a>, earlier: Option<Self>) -> Finding {
        let before = &self.text[..self.at.start.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let (line, column) =
            (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        let (path, says) = (self.path, self.label.to_owned());
        let mut snippet = self.snippet(AnnotationKind::Primary);
        let mut elsewhere = None;
        match earlier {
            Some(earlier) if earlier.path == path => {
                let place = AnnotationKind::Context.span(earlier.at).label(earlier.label);
                snippet = snippet.annotation(place);
            }
            Some(earlier) => elsewhere = Some(earlier.snippet(AnnotationKind::Context)),
            None => {}
        }
        let report = [level.primary_title("").element(snippet).elements(elsewhere)];
        let shown = Renderer::plain().render(&report).trim().to_owned();
        Finding { place: Some((line, column)), says, shown }
    }

    fn snippet(self, kind: AnnotationKind) -> Snippet<'a, Annotation<'a>> {
        let annotation = kind.span(self.at).label(self.label);
        Snippet::source(self.text).path(self.path.display().to_string()).annotation(annotation)
    }
}

/// Where a key stands; where its table does, if it is not written. `index`: which table of `[[table]]`.
pub(super) fn span_of(
    top: &DeTable<'_>,
    table: &str,
    index: Option<usize>,
    key: &str,
) -> Range<usize> {
    let Some((name, value)) = top.get_key_value(table) else { return 0..0 };
    let (value, at): (&DeValue<'_>, _) = match index {
        None => (value.get_ref(), name.span()),
        Some(index) => match value.get_ref().as_array().and_then(|tables| tables.get(index)) {
            Some(value) => (value.get_ref(), value.span()),
            None => return name.span(),
        },
    };
    value.as_table().and_then(|table| table.get(key)).map_or(at, |value| value.span())
}

/// What to do if anybody on the machine can read a file.
pub(super) fn readable_by_all(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (mode & 0o004 != 0).then(|| format!("others can read {shown}; run chmod o-rwx {shown}"))
}
