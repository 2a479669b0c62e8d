//! Where our requests go once a dialog, a NAT or a second address of the trunk has a say.

use std::sync::Arc;
use std::time::Duration;

use offhook::seed::Seed;
use tokio::net::UdpSocket;

use crate::call::Call;
use crate::programs::{Dnsmasq, Kamailio, Sipp, UDP};

#[tokio::test]
async fn a_strict_router_becomes_the_address() {
    let mut phone = Sipp::playing(
        "<INVITE / >200|Record-Route: <sip:127.0.0.1:[local_port];strict>||SDP / \
         <ACK ~ACK sip:127.0.0.1:[0-9]+;strict SIP & ~Route: <sip:phone@127.0.0.1:[0-9]+> / \
         <BYE ~BYE sip:127.0.0.1:[0-9]+;strict SIP & ~Route: <sip:phone@127.0.0.1:[0-9]+> / >>200",
        UDP,
    );
    let call = Call::to(phone.port).hanging_up_after(SHORTLY).run().await;
    assert_eq!(call.told, ["answered", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn a_dialog_leads_to_the_trunks_other_address_and_to_nobody_elses() {
    // The route of the first is an address of the trunk: Kamailio, whose Via the phone sees. That of the others is not.
    let port = offhook::demo::child_process::free_port().unwrap();
    let other = Kamailio::start_at("127.0.0.2", port, "MD5");
    let by_kamailio = "~Via: SIP/2.0/UDP 127.0.0.2:";
    let cases = [
        (format!("<sip:127.0.0.2:{};lr>", other.port), by_kamailio),
        ("<sip:127.0.0.3:5060;lr>".to_owned(), "!127.0.0.2"),
        ("<sip:elsewhere.invalid;lr>".to_owned(), "!127.0.0.2"),
    ];
    for (route, seen) in cases {
        let script = format!(
            "<INVITE / >200|Record-Route: {route}||SDP / <ACK {seen} / <BYE {seen} / >>200"
        );
        let mut phone = Sipp::playing_on(port, &script, UDP);
        let zone = format!(
            "pbx.test NAPTR 1 SIP+D2U _udp.pbx.test\n_udp.pbx.test SRV 1 {port} one.test\n\
             _udp.pbx.test SRV 2 {} two.test\none.test A\ntwo.test A 127.0.0.2\n",
            other.port
        );
        let mut call = Call::by("sip:pbx.test").with_password("secret").hanging_up_after(SHORTLY);
        let dns = Dnsmasq::start(&zone);
        call.settings.name_server = Some(dns.address);
        assert_eq!(call.run().await.told, ["answered", "over ByUs"], "{route}");
        phone.is_content();
    }
}

#[tokio::test]
async fn behind_a_nat_we_name_the_address_that_the_trunk_sees() {
    let port = offhook::demo::child_process::free_port().unwrap();
    let proxy = Kamailio::start(port, "MD5");
    let nat = Nat::start(proxy.port, false).await;
    let seen = nat.outside.local_addr().unwrap().port();
    let mut phone = Sipp::playing_on(
        port,
        &format!("<INVITE ~Contact: <sip:offhook@127.0.0.1:{seen}> / >>486 / <ACK"),
        UDP,
    );
    let call = Call::to(nat.port).with_password("secret");
    let agent = call.agent().await;
    agent.probe("test", Seed::fresh()).await.unwrap();
    let path = agent.reach("test").await.unwrap();
    let call = call.run_on(&agent, path).await;
    assert_eq!(call.told, ["over Refused { status: 486, retry_after: None }"]);
    phone.is_content();
}

#[tokio::test]
async fn a_trunk_may_answer_from_another_port() {
    let mut phone = Sipp::playing("<INVITE / >180 / >200||SDP / <ACK / <BYE / >>200", UDP);
    let nat = Nat::start(phone.port, true).await;
    let call = Call::to(nat.port).hanging_up_after(SHORTLY).run().await;
    assert_eq!(call.told, ["ringing", "answered", "over ByUs"]);
    phone.is_content();
}

/// Carries the datagrams of one client to a port on loopback and back.
struct Nat {
    port: u16,
    outside: Arc<UdpSocket>,
}

impl Nat {
    /// What comes back comes from another port than the client has sent to, if wanted.
    async fn start(to: u16, from_elsewhere: bool) -> Self {
        let bind = || async { Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()) };
        let (inside, outside, other) = (bind().await, bind().await, bind().await);
        outside.connect(("127.0.0.1", to)).await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let (back, out) = (if from_elsewhere { other } else { inside.clone() }, outside.clone());
        tokio::spawn(async move {
            let (mut there, mut here) = ([0; 8192], [0; 8192]);
            let mut client = None;
            loop {
                tokio::select! {
                    Ok((length, from)) = inside.recv_from(&mut there) => {
                        client = Some(from);
                        out.send(&there[..length]).await.unwrap();
                    }
                    Ok(length) = out.recv(&mut here) => {
                        back.send_to(&here[..length], client.unwrap()).await.unwrap();
                    }
                }
            }
        });
        Self { port, outside }
    }
}

const SHORTLY: Duration = Duration::from_millis(100);
