//! House rules that a machine can check.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

mod code;
mod documents;
mod log_lines;
mod modules;

use std::collections::BTreeSet;
use std::fs;

use code::{SourceFile, files_below, root, source_files};
use documents::Layers;
use modules::{Modules, module};

#[test]
fn imports_point_down() {
    let files = source_files();
    let (modules, layers) = (Modules::new(&files), Layers::read());
    let mut upward = vec![];
    for file in files.iter().filter(|file| file.name != "lib.rs") {
        let own = module(&file.name);
        let from = layers.of(&own);
        for (path, used, _) in modules.uses(file) {
            let (same_room, to) = (own[0] == path[0], layers.of(&path));
            if to > from || (to == from && !same_room) {
                upward.push(format!("{}:{}: {}", file.name, used.line, used.path.join("::")));
            }
        }
    }
    assert!(upward.is_empty(), "imports that do not point down:\n{}", upward.join("\n"));
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let files = source_files();
    let circles: Vec<_> = Modules::new(&files)
        .circles()
        .into_iter()
        // A connection, its socket and its trunk are one object in three files.
        .filter(|(names, _)| !names.iter().all(|name| name.starts_with("sip/transport/")))
        .map(|(names, uses)| format!("{names:?}\n    {}", uses.join("\n    ")))
        .collect();
    assert!(circles.is_empty(), "circles of files:\n{}", circles.join("\n"));
}

#[test]
fn a_file_is_one_role() {
    let files = source_files();
    let long: Vec<_> = files
        .iter()
        .map(|file| (&file.name, file.text.lines().count()))
        .filter(|&(_, lines)| lines > FILE_LINES_MAX)
        .collect();
    assert!(long.is_empty(), "files over {FILE_LINES_MAX} lines, to be split by role: {long:?}");
}

#[test]
fn a_function_is_short_or_says_why_not() {
    let mut long = vec![];
    for file in source_files().iter().filter(|file| !file.is_test()) {
        for (name, line, lines) in file.functions() {
            if lines > FUNCTION_LINES_MAX && !is_long_for_a_reason(file, line) {
                long.push(format!("{}:{line}: {name}, {lines} lines", file.name));
            }
        }
    }
    assert!(
        long.is_empty(),
        "functions over {FUNCTION_LINES_MAX} lines without a comment `// Long: reason` above:\n{}",
        long.join("\n")
    );
}

/// Tells whether a comment above the function that begins on this line says why it is long.
fn is_long_for_a_reason(file: &SourceFile, line: usize) -> bool {
    let above: Vec<_> = file.text.lines().take(line - 1).map(str::trim).collect();
    let above = above.iter().rev().take_while(|it| it.starts_with("//") || it.starts_with("#["));
    above.into_iter().any(|it| it.strip_prefix("// Long: ").is_some_and(|why| why.len() > 10))
}

#[test]
fn a_module_with_children_is_a_folder_with_a_mod_file() {
    let mut double = vec![];
    for folder in ["src", "tests"] {
        for file in files_below(&root().join(folder), &["rs"]) {
            if file.with_extension("").is_dir() {
                double.push(file.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    assert!(double.is_empty(), "to be moved into the folder of the same name: {double:?}");
}

#[test]
fn people_are_they() {
    let mut files = files_below(&root().join("src"), &["rs", "ftl", "sql", "lua", "erl", "py"]);
    files.extend(files_below(&root().join("docs"), &["md"]));
    files.extend(["README.md", "CONTRIBUTING.md", "component.toml"].map(|it| root().join(it)));
    let mut found = vec![];
    for file in files {
        for (line, text) in (1..).zip(fs::read_to_string(&file).unwrap().lines()) {
            let words = text.split(|it: char| !it.is_alphanumeric() && it != '_');
            let mut words = words.filter(|word| PRONOUNS.contains(&word.to_lowercase().as_str()));
            if let Some(word) = words.next() {
                let file = file.strip_prefix(root()).unwrap().display();
                found.push(format!("{file}:{line}: {word}"));
            }
        }
    }
    assert!(found.is_empty(), "people are \"they\":\n{}", found.join("\n"));
}

#[test]
fn every_warning_is_explained_to_the_operator() {
    let written = log_lines::written(&source_files());
    let manual = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    let explained = log_lines::explained(&manual);
    let list = |lines: Vec<&(&str, String)>| {
        lines.iter().map(|(level, line)| format!("{level} {line}")).collect::<Vec<_>>().join("\n")
    };
    let missing = list(written.difference(&explained).collect());
    let unknown = list(explained.difference(&written).collect());
    assert!(missing.is_empty(), "not explained in docs/operate.md:\n{missing}");
    assert!(unknown.is_empty(), "in docs/operate.md but not in src:\n{unknown}");
}

#[test]
fn every_source_is_listed() {
    let listed = cited(&fs::read_to_string(root().join("docs/sources.md")).unwrap());
    let mut missing = BTreeSet::new();
    for file in source_files() {
        missing.extend(cited(&file.text).difference(&listed).cloned());
    }
    assert!(missing.is_empty(), "cited in src but not listed in docs/sources.md: {missing:?}");
}

/// `RFC 3261` and `XEP-0114` as they stand in a text.
fn cited(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for kind in ["RFC ", "XEP-"] {
        for (at, _) in text.match_indices(kind) {
            let number: String =
                text[at + kind.len()..].chars().take_while(char::is_ascii_digit).collect();
            if !number.is_empty() {
                found.insert(format!("{kind}{number}"));
            }
        }
    }
    found
}

#[test]
fn no_file_is_named_after_nothing() {
    let names: Vec<_> = source_files()
        .into_iter()
        .map(|file| file.name)
        .filter(|name| {
            ["util", "helper", "manager", "common", "misc"].iter().any(|w| name.contains(w))
        })
        .collect();
    assert!(names.is_empty(), "names that say nothing: {names:?}");
}

const FILE_LINES_MAX: usize = 450;
const FUNCTION_LINES_MAX: usize = 60;
const PRONOUNS: [&str; 8] = ["he", "him", "his", "himself", "she", "her", "hers", "herself"];
