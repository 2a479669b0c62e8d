//! Words that are written short.

use super::language::Language;
use super::rule::{Found, Rule, any_of};

pub(super) fn rules(language: &Language) -> Vec<Rule> {
    let all = any_of(language.abbreviations.iter().map(|(written, _)| *written));
    let mut rules: Vec<Rule> = Rule::new(&format!("({all})"), word).into_iter().collect();
    if language.tag == "en" {
        // "no." may be an answer; only before digits it counts.
        rules.extend(Rule::new(r"\b[Nn]o\. ?(\d)", |found, _| {
            Some(format!("number {}", found.get(1)))
        }));
    } else {
        rules.extend(Rule::new(r"([a-zäöüß]s)tr\.", |found, _| {
            Some(format!("{}traße", found.get(1)))
        }));
        rules.extend(Rule::new(r"§§? ?(\d)", |found, _| {
            Some(format!("Paragraf {}", found.get(1)))
        }));
    }
    rules
}

fn word(found: &Found<'_>, language: &Language) -> Option<String> {
    let written = found.get(1);
    let joins = |c: char| c.is_alphanumeric() || c == '\'' || c == '_';
    let (before, after) = (found.last_before(), found.first_after());
    let dotted = written.ends_with('.');
    if before.is_some_and(|c| joins(c) || "./@-".contains(c)) {
        return None;
    }
    if !dotted && !written.ends_with('/') && after.is_some_and(|c| joins(c) || c == '/' || c == '-')
    {
        return None;
    }
    // "u.a." has its own entry; "a.b" is no abbreviation.
    if dotted
        && after.is_some_and(|c| c.is_alphanumeric() && !c.is_ascii_digit() && !c.is_uppercase())
    {
        return None;
    }
    // The letter alone is a name: "plan u", "R".
    let (_, said) = language.abbreviations.iter().find(|(it, _)| *it == written)?;
    let said = if written.ends_with('/') { format!("{said} ") } else { (*said).to_owned() };
    // A full stop that ends the sentence, too, stays.
    let ends = dotted && found.after.trim().is_empty() && !said.ends_with('.');
    Some(if ends { said + "." } else { said })
}
