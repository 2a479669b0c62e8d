//! The INVITE as text, and what is read from its refusal.

use std::time::Duration;

use super::InvitePlan;
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::sip::message::{Message, Method, digits};
use crate::sip::message_builder::MessageBuilder;
use crate::sip::{ALLOW, PRODUCT};

/// What changes from one INVITE of a call to the next.
#[derive(Debug)]
pub(super) struct InviteContent {
    pub(super) call_id: String,
    pub(super) local_tag: String,
    pub(super) cseq: u32,
    /// The Request-URI, which is another after a redirection.
    pub(super) uri: String,
    /// The session interval that is asked for.
    pub(super) session_s: u32,
    /// The extensions that are named; one to which the trunk objects is not.
    pub(super) supported: Vec<&'static str>,
    pub(super) authorization: Vec<(&'static str, String)>,
}

/// The address of a number at the trunk.
pub(super) fn request_uri_of(plan: &InvitePlan) -> String {
    let number = plan.number.as_ref().map_or("", PhoneNumber::as_str);
    format!("sip:{number}@{}", plan.trunk.proxy.authority())
}

pub(super) fn write_invite(
    plan: &InvitePlan,
    invite_content: &InviteContent,
    branch: &str,
) -> Vec<u8> {
    let trunk = &plan.trunk;
    let InviteContent { call_id, local_tag, cseq, uri, session_s, supported, authorization } =
        invite_content;
    let mut builder = MessageBuilder::request(&Method::Invite, uri)
        .header("Via", &plan.local_addr.via(branch))
        .header("Max-Forwards", "70");
    if let Some(route) = trunk.route() {
        builder = builder.header("Route", &route);
    }
    builder = builder
        .header("From", &format!("{};tag={local_tag}", trunk.caller()))
        .header("To", &format!("<{}>", request_uri_of(plan)))
        .header("Call-ID", call_id)
        .header("CSeq", &format!("{cseq} INVITE"))
        .header("Contact", &contact(plan))
        .header("Allow", ALLOW)
        .header("Supported", &supported.join(", "))
        .header("User-Agent", PRODUCT);
    if supported.contains(&"timer") {
        builder = builder.header("Session-Expires", &session_s.to_string());
    }
    for (name, value) in trunk.assurance().iter().chain(authorization) {
        builder = builder.header(name, value);
    }
    builder.body("application/sdp", &plan.offer)
}

pub(super) fn contact(plan: &InvitePlan) -> String {
    format!("<{}>", plan.local_addr.contact(plan.trunk.contact_user()))
}

pub(super) fn branch(seed: &mut Seed) -> String {
    format!("z9hG4bK{}", seed.token())
}

/// Reads a request of our own back.
pub(super) fn ours(bytes: &[u8]) -> Message {
    let Ok(message) = Message::parse(bytes) else {
        unreachable!("numbers, hosts and callers are checked where they are made")
    };
    message
}

/// Source: RFC 3261 §20.33; a comment or parameter may follow the seconds.
pub(super) fn retry_after(response: &Message) -> Option<Duration> {
    let value = response.header("Retry-After")?;
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let seconds = value.get(..end).filter(|seconds| !seconds.is_empty()).and_then(digits)?;
    Some(Duration::from_secs(seconds.into()).min(RETRY_AFTER_MAX))
}

const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
