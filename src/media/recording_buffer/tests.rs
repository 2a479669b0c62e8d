//! Recordings of a ramp: each frame has a level of its own, so that its place can be read from it.

use proptest::prelude::*;

use super::*;
use crate::clock;
use crate::media::codec::Clip;

const SECOND: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(20);

/// The payload of one frame, told apart from its neighbours.
fn payload(frame: u32) -> Vec<u8> {
    let level = 1000 + (frame % 25) as i16 * 1000;
    Clip::encode(Codec::Pcmu, &[level; FRAME_BYTES]).frame(0).unwrap().to_vec()
}

/// What comes of packets `(frame, milliseconds it takes on the way)`; time stamps begin just before they wrap.
fn record(packets: &[(u32, u64)], seconds: u64) -> RecordingBuffer {
    let begun = clock::now();
    let mut take = RecordingBuffer::new(Codec::Pcmu, SECOND * 10, begun);
    let arrival = |(frame, way): &(u32, u64)| Duration::from_millis(u64::from(*frame) * 20 + way);
    let mut order = packets.to_vec();
    order.sort_by_key(|packet| arrival(packet));
    for packet in &order {
        let (sequence, timestamp) =
            ((packet.0 as u16).wrapping_sub(7), (packet.0 * 160).wrapping_sub(1000));
        take.packet(sequence, timestamp, &payload(packet.0), begun + arrival(packet));
    }
    take.end(begun + SECOND * u32::try_from(seconds).unwrap());
    take
}

/// The level in the middle of each frame; 0 is silence.
fn levels(take: &RecordingBuffer) -> Vec<i16> {
    take.samples().chunks(FRAME_BYTES).map(|frame| frame[80]).collect()
}

fn expected(frame: u32) -> i16 {
    Codec::Pcmu.decode(payload(frame)[80])
}

#[test]
fn jitter_and_disorder_change_nothing() {
    let ways = [0, 30, 12, 25, 3, 29, 18];
    let packets: Vec<_> = (0..50).map(|frame| (frame, ways[frame as usize % 7])).collect();
    let take = record(&packets, 1);
    let frames: Vec<_> = (0..50).map(expected).collect();
    assert_eq!(levels(&take), frames);
    let account = Account { expected: 50, received: 50, ..Account::default() };
    assert_eq!(take.account(), account);
}

#[test]
fn what_is_lost_is_made_up_from_what_came_before_and_fades() {
    let lost = [10, 20, 21, 22, 23, 24];
    let packets: Vec<_> =
        (0..50).filter(|frame| !lost.contains(frame)).map(|frame| (frame, 0)).collect();
    let take = record(&packets, 1);
    let heard = levels(&take);
    assert_eq!(heard.len(), 50, "a gap shortens nothing");
    assert_eq!(heard[9..12], [expected(9), expected(9), expected(11)]);
    let last = expected(19);
    assert_eq!(heard[19..26], [last, last, last / 2, last / 2 / 2, 0, 0, expected(25)]);
    let Account { expected, received, concealed, .. } = take.account();
    assert_eq!((expected, received + concealed, concealed), (50, 50, 6));
}

#[test]
fn late_packets_and_copies_are_counted_and_dropped() {
    let mut packets: Vec<_> = (0..50).map(|frame| (frame, 0)).collect();
    packets[20].1 = 59;
    packets[30].1 = 90;
    packets.extend([(40, 10), (41, 10)]);
    let account = record(&packets, 1).account();
    assert_eq!((account.received, account.late, account.duplicates), (49, 1, 2));
}

#[test]
fn silence_that_is_not_sent_is_silence_and_takes_its_time() {
    let begun = clock::now();
    let mut take = RecordingBuffer::new(Codec::Pcmu, SECOND * 10, begun);
    for (sequence, frame) in (0..10).chain(30..40).enumerate() {
        let at = begun + FRAME * frame;
        take.packet(sequence as u16, frame * 160, &payload(frame), at);
    }
    take.end(begun + SECOND);
    let heard = levels(&take);
    assert_eq!((heard[9], heard[10], heard[29]), (expected(9), 0, 0));
    assert_eq!((heard[30], heard.len()), (expected(30), 50));
    assert_eq!(take.account().concealed, 10, "what was never announced as silence");
}

#[test]
fn a_new_clock_of_the_far_end_goes_on_where_the_time_is() {
    let begun = clock::now();
    let mut take = RecordingBuffer::new(Codec::Pcmu, SECOND * 10, begun);
    for frame in 0..50 {
        let anew = if frame < 25 { 0 } else { 0x9000_0000_u32 };
        take.packet(
            frame as u16,
            anew.wrapping_add(frame * 160),
            &payload(frame),
            begun + FRAME * frame,
        );
    }
    take.end(begun + SECOND);
    assert_eq!(levels(&take), (0..50).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_way_that_becomes_longer_costs_a_few_frames_and_no_more() {
    let packets: Vec<_> = (0..100).map(|frame| (frame, if frame < 50 { 5 } else { 150 })).collect();
    let account = record(&packets, 2).account();
    assert_eq!(account.late, LATE_IN_A_ROW);
    assert!(account.concealed <= 12, "{account:?}");
}

#[test]
fn it_ends_by_itself_when_it_is_full_or_nobody_speaks() {
    let cases = [
        ("nobody ever speaks", 0, 30, Over::Silence, 8),
        ("somebody stops", 3, 30, Over::Silence, 11),
        ("somebody goes on", 30, 10, Over::Full, 10),
    ];
    for (who, speaks_s, longest_s, why, after_s) in cases {
        let begun = clock::now();
        let mut take = RecordingBuffer::new(Codec::Pcmu, SECOND * longest_s, begun);
        let mut told = vec![];
        for frame in 0..20 * 50 {
            let now = begun + FRAME * frame;
            // Words of half a second.
            let is_word = frame / 25 % 2 == 0 && frame < speaks_s * 50;
            let level = if is_word { 8000 } else { 3 };
            let clip = Clip::encode(Codec::Pcmu, &[level; FRAME_BYTES]);
            take.packet(frame as u16, frame * 160, clip.frame(0).unwrap(), now);
            told.extend(take.tick(now).map(|why| (why, frame / 50)));
        }
        let [(told_why, told_s)] = told[..] else { panic!("{who}: {told:?}") };
        assert_eq!(told_why, why, "{who}");
        assert!(told_s.abs_diff(after_s) <= 1, "{who}: after {told_s} s");
        let speaks = Duration::from_secs(u64::from(speaks_s.min(longest_s)));
        assert!(
            take.voice() <= speaks && take.voice() + SECOND >= speaks,
            "{who}: {:?}",
            take.voice()
        );
    }
}

#[test]
fn the_store_gives_back_what_it_was_given() {
    let take = record(&[(0, 0), (1, 0), (5, 0)], 1);
    let bytes = take.to_bytes();
    let back = RecordingBuffer::from_bytes(&bytes, clock::now()).unwrap();
    assert_eq!((back.samples(), back.length()), (take.samples(), take.length()));
    for cut in [0, 5, 9, 10, 20, bytes.len() - 1] {
        assert!(RecordingBuffer::from_bytes(&bytes[..cut], clock::now()).is_err(), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_breaks_or_grows_it(
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), 0_usize..1500, 0_u64..200), 0..300)
    ) {
        let begun = clock::now();
        let mut take = RecordingBuffer::new(Codec::Pcma, SECOND * 2, begun);
        let room = (take.octets.len(), take.there.len());
        let mut now = begun;
        for (sequence, timestamp, octets, ms) in packets {
            now += Duration::from_millis(ms);
            take.packet(sequence, timestamp, &vec![0x55; octets], now);
            take.tick(now);
        }
        take.end(now);
        prop_assert_eq!((take.octets.len(), take.there.len()), room);
        prop_assert!(take.length() <= SECOND * 2);
        let Account { expected, received, concealed, .. } = take.account();
        prop_assert_eq!(expected, received + concealed);
        prop_assert_eq!(take.samples().len() / 8, take.length().as_millis() as usize);
        prop_assert!(RecordingBuffer::from_bytes(&take.to_bytes(), now).is_ok());
    }
}
