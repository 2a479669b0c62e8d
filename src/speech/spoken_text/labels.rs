//! Labels as programs write them: "[FIRING:1]", "severity=critical".

use super::language::Language;
use super::rule::{Rule, rules as table};

pub(super) fn rules(_: &Language) -> Vec<Rule> {
    table([
        (r"\[(FIRING|RESOLVED):(\d{1,4})\]", |found, language| {
            let count = found.number(2)?;
            let signs = &language.signs;
            let alerts = if count == 1 { signs.alert } else { signs.alerts };
            let count =
                if count == 1 { (language.one)(false).into() } else { (language.cardinal)(count) };
            Some(format!("{}, {count} {alerts}.", found.get(1).to_lowercase()))
        }),
        (MARKUP, |_, _| Some(" ".into())),
        (r"\{", |_, _| Some(" ".into())),
        // A box of a list, ticked or not.
        (r"\[([ xX])\] ", |_, _| Some(String::new())),
        (r"\[([^\[\]\n]{1,60})\]", |found, _| Some(format!(" {}, ", found.get(1)))),
        (r#"\b([A-Za-z_][A-Za-z0-9_.]*)=["']([^"'\n]{0,80})["']"#, |found, _| {
            Some(format!("{} {},", found.get(1), found.get(2)))
        }),
        (r"\b([A-Za-z_][A-Za-z0-9_.]*)=([A-Za-z])", |found, _| {
            Some(format!("{} {}", found.get(1), found.get(2)))
        }),
    ])
}

const MARKUP: &str = r#"</?(?:b|i|u|p|br|a|em|strong|code|pre|ul|ol|li|hr|h[1-6]|div|span|font|img|table|tr|td|speak|audio|break)(?:\s+[A-Za-z-]+="[^"<>]*")*\s*/?>"#;
