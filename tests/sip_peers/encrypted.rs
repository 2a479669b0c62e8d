//! SRTP with a real phone behind a real proxy over TLS, and with phones that have none.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use offhook::demo::child_process::{Folder, free_port};
use offhook::media::codec::Codec;
use offhook::media::srtp::Suite;
use offhook::sip::trunk::Srtp;

use crate::call::Call;
use crate::programs::{Baresip, Certificate, Kamailio, Sipp};
use crate::talk::{TONES, Talked, melody, talk};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_hears_what_is_said_and_its_keys_come_through() {
    let cases = [
        ("srtp", Srtp::Optional, Some(Suite::AesCm80)),
        ("srtp-mand", Srtp::Required, Some(Suite::AesCm80)),
        ("srtp-mand", Srtp::Required, Some(Suite::AesCm32)),
        ("srtp-mand", Srtp::Required, Some(Suite::AesGcm)),
        ("", Srtp::Optional, None),
    ];
    for (phone, srtp, suite) in cases {
        let talked = talk_over_tls(phone, srtp, suite, &["sndcode 5", "sndcode #"]).await;
        let told = format!("{srtp:?} {suite:?}: {}", talked.quality);
        assert_eq!(talked.quality.encrypted, suite, "{told}");
        assert_eq!((melody(&talked.heard), talked.keys.as_str()), (TONES.to_vec(), "5#"), "{told}");
        // baresip new_invites once by RTCP, perhaps before it has put its keys in place.
        assert!(talked.quality.forged <= 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_call_is_held_and_goes_on() {
    let user = &["sndcode 7", "hold", "resume", "hangup"];
    let talked = talk_over_tls("srtp-mand", Srtp::Required, Some(Suite::AesCm80), user).await;
    assert_eq!(melody(&talked.heard), TONES);
    assert_eq!(talked.keys, "7", "{}", talked.quality);
    assert!(talked.quality.forged <= 1, "{}", talked.quality);
    assert_eq!(talked.reoffered, [(false, true), (true, true)]);
}

async fn talk_over_tls(
    encryption: &str,
    srtp: Srtp,
    suite: Option<Suite>,
    user: &'static [&'static str],
) -> Talked {
    let certificate = Certificate::of("IP:127.0.0.1");
    let phone = Baresip::start_encrypted(encryption);
    let (port, tls) = (free_port().unwrap(), free_port().unwrap());
    let _proxy = Kamailio::start_on(port, phone.port, "SHA-256", Some((tls, &certificate)));
    let mut call = Call::by(&format!("sip:127.0.0.1:{tls};transport=tls"))
        .trusting(&certificate.authority)
        .with_password("secret");
    call.trunk.srtp = srtp;
    let only = |offer: String| {
        let other = |line: &&str| {
            let name = suite.map_or("", Suite::name);
            !line.starts_with("a=crypto:") || line.contains(name)
        };
        offer.lines().filter(other).map(|line| format!("{line}\r\n")).collect()
    };
    talk(call, &phone, &[Codec::Pcmu], only, user).await
}

#[tokio::test]
async fn a_phone_without_keys_hears_nothing_where_they_are_required() {
    let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
    ear.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let port_of_ear = ear.local_addr().unwrap().port().to_string();
    // What is told of the call, and whether the phone hears anything.
    let cases = [
        ("required", true, "RTP/AVP 0", "not encrypted, rang 0 s, talked 0 s"),
        ("required", true, "RTP/SAVP 0", "not encrypted, rang 0 s, talked 0 s"),
        ("optional", false, "RTP/AVP 0", "ended, nothing came from the far end: 999 sent, 0 heard"),
    ];
    for (srtp, silent, profile, outcome) in cases {
        let options = ["-i", "127.0.0.1", "-key", "ear", &port_of_ear, "-key", "profile", profile];
        let mut phone = Sipp::start_with("answers_in_the_clear", 1, &options);
        let certificate = Certificate::of("IP:127.0.0.1");
        let (port, tls) = (free_port().unwrap(), free_port().unwrap());
        let _proxy = Kamailio::start_on(port, phone.port, "MD5", Some((tls, &certificate)));
        let folder = Folder::make().unwrap();
        let configuration = format!(
            "[component]\njid = \"phone.localhost\"\nsecret = \"s\"\n\
             [[trunk]]\nproxy = \"sip:127.0.0.1:{tls};transport=tls\"\nfrom = \"sip:offhook@127.0.0.1\"\n\
             username = \"offhook\"\npassword = \"secret\"\nsrtp = \"{srtp}\"\n\
             [sip]\ntls_ca = \"{}\"\n[dial]\nallow = [\"+999\"]\n",
            certificate.authority.display()
        );
        let room = folder.room("offhook").unwrap();
        std::fs::write(room.join("component.toml"), configuration).unwrap();
        let mut offhook = Command::new(env!("CARGO_BIN_EXE_offhook"));
        offhook.current_dir(&room).args(["call", "+9995550100", "Hello"]);
        let told = tokio::task::spawn_blocking(move || offhook.output()).await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.lines().last().unwrap_or_default().starts_with(outcome), "{srtp}: {told}");
        phone.is_content();
        let came = std::iter::from_fn(|| ear.recv(&mut [0; 2000]).ok()).count();
        assert_eq!(came == 0, silent, "{srtp}");
    }
}
