//! Calls that a trunk brings us.

use std::sync::Arc;
use std::time::Duration;

use offhook::clock::now;
use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::caller::caller;
use offhook::sip::invite::{Ending, Input, Invite, InvitePlan, Output};
use offhook::sip::offer_answer::offer;
use offhook::sip::transport::{Incoming, UserAgent};
use offhook::sip::trunk::Dtmf;
use tokio::net::UdpSocket;

use crate::call::{CODECS, Call};
use crate::programs::Sipp;

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_talks_and_hangs_up_over_datagrams_and_connections() {
    for transport in ["u1", "t1"] {
        let agent = answering().await;
        let mut phone = Sipp::calling("calls_and_hangs_up", agent.local(), transport);
        let incoming = agent.next_call().await;
        let number = caller(&incoming.request, None).unwrap();
        assert_eq!(number.as_str(), "+81378901111", "what is asserted goes before From");
        assert_eq!(talk(incoming, None).await, ["taken Pcma", "over ByPeer"], "{transport}");
        phone.is_content();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_the_offer_to_us_is_hung_up_along_the_recorded_route() {
    let agent = answering().await;
    let mut phone = Sipp::calling("calls_without_offer", agent.local(), "u1");
    let incoming = agent.next_call().await;
    let told = talk(incoming, Some(Duration::from_millis(200))).await;
    assert_eq!(told, ["taken Pcmu", "over ByUs"]);
    phone.is_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_refused_and_a_stranger_hears_nothing() {
    let agent = answering().await;
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let from = stranger.local_addr().unwrap();
    let invite = format!(
        "INVITE sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKa;rport\r\n\
         From: <sip:+81378901111@y>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    stranger.send_to(invite.as_bytes(), agent.local()).await.unwrap();
    let mut phone = Sipp::calling("calls_and_is_refused", agent.local(), "u1");
    let incoming = agent.next_call().await;
    assert!(incoming.request.call_id != "x");
    incoming.refuse(486).await;
    phone.is_content();
    assert!(stranger.try_recv_from(&mut [0; 100]).is_err());
    assert_eq!(agent.dropped(), 1);
}

async fn answering() -> UserAgent {
    let mut us = Call::to(5060);
    us.settings.takes_calls = true;
    us.agent().await
}

/// Answers, and hangs up after that time, or lets the caller.
async fn talk(incoming: Incoming, hang_up_after: Option<Duration>) -> Vec<String> {
    let Incoming { request, trunk, route, mut channel } = incoming;
    let plan = InvitePlan {
        trunk: Arc::clone(&trunk),
        number: None,
        local_addr: route.local_addr,
        offer: offer("127.0.0.1:41000".parse().unwrap(), &CODECS, Dtmf::Auto, 1),
        patience: route.patience(),
        setup: Duration::from_secs(20),
        ring: Duration::from_secs(20),
    };
    let mut invite = Invite::accept(&request, plan, Seed::fresh(), now()).unwrap();
    let (mut told, mut hang_up_at) = (vec![], None);
    loop {
        while let Some(output) = invite.poll() {
            match output {
                Output::Send(bytes) => channel.send(&bytes).await.unwrap(),
                Output::Accepted(agreed) => {
                    hang_up_at = hang_up_after.map(|time| now() + time);
                    assert!(CODECS.contains(&agreed.codec) && agreed.codec != Codec::G722);
                    told.push(format!("taken {:?}", agreed.codec));
                }
                Output::Over(ending) => {
                    assert!(matches!(ending, Ending::ByUs | Ending::ByPeer));
                    told.push(format!("over {ending:?}"));
                }
                other => told.push(format!("{other:?}")),
            }
        }
        if told.len() >= 2 && invite.is_settled() {
            tokio::spawn(channel.see_out(invite));
            return told;
        }
        let deadline = invite.deadline().unwrap();
        tokio::select! {
            Some(bytes) = channel.inbox.recv() => invite.handle(Input::Received(&bytes), now()),
            () = tokio::time::sleep_until(deadline.into()) => invite.handle(Input::Tick, now()),
            () = tokio::time::sleep_until(hang_up_at.unwrap_or(deadline).into()), if hang_up_at.is_some() => {
                hang_up_at = None;
                invite.handle(Input::HangUp, now());
            }
        }
    }
}
