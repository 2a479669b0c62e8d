//! Presence and signs of life, as timelines.

use super::*;

#[test]
fn bob_is_online_while_one_resource_takes_messages() {
    use Availability::*;
    let cases = [
        ("nothing is heard", "", Unknown),
        ("the probes are answered", "settle", Offline),
        ("bob is there", "a", Online),
        ("with a priority below 0", "a=-1", Offline),
        ("with an invalid priority", "a=999", Online),
        ("one of two left", "a b -a", Online),
        ("both left", "a b -a -b", Offline),
        ("the server says all left", "a b -", Offline),
        ("a priority sinks", "a a=-1", Offline),
        ("the subscription is refused", "a unsubscribed", Offline),
        ("the link is lost", "a down", Unknown),
        ("the link is back", "a down a", Online),
        ("the link is back without bob", "a down settle", Offline),
        ("nothing can reach bob", "a unreachable", Offline),
        ("bob has written", "settle !a", Online),
        ("bob has written before the probes are answered", "!a settle", Online),
        ("ten minutes ago", "settle !a +600", Offline),
        ("a little less", "settle !a +599", Online),
        ("and again since", "settle !a +599 !a +599", Online),
        ("bob has written and left", "settle !a -a", Offline),
        ("from two clients and left with one", "settle !a !b -a", Online),
        ("with a client that wants no messages", "settle !a a=-1", Offline),
        ("without letting us see who is online", "settle !a -", Online),
        ("bob has refused our request and written", "!a unsubscribed", Online),
        ("bob has written, then left, which we may see", "subscribed settle !a -", Offline),
        ("bob has written, then nothing can reach bob", "!a settle unreachable", Offline),
        ("bob has written, then the link was lost", "!a down settle", Offline),
        ("bob's server is down", "a error", Offline),
    ];
    for (situation, timeline, expected) in cases {
        let mut presence = watching();
        let (_, now) = play_from(&mut presence, timeline, crate::clock::now());
        let availability = presence.availability(&bob(), now);
        assert_eq!(availability, expected, "{situation}");
    }
}

#[test]
fn only_the_first_and_the_last_resource_are_a_change() {
    use Change::*;
    let changes = play(&mut watching(), "a b -a -b down a=-1 settle a down a");
    assert_eq!(changes, [CameOnline, WentOffline, CameOnline, CameOnline]);
    let changes = play(&mut watching(), "!a !b a -a -b !c !c +600 !c c -c");
    assert_eq!(changes, [CameOnline, WentOffline, CameOnline, CameOnline, WentOffline]);
}

#[test]
fn a_client_that_has_written_is_written_to_where_no_presence_tells() {
    for (timeline, expected) in [
        ("settle", None),
        ("!a", Some("bob@example.org/a")),
        ("!a +1 !b", Some("bob@example.org/b")),
        ("!a +1 !b +1 !a", Some("bob@example.org/a")),
        ("!a b", None),
        ("!a +600", None),
    ] {
        let mut presence = watching();
        let (_, now) = play_from(&mut presence, timeline, crate::clock::now());
        let at = presence.seen_at(&bob(), now);
        assert_eq!(at.as_ref().map(Jid::as_str), expected, "{timeline}");
    }
}

#[test]
fn strangers_and_floods_of_resources_take_no_memory() {
    let (mut presence, now) = (watching(), crate::clock::now());
    let stranger = Jid::new("eve@example.org/x").unwrap();
    assert_eq!(presence.handle(&stranger, &available(None), now), None);
    for resource in 0..1000 {
        let from = Jid::new(&format!("bob@example.org/{resource}")).unwrap();
        presence.handle(&from, &available(None), now);
    }
    assert_eq!(presence.people.len(), 1);
    assert_eq!(presence.people[&bob()].resources.len(), RESOURCES_MAX);
    for resource in 0..1000 {
        let from = Jid::new(&format!("bob@example.org/{resource}")).unwrap();
        presence.handle(&from, &available(None), now);
    }
    assert_eq!(presence.people[&bob()].resources.len(), RESOURCES_MAX, "said twice");
    assert_eq!(presence.seen(&stranger, now), None);
    for client in 0..1000 {
        let from = Jid::new(&format!("bob@example.org/client{client}")).unwrap();
        presence.seen(&from, now);
    }
    assert_eq!(presence.people.len(), 1);
    assert_eq!(presence.people[&bob()].signs.len(), SIGNS_MAX);
}

#[test]
fn bob_is_asked_once_a_day_until_he_agrees() {
    let (mut presence, start) = (watching(), crate::clock::now());
    let day = Duration::from_secs(86_400);
    let hour = Duration::from_secs(3600);
    assert!(presence.may_ask(&bob(), start, day));
    assert!(!presence.may_ask(&bob(), start + hour, day));
    assert!(presence.may_ask(&bob(), start + day, day));
    play(&mut presence, "down");
    assert!(presence.may_ask(&bob(), start + day, day), "the answer may have been missed");
    play(&mut presence, "unsubscribed down");
    assert!(!presence.may_ask(&bob(), start + day + hour, day), "bob has answered");
    play(&mut presence, "subscribed");
    assert!(!presence.may_ask(&bob(), start + day * 3, day));
    assert!(presence.is_subscribed(&bob()));
}

fn play(presence: &mut Presence, timeline: &str) -> Vec<Change> {
    play_from(presence, timeline, crate::clock::now()).0
}

/// `!a`: client a sends something; `+60`: so many seconds pass.
fn play_from(presence: &mut Presence, timeline: &str, mut now: Instant) -> (Vec<Change>, Instant) {
    let mut changes = vec![];
    for step in timeline.split_whitespace() {
        let (kind, resource) = match step {
            "settle" => {
                presence.settle();
                continue;
            }
            "down" => {
                presence.link_down();
                continue;
            }
            "unreachable" => {
                changes.extend(presence.unreachable(&bob(), now));
                continue;
            }
            seconds if seconds.starts_with('+') => {
                now += Duration::from_secs(seconds[1..].parse().unwrap());
                continue;
            }
            writes if writes.starts_with('!') => {
                let from = Jid::new(&format!("bob@example.org/{}", &writes[1..])).unwrap();
                changes.extend(presence.seen(&from, now));
                continue;
            }
            "subscribed" | "unsubscribed" | "error" => (Some(step), ""),
            "-" => (Some("unavailable"), ""),
            left if left.starts_with('-') => (Some("unavailable"), &left[1..]),
            there => (None, there),
        };
        let (resource, priority) = resource.split_once('=').unwrap_or((resource, ""));
        let mut stanza = available((!priority.is_empty()).then_some(priority));
        if let Some(kind) = kind {
            crate::xmpp::stanza::set(&mut stanza, "type", kind);
        }
        let slash = if resource.is_empty() { "" } else { "/" };
        let from = Jid::new(&format!("bob@example.org{slash}{resource}")).unwrap();
        changes.extend(presence.handle(&from, &stanza, now));
    }
    (changes, now)
}

fn watching() -> Presence {
    let mut presence = Presence::default();
    presence.watch([&Subscriber::new(bob(), "Bob".into())]);
    presence
}

fn bob() -> BareJid {
    BareJid::new("bob@example.org").unwrap()
}

fn available(priority: Option<&str>) -> Element {
    let mut presence = crate::xmpp::stanza::stanza("presence", &[]);
    if let Some(priority) = priority {
        presence.append_child(crate::xmpp::stanza::text("priority", ns::COMPONENT, priority));
    }
    presence
}
