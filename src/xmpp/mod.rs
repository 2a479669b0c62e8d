//! XMPP: the component's stream to its server, and the routing of stanzas.
//!
//! Everything but [`link`] is pure. [`gateway`] handles every stanza and says what to do.

pub mod address;
mod alert_words;
mod body;
pub mod commands;
pub mod directory;
pub mod disco;
pub mod gateway;
pub mod guard;
mod html;
pub mod intake;
mod invitation;
pub mod link;
mod notice;
pub mod presence;
pub mod privilege;
pub mod relay;
pub mod reply;
pub mod sender_rate;
pub mod stanza;
pub mod upload;
mod vcard;
mod voice;
pub mod wording;

/// XML namespaces, by the specification that owns them.
pub mod ns {
    /// Stanzas of a component (XEP-0114 §3).
    pub const COMPONENT: &str = "jabber:component:accept";
    /// Stanzas of a client (RFC 6120 §4.8.3).
    pub const CLIENT: &str = "jabber:client";
    /// Errors within stanzas (RFC 6120 §8.3).
    pub const STANZA_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    /// Errors of a stream (RFC 6120 §4.9).
    pub const STREAM_ERROR: &str = "urn:ietf:params:xml:ns:xmpp-streams";
    /// The stream itself (RFC 6120 §4.8.1).
    pub const STREAM: &str = "http://etherx.jabber.org/streams";
    /// The attributes `xml:lang` and the like.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
    /// XEP-0004.
    pub const DATA_FORMS: &str = "jabber:x:data";
    /// XEP-0030.
    pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
    /// XEP-0030.
    pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
    /// XEP-0050.
    pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
    /// XEP-0054.
    pub const VCARD: &str = "vcard-temp";
    /// XEP-0115.
    pub const CAPS: &str = "http://jabber.org/protocol/caps";
    /// XEP-0292.
    pub const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";
    /// XEP-0077.
    pub const REGISTER: &str = "jabber:iq:register";
    /// XEP-0100 §6.3.
    pub const GATEWAY: &str = "jabber:iq:gateway";
    /// XEP-0172.
    pub const NICK: &str = "http://jabber.org/protocol/nick";
    /// XEP-0333.
    pub const MARKERS: &str = "urn:xmpp:chat-markers:0";
    /// Messages that a server module hands over, `docs/hand-over.md`.
    pub const HELD: &str = "urn:offhook:held:0";
    /// XEP-0066.
    pub const OOB: &str = "jabber:x:oob";
    /// XEP-0045 §7.8.2.
    pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
    /// XEP-0249.
    pub const CONFERENCE: &str = "jabber:x:conference";
    /// XEP-0353.
    pub const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";
    /// XEP-0444.
    pub const REACTIONS: &str = "urn:xmpp:reactions:0";
    /// XEP-0092.
    pub const VERSION: &str = "jabber:iq:version";
    /// XEP-0106 §7.
    pub const JID_ESCAPING: &str = "jid\\20escaping";
    /// XEP-0184.
    pub const RECEIPTS: &str = "urn:xmpp:receipts";
    /// XEP-0199.
    pub const PING: &str = "urn:xmpp:ping";
    /// XEP-0203.
    pub const DELAY: &str = "urn:xmpp:delay";
    /// The older form of a delay (XEP-0091).
    pub const DELAY_LEGACY: &str = "jabber:x:delay";
    /// XEP-0280.
    pub const CARBONS: &str = "urn:xmpp:carbons:2";
    /// XEP-0297.
    pub const FORWARD: &str = "urn:xmpp:forward:0";
    /// XEP-0308.
    pub const CORRECT: &str = "urn:xmpp:message-correct:0";
    /// XEP-0334.
    pub const HINTS: &str = "urn:xmpp:hints";
    /// XEP-0356, in the versions that servers speak.
    pub const PRIVILEGES: [&str; 2] = ["urn:xmpp:privilege:2", "urn:xmpp:privilege:1"];
    /// XEP-0359.
    pub const STANZA_ID: &str = "urn:xmpp:sid:0";
    /// XEP-0363.
    pub const UPLOAD: &str = "urn:xmpp:http:upload:0";
    /// XEP-0372.
    pub const REFERENCE: &str = "urn:xmpp:reference:0";
    /// XEP-0380.
    pub const ENCRYPTION: &str = "urn:xmpp:eme:0";
    /// XEP-0373.
    pub const OPENPGP: &str = "urn:xmpp:openpgp:0";
    /// XEP-0027.
    pub const PGP_LEGACY: &str = "jabber:x:encrypted";
    /// XEP-0385.
    pub const MEDIA_SHARING: &str = "urn:xmpp:sims:1";
    /// XEP-0422.
    pub const FASTEN: &str = "urn:xmpp:fasten:0";
    /// XEP-0424.
    pub const RETRACT: [&str; 2] = ["urn:xmpp:message-retract:1", "urn:xmpp:message-retract:0"];
    /// XEP-0428.
    pub const FALLBACK: &str = "urn:xmpp:fallback:0";
    /// XEP-0103.
    pub const URL_DATA: &str = "http://jabber.org/protocol/url-data";
    /// XEP-0446.
    pub const FILE_METADATA: &str = "urn:xmpp:file:metadata:0";
    /// XEP-0447.
    pub const FILE_SHARING: &str = "urn:xmpp:sfs:0";
    /// XEP-0461.
    pub const REPLY: &str = "urn:xmpp:reply:0";
    /// Marks messages in which Offhook itself speaks, so that two of them never answer each other without end.
    pub const NOTICE: &str = "urn:offhook:notice:0";
}
