//! Who is there: by presence, by signs of life, by what other servers say.

use xmpp_parsers::jid::BareJid;

use super::{BOB, Directory, Input, Subscriber, World, says};
use crate::subscriber::Senders;
use crate::xmpp::ns;

#[test]
fn who_sends_anything_can_receive_though_no_presence_is_seen() {
    let alice = "alice\\40example.org@phone.example.org";
    let desk = "bob@example.org/desk";
    let iq = |kind: &str, from: &str| {
        format!(
            "<iq type='{kind}' id='q' from='{from}' to='phone.example.org'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
    };
    let state = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    let receipt = "<received xmlns='urn:xmpp:receipts' id='m0'/>";
    let delayed = "<body>Hi</body><delay xmlns='urn:xmpp:delay' stamp='2026-11-30T00:00:00Z'/>";
    for (sign, stanza, counts) in [
        ("a command", says(desk, "phone.example.org", "chat", "<body>help</body>"), true),
        ("a message", says(desk, alice, "chat", "<body>Hi</body>"), true),
        ("a chat state", says(desk, alice, "chat", state), true),
        ("a receipt", says(desk, alice, "chat", receipt), true),
        ("a question", iq("get", desk), true),
        ("an answer", iq("result", desk), true),
        ("a bounce by the server", says(desk, alice, "error", ""), false),
        ("an error by the server", iq("error", desk), false),
        ("the server", iq("result", "bob@example.org"), false),
        ("what was kept for a while", says(desk, alice, "chat", delayed), false),
        ("another person", says("eve@example.org/x", alice, "chat", state), false),
    ] {
        let mut world = World::settled();
        let came = world.hears(&stanza).contains(&"bob@example.org came online".to_owned());
        assert_eq!(came, counts, "{sign}");
        let told = world.hears(&hello("alice"));
        let expected = if counts {
            "message alice#>bob@example.org/desk Hello"
        } else {
            "hold Hello for bob@example.org"
        };
        assert_eq!(told[0], expected, "{sign}");
    }
}

#[test]
fn a_sign_of_life_counts_until_the_client_leaves_or_for_ten_minutes() {
    let writes = says("bob@example.org/desk", "phone.example.org", "chat", "<body>help</body>");
    let leaves =
        |to: &str| format!("<presence type='unavailable' from='bob@example.org/desk' to='{to}'/>");
    let held = ["hold Hello for bob@example.org"];
    for to in ["phone.example.org", "alice\\40example.org@phone.example.org"] {
        let mut world = World::settled();
        world.hears(&writes);
        world.hears(&leaves(to));
        assert_eq!(world.hears(&hello("alice")), held, "the client leaves, which {to} is told");
    }
    let mut world = World::settled();
    world.hears(&writes);
    world.passes(599);
    assert!(world.hears(&hello("alice"))[0].starts_with("message alice#>bob@example.org/desk"));
    world.passes(1);
    assert_eq!(world.hears(&hello("alice")), held);
    world.hears(&writes);
    let held_elsewhere = "<message from='example.org' to='phone.example.org' id='h'>\
        <held xmlns='urn:offhook:held:0' user='bob@example.org' reason='offline' blocking='true'>\
        <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='carol@example.org/c' \
        to='bob@example.org' id='m2' type='chat'><body>Hello</body></message></forwarded></held></message>";
    assert_eq!(world.hears(held_elsewhere), ["bob@example.org went offline", held[0]]);
    assert_eq!(world.hears(&hello("alice")), held, "the server knows better");
}

#[test]
fn blocking_a_sender_rings_no_phone_and_changes_nothing_for_others() {
    let quietly = ["hold without a call Hello for bob@example.org"];
    for condition in ["service-unavailable", "not-acceptable", "policy-violation", "forbidden"] {
        let mut world = World::with_bob_online();
        world.hears(&hello("alice"));
        assert_eq!(world.hears(&bounce("alice", condition)), quietly, "{condition}");
        assert_eq!(world.hears(&hello("carol"))[0], "message carol#>bob@example.org Hello");
        assert_eq!(world.hears(&hello("alice"))[0], "message alice#>bob@example.org Hello");
        assert_eq!(world.hears(&bounce("alice", condition)), quietly, "{condition} again");

        world.hears(
            "<presence type='unavailable' from='bob@example.org/phone' to='phone.example.org'/>",
        );
        assert_eq!(world.hears(&hello("alice")), quietly, "Bob has left, and the block stands");
        assert_eq!(world.hears(&hello("carol")), ["hold Hello for bob@example.org"]);

        world.hears(&says(
            "bob@example.org/phone",
            "alice\\40example.org@phone.example.org",
            "chat",
            "<body>Hi</body>",
        ));
        world.passes(600);
        assert_eq!(
            world.hears(&hello("alice")),
            ["hold Hello for bob@example.org"],
            "Bob has written to Alice"
        );
    }
}

#[test]
fn an_error_makes_a_person_offline_only_if_it_says_so() {
    let held = ["hold Hello for bob@example.org"];
    for (condition, is_offline) in [
        ("remote-server-not-found", true),
        ("remote-server-timeout", true),
        ("gone", false),
        ("resource-constraint", false),
    ] {
        let mut world = World::with_bob_online();
        world.hears(&hello("alice"));
        let told = world.hears(&bounce("alice", condition));
        let quietly = told.last().unwrap().starts_with("hold without a call");
        assert_eq!(quietly, !is_offline, "{condition}: {told:?}");
        assert_eq!(world.hears(&hello("carol")) == held, is_offline, "{condition}");
    }
    // Where only a sign of life told that Bob is there, the server knows better.
    let mut world = World::settled();
    world.hears(&says("bob@example.org/desk", "phone.example.org", "chat", "<body>help</body>"));
    world.hears(&hello("alice"));
    let told = world.hears(
        &bounce("alice", "service-unavailable")
            .replace("'bob@example.org'", "'bob@example.org/desk'"),
    );
    assert_eq!(told.last().unwrap(), held[0]);
    assert_eq!(world.hears(&hello("carol")), held);
}

#[test]
fn people_elsewhere_are_waited_for_until_their_server_has_answered() {
    let dan = "dan@other.org";
    let linked = || {
        let mut world = World::of(&["bob@example.org", dan]);
        let told = world.does(Input::LinkUp);
        let ping = told.iter().find(|it| it.contains("phone.example.org>other.org"));
        assert!(ping.is_some(), "{told:?}");
        world.pong();
        assert_eq!(world.passes(5), [""; 0], "the pong says nothing of other.org");
        world
    };
    let presence = format!("<presence from='{dan}/x' to='phone.example.org'/>");

    let mut world = linked();
    assert_eq!(world.passes(2), [""; 0]);
    assert_eq!(world.hears(&presence), ["dan@other.org came online", "settled"], "a slow server");

    let mut world = linked();
    let answer = world.answer_of("other.org", "error");
    assert_eq!(world.hears(&answer.replace("from='other.org'", "from='eve@other.org'")).len(), 0);
    assert_eq!(world.passes(10), [""; 0], "only the server may answer");
    assert_eq!(world.hears(&answer), [""; 0]);
    assert_eq!(world.passes(4), [""; 0], "the presences come after it");
    assert_eq!(world.passes(1), ["settled"]);

    let mut world = linked();
    assert_eq!(world.passes(54), [""; 0]);
    assert_eq!(world.passes(1), ["settled"], "a server that says nothing takes nothing");
}

#[test]
fn nobody_is_offline_while_our_server_answers_nothing() {
    let mut world = World::new();
    world.does(Input::LinkUp);
    for _ in 0..3 {
        assert_eq!(world.passes(59), [""; 0]);
        assert_eq!(world.passes(1), ["ping"], "it is asked again");
    }
    world.pong();
    assert_eq!(world.passes(5), ["settled"]);
}

#[test]
fn who_turns_the_contact_request_down_is_not_asked_again() {
    let bob = "bob@example.org";
    let says = |kind| format!("<presence type='{kind}' from='{bob}' to='phone.example.org'/>");
    let mut world = World::settled();
    assert_eq!(world.hears(&says("unsubscribed")), ["bob@example.org refuses: true"]);
    assert_eq!(world.hears(&says("unsubscribed")), [""; 0], "it is known");
    world.does(Input::LinkDown);
    world.passes(7 * 86_400);
    assert_eq!(world.does(Input::LinkUp), ["ping"]);

    // As after a restart: the store has kept it.
    let refuses = Subscriber {
        refuses_presence: true,
        ..Subscriber::new(BareJid::new(bob).unwrap(), "Bob".into())
    };
    let mut world = World::new();
    world.does(Input::People(Directory::default(), Box::default()));
    world.does(Input::People(Directory::new([&refuses]), Box::default()));
    assert_eq!(world.does(Input::LinkUp), ["ping"]);
    let told = world.hears(&says("subscribe"));
    assert!(told[2].starts_with("presence:subscribe phone.example.org>bob"), "{told:?}");
    let told = world.hears(&says("subscribed"));
    assert_eq!(told[0], "bob@example.org refuses: false", "who adds us has thought again");
}

fn hello(name: &str) -> String {
    says(&format!("{name}@example.org/a"), BOB, "chat", "<body>Hello</body>")
}

/// Bob's server does not take the message of this sender.
fn bounce(name: &str, condition: &str) -> String {
    format!(
        "<message type='error' id='m1' from='bob@example.org' to='{name}\\40example.org@phone.example.org'>\
         <error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
}

#[test]
fn a_module_that_cannot_tell_who_is_blocked_closes_the_gateway_address() {
    let awake = |blocking: &str| {
        format!(
            "<message from='example.org' to='phone.example.org'><awake xmlns='urn:offhook:held:0' \
             user='bob@example.org'{blocking}/></message>"
        )
    };
    let mut world = World::settled();
    let held = ["hold Hello for bob@example.org"];
    assert_eq!(world.hears(&hello("alice")), held, "without a module");
    world.hears(&awake(""));
    let [refused] = &world.hears(&hello("alice"))[..] else { panic!("it is refused, and no more") };
    assert!(refused.contains("service-unavailable"), "{refused}");
    let composing = says(
        "alice@example.org/a",
        BOB,
        "chat",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    );
    assert!(world.hears(&composing).is_empty(), "nobody awaits an answer to a signal");
    world.hears(&awake(" blocking='true'"));
    assert_eq!(world.hears(&hello("alice")), held, "the server keeps back who is blocked");
}

#[test]
fn a_stranger_cannot_tell_a_person_from_nobody() {
    let asks = |from: &str, to: &str, what: &str| {
        let to = format!("to='{to}\\40example.org@phone.example.org'");
        match what {
            "disco" => format!(
                "<iq type='get' id='1' from='{from}/x' {to}><query xmlns='{}'/></iq>",
                ns::DISCO_INFO
            ),
            "vcard" => {
                format!(
                    "<iq type='get' id='1' from='{from}/x' {to}><vCard xmlns='vcard-temp'/></iq>"
                )
            }
            "ping" => {
                format!(
                    "<iq type='get' id='1' from='{from}/x' {to}><ping xmlns='urn:xmpp:ping'/></iq>"
                )
            }
            presence => format!("<presence type='{presence}' from='{from}' {to}/>"),
        }
    };
    for what in ["disco", "vcard", "ping", "probe", "subscribe"] {
        let mut world = World::settled();
        let mut told = |from: &str, to: &str| {
            let answers = world.hears(&asks(from, to, what));
            answers.join("; ").replace(&format!("{to}#"), "them")
        };
        let stranger = told("eve@elsewhere.example", "bob");
        assert_eq!(stranger, told("eve@elsewhere.example", "nobody"), "{what}");
        assert!(!stranger.contains("Bob") && !stranger.contains("phone"), "{stranger}");
        assert_ne!(stranger, told("alice@example.org", "bob"), "{what}: who may ring is told");
    }
    let person = BareJid::new("bob@example.org").unwrap();
    let open =
        Subscriber { senders: Some(Senders::Everyone), ..Subscriber::new(person, "Bob".into()) };
    let mut world = World::settled();
    world.does(Input::Person(&open));
    let told = world.hears(&asks("eve@elsewhere.example", "bob", "disco"));
    assert!(told[0].starts_with("iq:result"), "{told:?}: everybody may make this phone ring");
}

#[test]
fn only_hosts_of_our_people_say_what_they_grant() {
    let grants = |host: &str| {
        format!(
            "<message from='{host}' to='phone.example.org'><privilege xmlns='urn:xmpp:privilege:2'>\
             <perm access='message' type='outgoing'/><perm access='roster' type='both'/></privilege></message>"
        )
    };
    let mut world = World::settled();
    assert_eq!(world.hears(&grants("elsewhere.example")), [""; 0]);
    assert_eq!(world.hears(&grants("example.org")), ["grants"]);
}
