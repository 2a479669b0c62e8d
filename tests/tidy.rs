//! House rules that a machine can check.

#![allow(clippy::unwrap_used)] // A test stops where it fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of `src`, as path from there and text, tests at the end of a file cut off where `code_only`.
fn rooms(code_only: bool) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    walk(&root, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let text = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        match text.find("#[cfg(test)]\nmod tests {") {
            Some(tests) if code_only => text[..tests].to_owned(),
            Some(_) | None => text,
        }
    };
    found.iter().map(|path| (name(path), text(path))).collect()
}

/// The layer a room stands on; a room imports from its own layer's room and from lower layers.
fn layer(room: &str) -> u32 {
    let (first, rest) = room.split_once(['/', ':']).unwrap_or((room, ""));
    match (first.trim_end_matches(".rs"), rest.split(['/', ':']).next().unwrap_or("")) {
        ("redaction" | "clock" | "seed" | "sealing" | "wording", _) => 0,
        ("phone_number", _) => 1,
        ("media", "engine.rs" | "engine") => 6,
        ("sip", "transport.rs" | "transport") => 6,
        ("xmpp", "link.rs" | "link") => 6,
        ("subscriber" | "media", _) => 2,
        ("sip" | "notification", _) => 3,
        ("xmpp" | "script" | "recording", _) => 4,
        ("config", _) => 5,
        ("speech" | "store" | "http" | "upload", _) => 6,
        ("call", _) => 7,
        ("dialer", _) => 8,
        ("daemon", _) => 9,
        ("cli" | "main", _) => 10,
        ("lib", _) => 11,
        (other, _) => panic!("{other} has no layer; give it one in docs/architecture.md and here"),
    }
}

#[test]
fn imports_point_down() {
    let mut upward = vec![];
    for (room, text) in rooms(true) {
        for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let path = &line[at + "crate::".len()..];
                let mut words = path
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .filter(|w| !w.is_empty());
                let (Some(top), next) = (words.next(), words.next().unwrap_or("")) else {
                    continue;
                };
                let target = format!("{top}/{next}");
                let same_room = room.split('/').next().unwrap().trim_end_matches(".rs") == top;
                if !same_room && layer(&target) >= layer(&room) {
                    upward.push(format!("{room}: {}", line.trim()));
                }
            }
        }
    }
    assert!(upward.is_empty(), "imports that do not point down:\n{}", upward.join("\n"));
}

#[test]
fn a_file_is_one_role() {
    let long: Vec<_> = rooms(false)
        .into_iter()
        .map(|(room, text)| (room, text.lines().count()))
        .filter(|&(_, lines)| lines > FILE_LINES_MAX)
        .collect();
    assert!(long.is_empty(), "files over {FILE_LINES_MAX} lines, to be split by role: {long:?}");
}

#[test]
fn every_source_is_listed() {
    let listed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources.md")).unwrap();
    let listed = cited(&listed);
    let mut missing = BTreeSet::new();
    for (_, text) in rooms(false) {
        missing.extend(cited(&text).difference(&listed).cloned());
    }
    assert!(missing.is_empty(), "cited in src but not listed in docs/sources.md: {missing:?}");
}

#[test]
fn every_test_that_the_scenarios_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written: Vec<_> = rooms(false).into_iter().map(|(_, text)| text).collect();
    for folder in ["tests/sip_peers", "tests/fuzz", "tests/conversation"] {
        let files = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|it| it == "rs"));
        written.extend(files.map(|file| fs::read_to_string(file).unwrap()));
    }
    let scenarios = fs::read_to_string(root.join("docs/sip-scenarios.md")).unwrap();
    let tests = scenarios.split('`').skip(1).step_by(2).filter(|it| it.matches('_').count() > 2);
    let missing: Vec<_> = tests
        .filter(|test| !written.iter().any(|it| it.contains(&format!("fn {test}("))))
        .collect();
    assert!(missing.is_empty(), "named in docs/sip-scenarios.md but nowhere written: {missing:?}");
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
    let names: Vec<_> = rooms(false)
        .into_iter()
        .map(|(room, _)| room)
        .filter(|room| {
            ["util", "helper", "manager", "common", "misc"].iter().any(|w| room.contains(w))
        })
        .collect();
    assert!(names.is_empty(), "names that say nothing: {names:?}");
}

const FILE_LINES_MAX: usize = 450;
