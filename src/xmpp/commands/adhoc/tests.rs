use super::*;
use crate::subscriber::{Quiet, Setting, Subscriber, WhenOffline};

#[test]
fn a_form_shows_what_is_set_and_asks_only_for_what_was_changed() {
    let mut dialogue = Dialogue::new();
    let form = dialogue.shown("bob@example.org/a", "settings");
    for (var, value) in [
        ("number", "+81378901111"),
        ("offline", "phone"),
        ("quiet", "22:00-07:30"),
        ("timezone", "Asia/Tokyo"),
        ("language", "ja"),
        ("slow", "no"),
        ("pin", ""),
    ] {
        let field = form.children().find(|it| it.attr("var") == Some(var)).unwrap();
        let shown = field.get_child("value", ns::DATA_FORMS).map(Element::text).unwrap_or_default();
        assert_eq!(shown, value, "{var}");
    }
    let fields = "<field var='offline'><value>store</value></field>\
                  <field var='number'><value>+81378901111</value></field>\
                  <field var='slow'><value>yes</value></field>\
                  <field var='pin'><value>4821</value></field>";
    let UserCommand::Set(change) =
        dialogue.submits("bob@example.org/a", "settings", fields).unwrap()
    else {
        panic!("it sets something");
    };
    assert_eq!(change.settings, [Setting::Offline(WhenOffline::Store), Setting::Slow(Some(true))]);
    assert_eq!(change.pin.as_deref(), Some("4821"));
    assert_eq!(change.number, None, "the number is set already");
}

#[test]
fn a_session_belongs_to_one_full_jid_and_is_of_use_once() {
    let mut dialogue = Dialogue::new();
    let open = |dialogue: &mut Dialogue| {
        dialogue.shown("bob@example.org/a", "settings");
        dialogue.session.clone()
    };
    let fields = "<field var='offline'><value>store</value></field>";
    let session = open(&mut dialogue);
    for thief in ["bob@example.org/b", "eve@example.org/a", "bob@example.org"] {
        dialogue.session.clone_from(&session);
        assert_eq!(
            dialogue.submits(thief, "settings", fields).err().unwrap(),
            "bad-sessionid",
            "{thief}"
        );
    }
    dialogue.session.clone_from(&session);
    assert_eq!(
        dialogue.submits("bob@example.org/a", "number", fields).err().unwrap(),
        "bad-sessionid"
    );
    assert!(dialogue.submits("bob@example.org/a", "settings", fields).is_ok());
    assert_eq!(
        dialogue.submits("bob@example.org/a", "settings", fields).err().unwrap(),
        "bad-sessionid"
    );
    open(&mut dialogue);
    dialogue.now += SESSION;
    assert_eq!(
        dialogue.submits("bob@example.org/a", "settings", fields).err().unwrap(),
        "session-expired"
    );
}

#[test]
fn operator_commands_are_for_operators_and_show_is_for_subscribers() {
    let mut dialogue = Dialogue::new();
    for (who, node, allowed) in [
        ("bob@example.org/a", "suspend", false),
        ("bob@example.org/a", "people", false),
        ("admin@example.org/a", "people", true),
        ("admin@example.org/a", "suspend", true),
        ("carol@example.org/a", "show", false),
        ("carol@example.org/a", "number", true),
        ("bob@example.org/a", "show", true),
    ] {
        let handled = dialogue.asks(who, node, "");
        let refused = matches!(&handled, Handled::Answer(it) if stanza::condition(it).is_some());
        assert_eq!(!refused, allowed, "{who} {node}");
    }
}

#[test]
fn open_sessions_are_bounded() {
    let mut dialogue = Dialogue::new();
    for number in 0..100 {
        dialogue.asks(&format!("carol@example.org/{number}"), "settings", "");
    }
    assert_eq!(dialogue.sessions.open.len(), OPEN_OF_ONE_MAX);
    for number in 0..2 * OPEN_MAX {
        dialogue.asks(&format!("someone{number}@example.org/a"), "settings", "");
    }
    assert_eq!(dialogue.sessions.open.len(), OPEN_MAX);
}

#[test]
fn a_flood_of_strangers_keeps_no_subscriber_from_their_form() {
    let mut dialogue = Dialogue::new();
    dialogue.shown("bob@example.org/a", "settings");
    let session = dialogue.session.clone();
    for number in 0..2 * OPEN_MAX {
        dialogue.now += Duration::from_millis(1);
        dialogue.shown(&format!("someone{number}@example.org/a"), "settings");
    }
    assert_eq!(dialogue.sessions.open.len(), OPEN_MAX);
    let fields = "<field var='offline'><value>store</value></field>";
    let last = format!("someone{}@example.org/a", 2 * OPEN_MAX - 1);
    assert!(dialogue.submits(&last, "settings", fields).is_ok(), "the latest are kept");
    dialogue.session = session;
    assert!(dialogue.submits("bob@example.org/a", "settings", fields).is_ok());
    dialogue.shown("bob@example.org/b", "settings");
}

struct Dialogue {
    sessions: Sessions,
    seed: Seed,
    now: Instant,
    session: String,
    bob: Subscriber,
}

impl Dialogue {
    fn new() -> Self {
        let bob = Subscriber {
            number: "+81378901111".parse().ok(),
            quiet: "22:00-07:30".parse().ok().map(Quiet::Daily),
            time_zone: jiff::tz::TimeZone::get("Asia/Tokyo").ok(),
            language: Some("ja".into()),
            ..Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into())
        };
        Self {
            sessions: Sessions::default(),
            seed: Seed::fixed(1),
            now: crate::clock::now(),
            session: String::new(),
            bob,
        }
    }

    fn asks(&mut self, who: &str, node: &str, rest: &str) -> Handled {
        let iq: Element = format!(
            "<iq xmlns='jabber:component:accept' type='set' id='1' from='{who}' to='phone.example.org'>\
             <command xmlns='http://jabber.org/protocol/commands' node='{node}' {rest}</command></iq>"
        )
        .replace(&format!("node='{node}' </command>"), &format!("node='{node}'></command>"))
        .parse()
        .unwrap();
        let from = Jid::new(who).unwrap();
        let person = (from.to_bare() == self.bob.jid).then_some(&self.bob);
        let is_operator = from.to_bare().as_str() == "admin@example.org";
        let asker = Asker { from: &from, person, is_operator, language: None, country: None };
        self.sessions.handle(&iq, asker, &mut self.seed, self.now)
    }

    fn shown(&mut self, who: &str, node: &str) -> Element {
        let Handled::Answer(answer) = self.asks(who, node, "") else {
            panic!("a form comes first")
        };
        let command = answer.get_child("command", ns::COMMANDS).unwrap();
        assert_eq!(command.attr("status"), Some("executing"));
        self.session = command.attr("sessionid").unwrap().to_owned();
        command.get_child("x", ns::DATA_FORMS).unwrap().clone()
    }

    fn submits(&mut self, who: &str, node: &str, fields: &str) -> Result<UserCommand, String> {
        let rest = format!(
            "sessionid='{}' action='complete'><x xmlns='jabber:x:data' type='submit'>{fields}</x>",
            self.session
        );
        match self.asks(who, node, &rest) {
            Handled::CommandRequest(request) => Ok(request.command),
            Handled::Answer(answer) => {
                let error = answer.get_child("error", ns::COMPONENT).unwrap();
                let condition = error.children().find(|it| it.has_ns(ns::COMMANDS)).unwrap();
                Err(condition.name().to_owned())
            }
        }
    }
}
