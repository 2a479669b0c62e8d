//! The forms of ad-hoc commands: their fields, and what the filled-in values ask for.

use xmpp_parsers::data_forms::{Field, FieldType, Option_};

use super::data_form::Submitted;
use super::values::{self, CommandError};
use super::{AdminCommand, Asker, SettingChange, UserCommand};
use crate::notification::verification::NumberSlot;
use crate::phone_number::PhoneNumber;
use crate::subscriber::{Quiet, SenderRule, Senders, Setting, Subscriber, WhenOffline};
use crate::wording::phrase;
use crate::xmpp::stanza::printable;

/// One form.
pub(super) struct Form {
    /// The fields, with their present values.
    pub(super) fields: fn(Asker<'_>) -> Vec<Field>,
    /// What the submitted values ask for.
    pub(super) read: fn(&Submitted, Option<&Subscriber>) -> Result<UserCommand, CommandError>,
}

pub(super) static SETTINGS: Form = Form {
    fields: settings_fields,
    read: |form, person| settings_change(form, person).map(UserCommand::Set),
};

pub(super) static NUMBER: Form = Form {
    fields: |asker| vec![text_field("number", label(asker, "field-number"), "")],
    read: |form, _| values::first_number(form.get("number").unwrap_or_default()),
};

pub(super) static CODE: Form = Form {
    fields: |asker| vec![text_field("code", label(asker, "field-code"), "")],
    read: |form, _| values::code(form.get("code").unwrap_or_default()),
};

pub(super) static SENDER: Form = Form {
    fields: |asker| {
        let choices = [
            ("allow", label(asker, "field-allow")),
            ("block", label(asker, "field-block")),
            ("report", label(asker, "field-report")),
            ("remove", label(asker, "field-no-rule")),
            ("everyone", label(asker, "field-everyone")),
            ("contacts", label(asker, "field-contacts")),
            ("domain", label(asker, "field-domain")),
            ("default", label(asker, "field-default")),
        ];
        vec![
            choice_field("rule", label(asker, "field-rule"), choices, "allow"),
            jid_field(label(asker, "field-jid")),
        ]
    },
    read: |form, _| {
        let jid = || values::person(form.get("jid").unwrap_or_default());
        Ok(match form.get("rule") {
            Some("allow") => Setting::Sender(jid()?, SenderRule::Allow),
            Some("block") => Setting::Sender(jid()?, SenderRule::Block),
            Some("report") => return Ok(UserCommand::Report(jid()?)),
            Some("remove") => Setting::NoSenderRule(jid()?),
            Some("everyone") => Setting::Senders(Some(Senders::Everyone)),
            Some("contacts") => Setting::Senders(Some(Senders::Contacts)),
            Some("domain") => Setting::Senders(Some(Senders::Domain)),
            Some("default") => Setting::Senders(None),
            Some(_) | None => return Err(CommandError::Command),
        }
        .into())
    },
};

pub(super) static FORGET: Form = Form {
    fields: |asker| {
        let choices = [("no", label(asker, "field-no")), ("yes", label(asker, "field-yes"))];
        vec![choice_field("sure", label(asker, "field-sure"), choices, "no")]
    },
    read: |form, _| Ok(UserCommand::Forget { confirmed: form.get("sure") == Some("yes") }),
};

pub(super) static TEST_CALL: Form = Form {
    fields: |asker| vec![jid_field(label(asker, "field-jid"))],
    read: |form, _| {
        Ok(AdminCommand::TestCall(values::person(form.get("jid").unwrap_or_default())?).into())
    },
};

pub(super) static SUSPEND: Form = Form {
    fields: |asker| {
        let choices =
            [("yes", label(asker, "field-suspend")), ("no", label(asker, "field-resume"))];
        vec![choice_field("suspended", label(asker, "field-suspended"), choices, "yes")]
    },
    read: |form, _| Ok(AdminCommand::Suspend(form.get("suspended") == Some("yes")).into()),
};

fn settings_fields(asker: Asker<'_>) -> Vec<Field> {
    let of =
        |get: fn(&Subscriber) -> Option<String>| asker.person.and_then(get).unwrap_or_default();
    let offline = match asker.person.map(|person| person.offline) {
        Some(WhenOffline::Store) => "store",
        Some(WhenOffline::Phone) | None => "phone",
    };
    let choices = [("phone", label(asker, "field-phone")), ("store", label(asker, "field-store"))];
    let number = of(|person| Some(person.number.as_ref()?.as_str().to_owned()));
    let quiet = of(|person| {
        person.quiet.map(|quiet| match quiet {
            Quiet::Never => "off".into(),
            Quiet::Daily(hours) => hours.to_string(),
        })
    });
    let zone = of(|person| person.time_zone.as_ref()?.iana_name().map(str::to_owned));
    let language = of(|person| person.language.clone());
    let pin = of(|person| person.pin.as_ref().map(|_| UNCHANGED.to_owned()));
    vec![
        text_field("number", label(asker, "field-number"), &number),
        choice_field("offline", label(asker, "field-offline"), choices, offline),
        text_field("quiet", label(asker, "field-quiet"), &quiet),
        text_field("timezone", label(asker, "field-timezone"), &zone),
        text_field("language", label(asker, "field-language"), &language),
        field("pin", FieldType::TextPrivate, label(asker, "field-pin"), &pin),
    ]
}

/// Fields that are missing or unchanged change nothing.
fn settings_change(
    form: &Submitted,
    person: Option<&Subscriber>,
) -> Result<SettingChange, CommandError> {
    let mut change = SettingChange::default();
    let has = |number: &PhoneNumber| person.is_some_and(|it| it.number.as_ref() == Some(number));
    match form.get("number") {
        None => {}
        Some("") if person.is_none_or(|it| it.number.is_none()) => {}
        Some("") => change.settings.push(Setting::NoNumber),
        Some(number) => {
            let number = values::number(number)?;
            if !has(&number) {
                change.number = Some((number, NumberSlot::First));
            }
        }
    }
    let offline = match form.get("offline") {
        Some("phone") => Some(Setting::Offline(WhenOffline::Phone)),
        Some("store") => Some(Setting::Offline(WhenOffline::Store)),
        Some(_) => return Err(CommandError::Command),
        None => None,
    };
    let quiet = form.get("quiet").map(Setting::quiet).transpose()?;
    let zone = form.get("timezone").map(values::zone_setting).transpose()?;
    let language = form.get("language").map(Setting::language).transpose()?;
    let filled = [offline, quiet, zone, language].into_iter().flatten();
    change.settings.extend(filled.filter(|it| person.is_none_or(|person| !is_set(it, person))));
    let has_pin = person.is_some_and(|person| person.pin.is_some());
    let pin = form.get("pin").filter(|pin| *pin != UNCHANGED && (has_pin || !pin.is_empty()));
    change.pin = pin.map(str::to_owned);
    Ok(change)
}

/// Whether the person has this setting already.
fn is_set(setting: &Setting, person: &Subscriber) -> bool {
    match setting {
        Setting::Offline(offline) => person.offline == *offline,
        Setting::Quiet(quiet) => person.quiet == *quiet,
        Setting::TimeZone(zone) => person.time_zone == *zone,
        Setting::Language(language) => person.language == *language,
        _ => false,
    }
}

fn label(asker: Asker<'_>, id: &str) -> String {
    phrase(asker.language, id, &[])
}

fn field(var: &str, kind: FieldType, label: String, value: &str) -> Field {
    let values = if value.is_empty() { vec![] } else { vec![printable(value)] };
    Field { label: Some(label), values, ..Field::new(var, kind) }
}

/// Source: XEP-0004 §3.3. An empty value is written, too: some clients show no field without one.
fn text_field(var: &str, label: String, value: &str) -> Field {
    Field { label: Some(label), ..Field::text_single(var, &printable(value)) }
}

fn choice_field(
    var: &str,
    label: String,
    choices: impl IntoIterator<Item = (&'static str, String)>,
    value: &str,
) -> Field {
    let option =
        |(value, label): (&str, String)| Option_ { label: Some(label), value: value.into() };
    let options = choices.into_iter().map(option).collect();
    Field { options, ..field(var, FieldType::ListSingle, label, value) }
}

fn jid_field(label: String) -> Field {
    field("jid", FieldType::JidSingle, label, "")
}

/// The value of the PIN's field if a PIN is set: only its hash is known.
const UNCHANGED: &str = "****";
