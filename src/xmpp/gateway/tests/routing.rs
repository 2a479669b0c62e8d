//! Where each kind of stanza goes.

use super::{
    BOB, Directory, Gateway, Input, Output, Seed, ServedDomains, Subscriber, UserCommand, World,
    says,
};
use crate::notification::alert::{Alert, AlertTo, DayLimit};

#[test]
fn a_message_goes_where_bob_is() {
    let bob_online = "<presence from='bob@example.org/phone' to='phone.example.org'/>";
    let bob_away =
        "<presence type='unavailable' from='bob@example.org/phone' to='phone.example.org'/>";
    let no_calls = "<presence from='bob@example.org/p' to='phone.example.org'><priority>-1</priority></presence>";
    let hello = &says("alice@example.org/a", BOB, "chat", "<body>Hello</body>");
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("Bob is offline", &[hello], &["hold Hello for bob@example.org"]),
        (
            "Bob is online",
            &[bob_online, hello],
            &["bob@example.org came online", "message alice#>bob@example.org Hello", "ping"],
        ),
        (
            "Bob was online",
            &[bob_online, bob_away, hello],
            &[
                "bob@example.org came online",
                "bob@example.org went offline",
                "hold Hello for bob@example.org",
            ],
        ),
        ("Bob's client wants no messages", &[no_calls, hello], &["hold Hello for bob@example.org"]),
        (
            "nobody is known by that address",
            &[&says(
                "alice@example.org/a",
                "carol\\40example.org@phone.example.org",
                "chat",
                "<body>x</body>",
            )],
            &["message carol#>alice@example.org/a item-not-found"],
        ),
        (
            "the address is no address",
            &[&says(
                "alice@example.org/a",
                "a\\40b\\40c@phone.example.org",
                "chat",
                "<body>x</body>",
            )],
            &["message a\\40b\\40c@phone.example.org>alice@example.org/a item-not-found"],
        ),
        ("a room", &[&says("room@muc.org/alice", BOB, "groupchat", "<body>x</body>")], &[]),
        (
            "a bounce",
            &[&says("alice@example.org/a", BOB, "error", "<body>x</body>")],
            &["m1 to alice@example.org bounced"],
        ),
        ("a headline", &[&says("alice@example.org/a", BOB, "headline", "<body>x</body>")], &[]),
        ("somebody types", &[&says("alice@example.org/a", BOB, "chat", TYPING)], &[]),
        (
            "somebody types to Bob online",
            &[bob_online, &says("alice@example.org/a", BOB, "chat", TYPING)],
            &["bob@example.org came online", "message alice#>bob@example.org -"],
        ),
        ("a blank text", &[&says("alice@example.org/a", BOB, "chat", "<body> </body>")], &[]),
        (
            "not to be stored",
            &[&says("alice@example.org/a", BOB, "chat", NO_STORE)],
            &["message bob#>alice@example.org/a service-unavailable"],
        ),
        (
            "not to be archived",
            &[&says("alice@example.org/a", BOB, "chat", NO_PERMANENT_STORE)],
            &["hold x for bob@example.org"],
        ),
        (
            "not to be stored, but Bob is online",
            &[bob_online, &says("alice@example.org/a", BOB, "chat", NO_STORE)],
            &["bob@example.org came online", "message alice#>bob@example.org x", "ping"],
        ),
        (
            "Bob answers from a client",
            &[&says(
                "bob@example.org/phone",
                "alice\\40example.org@phone.example.org",
                "chat",
                "<body>Hi</body>",
            )],
            &["bob@example.org came online", "message bob#>alice@example.org Hi", "ping"],
        ),
        (
            "Bob's client confirms",
            &[&says(
                "bob@example.org/phone",
                "alice\\40example.org@phone.example.org",
                "chat",
                RECEIVED,
            )],
            &["bob@example.org came online", "message bob#>alice@example.org -"],
        ),
        (
            "two strangers use us as a relay",
            &[&says(
                "eve@example.org/x",
                "mallory\\40example.org@phone.example.org",
                "chat",
                "<body>x</body>",
            )],
            &["message mallory#>eve@example.org/x item-not-found"],
        ),
        (
            "a contact of a contact",
            &[&says(
                "bob@example.org/x",
                "a\\40phone.example.org@phone.example.org",
                "chat",
                "<body>x</body>",
            )],
            &[
                "bob@example.org came online",
                "message a\\40phone.example.org@phone.example.org>bob@example.org/x item-not-found",
            ],
        ),
        (
            "Bob writes to bob's own contact",
            &[&says("bob@example.org/x", BOB, "chat", "<body>x</body>")],
            &["bob@example.org came online", "message bob#>bob@example.org/x not-allowed"],
        ),
        (
            "our own words",
            &[&says("alice\\40example.org@phone.example.org", BOB, "chat", "<body>x</body>")],
            &[],
        ),
        (
            "the words of another Offhook",
            &[&says(
                "x@other.org",
                BOB,
                "chat",
                "<body>x</body><notice xmlns='urn:offhook:notice:0'/>",
            )],
            &[],
        ),
        (
            "no sender",
            &["<message to='bob\\40example.org@phone.example.org'><body>x</body></message>"],
            &[],
        ),
        (
            "a sender that is none",
            &[
                "<message from='@' to='bob\\40example.org@phone.example.org'><body>x</body></message>",
            ],
            &[],
        ),
        (
            "a question from a resource that is an emoji",
            &[
                "<iq type='get' from='x@y/\u{1f4f1} a' to='phone.example.org' id='1'><x xmlns='x'/></iq>",
            ],
            &["iq phone.example.org>x@y/\u{1f4f1} a service-unavailable"],
        ),
        (
            "a probe",
            &[
                "<presence type='probe' from='alice@example.org' to='bob\\40example.org@phone.example.org'/>",
            ],
            &["presence bob#>alice@example.org Reachable by phone"],
        ),
        (
            "Bob agrees to be seen",
            &["<presence type='subscribed' from='bob@example.org' to='phone.example.org'/>"],
            &["presence:probe phone.example.org>bob@example.org -"],
        ),
        (
            "Bob adds us, who asked just now",
            &["<presence type='subscribe' from='bob@example.org' to='phone.example.org'/>"],
            &[
                "presence:subscribed phone.example.org>bob@example.org",
                "presence phone.example.org>bob@example.org",
            ],
        ),
        (
            "Bob adds Alice",
            &[
                "<presence type='subscribe' from='bob@example.org' to='alice\\40example.org@phone.example.org'/>",
            ],
            &[
                "presence:subscribed alice#>bob@example.org",
                "presence alice#>bob@example.org Messages are passed on",
            ],
        ),
        (
            "a contact request",
            &[
                "<presence type='subscribe' from='alice@example.org' to='bob\\40example.org@phone.example.org'/>",
            ],
            &[
                "presence:subscribed bob#>alice@example.org -",
                "presence bob#>alice@example.org Reachable by phone",
            ],
        ),
        (
            "a contact request to nobody",
            &[
                "<presence type='subscribe' from='alice@example.org' to='carol\\40example.org@phone.example.org'/>",
            ],
            &["presence:unsubscribed carol#>alice@example.org -"],
        ),
        (
            "a disco query to Bob",
            &[
                "<iq type='get' id='1' from='alice@example.org/a' to='bob\\40example.org@phone.example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
            ],
            &["iq:result bob#>alice@example.org/a -"],
        ),
        (
            "a stranger asks for help",
            &[&says("eve@example.org/x", "phone.example.org", "chat", "<body>help</body>")],
            &["message phone.example.org>eve@example.org I do not know you yet."],
        ),
        (
            "Bob asks for help",
            &[&says("bob@example.org/x", "phone.example.org", "chat", "<body>help</body>")],
            &[
                "bob@example.org came online",
                "message phone.example.org>bob@example.org I hold messages",
            ],
        ),
        (
            "Bob wants no calls",
            &[&says("bob@example.org/x", "phone.example.org", "chat", "<body>Off</body>")],
            &["bob@example.org came online", "request of bob@example.org/x"],
        ),
    ];
    for (situation, stanzas, expected) in cases {
        let mut world = World::settled();
        let told: Vec<_> = stanzas.iter().flat_map(|xml| world.hears(xml)).collect();
        assert_eq!(told.len(), expected.len(), "{situation}: {told:#?}");
        for (told, expected) in told.iter().zip(*expected) {
            assert!(told.starts_with(expected), "{situation}: {told} is not {expected}");
        }
    }
}

const TYPING: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const RECEIVED: &str = "<received xmlns='urn:xmpp:receipts' id='m0'/>";
const NO_STORE: &str = "<body>x</body><no-store xmlns='urn:xmpp:hints'/>";
const NO_PERMANENT_STORE: &str = "<body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/>";

#[test]
fn operators_read_alerts_in_their_languages_and_others_only_their_own() {
    let people = ["bob@example.org", "admin@example.org"].map(|jid| Subscriber {
        language: jid.starts_with("admin").then(|| "de".to_owned()),
        ..Subscriber::new(jid.parse().unwrap(), "Bob".into())
    });
    let served = ServedDomains {
        operators: vec!["admin@example.org".parse().unwrap(), "root@example.org".parse().unwrap()],
        ..ServedDomains::default()
    };
    let mut world = World::new();
    world.gateway =
        Gateway::new("phone.example.org", Directory::new(&people), served, Seed::fixed(1));
    let limit = DayLimit::Calls(String::new());
    let alert = Alert::Limit { limit, percent: 100, max: 200 };
    let told = world.does(Input::Alert(&AlertTo { reader: None, alert }));
    assert_eq!(
        told,
        [
            "message phone.example.org>admin@example.org 100 % der Anrufe eines Tages (200) sind gemacht. \
             Weitere Anrufe warten, bis wieder Platz ist.",
            "message phone.example.org>root@example.org 100 % of the calls of a day (200) are made. \
             Further calls wait until there is room again.",
        ]
    );
    let bob = Some("bob@example.org".parse().unwrap());
    let told = world.does(Input::Alert(&AlertTo { reader: bob, alert: Alert::WrongPin }));
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.starts_with("message phone.example.org>bob@example.org A wrong PIN"), "{told}");
}

#[test]
fn whoever_may_write_is_asked_once_before_they_are_forgotten() {
    let mut world = World::new();
    let served = ServedDomains { domains: vec!["example.org".into()], ..ServedDomains::default() };
    world.does(Input::People(Directory::new(&[]), Box::new(served)));
    let alice = |words: &str| {
        let body = format!("<body>{words}</body>");
        says("alice@example.org/a", "phone.example.org", "chat", &body)
    };
    let [asked] = &world.hears(&alice("forget me"))[..] else { panic!("one answer") };
    assert!(asked.contains("written by you, also those that wait for others"), "{asked}");
    assert_eq!(world.hears(&alice("forget me now")), ["request of alice@example.org/a"]);
}

#[test]
fn a_report_means_the_person_behind_the_address_that_is_shown() {
    let mut world = World::settled();
    let report = "<body>report eve\\40example.net@phone.example.org</body>";
    let report = super::wrapped(&says("bob@example.org/b", "phone.example.org", "chat", report));
    world.gateway.handle(Input::Stanza(&report), world.now);
    let request = std::iter::from_fn(|| world.gateway.poll()).find_map(|it| match it {
        Output::CommandRequest(request) => Some(request.command),
        _ => None,
    });
    let eve = "eve@example.net".parse().unwrap();
    assert!(request == Some(UserCommand::Report(eve)), "the operators are told of Eve");
}
