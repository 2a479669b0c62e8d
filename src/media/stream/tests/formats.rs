//! Packets of all the payload types that a description may name.

use super::*;

#[test]
fn each_packet_is_heard_in_its_own_codec() {
    let (mut stream, now) = (stream(), clock::now());
    let formats = vec![
        (8, PayloadFormat::Audio(Codec::Pcma)),
        (9, PayloadFormat::Audio(Codec::G722)),
        (102, PayloadFormat::Events { ticks_per_ms: 48 }),
    ];
    let events_payload_type = None;
    stream.renegotiate(Negotiated { formats, events_payload_type, tones: true, ..agreed() }, now);
    let tone =
        |at: usize, hz: f64, rate: f64| (std::f64::consts::TAU * hz * at as f64 / rate).sin();
    let mut timestamp = 0;
    for (codec, number) in [(Codec::Pcmu, 0), (Codec::Pcma, 8), (Codec::G722, 9)] {
        let rate = codec.speech_hz();
        let five = |at| {
            let both = tone(at, 770.0, rate as f64) + tone(at, 1336.0, rate as f64);
            (both * 6000.0) as i16
        };
        let clip = Clip::encode(codec, &(0..rate / 5).map(five).collect::<Vec<_>>());
        let quiet = codec.quiet(20).to_vec();
        let mut heard = vec![];
        for turn in 0..30 {
            let payload = clip.frame(turn).map_or(&quiet[..], |frame| frame);
            let at = now + Duration::from_millis(u64::from(timestamp) / 8);
            let packet = &mut rtp(number, 7, timestamp, payload);
            heard.extend(stream.receive(agreed().remote, packet, at));
            timestamp += 160;
        }
        heard.retain(|event| matches!(event, MediaEvent::Key(_)));
        assert_eq!(heard, [MediaEvent::Key('5')], "{codec:?}");
    }
    let at = now + Duration::from_secs(60);
    let event = stream.receive(agreed().remote, &mut rtp(102, 7, 9, &[1, 10, 3, 192]), at);
    assert_eq!(event, Some(MediaEvent::Key('1')), "events that the answer has left out");
    assert_eq!(stream.receive(agreed().remote, &mut rtp(103, 7, 9, &[1, 10, 3, 192]), at), None);
    assert_eq!(stream.quality().refused, 1);
}

#[test]
fn tones_are_heard_once_it_is_clear_that_no_event_comes() {
    let tone = |at: usize, hz: f64| (std::f64::consts::TAU * hz * at as f64 / 8000.0).sin();
    let five = |at| ((tone(at, 770.0) + tone(at, 1336.0)) * 6000.0) as i16;
    let clip = Clip::encode(Codec::Pcmu, &(0..1600).map(five).collect::<Vec<_>>());
    for (listens, has_event, heard) in
        [(false, false, false), (true, false, true), (true, true, false)]
    {
        let (mut stream, now) = (stream(), clock::now());
        let mut keys = vec![];
        if has_event {
            keys.extend(stream.receive(agreed().remote, &mut press(1, 7, 0), now));
        }
        if listens {
            stream.listen_for_tones();
        }
        for turn in 0..30 {
            let quiet = Codec::Pcmu.quiet(20).to_vec();
            let payload = clip.frame(turn).map_or(&quiet[..], |frame| frame);
            let at = now + Duration::from_millis(1000 + 20 * turn as u64);
            let mut packet = rtp(0, 7, turn as u32 * 160 + 8000, payload);
            keys.extend(stream.receive(agreed().remote, &mut packet, at));
        }
        let fives = keys.iter().filter(|event| **event == MediaEvent::Key('5')).count();
        assert_eq!(fives, usize::from(heard), "{listens} {has_event}");
        assert_eq!(stream.quality().keys_as_tones, heard, "{listens} {has_event}");
    }
}

#[test]
fn a_recording_survives_a_change_of_the_codec() {
    let (mut stream, now) = (stream(), clock::now());
    stream.record(Box::new(RecordingBuffer::new(Codec::Pcmu, Duration::from_secs(2), now)));
    let tone = |at: usize| ((std::f64::consts::TAU * at as f64 / 20.0).sin() * 8000.0) as i16;
    let said: Vec<i16> = (0..6400).map(tone).collect();
    let changes = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Pcmu];
    for (turn, part) in said.chunks(FRAME_BYTES).enumerate() {
        let codec = changes[turn / 10];
        let payload_type = codec.description().payload_type;
        if turn % 10 == 0 {
            stream.renegotiate(Negotiated { codec, payload_type, ..agreed() }, now);
        }
        let payload = match codec {
            Codec::G722 => codec.quiet(20).to_vec(),
            _ => Clip::encode(codec, part).frame(0).unwrap().to_vec(),
        };
        let at = now + Duration::from_millis(20 * turn as u64);
        let mut packet = rtp(payload_type, 7, turn as u32 * 160, &payload);
        stream.receive(agreed().remote, &mut packet, at);
    }
    let recording = stream.stop_recording(now + Duration::from_millis(800)).unwrap();
    let kept = recording.samples();
    assert_eq!(kept.len(), said.len());
    let silent = 3200..4800;
    for (at, (kept, said)) in kept.iter().zip(&said).enumerate() {
        match silent.contains(&at) {
            true if at > 3200 + FRAME_BYTES => assert!(kept.abs() < 100, "{at}: {kept}"),
            true => {}
            false => assert!((kept - said).abs() < 600, "{at}: {kept} for {said}"),
        }
    }
}

#[test]
fn a_far_end_that_names_no_address_is_heard_and_spoken_to_through_the_trunk() {
    let trunk: IpAddr = "192.0.2.9".parse().unwrap();
    let named = Negotiated { remote: "0.0.0.0:4000".parse().unwrap(), ..agreed() };
    assert_eq!(named.clone().through(trunk).remote, "192.0.2.9:4000".parse().unwrap());
    let held = Negotiated { sending: false, ..named };
    assert_eq!(held.clone().through(trunk), held, "a call on hold has no address");
    assert_eq!(agreed().through(trunk), agreed());
}
