//! Addresses: of mail and chat, of hosts and networks, of files.

use super::language::Language;
use super::rule::{Found, Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    table([
        (r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)+", |found, language| {
            Some(spelled_out(found.get(0), language))
        }),
        (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", |found, language| {
            Some(hexadecimal(found.get(0), language, ", "))
        }),
        (r"[0-9A-Fa-f]{0,4}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?(?:/(\d{1,3}))?", network_six),
        (r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2})|:(\d{1,5}))?\b", network_four),
        (HOST, host),
        (r"(?:^|[\s(=])((?:~|\.{1,2})?(?:/[A-Za-z0-9_.+-]+)+/?)", path),
        (r"\b([a-z][A-Za-z0-9_.-]*):(\d{3,5})\b", |found, language| {
            let (name, port) = (found.get(1), found.get(2));
            if language.references.contains(&name) {
                return None;
            }
            Some(format!("{name}, {} {}", language.signs.port, language.spelled(port)))
        }),
        (r"(?:^|[^\d\w]):(\d{2,5})\b", |found, language| {
            let port = language.signs.port;
            Some(format!(" {port} {}", language.spelled(found.get(1))))
        }),
    ])
}

fn network_four(found: &Found<'_>, language: &Language) -> Option<String> {
    let preceded = found.last_before().is_some_and(|c| c == '.' || c.is_alphanumeric());
    if preceded || (1..=4).any(|group| found.number(group).is_none_or(|octet| octet > 255)) {
        return None;
    }
    let dot = format!(" {} ", language.signs.dot);
    let mut said =
        (1..=4).map(|group| octet(found.get(group), language)).collect::<Vec<_>>().join(&dot);
    if let Some(bits) = found.number(5) {
        said = format!("{said} {} {}", language.signs.slash, (language.cardinal)(bits));
    }
    if !found.get(6).is_empty() {
        said = format!("{said}, {} {}", language.signs.port, language.spelled(found.get(6)));
    }
    Some(said)
}

/// Three digits one by one, fewer as a number.
fn octet(digits: &str, language: &Language) -> String {
    match (digits.len(), digits.parse()) {
        (1 | 2, Ok(value)) if !digits.starts_with('0') || digits == "0" => {
            (language.cardinal)(value)
        }
        _ => language.spelled(digits),
    }
}

fn network_six(found: &Found<'_>, language: &Language) -> Option<String> {
    let whole = found.get(0);
    let address = whole.split('/').next().unwrap_or_default();
    let is_one = address.contains("::") || address.matches(':').count() == 7;
    let has_letters = address.chars().any(|c| c.is_ascii_alphabetic());
    if !is_one || !(has_letters || address.contains("::")) {
        return None;
    }
    let mut said = hexadecimal(address, language, &format!(" {} ", language.signs.colon));
    if let Some(bits) = found.number(1) {
        said = format!("{said} {} {}", language.signs.slash, (language.cardinal)(bits));
    }
    Some(said)
}

/// Groups of hexadecimal digits, one by one.
fn hexadecimal(text: &str, language: &Language, between: &str) -> String {
    let groups: Vec<String> = text
        .split([':', '-'])
        .map(|group| {
            let digit = |c: char| match c.to_digit(10) {
                Some(digit) => language.digits[digit as usize].to_owned(),
                None => c.to_uppercase().to_string(),
            };
            group.chars().map(digit).collect::<Vec<_>>().join(" ")
        })
        .collect();
    groups.join(between).trim().replace("  ", " ")
}

fn host(found: &Found<'_>, language: &Language) -> Option<String> {
    let name = found.get(0);
    let numbers_only = !name.chars().any(char::is_alphabetic);
    let preceded = found.last_before().is_some_and(|c| c.is_alphanumeric() || c == '@' || c == '.');
    let (_, last) = found.get(1).rsplit_once('.')?;
    if preceded || numbers_only || !TOP_LEVELS.contains(&last.to_lowercase().as_str()) {
        return None;
    }
    let port = match found.get(2) {
        "" => String::new(),
        port => format!(", {} {}", language.signs.port, language.spelled(port)),
    };
    Some(spelled_out(found.get(1), language) + &port)
}

/// "a link to /x" is no path where it is one word after another: "and/or".
fn path(found: &Found<'_>, language: &Language) -> Option<String> {
    let path = found.get(1);
    let lead = found.get(0).chars().next().filter(|c| !"/~.".contains(*c));
    let lead = lead.map_or_else(String::new, |c| if c == '=' { " ".into() } else { c.to_string() });
    Some(lead + &spelled_out(path, language))
}

/// Letters as words, and each sign by its name.
pub(super) fn spelled_out(address: &str, language: &Language) -> String {
    let signs = &language.signs;
    let mut said = String::new();
    for run in address.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = run.trim_end_matches(|c: char| !c.is_alphanumeric());
        said.push_str(word);
        let name = match &run[word.len()..] {
            "." => signs.dot,
            "_" => signs.underscore,
            "-" => signs.dash,
            "+" => signs.plus,
            "/" => signs.slash,
            "@" => signs.at,
            "*" => signs.star,
            ":" => signs.colon,
            "%" => signs.percent,
            _ => "",
        };
        said.push_str(&format!(" {name} "));
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

const HOST: &str = r"((?:\*\.)?(?:[A-Za-z0-9][A-Za-z0-9_-]*\.)+[A-Za-z]{2,10})\b(?::(\d{2,5})\b)?";
/// Endings by which a host is known from two sentences without a space, and names of files.
const TOP_LEVELS: [&str; 62] = [
    "org",
    "com",
    "net",
    "edu",
    "gov",
    "io",
    "dev",
    "app",
    "eu",
    "de",
    "at",
    "ch",
    "fr",
    "es",
    "it",
    "uk",
    "us",
    "jp",
    "nl",
    "be",
    "pl",
    "cz",
    "info",
    "biz",
    "example",
    "test",
    "local",
    "localhost",
    "lan",
    "internal",
    "home",
    "arpa",
    "cloud",
    "me",
    "tv",
    "invalid",
    "txt",
    "pdf",
    "csv",
    "log",
    "md",
    "doc",
    "docx",
    "xls",
    "xlsx",
    "png",
    "jpg",
    "jpeg",
    "zip",
    "tar",
    "gz",
    "conf",
    "cfg",
    "toml",
    "yaml",
    "yml",
    "json",
    "xml",
    "sh",
    "py",
    "rs",
    "service",
];
