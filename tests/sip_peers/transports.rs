//! How we reach a trunk: datagrams and connections, IPv4 and IPv6, certificates, and names that lead to several addresses.

use std::time::Duration;

use offhook::clock::now;
use offhook::demo::child_process::free_port;
use offhook::seed::Seed;
use offhook::sip::registration::State;
use offhook::sip::transport::UserAgent;
use offhook::sip::trunk::Transport;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use crate::call::Call;
use crate::programs::{Baresip, Certificate, Dnsmasq, Kamailio, Sipp, folder};

#[tokio::test]
async fn a_call_goes_over_a_connection_and_asks_for_each_password_there() {
    let certificate = Certificate::of("IP:127.0.0.1");
    for transport in ["tcp", "tls"] {
        let mut phone = Sipp::start("answers_and_waits");
        let (port, tls) = (free_port().unwrap(), free_port().unwrap());
        let _proxy = Kamailio::start_on(port, phone.port, "SHA-256", Some((tls, &certificate)));
        let port = if transport == "tls" { tls } else { port };
        let call = Call::by(&format!("sip:127.0.0.1:{port};transport={transport}"))
            .trusting(&certificate.authority)
            .with_password("secret")
            .hanging_up_after(Duration::from_millis(100));
        assert_eq!(call.run().await.told, ["ringing", "answered", "over ByUs"], "{transport}");
        phone.is_content();
    }
}

#[tokio::test]
async fn the_far_end_hangs_up_over_our_connection() {
    let certificate = Certificate::of("DNS:localhost");
    let phone = Baresip::start();
    let (port, tls) = (free_port().unwrap(), free_port().unwrap());
    let _proxy = Kamailio::start_on(port, phone.port, "MD5", Some((tls, &certificate)));
    let control = phone.control;
    let script = std::thread::spawn(move || {
        // Connecting takes its time on a machine with other things to do.
        std::thread::sleep(Duration::from_secs(2));
        for command in ["hold", "resume", "hangup"] {
            std::thread::sleep(Duration::from_millis(700));
            Baresip::command(control, command);
        }
    });
    let call = Call::by(&format!("sips:localhost:{tls}")).trusting(&certificate.authority);
    let call = call.with_password("secret").run().await;
    script.join().unwrap();
    assert_eq!(
        call.told,
        ["ringing", "answered", "reoffered sending=false", "reoffered sending=true", "over ByPeer"]
    );
}

#[tokio::test]
async fn an_authority_of_the_system_is_believed_without_being_named() {
    let certificate = Certificate::of("DNS:localhost");
    let stranger = Certificate::of("DNS:localhost");
    let (port, tls) = (free_port().unwrap(), free_port().unwrap());
    let _proxy = Kamailio::start_on(port, port, "MD5", Some((tls, &certificate)));
    let config = format!(
        "[component]\njid = \"phone.example.org\"\nserver = \"127.0.0.1:{}\"\nsecret = \"s\"\n\
         [[trunk]]\nproxy = \"sip:localhost:{tls};transport=tls\"\nfrom = \"sip:offhook@localhost\"\n\
         [sip]\nlisten = \"127.0.0.1:0\"\n[dial]\nallow = [\"+81\"]\n",
        free_port().unwrap()
    );
    let folder = folder(&format!("system-{port}"));
    std::fs::write(folder.join("component.toml"), config).unwrap();
    for (system, expected) in [(&certificate, "trunk trunk: works"), (&stranger, "UnknownIssuer")] {
        let mut check = tokio::process::Command::new(env!("CARGO_BIN_EXE_offhook"));
        let check = check.args(["check", "--live"]).current_dir(&folder);
        // The variable by which OpenSSL and rustls are told where the system's authorities are.
        let told = check.env("SSL_CERT_FILE", &system.authority).output().await.unwrap();
        let told = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test]
async fn who_cannot_prove_its_name_is_not_spoken_to() {
    let certificate = Certificate::of("DNS:pbx.example.org");
    let other = Certificate::of("IP:127.0.0.1");
    let (port, tls) = (free_port().unwrap(), free_port().unwrap());
    let _proxy = Kamailio::start_on(port, port, "MD5", Some((tls, &certificate)));
    let proxy = format!("sip:127.0.0.1:{tls};transport=tls");
    let cases = [
        ("an authority that nobody named", Call::by(&proxy), "UnknownIssuer"),
        ("another authority", Call::by(&proxy).trusting(&other.authority), "UnknownIssuer"),
        ("another name", Call::by(&proxy).trusting(&certificate.authority), "not valid for name"),
    ];
    for (situation, call, expected) in cases {
        let refused = call.agent().await.reach("test").await.unwrap_err().to_string();
        assert!(refused.contains("certificate of trunk test is not trusted"), "{refused}");
        assert!(refused.contains(expected), "{situation}: {refused}");
    }
    let plain = Call::by(&format!("sip:127.0.0.1:{port};transport=tls"));
    let refused = plain.agent().await.reach("test").await.unwrap_err().to_string();
    assert!(refused.contains("cannot be reached"), "a port without TLS: {refused}");
    let nobody = Call::by(&format!("sip:127.0.0.1:{};transport=tcp", free_port().unwrap()));
    let refused = nobody.agent().await.reach("test").await.unwrap_err().to_string();
    assert!(refused.contains("cannot be reached"), "a port without anybody: {refused}");
}

#[tokio::test]
async fn a_binding_comes_back_with_the_registrar() {
    let certificate = Certificate::of("IP:127.0.0.1");
    let (port, tls) = (free_port().unwrap(), free_port().unwrap());
    let registrar = Kamailio::start_on(port, port, "SHA-256", Some((tls, &certificate)));
    let mut call = Call::by(&format!("sip:127.0.0.1:{tls};transport=tls"))
        .trusting(&certificate.authority)
        .with_password("secret");
    call.trunk.register = true;
    let agent = call.agent().await;
    assert!(agent.probe("test", Seed::fresh()).await.is_ok());
    let before = agent.reach("test").await.unwrap().local_addr.local;
    drop(registrar);
    let _registrar = Kamailio::start_on(port, port, "SHA-256", Some((tls, &certificate)));
    let patience = now() + Duration::from_secs(30);
    let after = loop {
        if let Ok(path) = agent.reach("test").await
            && path.local_addr.local != before
        {
            break path.local_addr.local;
        }
        assert!(now() < patience, "there is no new connection");
        sleep(Duration::from_millis(100)).await;
    };
    is_registered(&agent).await;
    assert_ne!(before, after);
    agent.close().await;
    assert_eq!(agent.registration("test"), Some(State::Left));
}

#[tokio::test]
async fn phones_are_called_over_tcp_and_over_ipv6() {
    let cases: [(&[&str], &str); 3] = [
        (&["-i", "127.0.0.1", "-t", "t1"], "sip:127.0.0.1:PORT;transport=tcp"),
        (&["-i", "::1"], "sip:[::1]:PORT"),
        (&["-i", "::1", "-t", "t1"], "sip:[::1]:PORT;transport=tcp"),
    ];
    for (options, proxy) in cases {
        let mut phone = Sipp::start_with("answers_and_waits", 1, options);
        let call = Call::by(&proxy.replace("PORT", &phone.port.to_string()));
        let call = call.hanging_up_after(Duration::from_millis(100)).run().await;
        assert_eq!(call.told, ["ringing", "answered", "over ByUs"], "{proxy}");
        phone.is_content();
    }
}

#[tokio::test]
async fn a_name_with_a_dead_server_leads_to_the_next_within_seconds() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dead = silent.local_addr().unwrap().port();
    let mut phone = Sipp::start("answers_and_waits");
    let zone = format!(
        "pbx.test NAPTR 10 SIP+D2T _sip._tcp.pbx.test\npbx.test NAPTR 5 SIP+D2U _udp.pbx.test\n\
         _udp.pbx.test SRV 20 {} live.test\n_udp.pbx.test SRV 10 {dead} dead.test\n\
         live.test A\ndead.test A\n",
        phone.port
    );
    let mut call = Call::by("sip:pbx.test").hanging_up_after(Duration::from_millis(100));
    let dns = Dnsmasq::start(&zone);
    call.settings.name_server = Some(dns.address);
    let agent = call.agent().await;
    let path = agent.reach("test").await.unwrap();
    assert_eq!((path.target.address.port(), path.target.transport), (dead, Transport::Udp));
    let began = now();
    let first = Call::by("sip:pbx.test").run_on_until_over(&agent, path.clone()).await;
    assert_eq!(first.told, ["over NoResponse"]);
    assert!(now() - began < Duration::from_secs(8), "that is what a trunk without a spare gets");
    assert!(agent.mark_unreachable(&path), "there is another address");
    let path = agent.reach("test").await.unwrap();
    assert_eq!(path.target.address.port(), phone.port);
    assert_eq!(call.run_on(&agent, path).await.told, ["ringing", "answered", "over ByUs"]);
    phone.is_content();
}

#[tokio::test]
async fn a_binding_is_made_at_the_next_server_when_the_first_is_dead() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dead = silent.local_addr().unwrap().port();
    let nobody = free_port().unwrap();
    let live = Kamailio::start_on(
        free_port().unwrap(),
        free_port().unwrap(),
        "MD5",
        Some((free_port().unwrap(), &Certificate::of("IP:127.0.0.1"))),
    );
    for (service, transport, dead) in [("_sip._udp", "udp", dead), ("_sip._tcp", "tcp", nobody)] {
        let zone = format!(
            "{service}.pbx.test SRV 1 {dead} a.test\n{service}.pbx.test SRV 2 {} a.test\na.test A\n",
            live.port
        );
        let proxy = format!("sip:pbx.test;transport={transport}");
        let mut call = Call::by(&proxy).with_password("secret");
        let dns = Dnsmasq::start(&zone);
        call.settings.name_server = Some(dns.address);
        call.trunk.register = true;
        let agent = call.agent().await;
        is_registered(&agent).await;
        assert_eq!(agent.reach("test").await.unwrap().target.address.port(), live.port);
        agent.close().await;
    }
}

#[tokio::test]
async fn an_outbound_proxy_is_passed_first() {
    let mut phone = Sipp::start("answers_and_waits");
    let proxy = Kamailio::start(phone.port, "MD5");
    let mut call = Call::by("sip:nowhere.invalid").with_password("secret");
    call.trunk.outbound_proxy = Some(format!("sip:127.0.0.1:{}", proxy.port).parse().unwrap());
    let call = call.hanging_up_after(Duration::from_millis(100)).run().await;
    assert_eq!(call.told, ["ringing", "answered", "over ByUs"]);
    phone.is_content();
}

pub(crate) async fn is_registered(agent: &UserAgent) {
    let patience = now() + Duration::from_secs(20);
    while agent.registration("test") != Some(State::Registered) {
        assert!(now() < patience, "{:?}", agent.registration("test"));
        sleep(Duration::from_millis(50)).await;
    }
}
