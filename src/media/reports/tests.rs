//! Two ends that report to each other.

use super::*;
use crate::clock;

const MS: Duration = Duration::from_millis(1);

/// Two ends; packets of `us` come with this jitter, and each tenth is lost where told.
fn talk(seconds: u32, loses: bool, delay_ms: u32) -> (Quality, Quality) {
    let start = clock::now();
    let (mut us, mut far) = (Reports::new(1, 7, 8, start), Reports::new(2, 9, 8, start));
    let mut on_the_way: Vec<(Instant, bool, Vec<u8>)> = vec![];
    for turn in 0..seconds * 50 {
        let now = start + MS * 20 * turn;
        us.sent(160, (65_500 + turn) as u16);
        far.sent(160, turn as u16);
        let uneven = MS * ((turn % 2) * 10);
        if !(loses && turn % 10 == 5) {
            far.arrived(1, (65_500 + turn) as u16, Some(turn * 160), now + MS * delay_ms + uneven);
        }
        us.arrived(2, turn as u16, Some(turn * 160), now + MS * delay_ms);
        let mut buffer = [0; REPORT_BYTES_MAX];
        if let Some(length) = us.write(turn * 160, now, &mut buffer) {
            on_the_way.push((now + MS * delay_ms, true, buffer[..length].to_vec()));
        }
        if let Some(length) = far.write(turn * 160, now, &mut buffer) {
            on_the_way.push((now + MS * delay_ms, false, buffer[..length].to_vec()));
        }
        on_the_way.retain(|(at, to_far, report)| {
            if *at > now {
                return true;
            }
            if *to_far { !far.read(report, *at) } else { !us.read(report, *at) }
        });
    }
    (us.quality(), far.quality())
}

#[test]
fn both_ends_know_what_is_lost_how_uneven_it_is_and_how_far() {
    let (us, far) = talk(30, true, 40);
    assert_eq!((us.sent, us.received, us.lost, us.jitter_ms), (1500, 1500, 0, 0));
    assert_eq!((far.received, far.lost), (1350, 150));
    let (lost, jitter) = us.far.unwrap();
    assert!((100..=150).contains(&lost), "{lost} lost as told a while before the end");
    assert!((8..=12).contains(&jitter) && far.jitter_ms == jitter, "jitter {jitter} ms");
    assert!((70..=101).contains(&us.round_trip_ms.unwrap()), "{us}");
    let (clean, _) = talk(12, false, 0);
    assert_eq!((clean.lost, clean.far.map(|far| far.0)), (0, Some(0)), "{clean}");
}

#[test]
fn nothing_is_believed_that_is_no_report_about_us() {
    let start = clock::now();
    let mut us = Reports::new(1, 7, 8, start);
    let other = ReportBlock::builder(99).cumulative_lost(5);
    let report = ReceiverReport::builder(3).add_report_block(other);
    let mut buffer = [0; REPORT_BYTES_MAX];
    let length = Compound::builder().add_packet(report).write_into(&mut buffer).unwrap();
    us.read(&buffer[..length], start);
    us.read(b"", start);
    us.read(&[0x80; 40], start);
    us.read(&[0xff; 1500], start);
    assert_eq!(us.quality(), Quality::default());
    assert!(
        us.write_bye(0, start, &mut buffer)
            .is_some_and(|length| Compound::parse(&buffer[..length]).is_ok())
    );
}

#[test]
fn each_report_names_us_alike_and_the_last_one_counts_all() {
    let start = clock::now();
    let (mut us, mut names, mut buffer) =
        (Reports::new(1, 7, 8, start), vec![], [0; REPORT_BYTES_MAX]);
    us.sent(160, 1);
    for turn in 1..=4 {
        let now = start + PAUSE * 2 * turn;
        let length = match turn {
            4 => us.write_bye(160, now, &mut buffer),
            _ => us.write(160, now, &mut buffer),
        };
        let packets: Vec<_> =
            Compound::parse(&buffer[..length.unwrap()]).unwrap().map(Result::unwrap).collect();
        let (Packet::Sr(report), Packet::Sdes(description)) = (&packets[0], &packets[1]) else {
            panic!("{packets:?}")
        };
        assert_eq!(report.packet_count(), 1);
        let item = description.chunks().next().unwrap().items().next().unwrap();
        names.push(item.value().to_vec());
        assert_eq!(packets.len(), if turn == 4 { 3 } else { 2 });
    }
    names.dedup();
    assert_eq!(names.len(), 1);
}

#[test]
fn reports_bear_the_wall_clock_of_their_moment() {
    let start = clock::now();
    let (mut us, mut buffer) = (Reports::new(1, 7, 8, start), [0; REPORT_BYTES_MAX]);
    us.sent(160, 1);
    us.set_clock("2026-12-01T12:00:00.5Z".parse().unwrap(), start + MS * 500);
    let length = us.write(160, start + PAUSE * 2, &mut buffer).unwrap();
    let report = Compound::parse(&buffer[..length]).unwrap().next().unwrap().unwrap();
    let Packet::Sr(report) = report else { panic!("{report:?}") };
    // In seconds since 1900.
    let noon = 4_005_115_200_u64;
    assert_eq!(report.ntp_timestamp() >> 32, noon + 10);
}

#[test]
fn changed_reports_stop_nothing() {
    let start = clock::now();
    let (mut seed, mut us) = (crate::seed::Seed::fixed(3), Reports::new(1, 7, 8, start));
    us.sent(160, 1);
    us.arrived(2, 1, Some(160), start);
    let mut buffer = [0; REPORT_BYTES_MAX];
    let length = us.write(160, start + PAUSE * 2, &mut buffer).unwrap();
    for _ in 0..200_000 {
        let mut report = buffer[..length].to_vec();
        for _ in 0..=seed.below(4) {
            let at = seed.below(report.len() as u64) as usize;
            report[at] = seed.below(256) as u8;
        }
        report.truncate(seed.below(report.len() as u64 + 1) as usize);
        us.read(&report, start + PAUSE * 2);
    }
}
