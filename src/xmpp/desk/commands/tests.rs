use super::*;

#[test]
fn a_form_shows_what_is_set_and_asks_only_for_what_was_changed() {
    let mut desk = Desk::new();
    let form = desk.shown("bob@example.org/a", "settings");
    for (var, value) in [
        ("number", "+81378901111"),
        ("offline", "phone"),
        ("quiet", "22:00-07:30"),
        ("timezone", "Asia/Tokyo"),
        ("language", "ja"),
        ("pin", ""),
    ] {
        let field = form.children().find(|it| it.attr("var") == Some(var)).unwrap();
        let shown = field.get_child("value", ns::DATA_FORMS).map(Element::text).unwrap_or_default();
        assert_eq!(shown, value, "{var}");
    }
    let fields = "<field var='offline'><value>store</value></field>\
                  <field var='number'><value>+81378901111</value></field>\
                  <field var='pin'><value>4821</value></field>";
    let Wish::Set(wanted) = desk.submits("bob@example.org/a", "settings", fields).unwrap() else {
        panic!("it sets something");
    };
    assert_eq!(wanted.settings, [Setting::Offline(WhenOffline::Store)]);
    assert_eq!(wanted.pin.as_deref(), Some("4821"));
    assert_eq!(wanted.number, None, "it is his already");
}

#[test]
fn a_session_belongs_to_one_full_jid_and_is_of_use_once() {
    let mut desk = Desk::new();
    let open = |desk: &mut Desk| {
        desk.shown("bob@example.org/a", "settings");
        desk.session.clone()
    };
    let fields = "<field var='offline'><value>store</value></field>";
    let session = open(&mut desk);
    for thief in ["bob@example.org/b", "eve@example.org/a", "bob@example.org"] {
        desk.session.clone_from(&session);
        assert_eq!(
            desk.submits(thief, "settings", fields).err().unwrap(),
            "bad-sessionid",
            "{thief}"
        );
    }
    desk.session.clone_from(&session);
    assert_eq!(desk.submits("bob@example.org/a", "number", fields).err().unwrap(), "bad-sessionid");
    assert!(desk.submits("bob@example.org/a", "settings", fields).is_ok());
    assert_eq!(
        desk.submits("bob@example.org/a", "settings", fields).err().unwrap(),
        "bad-sessionid"
    );
    open(&mut desk);
    desk.now += SESSION;
    assert_eq!(
        desk.submits("bob@example.org/a", "settings", fields).err().unwrap(),
        "session-expired"
    );
}

#[test]
fn only_the_operator_gives_orders_and_only_who_is_known_is_shown_anything() {
    let mut desk = Desk::new();
    for (who, node, allowed) in [
        ("bob@example.org/a", "suspend", false),
        ("bob@example.org/a", "people", false),
        ("admin@example.org/a", "people", true),
        ("admin@example.org/a", "suspend", true),
        ("carol@example.org/a", "show", false),
        ("carol@example.org/a", "number", true),
        ("bob@example.org/a", "show", true),
    ] {
        let handled = desk.asks(who, node, "");
        let refused = matches!(&handled, Handled::Answer(it) if stanza::condition(it).is_some());
        assert_eq!(!refused, allowed, "{who} {node}");
    }
}

#[test]
fn forms_that_nobody_fills_in_are_bounded() {
    let mut desk = Desk::new();
    for number in 0..100 {
        desk.asks(&format!("carol@example.org/{number}"), "settings", "");
    }
    assert_eq!(desk.sessions.open.len(), OPEN_OF_ONE_MAX);
    for number in 0..2 * OPEN_MAX {
        desk.asks(&format!("someone{number}@example.org/a"), "settings", "");
    }
    assert_eq!(desk.sessions.open.len(), OPEN_MAX);
}

#[test]
fn a_crowd_of_strangers_keeps_nobody_of_ours_from_his_form() {
    let mut desk = Desk::new();
    desk.shown("bob@example.org/a", "settings");
    let session = desk.session.clone();
    for number in 0..2 * OPEN_MAX {
        desk.now += Duration::from_millis(1);
        desk.shown(&format!("someone{number}@example.org/a"), "settings");
    }
    assert_eq!(desk.sessions.open.len(), OPEN_MAX);
    let fields = "<field var='offline'><value>store</value></field>";
    let last = format!("someone{}@example.org/a", 2 * OPEN_MAX - 1);
    assert!(desk.submits(&last, "settings", fields).is_ok(), "the latest are kept");
    desk.session = session;
    assert!(desk.submits("bob@example.org/a", "settings", fields).is_ok());
    desk.shown("bob@example.org/b", "settings");
}

struct Desk {
    sessions: Sessions,
    seed: Seed,
    now: Instant,
    session: String,
    bob: Subscriber,
}

impl Desk {
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
        let asker = Asker { from: &from, person, is_operator, language: None };
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

    fn submits(&mut self, who: &str, node: &str, fields: &str) -> Result<Wish, String> {
        let rest = format!(
            "sessionid='{}' action='complete'><x xmlns='jabber:x:data' type='submit'>{fields}</x>",
            self.session
        );
        match self.asks(who, node, &rest) {
            Handled::Petition(petition) => Ok(petition.wish),
            Handled::Answer(answer) => {
                let error = answer.get_child("error", ns::COMPONENT).unwrap();
                let condition = error.children().find(|it| it.has_ns(ns::COMMANDS)).unwrap();
                Err(condition.name().to_owned())
            }
        }
    }
}
