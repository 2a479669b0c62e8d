use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::*;

#[test]
fn every_language_has_the_sentences_of_english_with_the_same_variables() {
    let english = sentences(SOURCES[0].1);
    for (tag, source) in SOURCES {
        let other = sentences(source);
        for (id, variables) in &english {
            assert_eq!(other.get(id), Some(variables), "{id} in {tag}.ftl");
        }
        assert_eq!(other.len(), english.len(), "{tag}.ftl has sentences that English lacks");
    }
}

#[test]
fn every_sentence_is_said_somewhere() {
    let code: String = code().into_iter().map(|(_, code)| code).collect();
    let ids = sentences(SOURCES[0].1).into_keys();
    let unused: Vec<_> = ids.filter(|id| !code.contains(&format!("\"{id}\""))).collect();
    assert!(unused.is_empty(), "never said: {unused:?}");
}

#[test]
fn every_sentence_that_the_code_names_exists() {
    let sentences = sentences(SOURCES[0].1);
    let variables: BTreeSet<&str> = sentences.values().flatten().map(String::as_str).collect();
    let families: BTreeSet<&str> =
        sentences.keys().filter_map(|id| Some(id.split_once('-')?.0)).collect();
    let mut unknown = vec![];
    for (file, code) in code() {
        // In such files nothing but sentences has names of this form; elsewhere there are also those of XMPP.
        let only_words = code.contains("use crate::wording") && !code.contains("::xmpp::")
            || file.starts_with("script/");
        for (before, name) in names(&code) {
            let of_family = name.split_once('-').is_some_and(|(first, _)| families.contains(first))
                && !XMPP_NAMES.contains(&name);
            if (of_family || is_said(before) || only_words)
                && !sentences.contains_key(name)
                && !variables.contains(name)
            {
                unknown.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(unknown.is_empty(), "no such sentence: {unknown:?}");
}

#[test]
fn every_variable_of_a_sentence_is_named_where_it_is_said() {
    let sentences = sentences(SOURCES[0].1);
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    for (file, code) in code() {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder.to_owned()).or_default().push_str(&code);
    }
    let mut missing = vec![];
    // The menu is only listed here; others say it.
    folders.remove("wording");
    for (folder, code) in folders.iter().filter(|(_, code)| code.contains("phrase(")) {
        let names = names(code);
        let named: BTreeSet<&str> = names.iter().map(|(_, name)| *name).collect();
        // Some sentences have the name of a variable or a command.
        let said: BTreeSet<&str> = names
            .iter()
            .filter(|(before, name)| name.contains('-') || is_said(before))
            .map(|(_, name)| *name)
            .collect();
        for (id, variables) in sentences.iter().filter(|(id, _)| said.contains(id.as_str())) {
            missing.extend(
                variables
                    .iter()
                    .filter(|variable| !named.contains(variable.as_str()))
                    .map(|variable| format!("{variable} of {id} in {folder}")),
            );
        }
    }
    assert!(missing.is_empty(), "never filled: {missing:?}");
}

#[test]
fn a_language_is_known_by_its_first_part_and_a_stranger_reads_english() {
    for (language, words) in [
        (None, "Nobody here is known by that address."),
        (Some("en-GB"), "Nobody here is known by that address."),
        (Some("tlh"), "Nobody here is known by that address."),
        (Some(""), "Nobody here is known by that address."),
        (Some("DE-at"), "Unter dieser Adresse ist hier niemand bekannt."),
        (Some("fr_CA"), "Personne n'est connu ici à cette adresse."),
        (Some("es-MX"), "Aquí no se conoce a nadie con esa dirección."),
    ] {
        assert_eq!(phrase(language, "error-nobody", &[]), words, "{language:?}");
    }
}

#[test]
fn no_sentence_is_empty() {
    for (tag, source) in SOURCES {
        for (id, variables) in sentences(source) {
            let values: Vec<_> =
                variables.iter().map(|variable| (variable.as_str(), "1".into())).collect();
            assert!(!phrase(Some(tag), &id, &values).trim().is_empty(), "{id} in {tag}.ftl");
            let said = BUNDLES[tag].get_message(&id).and_then(|message| message.value());
            assert!(said.is_some(), "{id} in {tag}.ftl says nothing");
        }
    }
}

/// Each file of the program, by its path under `src`, without its tests and comments.
fn code() -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if name.ends_with("/tests") || name.ends_with("/tests.rs") {
                continue;
            } else if path.is_dir() {
                walk(&path, root, files);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                files.push((name, lines.map(|line| format!("{line}\n")).collect()));
            }
        }
    }
    let (root, mut files) = (Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), vec![]);
    walk(root, root, &mut files);
    files
}

/// Whether a sentence is said by its name after this.
fn is_said(before: &str) -> bool {
    SAYING.iter().any(|say| before.ends_with(say))
}

/// String literals that could name a sentence or a variable, each with what stands before it in its line.
fn names(code: &str) -> Vec<(&str, &str)> {
    let mut found = vec![];
    for line in code.lines() {
        let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
        for quoted in quotes.chunks_exact(2) {
            let (before, name) = (&line[..quoted[0]], &line[quoted[0] + 1..quoted[1]]);
            let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
                && !name.ends_with('-')
                && name
                    .chars()
                    .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-');
            if is_name {
                found.push((before, name));
            }
        }
    }
    found
}

/// What stands before the name of a sentence that is said there.
const SAYING: [&str; 8] = [
    "phrase(language, ",
    "phrase(Some(language), ",
    "phrase(asker.language, ",
    "simple(language, ",
    "refused(language, ",
    "refused(",
    "say(",
    "label(",
];

/// Names of XMPP, HTTP and commands that begin like the name of a sentence.
const XMPP_NAMES: [&str; 8] = [
    "command-node",
    "no-permanent-store",
    "no-referrer",
    "no-store",
    "not-acceptable",
    "not-allowed",
    "not-authorized",
    "test-call",
];

/// Each sentence with the variables in it.
fn sentences(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource =
        FluentResource::try_new(source.to_owned()).map_err(|(_, mistakes)| mistakes).unwrap();
    let mut found = BTreeMap::new();
    for entry in resource.entries() {
        if let Entry::Message(message) = entry {
            let mut variables = BTreeSet::new();
            if let Some(pattern) = &message.value {
                in_pattern(pattern, &mut variables);
            }
            assert!(
                found.insert(message.id.name.to_owned(), variables).is_none(),
                "{} stands there twice",
                message.id.name
            );
        }
    }
    found
}

fn in_pattern(pattern: &Pattern<&str>, variables: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            in_expression(expression, variables);
        }
    }
}

fn in_expression(expression: &Expression<&str>, variables: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => in_inline(inline, variables),
        Expression::Select { selector, variants } => {
            in_inline(selector, variables);
            variants.iter().for_each(|variant| in_pattern(&variant.value, variables));
        }
    }
}

fn in_inline(inline: &InlineExpression<&str>, variables: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(variables.insert(id.name.to_owned())),
        InlineExpression::Placeable { expression } => in_expression(expression, variables),
        _ => {}
    }
}
