//! The INVITE as text, and what is read from its refusal.

use std::time::Duration;

use tracing::debug;

use super::InvitePlan;
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::sip::message::{Message, Method, digits};
use crate::sip::message_builder::MessageBuilder;
use crate::sip::offer_answer::reduced;
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

fn write_invite(plan: &InvitePlan, invite_content: &InviteContent, branch: &str) -> Vec<u8> {
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

/// The INVITE, and whether it offers less than the one before so that it fits a datagram that no network cuts: parts of
/// datagrams are what many NATs drop.
///
/// Source: RFC 3261 §18.1.1. What does not fit even so goes as it is: most networks carry it, and a trunk that is reached
///         by UDP need not listen for TCP.
pub(super) fn write_fitting_invite(
    plan: &mut InvitePlan,
    sdp_version: &mut u64,
    invite_content: &InviteContent,
    branch: &str,
) -> Vec<u8> {
    let bytes = write_invite(plan, invite_content, branch);
    if plan.local_addr.transport.is_reliable() || bytes.len() <= UNCUT_BYTES_MAX {
        return bytes;
    }
    // The keys are what the call is to be encrypted with.
    let keys = plan.offer.contains("a=crypto:");
    let Some(less) = reduced(&plan.offer, *sdp_version + 1).filter(|_| !keys) else { return bytes };
    debug!(bytes = bytes.len(), "INVITE offers less, to fit one datagram");
    (plan.offer, *sdp_version) = (less, *sdp_version + 1);
    write_invite(plan, invite_content, branch)
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

/// Where the path is not known to carry more.
const UNCUT_BYTES_MAX: usize = 1300;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::media::codec::Codec;
    use crate::sip::offer_answer::{codecs, offer};
    use crate::sip::trunk::{Dtmf, Transport, Trunk};
    use crate::sip::via::LocalAddr;

    #[test]
    fn an_invite_that_would_be_cut_offers_less() {
        let g711 = vec![Codec::Pcmu, Codec::Pcma];
        let all = vec![Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
        let cases = [
            (Transport::Udp, 0, &all),
            (Transport::Udp, 500, &g711),
            (Transport::Udp, 3000, &g711),
            (Transport::Tcp, 500, &all),
        ];
        for (transport, password, expected) in cases {
            let mut plan = InvitePlan {
                trunk: Arc::new(Trunk::example()),
                number: "+81312345678".parse().ok(),
                local_addr: LocalAddr::direct(transport, "192.0.2.2:5060".parse().unwrap()),
                offer: offer("192.0.2.2:20000".parse().unwrap(), &all, Dtmf::Auto, 7),
                patience: Duration::from_secs(8),
                setup: Duration::from_secs(30),
                ring: Duration::from_secs(30),
            };
            let content = InviteContent {
                call_id: "c".to_owned(),
                local_tag: "t".to_owned(),
                cseq: 2,
                uri: request_uri_of(&plan),
                session_s: 1800,
                supported: vec!["timer"],
                authorization: vec![("Authorization", "x".repeat(password))],
            };
            let mut version = 0;
            let bytes = write_fitting_invite(&mut plan, &mut version, &content, "z9hG4bKb");
            let invite = ours(&bytes);
            assert_eq!(codecs(invite.sdp().unwrap()), *expected, "{transport:?} {password}");
            assert_eq!(version, u64::from(*expected == g711), "a changed offer has a new number");
            assert_eq!(invite.sdp(), Some(plan.offer.as_str()));
        }
    }
}
