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
fn every_sentence_that_the_program_names_is_there_and_every_other_is_gone() {
    let english: BTreeSet<String> = sentences(SOURCES[0].1).into_keys().collect();
    let mut code = String::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut code);
    let unused: Vec<_> = english.iter().filter(|id| !code.contains(&format!("\"{id}\""))).collect();
    assert!(unused.is_empty(), "never said: {unused:?}");
}

#[test]
fn a_language_is_known_by_its_first_part_and_a_stranger_reads_english() {
    for (language, words) in [
        (None, "Nobody here is known by that address."),
        (Some("en-GB"), "Nobody here is known by that address."),
        (Some("tlh"), "Nobody here is known by that address."),
        (Some(""), "Nobody here is known by that address."),
        (Some("DE-at"), "Unter dieser Adresse ist hier niemand bekannt."),
    ] {
        assert_eq!(phrase(language, "error-nobody", &[]), words, "{language:?}");
    }
}

#[test]
fn no_sentence_is_empty() {
    for (tag, source) in SOURCES {
        for id in sentences(source).into_keys() {
            assert!(!phrase(Some(tag), &id, &[]).trim().is_empty(), "{id} in {tag}.ftl");
            let said = BUNDLES[tag].get_message(&id).and_then(|message| message.value());
            assert!(said.is_some(), "{id} in {tag}.ftl says nothing");
        }
    }
}

fn read(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, code);
        } else if path.extension().is_some_and(|it| it == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

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
