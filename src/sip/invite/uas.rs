//! A call that the far end makes: answered at once, and from then on a call like any other.

use std::time::Instant;

use super::fork::Fork;
use super::request::InviteContent;
use super::session_timer::{SHORTEST_S, SessionTimer, USUAL_S};
use super::uas_requests::unknown_extensions;
use super::{Invite, InvitePlan, Phase};
use crate::seed::Seed;
use crate::sip::message::Message;

impl Invite {
    /// Answers an INVITE of the far end with 200. `plan.offer` is what we support.
    ///
    /// Contract: [`Output::Accepted`](super::Output::Accepted) comes with the ACK that bears our tag. An INVITE alone may come from
    ///           anybody who writes the trunk's address on it.
    /// Errors:   the response that refuses it; nothing is remembered then, and a copy of the INVITE gets the same.
    /// Source:   RFC 3261 §13.3.1; RFC 3262 §3 (an answer without provisional ones satisfies `Require: 100rel`).
    pub fn accept(
        request: &Message,
        plan: InvitePlan,
        mut seed: Seed,
        now: Instant,
    ) -> Result<Self, Vec<u8>> {
        let local_tag = seed.token();
        let invite_content = InviteContent {
            call_id: request.call_id.clone(),
            local_tag: local_tag.clone(),
            cseq: 0,
            uri: String::new(),
            session_s: USUAL_S,
            supported: vec![],
            authorization: vec![],
        };
        let mut call = Self::in_phase(plan, seed, invite_content, Phase::Confirmed);
        call.forks.push(Fork::accepted(request, &local_tag));
        call.without_session = true;
        if unknown_extensions(request).any(|option| !option.eq_ignore_ascii_case("100rel")) {
            call.refuse_extension(request, now);
        } else if request.has_foreign_body() {
            call.refuse(request, 415, "Accept", "application/sdp", now);
        } else if SessionTimer::is_too_short(request) {
            call.refuse(request, 422, "Min-SE", &SHORTEST_S.to_string(), now);
        } else {
            call.receive_offer(request, now);
        }
        call.flush();
        let accepted = !call.without_session || call.offered_in_response.is_some();
        if accepted { Ok(call) } else { Err(call.sends.pop_front().unwrap_or_default()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::clock::now;
    use crate::media::codec::Codec;
    use crate::sip::invite::{Ending, Input, Output};
    use crate::sip::offer_answer::offer;
    use crate::sip::trunk::{Dtmf, Transport, Trunk};
    use crate::sip::via::LocalAddr;

    #[test]
    fn a_call_of_the_far_end_lives_as_one_of_ours() {
        // A word is what the caller does: a method with `+sdp` or `+require:option`, or `@` and the seconds that pass.
        let cases = [
            ("talks and hangs up", "INVITE+sdp ACK BYE", "200+sdp Accepted 200 ByPeer"),
            ("lets us make the offer", "INVITE ACK+sdp BYE", "200+sdp Accepted 200 ByPeer"),
            ("owes the answer", "INVITE ACK", "200+sdp BYE ByUs"),
            ("never acknowledges", "INVITE+sdp @31 @2", "200+sdp 200×9 200+sdp BYE BYE ByUs"),
            ("sends the INVITE twice", "INVITE+sdp INVITE+sdp ACK", "200+sdp 200+sdp Accepted"),
            ("holds", "INVITE+sdp ACK UPDATE+sdp", "200+sdp Accepted 200+sdp Reoffered"),
            ("cancels too late", "INVITE+sdp CANCEL ACK BYE", "200+sdp 200 Accepted 200 ByPeer"),
            ("wants reliable responses", "INVITE+sdp+require:100rel ACK", "200+sdp Accepted"),
            ("wants what nobody knows", "INVITE+sdp+require:teleport", "420"),
            ("speaks another codec", "INVITE+g729", "488"),
            ("did not hear our answer", "INVITE+sdp ACK+untagged BYE", "200+sdp 200 ByPeer"),
            ("presses a key", "INVITE+sdp ACK INFO", "200+sdp Accepted 200 Key('5')"),
            ("presses a key too soon", "INVITE+sdp INFO ACK", "200+sdp 200 Accepted"),
            ("is to hang up", "INVITE+sdp ACK hang", "200+sdp Accepted BYE ByUs"),
        ];
        for (caller, timeline, expected) in cases {
            assert_eq!(play(timeline), expected, "the caller {caller}");
        }
    }

    fn play(timeline: &str) -> String {
        let (mut time, mut events) = (now(), vec![]);
        let mut call: Option<Invite> = None;
        for word in timeline.split(' ') {
            if let Some(seconds) = word.strip_prefix('@') {
                let end = time + Duration::from_secs(seconds.parse().unwrap());
                let call = call.as_mut().unwrap();
                while let Some(deadline) = call.deadline().filter(|deadline| *deadline <= end) {
                    time = deadline;
                    call.handle(Input::Tick, time);
                }
                time = end;
            } else if word == "hang" {
                call.as_mut().unwrap().handle(Input::HangUp, time);
            } else {
                let tag = call.as_ref().map(|call| call.invite_content.local_tag.clone());
                let tag =
                    tag.filter(|_| !word.starts_with("INVITE") && !word.ends_with("untagged"));
                let bytes = ask(word, tag);
                match &mut call {
                    Some(call) => call.handle(Input::Received(&bytes), time),
                    None => {
                        let request = Message::parse(&bytes).unwrap();
                        match Invite::accept(&request, plan(), Seed::fixed(1), time) {
                            Ok(accepted) => call = Some(accepted),
                            Err(refusal) => {
                                let refusal = Message::parse(&refusal).unwrap();
                                events.push(refusal.status().unwrap().to_string());
                            }
                        }
                    }
                }
            }
            let Some(call) = &mut call else { continue };
            let mut copies = 0;
            while let Some(output) = call.poll() {
                match output {
                    Output::Send(bytes) => {
                        let message = Message::parse(&bytes).unwrap();
                        let sdp = if message.sdp().is_some() { "+sdp" } else { "" };
                        match message.status() {
                            Some(_) if word == "@31" => copies += 1,
                            Some(status) => events.push(format!("{status}{sdp}")),
                            None => {
                                assert_eq!(message.request_uri(), "sip:carol@192.0.2.1:5062");
                                assert_eq!(message.to.tag.as_deref(), Some("theirs"));
                                events.push(message.method.as_str().to_owned());
                            }
                        }
                    }
                    Output::Accepted(_) => events.push("Accepted".into()),
                    Output::Reoffered(_) => events.push("Reoffered".into()),
                    Output::Over(Ending::ByPeer) => events.push("ByPeer".into()),
                    Output::Over(Ending::ByUs) => events.push("ByUs".into()),
                    other => events.push(format!("{other:?}")),
                }
            }
            if copies > 0 {
                events.push(format!("200×{copies}"));
            }
        }
        events.join(" ")
    }

    fn ask(word: &str, tag: Option<String>) -> Vec<u8> {
        let (method, extra) = word.split_once('+').unwrap_or((word, ""));
        let cseq = match method {
            "INVITE" | "ACK" | "CANCEL" => 7,
            _ => 8,
        };
        let branch = if method == "CANCEL" { "INVITE" } else { method };
        let tag = tag.filter(|_| method != "CANCEL").map(|tag| format!(";tag={tag}"));
        let require =
            extra.split_once("require:").map(|(_, option)| format!("Require: {option}\r\n"));
        let format = if extra.contains("g729") { 18 } else { 8 };
        let sdp = match extra.starts_with("sdp") || extra.starts_with("g729") {
            true => format!(
                "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {format}\r\n"
            ),
            false if method == "INFO" => "Signal=5".to_owned(),
            false => String::new(),
        };
        let kind = if method == "INFO" { "dtmf-relay" } else { "sdp" };
        format!(
            "{method} sip:offhook@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}\r\n\
             From: <sip:+81312345678@pbx>;tag=theirs\r\nTo: <sip:offhook@pbx>{}\r\nCall-ID: c\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:carol@192.0.2.1:5062>\r\n{}Content-Type: application/{kind}\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            tag.unwrap_or_default(),
            require.unwrap_or_default(),
            sdp.len()
        )
        .into_bytes()
    }

    fn plan() -> InvitePlan {
        let codecs = [Codec::Pcmu, Codec::Pcma];
        InvitePlan {
            trunk: Arc::new(Trunk::example()),
            number: "+81312345678".parse().ok(),
            local_addr: LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
            offer: offer("192.0.2.2:20000".parse().unwrap(), &codecs, Dtmf::Auto, 7),
            patience: Duration::from_secs(8),
            setup: Duration::from_secs(30),
            ring: Duration::from_secs(30),
        }
    }
}
