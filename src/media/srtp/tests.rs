//! The vectors of the standards and of libsrtp, and what must not be taken.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let octet = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn key(suite: Suite) -> MasterKey {
    let secret = match suite {
        Suite::AesGcm => "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
        _ => "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
    };
    MasterKey::new(suite, &hex(secret)).unwrap()
}

fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = hex("800f1234decafbadcafebabeabababababababababababababababab");
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

fn report() -> Vec<u8> {
    hex("81c8000bcafebabeabababababababababababababababab")
}

fn sealed(out: &Outbound, index: u64) -> Vec<u8> {
    let mut packet = packet(index as u16);
    let length = packet.len();
    packet.resize(length + TRAILER_MAX, 0);
    let length = out.packet(&mut packet, length, index).unwrap();
    packet.truncate(length);
    packet
}

fn sealed_report(out: &mut Outbound) -> Vec<u8> {
    let mut report = report();
    let length = report.len();
    report.resize(length + TRAILER_MAX, 0);
    let length = out.report(&mut report, length).unwrap();
    report.truncate(length);
    report
}

/// Vectors of libsrtp (`srtp_driver.c`), from the master key to the wire.
#[test]
fn packets_and_reports_are_on_the_wire_as_libsrtp_writes_them() {
    let vectors = [
        (
            Suite::AesCm80,
            "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
            "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798",
        ),
        (
            Suite::AesGcm,
            "800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392",
            "81c8000bcafebabe c98b8b5df0392a55852b6c21ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001",
        ),
    ];
    for (suite, on_the_wire, reported) in vectors {
        let (mut out, mut into) = (Outbound::new(key(suite), 0), Inbound::new(key(suite)));
        let mut got = sealed(&out, 0x1234);
        assert_eq!(got, hex(on_the_wire), "{suite:?}");
        let length = into.packet(&mut got).unwrap();
        assert_eq!(got[..length], packet(0x1234), "{suite:?}");
        sealed_report(&mut out);
        let mut got = sealed_report(&mut out);
        assert_eq!(got, hex(reported), "{suite:?}");
        let length = into.report(&mut got).unwrap();
        assert_eq!(got[..length], report(), "{suite:?}");
    }
    let short = sealed(&Outbound::new(key(Suite::AesCm32), 0), 0x1234);
    assert_eq!(short.len(), 12 + 16 + 4);
    assert!(hex(vectors[0].1).starts_with(&short), "the same, with less of the tag");
}

#[test]
fn what_has_come_or_is_changed_or_is_of_another_key_is_not_taken() {
    for suite in Suite::ALL {
        let mut into = Inbound::new(key(suite));
        let mut out = Outbound::new(key(suite), 0);
        let (first, second) = (sealed(&out, 7), sealed(&out, 8));
        for at in 0..first.len() {
            let mut changed = first.clone();
            changed[at] ^= 1;
            assert_eq!(into.packet(&mut changed), None, "{suite:?}, octet {at}");
        }
        for end in 0..first.len() {
            assert_eq!(into.packet(&mut first[..end].to_vec()), None, "{suite:?} of {end} octets");
        }
        assert!(into.packet(&mut second.clone()).is_some());
        assert!(into.packet(&mut first.clone()).is_some(), "late, but new");
        assert_eq!(into.packet(&mut first.clone()), None, "again");
        assert_eq!(into.packet(&mut packet(9)), None, "in the clear");

        let told = sealed_report(&mut out);
        for at in 0..told.len() {
            let mut changed = told.clone();
            changed[at] ^= 1;
            assert_eq!(into.report(&mut changed), None, "{suite:?}, octet {at} of a report");
        }
        assert!(into.report(&mut told.clone()).is_some());
        assert_eq!(into.report(&mut told.clone()), None, "again");
        assert_eq!(into.report(&mut report()), None, "in the clear");
    }
}

#[test]
fn a_far_end_that_counts_its_keys_is_understood() {
    for suite in Suite::ALL {
        for (number, octets) in [(1_u64, &[1_u8][..]), (258, &[0, 0, 1, 2])] {
            let index = KeyIndex::new(number, octets.len());
            let mut into = Inbound::new(key(suite).counted(index));
            let mut out = Outbound::new(key(suite), 0);
            let counted = |sealed: &[u8], behind: usize, octets: &[u8]| {
                let (front, tag) = sealed.split_at(sealed.len() - behind);
                [front, octets, tag].concat()
            };
            let tag = match suite {
                Suite::AesCm80 => [10, 10],
                Suite::AesCm32 => [4, 10],
                Suite::AesGcm => [0, 0],
            };
            let plain = sealed(&out, 7);
            let mut other = octets.to_vec();
            other[0] ^= 1;
            assert_eq!(into.packet(&mut counted(&plain, tag[0], &other)), None, "another key");
            assert_eq!(into.packet(&mut plain.clone()), None, "{suite:?} without an index");
            let mut got = counted(&plain, tag[0], octets);
            let length = into.packet(&mut got).unwrap();
            assert_eq!(got[..length], packet(7), "{suite:?}");
            let mut got = counted(&sealed_report(&mut out), tag[1], octets);
            let length = into.report(&mut got).unwrap();
            assert_eq!(got[..length], report(), "{suite:?}");
        }
    }
    for (number, length) in [(256, 1), (1, 0), (1, 9)] {
        assert_eq!(KeyIndex::new(number, length), None);
    }
}

#[test]
fn a_call_may_go_on_over_a_roll_over_and_another_key_counts_anew() {
    let mut into = Inbound::new(key(Suite::AesCm80));
    let out = Outbound::new(key(Suite::AesCm80), 0);
    for index in 65_500..65_600 {
        assert!(into.packet(&mut sealed(&out, index)).is_some(), "{index}");
    }
    assert_eq!(into.packet(&mut sealed(&out, 65_500)), None);
    let later = Outbound::new(key(Suite::AesCm32), 65_600);
    let mut rekeyed = Inbound::new(key(Suite::AesCm32));
    assert!(rekeyed.packet(&mut sealed(&later, 65_600)).is_some());
}

#[test]
fn a_source_is_never_forgotten() {
    let mut into = Inbound::new(key(Suite::AesCm80));
    let out = Outbound::new(key(Suite::AesCm80), 0);
    let of = |ssrc: u8| {
        let mut packet = packet(1);
        packet[11] = ssrc;
        packet.resize(28 + TRAILER_MAX, 0);
        let length = out.packet(&mut packet, 28, 1).unwrap();
        packet.truncate(length);
        packet
    };
    let taken = (0..20).filter(|ssrc| into.packet(&mut of(*ssrc)).is_some()).count();
    assert_eq!(taken, SOURCES_MAX);
    assert!((0..20).all(|ssrc| into.packet(&mut of(ssrc)).is_none()), "none comes twice");
}

#[test]
fn headers_of_all_lengths_stay_readable() {
    let cases = [("80", 12), ("82", 20), ("90", 20)];
    for (first, expected) in cases {
        let mut packet = packet(1);
        packet[0] = hex(first)[0];
        packet[12..16].copy_from_slice(&hex("bede0001"));
        assert_eq!(payload_at(&packet), Some(expected), "{first}");
    }
    let mut long = packet(1);
    (long[0], long[14], long[15]) = (0x90, 0xff, 0xff);
    assert_eq!((payload_at(&long), payload_at(&long[..11]), payload_at(&[])), (None, None, None));
}

#[test]
fn a_key_is_not_shown() {
    let shown = format!("{:?}", Keys { ours: key(Suite::AesCm80), theirs: key(Suite::AesGcm) });
    assert!(!shown.contains("225") && !shown.contains("e1") && shown.contains("AEAD"), "{shown}");
    assert_eq!(MasterKey::new(Suite::AesGcm, &[0; 30]), None);
}
