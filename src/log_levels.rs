//! How much is logged, as it is written on the command line and in `component.toml`.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// The level of everything, and of parts that have another one, such as `info,sip=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevels {
    general: Option<LevelFilter>,
    parts: Vec<(String, LevelFilter)>,
}

impl LogLevels {
    /// What is let through; `general`: for what is not written.
    pub fn filter(written: Option<&Self>, general: LevelFilter) -> Targets {
        let (own, parts) = match written {
            Some(Self { general, parts }) => (*general, parts.as_slice()),
            None => (None, &[][..]),
        };
        Targets::new().with_default(own.unwrap_or(general)).with_targets(parts.iter().cloned())
    }
}

impl FromStr for LogLevels {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let mut levels = Self { general: None, parts: vec![] };
        for item in written.split(',') {
            match item.split_once('=') {
                None if item.trim().eq_ignore_ascii_case(MESSAGES) => {
                    levels.parts.push((MESSAGES.to_owned(), LevelFilter::TRACE));
                }
                None => levels.general = Some(level(item)?),
                Some((part, of_part)) => {
                    let part = part.trim();
                    let room = part.split("::").next().unwrap_or_default();
                    if !parts().any(|known| known == room) {
                        let known: Vec<_> = parts().collect();
                        return Err(format!(
                            "there is no part {part}; parts are {}",
                            known.join(", ")
                        ));
                    }
                    levels.parts.push((format!("offhook::{part}"), level(of_part)?));
                }
            }
        }
        Ok(levels)
    }
}

fn level(written: &str) -> Result<LevelFilter, String> {
    let known = written.trim().parse();
    known.map_err(|_| {
        format!("{} is no level: off, error, warn, info, debug, trace or sip", written.trim())
    })
}

/// What SIP messages are logged under, apart from what the program says of them.
const MESSAGES: &str = "sip";

/// The parts of the program, as its root lists them.
fn parts() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("lib.rs").lines();
    lines.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_part_has_its_own_level() {
        let cases = [
            ("info,sip=debug", "offhook::sip::transport", Level::DEBUG, true),
            ("info,sip=debug", "offhook::sip", Level::TRACE, false),
            ("info,sip=debug", "offhook::xmpp::link", Level::DEBUG, false),
            ("sip::transport=trace", "offhook::sip::transport", Level::TRACE, true),
            ("sip::transport=trace", "offhook::sip::invite", Level::DEBUG, false),
            ("sip=off", "offhook::sip", Level::ERROR, false),
            ("sip=off", "offhook::media", Level::WARN, true),
            ("debug", "hyper", Level::DEBUG, true),
            ("sip", "sip", Level::TRACE, true),
            ("sip", "offhook::sip", Level::INFO, false),
            ("debug,SIP", "sip", Level::TRACE, true),
            ("debug,SIP", "offhook::sip", Level::DEBUG, true),
            ("debug", "sip", Level::TRACE, false),
        ];
        for (written, target, level, expected) in cases {
            let levels = written.parse().unwrap();
            let filter = LogLevels::filter(Some(&levels), LevelFilter::WARN);
            assert_eq!(filter.would_enable(target, &level), expected, "{written} {target} {level}");
        }
        assert!(!LogLevels::filter(None, LevelFilter::WARN).would_enable("offhook", &Level::INFO));
    }

    #[test]
    fn what_is_no_level_and_no_part_is_refused_with_what_there_is() {
        let cases = [
            ("loud", "loud is no level: off, error, warn, info, debug, trace or sip"),
            ("sip=loud", "loud is no level"),
            ("sipp=debug", "there is no part sipp; parts are address_scope, backoff, call,"),
        ];
        for (written, expected) in cases {
            let says = written.parse::<LogLevels>().unwrap_err();
            assert!(says.starts_with(expected), "{says}");
        }
    }
}
