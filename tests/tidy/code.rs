//! Rust source as the checks read it: without comments, strings and tests, with its functions and its paths.

use std::fs;
use std::path::{Path, PathBuf};

/// One file below `src`.
pub(crate) struct SourceFile {
    /// The path from `src`.
    pub(crate) name: String,
    /// The file as it is.
    pub(crate) text: String,
    /// The same length and lines, with spaces for comments, for what stands between quotes, and for test code.
    pub(crate) code: String,
    line_ends: Vec<usize>,
}

impl SourceFile {
    fn new(name: String, text: String) -> Self {
        let code = without_tests(without_words(&text));
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { name, text, code, line_ends }
    }

    /// Tells whether the file is there for tests alone.
    pub(crate) fn is_test(&self) -> bool {
        self.name.ends_with("/tests.rs") || self.name.contains("/tests/")
    }

    /// The line, counted from 1, of an index into the text.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|&end| end < at) + 1
    }

    /// The functions with a body: name, first line, and number of lines.
    pub(crate) fn functions(&self) -> Vec<(String, usize, usize)> {
        let mut found = vec![];
        for (at, _) in self.code.match_indices("fn ") {
            let is_word = self.code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
            let name = word(&self.code[at + "fn ".len()..]);
            if is_word || name.is_empty() {
                continue;
            }
            if let Some(end) = self.item_end(at).filter(|&it| self.code[..it].ends_with('}')) {
                found.push((
                    name.to_owned(),
                    self.line(at),
                    self.line(end - 1) - self.line(at) + 1,
                ));
            }
        }
        found
    }

    fn item_end(&self, at: usize) -> Option<usize> {
        item_end(&self.code, at)
    }

    /// What each `use` names, one path for each leaf, and every path that stands elsewhere in the code.
    pub(crate) fn paths(&self) -> Vec<UsedPath> {
        let mut found = vec![];
        let mut rest_of_code = self.code.clone().into_bytes();
        for (at, _) in self.code.match_indices("use ") {
            let before = self.code[..at].trim_end();
            let is_statement = before.is_empty()
                || before.ends_with([';', '{', '}', ')', ']'])
                || before.ends_with("pub");
            let Some(length) = self.code[at..].find(';').filter(|_| is_statement) else { continue };
            let is_public = before.ends_with("pub") || before.ends_with(')');
            let mut leaves = vec![];
            use_tree(&self.code[at + "use ".len()..at + length], &[], &mut leaves);
            let line = self.line(at);
            found.extend(leaves.into_iter().map(|(path, name)| UsedPath {
                path,
                name,
                is_public,
                line,
            }));
            rest_of_code[at..at + length].fill(b' ');
        }
        let code = String::from_utf8(rest_of_code).unwrap();
        let mut at = 0;
        while let Some(colons) = code[at..].find("::").map(|it| it + at) {
            let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
            let start = code[..colons].rfind(|it| !is_part(it)).map_or(0, |it| it + 1);
            let length = code[start..].find(|it| !is_part(it)).unwrap_or(code.len() - start);
            let path: Vec<_> = code[start..start + length].split("::").map(str::to_owned).collect();
            if path.iter().all(|it| !it.is_empty()) {
                let (name, line) = (String::new(), self.line(start));
                found.push(UsedPath { path, name, is_public: false, line });
            }
            at = (start + length).max(colons + 2);
        }
        found
    }
}

/// A path that a file names.
pub(crate) struct UsedPath {
    /// Its parts, from the left.
    pub(crate) path: Vec<String>,
    /// What a `use` calls it, else nothing.
    pub(crate) name: String,
    /// It is exported again.
    pub(crate) is_public: bool,
    /// Where it stands.
    pub(crate) line: usize,
}

/// All files of `src`, by name.
pub(crate) fn source_files() -> Vec<SourceFile> {
    let root = root().join("src");
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let files = files_below(&root, &["rs"]);
    files.iter().map(|it| SourceFile::new(name(it), fs::read_to_string(it).unwrap())).collect()
}

/// The files below a folder that end in one of `endings`, sorted.
pub(crate) fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, endings));
        } else if path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The word that a text begins with.
pub(crate) fn word(text: &str) -> &str {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    &text[..text.find(|it| !is_part(it)).unwrap_or(text.len())]
}

/// The index behind the bracket that closes the one at `open`, in code without strings.
pub(crate) fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The index behind the item that begins at `at`: behind its semicolon or its block.
fn item_end(code: &str, mut at: usize) -> Option<usize> {
    loop {
        at += code[at..].find(['(', '[', '{', ';'])?;
        match code.as_bytes()[at] {
            b';' => return Some(at + 1),
            b'{' => return closing(code, at),
            _ => at = closing(code, at)?,
        }
    }
}

/// Spaces for comments and for what stands between quotes; the quotes stay.
fn without_words(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let end = if rest.starts_with("//") {
            let end = at + rest.find('\n').unwrap_or(rest.len());
            code[at..end].fill(b' ');
            end
        } else if rest.starts_with("/*") {
            let end = at + rest.find("*/").map_or(rest.len(), |it| it + 2);
            blank(&mut code[at..end]);
            end
        } else if let Some(hashes) = raw_string(&text[..at], rest) {
            let opened = at + hashes + 2;
            let close = format!("\"{}", "#".repeat(hashes));
            let length = text[opened..].find(&close).unwrap_or(text.len() - opened);
            blank(&mut code[opened..opened + length]);
            opened + length + close.len()
        } else if rest.starts_with('"') {
            let length = quoted(&bytes[at + 1..], b'"');
            blank(&mut code[at + 1..at + 1 + length]);
            at + length + 2
        } else if is_character(rest) {
            let length = quoted(&bytes[at + 1..], b'\'');
            blank(&mut code[at + 1..at + 1 + length]);
            at + length + 2
        } else {
            at + rest.chars().next().map_or(1, char::len_utf8)
        };
        at = end.min(bytes.len());
    }
    String::from_utf8(code).unwrap()
}

/// The number of `#` before the quote of a raw string that begins here.
fn raw_string(before: &str, rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let in_word =
        before.trim_end_matches('b').ends_with(|it: char| it.is_alphanumeric() || it == '_');
    (hashes[count..].starts_with('"') && !in_word).then_some(count)
}

/// Tells a character in quotes from a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('\'')
        && match chars.next() {
            Some('\\') => true,
            Some(_) => chars.next() == Some('\''),
            None => false,
        }
}

/// The length of what stands before the closing quote.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn without_tests(code: String) -> String {
    let mut cut = code.clone().into_bytes();
    for (at, mark) in code.match_indices("#[cfg(test)]") {
        let mut start = at + mark.len();
        while code[start..].trim_start().starts_with("#[") {
            let open = start + code[start..].find('[').unwrap_or(0);
            start = closing(&code, open).unwrap_or(code.len());
        }
        let end = item_end(&code, start).unwrap_or(code.len());
        blank(&mut cut[at..end]);
    }
    String::from_utf8(cut).unwrap()
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

/// Adds each leaf of a `use` with the name under which it is known.
fn use_tree(tree: &str, before: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let mut path = before.to_vec();
        path.extend(
            tree[..open].split("::").map(str::trim).filter(|it| !it.is_empty()).map(Into::into),
        );
        let inside = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
        let (mut depth, mut start) = (0, 0);
        for (at, byte) in inside.bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b',' if depth == 0 => {
                    use_tree(&inside[start..at], &path, leaves);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return use_tree(&inside[start..], &path, leaves);
    }
    let (named, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
    let mut path = before.to_vec();
    path.extend(named.split("::").map(str::trim).filter(|it| !it.is_empty()).map(Into::into));
    if named.is_empty() {
        return;
    }
    if path.len() > 1 && path.last().is_some_and(|it| it == "self") {
        path.pop();
    }
    let name = if alias.is_empty() {
        path.last().cloned().unwrap_or_default()
    } else {
        alias.trim().to_owned()
    };
    leaves.push((path, name));
}

#[test]
fn code_is_read_without_words_and_tests() {
    let text = r###"
use crate::{call::{self, Stop as End}, store::{Store, columns::text}};
/* crate::daemon */ fn said() -> &'static str { "crate::cli \" {" }
fn raw<'a>(it: char) -> &'a str { if it == '}' { r#"" crate::demo {"# } else { media::tone(it) } }
#[cfg(test)]
#[derive(Debug)]
struct Double { it: crate::http::Server }
#[cfg(test)]
mod tests { use super::*; fn test() { crate::daemon::run(); } }
"###;
    let file = SourceFile::new("sample.rs".to_owned(), text.to_owned());
    let paths: Vec<_> =
        file.paths().iter().map(|it| format!("{} {}", it.path.join("::"), it.name)).collect();
    let expected = [
        "crate::call call",
        "crate::call::Stop End",
        "crate::store::Store Store",
        "crate::store::columns::text text",
        "media::tone ",
    ];
    assert_eq!(paths, expected);
    let functions: Vec<_> =
        file.functions().into_iter().map(|(name, line, _)| (name, line)).collect();
    assert_eq!(functions, [("said".to_owned(), 3), ("raw".to_owned(), 4)]);
}
