//! `[[subscriber]]`: people whom the operator has set up.

use super::dial::time_zone;
use super::section::Section;
use crate::notification::policy::Policy;
use crate::subscriber::{Quiet, Subscriber, WhenOffline};

pub(super) fn read(top: &mut Section<'_>, allowed: Option<&Policy>) -> Option<Vec<Subscriber>> {
    if !top.is_written("subscriber") {
        top.sections("subscriber");
        return Some(vec![]);
    }
    let sections = top.sections("subscriber");
    let places: Vec<_> = sections.iter().map(|section| section.at("jid")).collect();
    let read: Vec<Option<Subscriber>> =
        sections.into_iter().map(|section| subscriber(section, allowed)).collect();
    let people: Vec<Subscriber> = read.into_iter().collect::<Option<_>>()?;
    let named: Vec<_> = people.iter().map(|person| &person.jid).zip(places).collect();
    let is_double = top.has_doubles(&named, |jid| format!("{jid} is written twice"));
    (!is_double).then_some(people)
}

fn subscriber(mut section: Section<'_>, allowed: Option<&Policy>) -> Option<Subscriber> {
    let jid = section.required::<xmpp_parsers::jid::BareJid>("jid").and_then(|jid| {
        if jid.node().is_none() {
            section.mistake("jid", "jid must be a person's, such as bob@example.org");
            return None;
        }
        Some(jid)
    });
    let name = section.text("name");
    let number = section.parsed_if_written::<crate::phone_number::PhoneNumber>("number");
    let offline = section.choice(
        "offline",
        &[("phone", WhenOffline::Phone), ("store", WhenOffline::Store)],
        WhenOffline::Phone,
    );
    let language = section.text("language");
    let slow = section.flag("slow", false);
    let quiet = match section.text("quiet") {
        Some(Some(none)) if none.is_empty() => Some(Some(Quiet::Never)),
        Some(_) => section.parsed_if_written("quiet").map(|hours| hours.map(Quiet::Daily)),
        None => None,
    };
    let time_zone = time_zone(&mut section);
    if let (Some(Some(number)), Some(policy)) = (&number, allowed)
        && let Some(forbidden) = policy.forbids(number)
    {
        section.mistake("number", &forbidden.to_string());
    }
    if offline == Some(WhenOffline::Phone) && number == Some(None) && section.is_written("offline")
    {
        section.mistake("offline", "offline = \"phone\" needs a number");
    }
    section.refuse_unknown_keys();
    let jid = jid?;
    let name = name?.unwrap_or_else(|| jid.node().map(|node| node.to_string()).unwrap_or_default());
    Some(Subscriber {
        number: number?,
        offline: offline?,
        language: language?,
        slow: slow?,
        quiet: quiet?,
        time_zone: time_zone?,
        ..Subscriber::new(jid, name)
    })
}
