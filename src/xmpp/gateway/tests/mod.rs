//! The gateway as Alice and Bob meet it.

mod anything;
mod routing;
mod who_is_there;

use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::clock;
use crate::notification::policy::Policy;
use crate::subscriber::{SenderRule, Setting, Subscriber, WhenOffline};
use crate::xmpp::commands::confirmations::changed;
use crate::xmpp::commands::{ReplyTo, SettingChange, UserCommand};
use crate::xmpp::ns;

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
    assert_eq!(told.len(), 2, "asked again, as bob may have agreed meanwhile: {told:?}");
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
    // Bob's presence says otherwise: Alice may be blocked.
    let quietly = ["hold without a call Hello for bob@example.org"];
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
    assert_eq!(world.hears(bounce), quietly);
    let unknown = ["m1 to bob@example.org bounced"];
    assert_eq!(world.hears(bounce), unknown, "ejabberd bounces once per resource");

    let mut world = World::with_bob_online();
    world.hears(&hello);
    world.pong();
    assert_eq!(world.hears(bounce), quietly, "a bounce may come after the pong");
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
    let command = UserCommand::Set(SettingChange::default());
    let from = Jid::from(bob.clone());
    let request = CommandRequest { from, command, language: None, reply_to: ReplyTo::Chat };
    let outcome = CommandResult { words: "Done.".into(), done: true };
    let settings = world.gateway.people.person(&bob).unwrap().clone();
    world.does(Input::Person(&Subscriber { offline: WhenOffline::Store, ..settings }));
    let told = world.does(Input::CommandDone(&request, &outcome));
    assert_eq!(told, ["message phone.example.org>bob@example.org Done."]);
    let told = world.hears("<presence type='probe' from='alice@example.org' to='bob\\40example.org@phone.example.org'/>");
    assert_eq!(told, ["presence bob#/offhook>alice@example.org Messages are held"]);
    let probe = "<presence xmlns='jabber:component:accept' type='probe' from='alice@example.org' to='phone.example.org'/>";
    world.gateway.handle(Input::Stanza(&probe.parse().unwrap()), world.now);
    let Some(Output::Send(presence)) = world.gateway.poll() else { panic!("no presence") };
    assert_eq!(presence.attr("from"), Some("phone.example.org/offhook"));
    let photo = presence.get_child("x", "vcard-temp:x:update").unwrap().children().next().unwrap();
    assert_eq!((photo.name(), photo.text().len()), ("photo", 40));
    assert_eq!(presence.get_child("c", ns::CAPS).unwrap().attr("node"), Some("urn:offhook:0"));
}

#[test]
fn a_rule_for_a_sender_means_the_person_whose_gateway_address_is_named() {
    for named in [
        "alice@example.org",
        "alice@example.org/desk",
        "alice\\40example.org@phone.example.org",
        "xmpp:alice%5C40example.org@phone.example.org/desk?message",
    ] {
        let mut world = World::settled();
        let block = format!("<body>block {named}</body>");
        let block = wrapped(&says("bob@example.org/x", "phone.example.org", "chat", &block));
        world.gateway.handle(Input::Stanza(&block), world.now);
        let asked = std::iter::from_fn(|| world.gateway.poll()).find_map(|output| match output {
            Output::CommandRequest(request) => Some(request.command),
            _ => None,
        });
        let alice = BareJid::new("alice@example.org").unwrap();
        let rule = Setting::Sender(alice, SenderRule::Block);
        assert!(asked == Some(rule.into()), "{named}");
    }
    // Another gateway's addresses are its own.
    let elsewhere = "alice\\40example.org@gateway.example.net";
    let setting = Setting::Sender(elsewhere.parse().unwrap(), SenderRule::Block);
    let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".into());
    const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;
    let words = changed(None, &bob, &[setting], &Policy::default(), NOW);
    assert_eq!(words, format!("{elsewhere} may not make your phone ring any more."));
}

#[test]
fn only_a_persons_own_server_hands_over_and_life_is_told_once() {
    let mut world = World::settled();
    let held = |from: &str, user: &str, sender: &str| {
        format!(
            "<message from='{from}' to='phone.example.org' id='h'><held xmlns='urn:offhook:held:0' user='{user}' \
             reason='hibernating'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' \
             from='{sender}' to='bob@example.org' id='m1' type='chat'><body>Hello</body></message></forwarded>\
             </held></message>"
        )
    };
    let (bob, alice) = ("bob@example.org", "alice@example.org/a");
    for (from, user, sender) in [
        ("elsewhere.example", bob, alice),
        ("eve@example.org", bob, alice),
        ("example.org/x", bob, alice),
        ("example.org", "nobody@example.org", alice),
        ("example.org", bob, "bob@example.org/x"),
        ("example.org", bob, "phone.example.org"),
    ] {
        assert!(world.hears(&held(from, user, sender)).is_empty(), "{from} {user} {sender}");
    }
    assert_eq!(world.hears(&held("example.org", bob, alice)), ["hold Hello for bob@example.org"]);
    let passed_on = "alice\\40example.org@phone.example.org/a";
    let told = world.hears(&held("example.org", bob, passed_on));
    assert_eq!(
        told,
        ["hold Hello for bob@example.org"],
        "what was passed on comes back as the sender's"
    );
    let awake = "<message from='example.org' to='phone.example.org'><awake xmlns='urn:offhook:held:0' \
                 user='bob@example.org'/></message>";
    assert_eq!(world.hears(awake), ["bob@example.org came online"]);
    assert!(world.hears(awake).is_empty());
}

#[test]
fn a_client_is_asked_once_whether_it_is_a_program() {
    let mut world = World::settled();
    let hello: Element = wrapped(&says("alice@example.org/a", BOB, "chat", "<body>Hello</body>"));
    world.gateway.handle(Input::Stanza(&hello), world.now);
    let Some(Output::Hold(draft)) = world.gateway.poll() else { panic!("it is to be held") };
    assert!(draft.how.sender_unknown);
    world.gateway.handle(Input::Held(&draft, MessageId(7)), world.now);
    let Some(Output::Send(iq)) = world.gateway.poll() else { panic!("the client is asked") };
    assert_eq!(iq.attr("to"), Some("alice@example.org/a"));
    let answer = format!(
        "<iq type='result' id='{}' from='alice@example.org/a' to='phone.example.org'>\
         <query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot'/></query></iq>",
        iq.attr("id").unwrap()
    );
    assert_eq!(world.hears(&answer), ["7 by a program: true"]);
    world.gateway.handle(Input::Held(&draft, MessageId(8)), world.now);
    let told: Vec<String> =
        std::iter::from_fn(|| world.gateway.poll()).map(|it| shown(&it)).collect();
    assert_eq!(told, ["8 by a program: true"], "it is known now");
    let hello = wrapped(&says("carol@example.org/a", BOB, "chat", "<body>Hello</body>"));
    world.gateway.handle(Input::Stanza(&hello), world.now);
    let Some(Output::Hold(draft)) = world.gateway.poll() else { panic!("it is to be held") };
    world.gateway.handle(Input::Held(&draft, MessageId(9)), world.now);
    world.gateway.poll();
    assert_eq!(world.passes(1), ["9 by a program: false"], "the client does not answer");
}

#[test]
fn corrections_and_retractions_reach_held_messages() {
    let mut world = World::settled();
    let corrected = "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/><body>Hello again</body>";
    let told = world.hears(&says("alice@example.org/a", BOB, "chat", corrected));
    assert_eq!(told, ["correct m0 to Hello again"]);
    for back in [
        "<retract xmlns='urn:xmpp:message-retract:1' id='m0'/><body>/me retracted</body>",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='m0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
    ] {
        let told = world.hears(&says("alice@example.org/a", BOB, "chat", back));
        assert_eq!(told, ["alice@example.org/a takes back m0 to bob@example.org"]);
    }
}

#[test]
fn a_message_that_could_not_be_held_comes_back() {
    let mut world = World::settled();
    let hello: Element = wrapped(&says("alice@example.org/a", BOB, "chat", "<body>Hello</body>"));
    world.gateway.handle(Input::Stanza(&hello), world.now);
    let Some(Output::Hold(draft)) = world.gateway.poll() else { panic!("it is to be held") };
    for (no_room, says) in [
        (NoRoom::Store, "The message could not be held."),
        (NoRoom::Sender, "So many of your messages are waiting"),
        (NoRoom::Recipient, "So much is waiting for this person"),
    ] {
        world.gateway.handle(Input::NotHeld(&draft, no_room), world.now);
        let Some(Output::Send(error)) = world.gateway.poll() else {
            panic!("the sender gets an error")
        };
        assert_eq!(error.attr("to"), Some("alice@example.org/a"));
        assert_eq!(stanza::condition(&error), Some("resource-constraint"));
        assert!(stanza::to_xml(&error).contains(says), "{says}");
    }
    let mut handed_over = draft;
    handed_over.how.handed_over = Some(crate::notification::Unreachable::Offline);
    let told = world.does(Input::NotHeld(&handed_over, NoRoom::Recipient));
    assert_eq!(told, [""; 0], "bob's server keeps it");
}

#[test]
fn a_request_to_a_malformed_address_gets_an_error() {
    let mut world = World::settled();
    let hello = "<body>Hello</body>";
    let from = "alice@example.org/a";
    let malformed = "bob smith@phone.example.org";
    let asks = |kind| {
        format!("<iq type='{kind}' id='q' from='{from}' to='{malformed}'><a xmlns='x'/></iq>")
    };
    let refused = |name| format!("{name} phone.example.org>{from} jid-malformed");
    assert_eq!(world.hears(&says(from, malformed, "chat", hello)), [refused("message")]);
    assert_eq!(world.hears(&asks("get")), [refused("iq")]);
    assert_eq!(world.hears(&asks("set")), [refused("iq")]);
    for nobody_waits in [
        asks("result"),
        asks("error"),
        says(from, malformed, "error", hello),
        says(from, malformed, "chat", ""),
        format!("<presence from='{from}' to='{malformed}'/>"),
        asks("get").replace(from, "phone.example.org"),
    ] {
        assert_eq!(world.hears(&nobody_waits), [""; 0], "{nobody_waits}");
    }
}

struct World {
    gateway: Gateway,
    now: Instant,
    ping: String,
    pings_elsewhere: BTreeMap<String, String>,
}

impl World {
    fn new() -> Self {
        Self::of(&["bob@example.org"])
    }

    /// These people are subscribers, all of them named Bob.
    fn of(people: &[&str]) -> Self {
        let people: Vec<_> = people
            .iter()
            .map(|jid| Subscriber {
                number: Some("+81378901111".parse().unwrap()),
                time_zone: Some(TimeZone::UTC),
                ..Subscriber::new(BareJid::new(jid).unwrap(), "Bob".into())
            })
            .collect();
        let gateway = Gateway::new(
            "phone.example.org",
            Directory::new(&people),
            ServedDomains::default(),
            Seed::fixed(1),
        );
        Self { gateway, now: clock::now(), ping: String::new(), pings_elsewhere: BTreeMap::new() }
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

    /// The answer of another server to the ping that it was sent.
    fn answer_of(&self, domain: &str, kind: &str) -> String {
        let id = &self.pings_elsewhere[domain];
        format!("<iq type='{kind}' id='{id}' from='{domain}' to='phone.example.org'/>")
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
                && is_own_ping(stanza)
            {
                self.ping = stanza.attr("id").unwrap().to_owned();
            } else if let Output::Send(stanza) = &output
                && stanza.has_child("ping", ns::PING)
            {
                let (to, id) = (stanza.attr("to").unwrap(), stanza.attr("id").unwrap());
                self.pings_elsewhere.insert(to.to_owned(), id.to_owned());
            }
            told.push(shown(&output));
        }
        told
    }
}

fn is_own_ping(stanza: &Element) -> bool {
    let to = stanza.attr("to").unwrap_or_default();
    stanza.has_child("ping", ns::PING) && to.starts_with("phone.example.org/")
}

/// `alice#` is the gateway address of alice@example.org.
fn shown(output: &Output) -> String {
    match output {
        Output::Send(stanza) if is_own_ping(stanza) => "ping".into(),
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
        Output::Hold(draft) => {
            let quietly = if draft.how.refused { "without a call " } else { "" };
            format!("hold {quietly}{} for {}", draft.body, draft.recipient)
        }
        Output::Identified(message, is_program) => {
            format!("{} by a program: {is_program}", message.0)
        }
        Output::Correct { id, draft } => format!("correct {id} to {}", draft.body),
        Output::Retract { id, draft: Draft { sender, recipient, .. } } => {
            format!("{sender} takes back {id} to {recipient}")
        }
        Output::Privileges(_) => "grants".into(),
        Output::Bounced(bounce) => format!("{} to {} bounced", bounce.id, bounce.to),
        Output::CameOnline(jid) => format!("{jid} came online"),
        Output::WentOffline(jid) => format!("{jid} went offline"),
        Output::PresenceRefused { jid, refused } => format!("{jid} refuses: {refused}"),
        Output::CommandRequest(request) => format!("request of {}", request.from),
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
