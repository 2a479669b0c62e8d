use super::*;
use crate::notification::policy::Policy;
use crate::subscriber::{NotASetting, Setting, Subscriber, WhenOffline};
use crate::xmpp::commands::AdminCommand;
use crate::xmpp::commands::confirmations::changed;
use crate::xmpp::commands::replies::{calling, not_understood};

/// Each line of the table is what somebody types and what is answered; a line in brackets names the language of those below.
#[test]
fn what_people_type_is_understood() {
    let (mut language, mut lines, mut unknown) = ("en", 0, vec![]);
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        if let Some(tag) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            language = tag;
            continue;
        }
        let (typed, expected) = line.split_once(" => ").unwrap_or((line, ""));
        let typed = typed.replace("\\u{202a}", "\u{202a}").replace("\\n", "\n");
        let answered = answer(language, &typed);
        assert_eq!(answered, expected, "{typed:?}");
        lines += 1;
        if matches!(read(&typed), Err(CommandError::Command)) {
            unknown.push(typed);
        }
    }
    assert!(lines >= 200, "{lines}");
    assert!(unknown.len() * 20 <= lines, "{unknown:?}");
}

#[test]
fn a_slip_of_the_pen_is_no_other_command() {
    for typed in ["x", "off-site meeting today", "Can you call me tomorrow?", "on Monday at ten"] {
        assert!(read(typed) == Err(CommandError::Command), "{typed:?}");
    }
    assert!(read(&"a ".repeat(100_000)).is_err());
    assert!(read("pin").is_err() && read("quiet").is_err() && read("timezone").is_err());
}

fn answer(language: &str, typed: &str) -> String {
    let language = Some(language);
    match read(typed) {
        Ok(UserCommand::Set(change)) => match (&change.number, &change.pin) {
            (Some((number, slot)), _) => format!("({slot:?}) {}", calling(language, number)),
            (_, Some(pin)) => format!("(PIN {pin:?})"),
            _ => changed(language, &bob(&change.settings), &change.settings, &policy(), NOW),
        },
        Ok(UserCommand::Code(code)) => format!("(code {code})"),
        Ok(UserCommand::Help) => "(help)".into(),
        Ok(UserCommand::HelpMore) => "(more help)".into(),
        Ok(UserCommand::Show) => "(settings)".into(),
        Ok(UserCommand::Test) => "(test call)".into(),
        Ok(UserCommand::Calls) => "(calls)".into(),
        Ok(UserCommand::Rules) => "(rules)".into(),
        Ok(UserCommand::Report(jid)) => format!("(report {jid})"),
        Ok(UserCommand::Forget { confirmed: false }) => "(are you sure?)".into(),
        Ok(UserCommand::Forget { confirmed: true }) => "(forgotten)".into(),
        Ok(UserCommand::Operator(AdminCommand::TestCall(jid))) => format!("(test call to {jid})"),
        Ok(UserCommand::Operator(command)) => format!("({command:?})"),
        Err(CommandError::Value(NotASetting::Language)) => "(languages)".into(),
        Err(error) => not_understood(language, &error, Some("+49")),
    }
}

fn bob(settings: &[Setting]) -> Subscriber {
    let mut bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into());
    bob.number = "+81378901111".parse().ok();
    if settings.contains(&Setting::Offline(WhenOffline::Store)) {
        bob.offline = WhenOffline::Store;
    }
    bob
}

fn policy() -> Policy {
    Policy { zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(), ..Policy::default() }
}

/// 12:00 in Berlin.
const NOW: jiff::Timestamp = jiff::Timestamp::constant(1_795_950_000, 0);
const TABLE: &str = include_str!("typed.txt");
