//! The gateway as Alice and Bob meet it.

mod anything;
mod routing;

use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::clock;
use crate::subscriber::Subscriber;

#[test]
fn nobody_counts_as_offline_before_the_answers_to_the_probes() {
    let mut world = World::new();
    let told = world.does(Input::LinkUp);
    assert_eq!(
        told,
        [
            "presence:subscribe phone.example.org>bob@example.org Offhook asks to see when you are \
             online, so that it phones you only when you are not.",
            "ping"
        ]
    );
    assert!(!world.gateway.settled());
    assert_eq!(world.passes(30), [""; 0]);
    assert_eq!(world.pong(), [""; 0]);
    assert_eq!(world.passes(4), [""; 0]);
    assert_eq!(world.passes(1), ["settled"]);
    assert!(world.gateway.settled());

    assert_eq!(world.does(Input::LinkDown), [""; 0]);
    assert!(!world.gateway.settled());
    let told = world.does(Input::LinkUp);
    assert_eq!(told.len(), 2, "asked again, for he may have agreed meanwhile: {told:?}");
    let told = world.hears("<presence from='bob@example.org/a' to='phone.example.org'/>");
    assert_eq!(told, ["bob@example.org came online"]);
    world.does(Input::LinkDown);
    let told = world.does(Input::LinkUp);
    assert_eq!(told, ["presence:probe phone.example.org>bob@example.org -", "ping"]);
    let told = world.hears("<presence from='bob@example.org/a' to='phone.example.org'/>");
    assert_eq!(told, ["bob@example.org came online"]);
    world.pong();
    assert_eq!(world.passes(5), ["settled"]);
}

#[test]
fn a_message_lost_on_its_way_to_bob_is_held_after_all() {
    let hello = says("alice@example.org/a", BOB, "chat", "<body>Hello</body>");
    let held = ["hold Hello for bob@example.org"];
    let bounce = "<message type='error' id='m1' from='bob@example.org' \
        to='alice\\40example.org@phone.example.org'><body>Hello</body>\
        <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";

    let mut world = World::with_bob_online();
    world.hears(&hello);
    assert_eq!(world.does(Input::LinkDown), held, "the link breaks before the pong");

    let mut world = World::with_bob_online();
    world.hears(&hello);
    world.pong();
    assert_eq!(world.does(Input::LinkDown), [""; 0], "the link breaks after the pong");

    let mut world = World::with_bob_online();
    world.hears(&hello);
    assert_eq!(world.hears(bounce), ["bob@example.org went offline", held[0]]);
    assert_eq!(world.hears(bounce), [""; 0], "ejabberd bounces once per resource");

    let mut world = World::with_bob_online();
    world.hears(&hello);
    world.pong();
    assert_eq!(world.hears(bounce).len(), 2, "a bounce may come after the pong");
}

#[test]
fn an_answer_to_someone_elsewhere_survives_the_link_and_its_bounce_is_told() {
    let hi = says(
        "bob@example.org/phone",
        "alice\\40other.org@phone.example.org",
        "chat",
        "<body>Hi</body>",
    );
    let mut world = World::settled();
    world.hears(&hi);
    assert_eq!(world.does(Input::LinkDown), [""; 0]);
    let told = world.does(Input::LinkUp);
    assert!(told.contains(&"message bob#>alice@other.org Hi".to_owned()), "{told:?}");
    let bounce = "<message type='error' id='m1' from='alice@other.org' \
        to='bob\\40example.org@phone.example.org'>\
        <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    assert_eq!(
        world.hears(bounce),
        ["message alice\\40other.org@phone.example.org>bob@example.org/phone item-not-found"]
    );
}

#[test]
fn two_programs_that_answer_each_other_run_dry() {
    let mut world = World::settled();
    let hello = says("bot@example.org/a", BOB, "chat", "<body>Hello</body>");
    let told: Vec<_> = (0..1000).flat_map(|_| world.hears(&hello)).collect();
    assert_eq!(told.iter().filter(|it| it.starts_with("hold")).count(), 60);
    assert!(told[999].ends_with("resource-constraint"));
}

#[test]
fn a_switch_is_told_once_it_is_durable() {
    let mut world = World::settled();
    world.hears(&says("bob@example.org/x", "phone.example.org", "chat", "<body>off</body>"));
    let bob = BareJid::new("bob@example.org").unwrap();
    let told = world.does(Input::Switched(&bob, WhenOffline::Store));
    assert_eq!(
        told,
        [
            "message phone.example.org>bob@example.org You will not be phoned. Messages are held until you are online."
        ]
    );
    let told = world.hears("<presence type='probe' from='alice@example.org' to='bob\\40example.org@phone.example.org'/>");
    assert_eq!(told, ["presence bob#>alice@example.org Messages are held"]);
}

#[test]
fn whoever_writes_in_german_is_answered_in_german() {
    let mut world = World::settled();
    world.hears(
        "<message xml:lang='de' id='m1' from='bob@example.org/x' to='phone.example.org'><body>off</body></message>",
    );
    let bob = BareJid::new("bob@example.org").unwrap();
    let words = "Sie werden nicht angerufen. Nachrichten werden aufbewahrt, bis Sie online sind.";
    assert_eq!(
        world.does(Input::Switched(&bob, WhenOffline::Store)),
        [format!("message phone.example.org>bob@example.org {words}")]
    );
    let stanza = wrapped(
        "<message xml:lang='de' id='m1' from='alice@example.org/x' to='carol\\40example.org@phone.example.org'>\
         <body>x</body></message>",
    );
    world.gateway.handle(Input::Stanza(&stanza), world.now);
    let Some(Output::Send(error)) = world.gateway.poll() else { panic!("it comes back") };
    let words = "Unter dieser Adresse ist hier niemand bekannt.";
    assert!(stanza::to_xml(&error).contains(words));
}

#[test]
fn a_message_that_could_not_be_held_comes_back() {
    let mut world = World::settled();
    let hello: Element = wrapped(&says("alice@example.org/a", BOB, "chat", "<body>Hello</body>"));
    world.gateway.handle(Input::Stanza(&hello), world.now);
    let Some(Output::Hold(draft)) = world.gateway.poll() else { panic!("it is to be held") };
    assert_eq!(
        world.does(Input::NotHeld(&draft)),
        ["message bob#>alice@example.org/a resource-constraint"]
    );
}

struct World {
    gateway: Gateway,
    now: Instant,
    ping: String,
}

impl World {
    fn new() -> Self {
        let bob = Subscriber {
            jid: BareJid::new("bob@example.org").unwrap(),
            name: "Bob".into(),
            number: Some("+81378901111".parse().unwrap()),
            offline: WhenOffline::Phone,
            language: None,
            quiet: None,
            time_zone: Some(TimeZone::UTC),
        };
        let gateway = Gateway::new("phone.example.org", Directory::new([&bob]), Seed::fixed(1));
        Self { gateway, now: clock::now(), ping: String::new() }
    }

    fn settled() -> Self {
        let mut world = Self::new();
        world.does(Input::LinkUp);
        world.pong();
        assert_eq!(world.passes(5), ["settled"]);
        world
    }

    fn with_bob_online() -> Self {
        let mut world = Self::settled();
        world.hears("<presence from='bob@example.org/phone' to='phone.example.org'/>");
        world
    }

    fn hears(&mut self, xml: &str) -> Vec<String> {
        self.does(Input::Stanza(&wrapped(xml)))
    }

    /// The server hands back the last ping.
    fn pong(&mut self) -> Vec<String> {
        let us = "from='phone.example.org' to='phone.example.org'";
        self.hears(&format!(
            "<iq type='get' id='{}' {us}><ping xmlns='urn:xmpp:ping'/></iq>",
            self.ping
        ))
    }

    fn passes(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        self.does(Input::Tick)
    }

    fn does(&mut self, input: Input<'_>) -> Vec<String> {
        self.gateway.handle(input, self.now);
        let mut told = vec![];
        while let Some(output) = self.gateway.poll() {
            if let Output::Send(stanza) = &output
                && stanza.has_child("ping", ns::PING)
            {
                self.ping = stanza.attr("id").unwrap().to_owned();
            }
            told.push(shown(&output));
        }
        told
    }
}

/// `alice#` is the gateway address of alice@example.org.
fn shown(output: &Output) -> String {
    match output {
        Output::Send(stanza) if stanza.has_child("ping", ns::PING) => "ping".into(),
        Output::Send(stanza) => {
            let kind = match stanza.attr("type") {
                Some(kind) if !matches!(kind, "chat" | "error") => format!(":{kind}"),
                _ => String::new(),
            };
            let from =
                stanza.attr("from").unwrap().replace("\\40example.org@phone.example.org", "#");
            let text = |name| stanza.get_child(name, ns::COMPONENT).map(Element::text);
            let says = stanza::condition(stanza)
                .map(str::to_owned)
                .or_else(|| text("body").or_else(|| text("status")))
                .unwrap_or("-".into());
            format!("{}{kind} {from}>{} {says}", stanza.name(), stanza.attr("to").unwrap())
        }
        Output::Hold(draft) => format!("hold {} for {}", draft.body, draft.recipient),
        Output::CameOnline(jid) => format!("{jid} came online"),
        Output::WentOffline(jid) => format!("{jid} went offline"),
        Output::Switch(jid, offline) => format!("switch {jid} to {offline:?}"),
        Output::Settled => "settled".into(),
    }
}

fn says(from: &str, to: &str, kind: &str, payload: &str) -> String {
    format!("<message id='m1' from='{from}' to='{to}' type='{kind}'>{payload}</message>")
}

fn wrapped(xml: &str) -> Element {
    let stream = format!("<stream xmlns='jabber:component:accept'>{xml}</stream>");
    let stream: Element = stream.parse().unwrap();
    stream.children().next().unwrap().clone()
}

const BOB: &str = "bob\\40example.org@phone.example.org";
