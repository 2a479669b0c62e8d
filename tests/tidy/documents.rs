//! What the documents say of the code is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::code::{files_below, root, source_files};
use crate::modules::{Modules, module};

/// The documents, with their folder.
fn documents() -> Vec<(PathBuf, String)> {
    let mut files = files_below(&root().join("docs"), &["md"]);
    files.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|it| root().join(it)));
    files.into_iter().map(|it| (it.clone(), fs::read_to_string(it).unwrap())).collect()
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// What stands between backquotes, outside of blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2))
}

#[test]
fn files_that_the_documents_name_exist() {
    let mut missing = vec![];
    for (file, text) in documents() {
        let folder = file.parent().unwrap();
        let links = text.split("](").skip(1).filter_map(|it| it.split([')', '#']).next());
        let links =
            links.filter(|it| !it.is_empty() && !it.contains(':')).map(|it| folder.join(it));
        let of_ours = ["src/", "tests/", "docs/", ".ci/", "benches/", "packaging/"];
        let paths = quoted(&text).filter(|it| of_ours.iter().any(|start| it.starts_with(start)));
        let paths = paths.filter_map(|it| it.split([' ', '*', '<', '…']).next());
        // `tests/fuzz/__fuzz__/TARGET/crashes` names a folder for each target.
        let paths = paths.filter_map(|it| it.split("/TARGET").next()).map(|it| root().join(it));
        let gone = links.chain(paths).filter(|path| !path.exists());
        missing.extend(gone.map(|path| format!("{}: {}", file.display(), path.display())));
    }
    assert!(missing.is_empty(), "named in documents but not there:\n{}", missing.join("\n"));
}

#[test]
fn each_promise_names_the_test_that_shows_it() {
    let promises = document("docs/promises.md");
    let rows: Vec<_> = promises.lines().filter(|it| it.starts_with(['|'])).skip(2).collect();
    let bare = rows.iter().filter(|row| !quoted(row).any(|it| it.matches('_').count() > 2));
    let bare: Vec<_> = bare.collect();
    assert!(bare.is_empty(), "promises without a test: {bare:#?}");
    for number in 1..=20 {
        let begin = format!("| I{number} |");
        assert!(rows.iter().any(|row| row.starts_with(&begin)), "no promise I{number}");
    }
}

#[test]
fn tests_that_the_documents_name_exist() {
    let files = ["src", "tests"].map(|folder| files_below(&root().join(folder), &["rs"])).concat();
    let written: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let is_test = |it: &&str| {
        it.matches('_').count() > 2
            && it.chars().all(|it| it.is_lowercase() || it == '_' || it.is_ascii_digit())
    };
    let mut named = BTreeSet::new();
    for name in ["docs/sip-scenarios.md", "docs/promises.md", "CONTRIBUTING.md"] {
        named.extend(quoted(&document(name)).filter(is_test).map(str::to_owned));
    }
    let missing: Vec<_> = named
        .iter()
        .filter(|test| !written.iter().any(|it| it.contains(&format!("fn {test}("))))
        .collect();
    assert!(
        named.len() > 20 && missing.is_empty(),
        "named in documents but nowhere written: {missing:?}"
    );
}

#[test]
fn modules_and_names_of_the_architecture_exist() {
    let files = source_files();
    let modules = Modules::new(&files);
    let mut missing = BTreeSet::new();
    let text = document("docs/architecture.md");
    let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    for path in text.split(|it| !is_part(it)).map(|it| it.trim_matches(':')) {
        let parts: Vec<_> = path.split("::").map(str::to_owned).collect();
        let known = match &parts[..] {
            [store, name] if store == "Store" => files.iter().any(|it| {
                it.name.starts_with("store/") && it.code.contains(&format!("fn {name}("))
            }),
            [_, _, ..] => modules.has(&parts),
            _ => true,
        };
        if !known {
            missing.insert(path);
        }
    }
    assert!(missing.is_empty(), "in docs/architecture.md but not in src: {missing:?}");
}

/// The layer of each room, as the table in `docs/architecture.md` has it.
pub(crate) struct Layers(BTreeMap<Vec<String>, u32>);

impl Layers {
    pub(crate) fn read() -> Self {
        let text = document("docs/architecture.md");
        let mut layers = BTreeMap::new();
        for row in text.lines().filter_map(|line| line.strip_prefix("| ")) {
            let mut cells = row.split(" | ");
            let number = cells.next().and_then(|it| it.parse().ok());
            if let (Some(number), Some(rooms)) = (number, cells.next()) {
                let path = |room: &str| room.split("::").map(str::to_owned).collect();
                layers.extend(quoted(rooms).map(|room| (path(room), number)));
            }
        }
        Self(layers)
    }

    /// The layer of what a path leads to: that of the longest beginning that stands in the table.
    pub(crate) fn of(&self, path: &[String]) -> u32 {
        let layer = (1..=path.len()).rev().find_map(|length| self.0.get(&path[..length]));
        *layer.unwrap_or_else(|| panic!("{path:?} has no layer in docs/architecture.md"))
    }
}

#[test]
fn the_layers_of_the_architecture_are_those_of_rooms() {
    let (files, layers) = (source_files(), Layers::read());
    let rooms: BTreeSet<_> = files.iter().map(|file| module(&file.name)).collect();
    let gone: Vec<_> = layers.0.keys().filter(|room| !rooms.contains(*room)).collect();
    assert!(
        layers.0.len() > 20 && gone.is_empty(),
        "in docs/architecture.md but not in src: {gone:?}"
    );
}

/// After a change of `Cargo.lock`, run `.ci/notices`.
#[test]
fn the_notices_are_those_of_the_crates_in_the_lock_file() {
    let notices = document("packaging/notices.txt");
    let (crates, others) = notices.split_once("In Cargo.lock for other systems").unwrap();
    let others = others.split("====").next().unwrap();
    let crates = crates.lines().filter_map(|line| Some(line.split_once(" | ")?.0));
    let named: BTreeSet<_> = crates.chain(others.lines().skip(2)).map(str::trim).collect();
    let named: BTreeSet<_> = named.into_iter().filter(|it| it.split(' ').count() == 2).collect();
    let lock = document("Cargo.lock");
    let built = built_crates(&lock);
    let missing: Vec<_> = built.iter().filter(|it| !named.contains(it.as_str())).collect();
    let gone: Vec<_> = named.iter().filter(|it| !built.contains(**it)).collect();
    assert!(
        missing.is_empty() && gone.is_empty() && named.len() > 200,
        "run .ci/notices: not in packaging/notices.txt: {missing:?}; not in Cargo.lock: {gone:?}"
    );
}

/// Name and version of each crate that Offhook depends on, but for those that only its tests use.
fn built_crates(lock: &str) -> BTreeSet<String> {
    let mut packages: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let value = |key: &str| entry.split(&format!("\n{key} = \"")).nth(1)?.split('"').next();
        let (name, version) = (value("name").unwrap(), value("version").unwrap());
        let list = entry.split("dependencies = [").nth(1).and_then(|it| it.split(']').next());
        let needs = list.unwrap_or_default().split('"').skip(1).step_by(2).map(str::to_owned);
        packages.insert(format!("{name} {version}"), (name.to_owned(), needs.collect()));
    }
    // A dependency without a version is the only one of that name.
    let full = |need: &str| {
        let is_it =
            |(of, (name, _)): &(&String, &(String, Vec<String>))| *of == need || name == need;
        packages.iter().find(is_it).map(|(of, _)| of.clone()).unwrap()
    };
    let manifest = document("Cargo.toml");
    let of_tests =
        manifest.split("[dev-dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let of_tests: Vec<_> =
        of_tests.lines().filter_map(|it| Some(it.split_once(" = ")?.0)).collect();
    let (_, (_, roots)) = packages.iter().find(|(_, (name, _))| name == "offhook").unwrap();
    let mut open: Vec<_> =
        roots.iter().filter(|it| !of_tests.contains(&it.as_str())).map(|it| full(it)).collect();
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if found.insert(next.clone()) {
            open.extend(packages[&next].1.iter().map(|it| full(it)));
        }
    }
    found
}

#[test]
fn each_decision_has_a_status_and_a_date_and_is_listed() {
    let index = document("docs/decisions/README.md");
    for file in files_below(&root().join("docs/decisions"), &["md"]) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name == "README.md" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let title = lines.next().unwrap().trim_start_matches("# ");
        let (status, date) = lines.next().and_then(|it| it.rsplit_once(", ")).unwrap_or_default();
        let known = status == "Accepted" || status.starts_with("Replaced by ");
        let is_date = date.len() == "2026-11-23.".len() && date.ends_with('.');
        assert!(known && is_date, "{name}: the second line is like `Accepted, 2026-11-23.`");
        let row = format!(
            "]({name}) | {title} | {} | {} |",
            status.to_lowercase(),
            date.trim_end_matches('.')
        );
        assert!(index.contains(&row), "not in docs/decisions/README.md: {row}");
        for part in ["**Question.**", "**Choice.**", "**Cost.**"] {
            assert!(text.contains(part), "{name} has no {part}");
        }
    }
}
