//! Offers, answers, and what is refused.

use super::*;
use crate::media::srtp::{MasterKey, Suite};

#[test]
fn our_offer_names_codecs_events_and_packet_time() {
    let offer = offer("192.0.2.2:20000".parse().unwrap(), &BOTH, Dtmf::Auto, 7);
    assert_eq!(
        offer,
        "v=0\r\no=- 7 0 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn an_answer_gives_codec_payload_types_address_and_direction() {
    use AnswerError::*;
    // Codec, payload types of codec and events, address, and whether we send.
    let cases = [
        (
            "m=audio 4000 RTP/AVP 8 101|a=rtpmap:101 telephone-event/8000",
            Ok("Pcma 8 101 192.0.2.1:4000 true"),
        ),
        ("m=audio 4000 RTP/AVP 0", Ok("Pcmu 0 - 192.0.2.1:4000 true")),
        ("m=audio 4000 RTP/AVP 18 0 8", Ok("Pcmu 0 - 192.0.2.1:4000 true")),
        (
            "m=audio 4000 RTP/AVP 96 97|a=rtpmap:96 pcma/8000|a=rtpmap:97 Telephone-Event/8000",
            Ok("Pcma 96 97 192.0.2.1:4000 true"),
        ),
        ("m=audio 4000 RTP/AVP 8|a=rtpmap:8 L16/44100", Err(NoCodec)),
        (
            "m=audio 4000 RTP/AVP 8 100|a=rtpmap:100 telephone-event/16000",
            Ok("Pcma 8 - 192.0.2.1:4000 true"),
        ),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 192.0.2.9", Ok("Pcma 8 - 192.0.2.9:4000 true")),
        ("m=audio 4000 RTP/AVP 8|c=IN IP6 2001:db8::9", Ok("Pcma 8 - [2001:db8::9]:4000 true")),
        ("m=audio 4000 RTP/AVP 8|a=sendonly", Ok("Pcma 8 - 192.0.2.1:4000 false")),
        ("a=inactive|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 false")),
        ("a=inactive|m=audio 4000 RTP/AVP 8|a=recvonly", Ok("Pcma 8 - 192.0.2.1:4000 true")),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 0.0.0.0", Ok("Pcma 8 - 0.0.0.0:4000 false")),
        ("m=video 5000 RTP/AVP 99|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 true")),
        ("m=audio 0 RTP/AVP 8|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 true")),
        ("m=audio 0 RTP/AVP 8", Err(NoAudio)),
        ("m=audio 4000 RTP/SAVP 8", Err(NoAudio)),
        ("m=audio 4000 RTP/AVP 18", Err(NoCodec)),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 224.0.0.1", Err(NoAddress)),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 255.255.255.255", Err(NoAddress)),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 media.example.org", Ok("Pcma 8 - 0.0.0.0:4000 true")),
        (
            "m=audio 4000 RTP/AVP 8|c=IN IP4 media.example.org|a=sendonly",
            Ok("Pcma 8 - 0.0.0.0:4000 false"),
        ),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 192.0.2.9/127", Ok("Pcma 8 - 192.0.2.9:4000 true")),
        ("m=audio 99999 RTP/AVP 8", Err(NotSdp)),
        ("m=audio", Err(NotSdp)),
    ];
    for (answer, expected) in cases {
        let told = accept(&sdp(answer), &own()).map(|now| {
            let events =
                now.events_payload_type.map_or("-".to_owned(), |events| events.to_string());
            format!("{:?} {} {events} {} {}", now.codec, now.payload_type, now.remote, now.sending)
        });
        assert_eq!(told, expected.map(str::to_owned), "{answer}");
    }
    assert_eq!(accept("", &own()), Err(NotSdp));
    assert_eq!(accept(&sdp("m=audio 4000 RTP/AVP 8"), &own().replace(" 8 ", " ")), Err(NoCodec));
}

#[test]
fn packets_are_as_long_as_the_far_end_wants_them() {
    let cases = [
        ("", 20),
        ("|a=ptime:20", 20),
        ("|a=ptime:30", 30),
        ("|a=ptime:10", 10),
        ("|a=ptime:5", 10),
        ("|a=ptime:50", 40),
        ("|a=ptime:240", 60),
        ("|a=ptime:40|a=maxptime:30", 30),
        ("|a=maxptime:10", 10),
        ("|a=ptime:0", 10),
        ("|a=ptime:", 20),
        ("|a=ptime:-20", 20),
        ("|a=ptime:99999999999999999999", 20),
    ];
    for (more, expected) in cases {
        let answer = sdp(&format!("m=audio 4000 RTP/AVP 8{more}"));
        assert_eq!(accept(&answer, &own()).unwrap().packet_ms, expected, "{more}");
    }
}

#[test]
fn a_description_over_a_limit_is_not_read() {
    for bomb in [
        "m=audio 4000 RTP/AVP 8|".repeat(9),
        "a=x|".repeat(65),
        "a=".to_owned() + &"x".repeat(9000),
    ] {
        assert_eq!(accept(&sdp(&bomb), &own()), Err(AnswerError::TooLarge));
    }
}

#[test]
fn a_new_offer_of_the_far_end_is_mirrored() {
    let cases = [
        (
            "m=audio 4000 RTP/AVP 0 8",
            "m=audio 20000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendrecv|",
        ),
        (
            "m=audio 4000 RTP/AVP 8|a=sendonly",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=recvonly|",
        ),
        (
            "m=video 5000 RTP/AVP 99|a=rtpmap:99 VP8/90000|m=audio 4000 RTP/AVP 8|a=inactive",
            "m=video 0 RTP/AVP 99|m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=inactive|",
        ),
    ];
    let own = offer("192.0.2.2:20000".parse().unwrap(), &BOTH, Dtmf::Auto, 7);
    for (theirs, expected) in cases {
        let (answer, negotiated) = reanswer(&sdp(theirs), &own, 3).unwrap();
        let (head, medias) = answer.split_once("t=0 0\r\n").unwrap();
        assert!(head.starts_with("v=0\r\no=- 7 3 IN IP4 192.0.2.2\r\n"), "{head}");
        assert_eq!(medias.replace("\r\n", "|"), expected);
        assert_eq!(negotiated.remote, "192.0.2.1:4000".parse().unwrap());
    }
    assert!(reoffer(&own, 4).unwrap().starts_with("v=0\r\no=- 7 4 IN"));
}

fn sdp(medias: &str) -> String {
    let medias = medias.trim_end_matches('|').replace('|', "\r\n");
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{medias}\r\n")
}

const BOTH: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

fn own() -> String {
    offer("192.0.2.2:20000".parse().unwrap(), &BOTH, Dtmf::Auto, 7)
}

fn own_with(srtp: Srtp) -> String {
    protect(own(), srtp, &mut Seed::fixed(1))
}

/// A line of theirs, with this tag and suite; the key tells them apart.
fn crypto(tag: u32, suite: Suite, octet: u8) -> String {
    let key = MasterKey::new(suite, &vec![octet; suite.secret_octets()]).unwrap();
    format!("|a=crypto:{}", Crypto { tag, key }.write())
}

#[test]
fn an_offer_brings_a_key_for_each_suite_and_insists_or_not() {
    assert_eq!(own_with(Srtp::Off), own());
    for (srtp, profile) in [(Srtp::Optional, " RTP/AVP "), (Srtp::Required, " RTP/SAVP ")] {
        let offer = own_with(srtp);
        assert!(offer.contains(profile), "{offer}");
        let suites =
            ["1 AES_CM_128_HMAC_SHA1_80", "2 AES_CM_128_HMAC_SHA1_32", "3 AEAD_AES_128_GCM"];
        let lines: Vec<_> = offer.lines().filter(|line| line.starts_with("a=crypto:")).collect();
        assert_eq!(lines.len(), suites.len());
        for (line, suite) in lines.iter().zip(suites) {
            assert!(line.starts_with(&format!("a=crypto:{suite} inline:")), "{line}");
        }
    }
}

#[test]
fn an_answer_has_a_key_that_fits_or_none_where_none_is_needed() {
    use AnswerError::*;
    use Srtp::{Off, Optional, Required};
    let cm = Suite::AesCm80;
    let (safe, plain) = ("m=audio 4000 RTP/SAVP 8", "m=audio 4000 RTP/AVP 8");
    let fits = crypto(1, cm, 9);
    let cases = [
        (plain.to_owned(), [Ok(false), Ok(false), Err(NoKeys)]),
        (format!("{plain}{fits}"), [Ok(false), Ok(true), Ok(true)]),
        (format!("{safe}{fits}"), [Err(NoAudio), Ok(true), Ok(true)]),
        (format!("{safe}{}", crypto(3, Suite::AesGcm, 9)), [Err(NoAudio), Ok(true), Ok(true)]),
        (safe.to_owned(), [Err(NoAudio), Err(NoKeys), Err(NoKeys)]),
        (format!("{safe}{}", crypto(2, cm, 9)), [Err(NoAudio), Err(NoKeys), Err(NoKeys)]),
        (format!("{plain}{}", crypto(7, cm, 9)), [Ok(false), Err(NoKeys), Err(NoKeys)]),
        (format!("{plain}{fits} UNENCRYPTED_SRTP"), [Ok(false), Err(NoKeys), Err(NoKeys)]),
        (format!("m=audio 0 RTP/SAVP 8{fits}"), [Err(NoAudio); 3]),
    ];
    for (answer, expected) in cases {
        for (srtp, expected) in [Off, Optional, Required].into_iter().zip(expected) {
            let told = accept(&sdp(&answer), &own_with(srtp)).map(|it| it.keys.is_some());
            assert_eq!(told, expected, "{srtp:?}: {answer}");
        }
    }
    let own = own_with(Required);
    let mirror = own.replace("192.0.2.2", "192.0.2.1");
    assert_eq!(accept(&mirror, &own), Err(NoKeys), "our own key back");
    let keys = accept(&sdp(&format!("{safe}{fits}")), &own).unwrap().keys.unwrap();
    assert_eq!((keys.theirs.octets(), keys.theirs.suite()), (&[9; 30][..], cm));
    assert!(own.contains(&Crypto { tag: 1, key: keys.ours.clone() }.write()));
}

#[test]
fn a_new_offer_may_change_keys_and_never_takes_them_away_where_they_must_be() {
    use AnswerError::*;
    use Srtp::{Off, Optional, Required};
    let gcm = Suite::AesGcm;
    let (safe, plain) = ("m=audio 4000 RTP/SAVP 8", "m=audio 4000 RTP/AVP 8");
    let fits = crypto(42, gcm, 9);
    // What the answer says: its profile, and the tag of its key.
    let (clear, best) = (Ok(("RTP/AVP", None)), Ok(("RTP/AVP", Some("42"))));
    let sealed = Ok(("RTP/SAVP", Some("42")));
    let cases = [
        (plain.to_owned(), [clear, clear, Err(NoKeys)]),
        (format!("{plain}{fits}"), [clear, best, best]),
        (format!("{safe}{fits}|a=sendonly"), [Err(NoAudio), sealed, sealed]),
        (
            format!("{safe}|a=crypto:1 F8_128_HMAC_SHA1_80 inline:x{fits}"),
            [Err(NoAudio), sealed, sealed],
        ),
        (safe.to_owned(), [Err(NoAudio), Err(NoKeys), Err(NoKeys)]),
        (format!("{plain}|a=crypto:1 FUTURE inline:x"), [clear, clear, Err(NoKeys)]),
        (format!("{plain}|{safe}{fits}"), [clear, clear, sealed]),
    ];
    for (offer, expected) in cases {
        for (srtp, expected) in [Off, Optional, Required].into_iter().zip(expected) {
            let told = reanswer(&sdp(&offer), &own_with(srtp), 2).map(|(answer, agreed)| {
                let taken = answer.lines().find(|it| it.starts_with("m=audio 20000 ")).unwrap();
                let profile = if taken.contains("SAVP") { "RTP/SAVP" } else { "RTP/AVP" };
                let line = answer.lines().find_map(|it| it.strip_prefix("a=crypto:"));
                let tag = line.map(|line| if line.starts_with("42 ") { "42" } else { "?" });
                let suite = agreed.keys.map(|keys| (keys.ours.suite(), keys.theirs.suite()));
                assert_eq!(suite, tag.map(|_| (gcm, gcm)));
                (profile, tag)
            });
            assert_eq!(told, expected, "{srtp:?}: {offer}");
        }
    }
    let own = own_with(Required);
    let ours = |octet| {
        let offer = sdp(&format!("{safe}{}", crypto(1, gcm, octet)));
        reanswer(&offer, &own, 2).unwrap().1.keys.unwrap().ours.clone()
    };
    assert_eq!(ours(8), ours(9), "ours stays when theirs changes");
}

#[test]
fn all_that_either_side_has_named_may_come() {
    let ours =
        offer("192.0.2.2:20000".parse().unwrap(), &[Codec::Opus, Codec::Pcma], Dtmf::Auto, 7);
    let answer = sdp(
        "m=audio 4000 RTP/AVP 96 18 97|a=rtpmap:96 opus/48000/2|a=rtpmap:97 telephone-event/8000",
    );
    let agreed = accept(&answer, &ours).unwrap();
    let events = |ticks_per_ms| PayloadFormat::Events { ticks_per_ms };
    let (opus, pcma) = (PayloadFormat::Audio(Codec::Opus), PayloadFormat::Audio(Codec::Pcma));
    let expected =
        [(96, opus), (97, events(8)), (111, opus), (8, pcma), (101, events(8)), (102, events(48))];
    assert_eq!(agreed.formats, expected);
    assert_eq!((agreed.payload_type, agreed.events_payload_type), (96, Some(97)), "what we send");
    let silent = Dtmf::Info.heard(agreed);
    assert_eq!(silent.formats, [(96, opus), (111, opus), (8, pcma)]);
}
