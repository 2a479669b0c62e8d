//! Commands: opened by thousands and never filled in, replayed by others, and typed without end.

use minidom::Element;
use offhook::xmpp::stanza::condition;

use crate::test_bed::{ALICE, COMPONENT, TestBed, iq, message};
use crate::xmpp_server::patiently;

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_nobody_fills_in_leave_room_for_people() {
    const HALF: usize = 10_000;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    let mut seen = vec![];
    let mut bobs = None;
    for half in 0..2 {
        let opening = |number: usize| {
            let from = format!("s{number}@example.org/x");
            iq("set", &from, COMPONENT, &format!("e{number}"), &command(SETTINGS, ""))
        };
        let heard = bed.floods((half * HALF..(half + 1) * HALF).map(opening)).await;
        // Alice may be told of her message meanwhile.
        let to_them = |it: &&Element| it.attr("to").is_some_and(|to| to.starts_with('s'));
        let answers = heard.iter().filter(|it| it.name() == "iq").filter(to_them);
        let (forms, refused): (Vec<_>, Vec<_>) =
            answers.partition(|it| it.attr("type") == Some("result"));
        println!("{} forms were shown, {} refused", forms.len(), refused.len());
        assert_eq!(forms.len() + refused.len(), HALF, "each is answered");
        assert!(refused.iter().all(|it| condition(it) == Some("resource-constraint")));
        // One of ours asks in between, and fills in after the rest of the flood.
        if half == 0 {
            assert_eq!(bed.held(), ["before"]);
            bobs = Some(bed.opens("bob@example.org/a").await);
        }
        seen.push(bed.resident_kb().await);
    }
    println!("kB resident after the first half and after the second: {seen:?}");
    assert!(seen[1] <= seen[0] + GROWTH_KB_MAX, "{seen:?}");
    let told = bed.submits("bob@example.org/a", &bobs.unwrap(), "de").await;
    assert_eq!(told, "completed");
    // Who fills in a form is there, and has the message; it counts as delivered after a minute.
    let delivered = async {
        while !bed.held().is_empty() {
            bed.hears_it_is_alive().await;
        }
    };
    patiently(delivered).await;
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_command_changes_nothing() {
    let mut bed = TestBed::open().await;
    let session = bed.opens("bob@example.org/a").await;
    for thief in
        ["bob@example.org/b", "eve@example.org/a", "carol@example.org/a", "bob@example.org"]
    {
        assert_eq!(bed.submits(thief, &session, "de").await, "bad-sessionid", "{thief}");
    }
    let stranger = bed.submits("eve@example.net/a", &session, "de").await;
    assert_eq!(stranger, "forbidden");
    assert_eq!(bed.language("bob@example.org/a").await, "");
    assert_eq!(bed.submits("bob@example.org/a", &session, "ja").await, "completed");
    // Some more, and Bob has asked more often than anybody may.
    for _ in 0..40 {
        assert_eq!(bed.submits("bob@example.org/a", &session, "de").await, "bad-sessionid");
    }
    assert_eq!(bed.language("bob@example.org/a").await, "ja", "the first answer holds");
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_commands_of_a_stranger_are_answered_and_forgotten() {
    const COMMANDS: usize = 10_000;
    let mut bed = TestBed::open().await;
    bed.holds(ALICE, "before").await;
    for number in 0..COMMANDS {
        let says = ["help", "settings", "phone +9995550199", "code 1234", "forget yes"][number % 5];
        let id = format!("c{number}");
        bed.says(message("eve@example.net/x", COMPONENT, &id, says));
    }
    let heard = bed.hears_it_is_alive().await;
    let answers = heard.iter().filter(|it| it.attr("to").is_some_and(|to| to.starts_with("eve@")));
    assert_eq!(answers.count(), COMMANDS, "each is answered");
    // Before Bob writes: that is a sign of life, which brings them what is held.
    assert_eq!(bed.held(), ["before"]);
    bed.says(message("bob@example.org/a", COMPONENT, "b1", "show"));
    bed.hears_until(|it| it.attr("to") == Some("bob@example.org")).await;
    bed.closes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_wants_a_pin_at_once_waits_his_turn() {
    const PEOPLE: usize = 300;
    let mut bed = TestBed::open().await;
    let mut filled_in = vec![];
    for person in 0..PEOPLE {
        let from = format!("p{person}@example.org/x");
        let session = bed.opens(&from).await;
        let fields = "<field var='number'><value>+441632960000</value></field>\
                      <field var='pin'><value>48213</value></field>";
        let command = command(&session, &submitted(fields));
        filled_in.push(iq("set", &from, COMPONENT, "pin", &command));
    }
    let before = bed.most_resident_kb().await;
    bed.says(filled_in.concat());
    let mut put_off = 0;
    for _ in 0..PEOPLE {
        let heard = bed.hears_until(|it| it.attr("id") == Some("pin")).await;
        let answer = heard.last().unwrap().get_child("command", COMMANDS).unwrap();
        let told = answer.get_child("note", COMMANDS).unwrap().text();
        put_off += usize::from(told.contains("Too many messages in a short time"));
    }
    println!("{put_off} of {PEOPLE} were put off");
    assert!((1..PEOPLE / 2).contains(&put_off), "{put_off}");
    let after = bed.most_resident_kb().await;
    println!("kB resident at most before {PEOPLE} PINs were hashed, and then: {before} {after}");
    // One takes 8 MB, and now and then a second thread begins before the first has ended.
    assert!(after <= before + 40_000, "{before} {after}");
    bed.closes().await;
}

impl TestBed {
    /// Opens the settings; gives the attributes that name the session.
    async fn opens(&mut self, from: &str) -> String {
        let form = self.form(from).await;
        let session = form.attr("sessionid").unwrap();
        format!("{SETTINGS} sessionid='{session}'")
    }

    /// The language that stands in the settings.
    async fn language(&mut self, from: &str) -> String {
        let command = self.form(from).await;
        let form = command.get_child("x", FORMS).unwrap();
        let field = form.children().find(|it| it.attr("var") == Some("language")).unwrap();
        field.get_child("value", FORMS).unwrap().text()
    }

    async fn form(&mut self, from: &str) -> Element {
        self.says(iq("set", from, COMPONENT, "open", &command(SETTINGS, "")));
        let heard = self.hears_until(|it| it.attr("id") == Some("open")).await;
        heard.last().unwrap().get_child("command", COMMANDS).expect("a form").clone()
    }

    /// Fills in another language; gives the status of the command, or why not.
    async fn submits(&mut self, from: &str, session: &str, language: &str) -> String {
        let field = format!("<field var='language'><value>{language}</value></field>");
        self.says(iq("set", from, COMPONENT, "fill", &command(session, &submitted(&field))));
        let heard = self.hears_until(|it| it.attr("id") == Some("fill")).await;
        let answer = heard.last().unwrap();
        match answer.get_child("command", COMMANDS) {
            Some(command) => command.attr("status").unwrap().to_owned(),
            None => {
                let error = answer.get_child("error", crate::test_bed::NS).unwrap();
                let reason = error.children().find(|it| it.has_ns(COMMANDS)).map(Element::name);
                reason.or(condition(answer)).unwrap().to_owned()
            }
        }
    }
}

fn command(attributes: &str, payload: &str) -> String {
    format!("<command xmlns='{COMMANDS}' {attributes}>{payload}</command>")
}

fn submitted(fields: &str) -> String {
    format!("<x xmlns='{FORMS}' type='submit'>{fields}</x>")
}

const SETTINGS: &str = "node='settings'";
const COMMANDS: &str = "http://jabber.org/protocol/commands";
const FORMS: &str = "jabber:x:data";
/// Less than 10,000 open forms would take.
const GROWTH_KB_MAX: u64 = 1_600;
