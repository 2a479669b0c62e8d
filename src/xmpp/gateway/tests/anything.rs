//! The gateway against whatever can be sent.

use minidom::Element;
use proptest::prelude::*;
use xmpp_parsers::jid::Jid;

use super::{World, wrapped};
use crate::xmpp::gateway::{Input, Output};
use crate::xmpp::{ns, stanza};

proptest! {
    #[test]
    fn no_stanza_is_answered_out_of_turn(stanzas in prop::collection::vec(any_stanza(), 1..20)) {
        let mut world = World::settled();
        for xml in stanzas {
            let stanza = wrapped(&xml);
            world.gateway.handle(Input::Stanza(&stanza), world.now);
            let mut answers = 0;
            while let Some(output) = world.gateway.poll() {
                let Output::Send(sent) = output else { continue };
                let (from, to) = (stanza::from(&sent), stanza::to(&sent));
                let domain = |jid: &Option<Jid>| jid.as_ref().map(|jid| jid.domain().to_string());
                let ping = sent.has_child("ping", ns::PING) && domain(&from) == domain(&to);
                answers += usize::from(!ping);
                prop_assert!(from.is_some_and(|from| from.domain().as_str() == "phone.example.org"));
                prop_assert!(ping || to.is_none_or(|to| to.domain().as_str() != "phone.example.org"), "to ourselves: {}", xml);
                let again: Result<Element, _> = stanza::to_xml(&sent).parse();
                prop_assert_eq!(again.unwrap(), sent);
            }
            prop_assert!(answers <= 3, "{}", xml);
            let unanswerable = match stanza.name() {
                "message" => matches!(stanza.attr("type"), Some("error" | "groupchat")),
                "iq" => matches!(stanza.attr("type"), Some("error" | "result")),
                _ => stanza.attr("type") == Some("error"),
            };
            prop_assert!(!unanswerable || answers == 0, "{}", xml);
            let asks = stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set"));
            let comes_from_outside = stanza::from(&stanza).is_some_and(|it| it.domain().as_str() == "example.org");
            let comes_to_us = stanza::to(&stanza).is_some_and(|it| it.domain().as_str() == "phone.example.org");
            prop_assert!(!(asks && comes_from_outside && comes_to_us) || answers == 1, "{}", xml);
        }
    }
}

fn any_stanza() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["message", "presence", "iq", "odd"]);
    let address = || {
        prop::sample::select(vec![
            "alice@example.org/a",
            "bob@example.org/b",
            "bob@example.org",
            "example.org",
            "phone.example.org",
            "bob\\40example.org@phone.example.org",
            "alice\\40example.org@phone.example.org/x",
            "\\40@phone.example.org",
            "a\\2fb@phone.example.org",
            "@",
            "",
            "x@y/\u{1f4f1}",
            "phone.example.org@phone.example.org",
            "bob\\40phone.example.org@phone.example.org",
        ])
    };
    let kind = prop::sample::select(vec![
        "",
        "chat",
        "normal",
        "groupchat",
        "headline",
        "error",
        "get",
        "set",
        "result",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
        "probe",
        "unavailable",
        "nonsense",
    ]);
    let payload = prop::sample::select(vec![
        "<body>help</body>",
        "<body>off</body>",
        "<body/>",
        "<body xml:lang=''>x</body>",
        "<priority>999</priority>",
        "<priority>-1</priority>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<ping xmlns='urn:xmpp:ping'/>",
        "<error/>",
        "<no-store xmlns='urn:xmpp:hints'/>",
        "<reply xmlns='urn:xmpp:reply:0' to='bob\\40example.org@phone.example.org' id='1'/>",
        "<reply xmlns='urn:xmpp:reply:0' to='@'/>",
        "<encrypted xmlns='x'><payload/></encrypted>",
        "text",
        "<stanza-id xmlns='urn:xmpp:sid:0'/>",
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
    ]);
    let payloads = prop::collection::vec(payload, 0..4).prop_map(|all| all.concat());
    (name, address(), address(), kind, payloads).prop_map(|(name, from, to, kind, payloads)| {
        format!("<{name} from='{from}' to='{to}' type='{kind}' id='i1'>{payloads}</{name}>")
    })
}
