//! The SIP user agent against real peers: sipp, baresip and Kamailio on loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod call;
mod encrypted;
mod in_dialog;
mod incoming;
mod linphone;
mod log_spans;
mod loss;
mod passwords;
mod programs;
mod routes;
mod scanner;
mod script;
mod talk;
mod transports;
mod wide_band;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use offhook::media::codec::Codec;
use offhook::seed::Seed;
use offhook::sip::offer_answer::accept;
use offhook::sip::registration::State;
use offhook::sip::transport::{SipSettings, UserAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use call::Call;
use offhook::demo::child_process::free_port;
use programs::{Baresip, Kamailio, Sipp, UDP};

#[tokio::test]
async fn a_phone_answers_and_hangs_up() {
    let mut phone = Sipp::start("answer_then_bye");
    let call = Call::to(phone.port).run().await;
    assert_eq!(call.told, ["ringing", "answered", "over ByPeer"]);
    let negotiated = accept(&call.sdp, &call.offer).unwrap();
    assert_eq!((negotiated.codec, negotiated.remote.port()), (Codec::Pcma, 40000));
    phone.is_content();
}

#[tokio::test]
async fn a_busy_phone_is_told_apart() {
    let mut phone = Sipp::start("busy");
    let call = Call::to(phone.port).run().await;
    assert_eq!(call.told, ["over Refused { status: 486, retry_after: None }"]);
    phone.is_content();
}

#[tokio::test]
async fn a_phone_rings_for_its_time_and_is_cancelled() {
    let mut phone = Sipp::start("rings_until_cancelled");
    let call = Call::to(phone.port).ringing_for(Duration::from_millis(300)).run().await;
    assert_eq!(call.told, ["ringing", "over NoAnswer"]);
    phone.is_content();
}

#[tokio::test]
async fn a_phone_that_is_picked_up_as_we_cancel_is_hung_up() {
    let mut phone = Sipp::start("answers_the_cancel");
    let call = Call::to(phone.port).hanging_up_when("ringing").run().await;
    assert_eq!(call.told, ["ringing", "over Cancelled"]);
    phone.is_content();
}

#[tokio::test]
async fn a_phone_that_answers_in_a_reliable_response_is_talked_to() {
    let mut phone = Sipp::start("answers_reliably");
    let call = Call::to(phone.port).hanging_up_after(Duration::from_millis(200)).run().await;
    assert_eq!(call.told, ["early media", "answered", "over ByUs"]);
    let negotiated = accept(&call.sdp, &call.offer).unwrap();
    assert_eq!((negotiated.codec, negotiated.remote.port()), (Codec::Pcma, 40000));
    phone.is_content();
}

#[tokio::test]
async fn a_session_is_refreshed_by_either_side() {
    // The second knows no UPDATE, and its timer has to run for its 45 s too.
    let anew = "<INVITE / >200|Session-Expires: 90;refresher=uac|Require: timer|Allow: INVITE, ACK, BYE||SDP / <ACK / \
         <INVITE ~To: <[^>]*>;tag=a & ~Session-Expires: 90;refresher=uac & ~m=audio 41000 / \
         >>200|Session-Expires: 90;refresher=uas|Require: timer||SDP / <ACK / >BYE / <200";
    let mut phones = [Sipp::start("keeps_a_session"), Sipp::playing(anew, UDP)];
    let [first, second] = phones.each_ref().map(|phone| Call::to(phone.port).run());
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.told, ["answered", "over ByPeer"]);
    assert_eq!(second.told, ["answered", "reoffered sending=true", "over ByPeer"]);
    phones.iter_mut().for_each(Sipp::is_content);
}

#[tokio::test]
async fn a_redirection_to_the_same_number_is_followed() {
    let mut phone = Sipp::start("redirects");
    let call = Call::to(phone.port).hanging_up_after(Duration::from_millis(200)).run().await;
    assert_eq!(call.told, ["ringing", "answered", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn a_phone_that_missed_our_ack_gets_it_again_along_the_recorded_route() {
    let mut phone = Sipp::start("answers_twice");
    let call = Call::to(phone.port).hanging_up_after(Duration::from_millis(200)).run().await;
    assert_eq!(call.told, ["answered", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn a_phone_presses_keys_by_info_and_holds_the_call() {
    let mut phone = Sipp::start("keys_and_hold");
    let call = Call::to(phone.port).hanging_up_after(Duration::from_millis(500)).run().await;
    assert_eq!(call.told, ["answered", "key 5", "reoffered sending=false", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn nobody_there_is_noticed_after_eight_seconds() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let call = Call::to(silent.local_addr().unwrap().port()).run_until_over().await;
    assert_eq!(call.told, ["over NoResponse"]);
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_password_for_each_request_gets_it() {
    for algorithm in ["MD5", "SHA-256"] {
        let mut phone = Sipp::start("answers_and_waits");
        let proxy = Kamailio::start(phone.port, algorithm);
        let call = Call::to(proxy.port)
            .with_password("secret")
            .hanging_up_after(Duration::from_millis(100));
        assert_eq!(call.run().await.told, ["ringing", "answered", "over ByUs"], "{algorithm}");
        phone.is_content();
    }
}

#[tokio::test]
async fn a_wrong_password_ends_the_call_at_once() {
    let proxy = Kamailio::start(free_port().unwrap(), "MD5");
    let call = Call::to(proxy.port).with_password("wrong").run().await;
    assert_eq!(call.told, ["over Refused { status: 407, retry_after: None }"]);
}

#[tokio::test]
async fn a_trunk_registers_is_tried_and_let_go() {
    let registrar = Kamailio::start(free_port().unwrap(), "SHA-256");
    let mut trunk = Call::to(registrar.port).with_password("secret").trunk;
    trunk.register = true;
    let mut other = Call::to(registrar.port).with_password("wrong").trunk;
    (other.register, other.name) = (true, "other".to_owned());
    let mut plain = Call::to(registrar.port).trunk;
    plain.name = "plain".to_owned();
    let trunks = [trunk, other, plain].map(Arc::new).to_vec();
    let settings = SipSettings::listening("0.0.0.0:0".parse().unwrap());
    let agent = UserAgent::bind(settings, trunks, Seed::fresh()).await.unwrap();
    assert_eq!(agent.reach("test").await.unwrap().local_addr.local.ip().to_string(), "127.0.0.1");
    assert!(agent.probe("test", Seed::fresh()).await.is_ok());
    assert_eq!(agent.registration("test"), Some(State::Registered));
    let refused = agent.probe("other", Seed::fresh()).await.unwrap_err();
    assert!(refused.to_string().contains("refuses to register with status 401"), "{refused}");
    assert!(agent.probe("plain", Seed::fresh()).await.is_ok());
    agent.close().await;
    assert_eq!(agent.registration("test"), Some(State::Left));
}

#[tokio::test]
async fn a_softphone_behind_a_proxy_answers_holds_resumes_and_hangs_up() {
    let phone = Baresip::start();
    let proxy = Kamailio::start(phone.port, "MD5");
    let control = phone.control;
    let script = std::thread::spawn(move || {
        for command in ["hold", "resume", "hangup"] {
            std::thread::sleep(Duration::from_millis(700));
            Baresip::command(control, command);
        }
    });
    let call = Call::to(proxy.port).with_password("secret").run().await;
    script.join().unwrap();
    assert_eq!(
        call.told,
        ["ringing", "answered", "reoffered sending=false", "reoffered sending=true", "over ByPeer"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_looks_whether_we_are_there() {
    let agent = Call::to(5060).agent().await;
    let us = agent.local().to_string();
    for transport in ["u1", "t1"] {
        let options = ["-i", "127.0.0.1", "-t", transport, us.as_str()];
        Sipp::start_with("asks_what_we_can", 1, &options).is_content();
    }
}

#[tokio::test]
async fn where_we_are_seen_is_learnt_from_answers_to_our_requests_alone() {
    let trunk = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let known = Call::to(trunk.local_addr().unwrap().port()).trunk;
    let name = known.name.clone();
    let settings = SipSettings::listening("127.0.0.1:0".parse().unwrap());
    let agent = UserAgent::bind(settings, vec![Arc::new(known)], Seed::fresh()).await.unwrap();
    let probing = tokio::spawn({
        let (agent, name) = (agent.clone(), name.clone());
        async move { agent.probe(&name, Seed::fresh()).await }
    });
    let mut buffer = [0; 4000];
    let (len, _) = trunk.recv_from(&mut buffer).await.unwrap();
    let request = String::from_utf8_lossy(&buffer[..len]).into_owned();
    let line = |name: &str| request.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let via = line("Via").replace(";rport", ";received=203.0.113.9;rport=4444");
    let answer = |via: &str, call_id: &str| {
        let [from, to, cseq] = ["From", "To", "CSeq"].map(line);
        format!("SIP/2.0 200 OK\r\n{via}\r\n{from}\r\n{to};tag=t\r\n{call_id}\r\n{cseq}\r\n\r\n")
    };
    let other_branch = via.replace("branch=", "branch=x");
    let asks = format!(
        "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKa\r\n\
         From: <sip:x@y>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\r\n",
        trunk.local_addr().unwrap()
    );
    for message in [answer(&other_branch, &line("Call-ID")), answer(&via, "Call-ID: b"), asks] {
        trunk.send_to(message.as_bytes(), agent.local()).await.unwrap();
    }
    // What was sent before the question has been read when its answer comes.
    trunk.recv_from(&mut buffer).await.unwrap();
    assert_eq!(agent.reach(&name).await.unwrap().local_addr.public, agent.local());
    trunk.send_to(answer(&via, &line("Call-ID")).as_bytes(), agent.local()).await.unwrap();
    probing.await.unwrap().unwrap();
    let public = agent.reach(&name).await.unwrap().local_addr.public;
    assert_eq!(public, "203.0.113.9:4444".parse().unwrap());
}

#[tokio::test]
async fn a_trunk_reached_by_a_connection_is_not_believed_of_a_datagram() {
    let trunk = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("sip:{};transport=tcp", trunk.local_addr().unwrap());
    let agent = Call::by(&proxy).agent().await;
    let options = |transport: &str, call_id: &str, from: SocketAddr| {
        format!(
            "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{call_id};rport\r\n\
             From: <sip:x@y>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let forged = options("UDP", "forged", datagrams.local_addr().unwrap());
    datagrams.send_to(forged.as_bytes(), agent.local()).await.unwrap();
    let (path, accepted) = tokio::join!(agent.reach("test"), trunk.accept());
    let (_path, (mut connection, peer)) = (path.unwrap(), accepted.unwrap());
    let honest = options("TCP", "honest", peer);
    connection.write_all(honest.as_bytes()).await.unwrap();
    let mut answer = vec![0; 2000];
    let length = connection.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"SIP/2.0 200 "));
    while agent.dropped() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(datagrams.try_recv_from(&mut [0; 100]).is_err());
}

#[tokio::test]
async fn a_contact_names_what_can_be_reached() {
    let connections = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let outer = "198.51.100.7:5060".parse().unwrap();
    for advertise in [None, Some(outer)] {
        let trunks = [
            Call::by(&format!("sip:{};transport=tcp", connections.local_addr().unwrap())).trunk,
            Call::to(datagrams.local_addr().unwrap().port()).trunk,
        ];
        let mut settings = SipSettings::listening("127.0.0.1:0".parse().unwrap());
        settings.advertise = advertise;
        for (trunk, transport) in trunks.into_iter().zip([";transport=tcp", ""]) {
            let name = trunk.name.clone();
            let agent =
                UserAgent::bind(settings.clone(), vec![Arc::new(trunk)], Seed::fresh()).await;
            let agent = agent.unwrap();
            let route = agent.reach(&name).await.unwrap();
            let expected = advertise.unwrap_or(agent.local());
            let contact = route.local_addr.contact("us");
            assert_eq!(contact, format!("sip:us@{expected}{transport}"));
        }
    }
}

#[tokio::test]
async fn strangers_hear_nothing_and_trunks_hear_what_they_must() {
    let trunk = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let known = Call::to(trunk.local_addr().unwrap().port()).trunk;
    let settings = SipSettings::listening("127.0.0.1:0".parse().unwrap());
    let agent = UserAgent::bind(settings, vec![Arc::new(known)], Seed::fresh()).await.unwrap();
    for rubbish in ["\r\n\r\n", "rubbish", &"x".repeat(9000)] {
        trunk.send_to(rubbish.as_bytes(), agent.local()).await.unwrap();
    }
    for (method, expected) in
        [("OPTIONS", "200"), ("INVITE", "403"), ("BYE", "481"), ("FOO", "501")]
    {
        for socket in [&stranger, &trunk] {
            let from = socket.local_addr().unwrap();
            let text = format!(
                "{method} sip:us@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method};rport\r\n\
                 From: <sip:x@y>;tag=1\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            socket.send_to(text.as_bytes(), agent.local()).await.unwrap();
        }
        let mut answer = [0; 2000];
        let (len, _) = trunk.recv_from(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
        assert!(answer.starts_with(&format!("SIP/2.0 {expected} ")), "{method}: {answer}");
        let rport = format!("received=127.0.0.1;rport={}", trunk.local_addr().unwrap().port());
        assert!(answer.contains(&rport), "{answer}");
    }
    assert_eq!(agent.dropped(), 6, "four of the stranger, two of rubbish");
    assert!(stranger.try_recv_from(&mut [0; 100]).is_err());
}
