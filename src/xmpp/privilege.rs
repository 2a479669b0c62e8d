//! Messages in a person's name, where their server lets the component send them (XEP-0356).

use std::collections::BTreeMap;

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::xmpp::ns;
use crate::xmpp::stanza::{self, element};

/// The servers that let us send messages in their people's names, and the namespace that each speaks.
///
/// Source: XEP-0356 §4 and §6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    namespaces: BTreeMap<String, String>,
}

/// One server's grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Messages may be sent in its people's names.
    pub outgoing: bool,
    /// Further permissions, which are not used.
    pub unneeded: Vec<String>,
}

impl Grants {
    /// Reads a server's grant; `None` if the message is none.
    pub fn learn(&mut self, message: &Element, from: &Jid) -> Option<Granted> {
        let is_host = from.node().is_none() && from.resource().is_none();
        let advertised = message
            .children()
            .find(|it| it.name() == "privilege" && ns::PRIVILEGES.contains(&it.ns().as_str()))?;
        if !is_host || advertised.has_child("forwarded", ns::FORWARD) {
            return None;
        }
        let mut granted = Granted { outgoing: false, unneeded: vec![] };
        for perm in advertised.children().filter(|it| it.name() == "perm") {
            match (perm.attr("access"), perm.attr("type")) {
                (_, Some("none")) => {}
                // ejabberd from 24.10 on always sends this grant, also when it grants nothing by it.
                (Some("iq"), _) if !perm.children().any(|it| it.name() == "namespace") => {}
                (Some("message"), Some("outgoing")) => granted.outgoing = true,
                (access, kind) => {
                    let (access, kind) = (access.unwrap_or_default(), kind.unwrap_or_default());
                    granted.unneeded.push(format!("{access} {kind}").trim().to_owned());
                }
            }
        }
        let host = from.domain().to_string();
        if granted.outgoing {
            self.namespaces.insert(host, advertised.ns());
        } else {
            self.namespaces.remove(&host);
        }
        Some(granted)
    }

    /// Removes a server's grant; whether there was one.
    pub fn lose(&mut self, host: &str) -> bool {
        self.namespaces.remove(host).is_some()
    }

    /// Removes all grants: the link is lost, and servers grant again. Whether there were any.
    pub fn forget(&mut self) -> bool {
        !std::mem::take(&mut self.namespaces).is_empty()
    }

    /// The same message in the name of `person`; unchanged where their server has not granted that.
    pub fn in_the_name_of(&self, person: &BareJid, message: Element, component: &str) -> Element {
        let host = person.domain().as_str();
        let Some(namespace) = self.namespaces.get(host) else { return message };
        let id = message.attr("id").unwrap_or_default().to_owned();
        let mut inner = message;
        stanza::set(&mut inner, "from", person.as_str());
        let Ok(inner) = as_clients(&inner) else { return inner };
        let mut forwarded = Element::bare("forwarded", ns::FORWARD);
        forwarded.append_child(inner);
        let mut privilege = element("privilege", namespace, &[]);
        privilege.append_child(forwarded);
        let attributes = [("from", component), ("to", host), ("id", id.as_str())];
        let mut outer = stanza::stanza("message", &attributes);
        outer.append_child(privilege);
        outer
    }
}

/// The message as a client would send it.
fn as_clients(message: &Element) -> Result<Element, minidom::Error> {
    stanza::to_xml(message).replace("'jabber:component:accept'", "'jabber:client'").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_in_the_callees_name_only_where_that_is_granted() {
        let bob: BareJid = "bob@example.org".parse().unwrap();
        let answer =
            stanza::chat("bob\\40example.org@phone.example.org", "alice@example.org", "a1", "Yes");
        let mut grants = Grants::default();
        assert_eq!(grants.in_the_name_of(&bob, answer.clone(), "phone.example.org"), answer);
        for (from, namespace, perms, granted, unneeded) in [
            (
                "example.org",
                "urn:xmpp:privilege:2",
                "<perm access='message' type='outgoing'/>",
                true,
                0,
            ),
            (
                "example.org",
                "urn:xmpp:privilege:1",
                "<perm access='message' type='none'/>",
                false,
                0,
            ),
            (
                "example.org",
                "urn:xmpp:privilege:1",
                "<perm access='message' type='outgoing'/><perm access='roster' type='both'/>",
                true,
                1,
            ),
            (
                "example.org",
                "urn:xmpp:privilege:1",
                "<perm access='message' type='outgoing'/><perm access='iq'/>",
                true,
                0,
            ),
            (
                "example.org",
                "urn:xmpp:privilege:1",
                "<perm access='message' type='outgoing'/>\
                 <perm access='iq'><namespace ns='jabber:iq:roster' type='both'/></perm>",
                true,
                1,
            ),
            (
                "eve@example.org",
                "urn:xmpp:privilege:2",
                "<perm access='message' type='none'/>",
                true,
                9,
            ),
            (
                "elsewhere.example",
                "urn:xmpp:privilege:2",
                "<perm access='message' type='none'/>",
                true,
                0,
            ),
        ] {
            let told = format!(
                "<message xmlns='jabber:component:accept'><privilege xmlns='{namespace}'>{perms}</privilege></message>"
            );
            let learnt = grants.learn(&told.parse().unwrap(), &Jid::new(from).unwrap());
            assert_eq!(learnt.map_or(9, |it| it.unneeded.len()), unneeded, "{from}");
            let sent = grants.in_the_name_of(&bob, answer.clone(), "phone.example.org");
            assert_eq!(sent != answer, granted, "{from} {perms}");
        }
        let sent =
            stanza::to_xml(&grants.in_the_name_of(&bob, answer.clone(), "phone.example.org"));
        assert!(sent.contains("<privilege xmlns='urn:xmpp:privilege:1'><forwarded xmlns='urn:xmpp:forward:0'>\
            <message xmlns='jabber:client' from='bob@example.org' id='a1' to='alice@example.org' type='chat'>"), "{sent}");
        assert!(sent.starts_with("<message xmlns='jabber:component:accept' from='phone.example.org' id='a1' to='example.org'>"), "{sent}");
        assert!(grants.lose("example.org"));
        assert_eq!(grants.in_the_name_of(&bob, answer.clone(), "phone.example.org"), answer);
    }
}
