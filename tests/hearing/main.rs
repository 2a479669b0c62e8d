//! The judge of what a phone heard is judged: on espeak-ng's voice, through the bandwidth, the codec and the losses of a telephone.

#![allow(clippy::unwrap_used, clippy::expect_used)] // What fails here fails the test.

mod heard;

use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const ANNOUNCEMENTS: [&str; 8] = [
    "Hello, Bob. You have a message from Alice. It came at 10:30 am. To hear it, press 5.",
    "Hello, Bob. You have a message from Alice. It came at 10:40 am. To hear it, press 5.",
    "Hello, Bob. You have a message from Alice. It came at 9:30 am. To hear it, press 5.",
    "Hello, Bob. You have a message from Alan. It came at 10:30 am. To hear it, press 5.",
    "Hello, Bob. You have a message from Alice. It came at 10:30 am. To hear it, press 9.",
    "Hello, Rob. You have a message from Alice. It came at 10:30 am. To hear it, press 5.",
    "Hello, Bob. Alice wrote 2 messages. The last came at 10:30 am. To hear them, press 5.",
    "Hello, Bob. Alice wrote 3 messages. The last came at 10:30 am. To hear them, press 5.",
];

#[test]
fn each_of_eight_announcements_is_told_from_the_others_on_a_clear_line_and_on_a_bad_one() {
    for lost_percent in [0, 3] {
        for said in ANNOUNCEMENTS {
            let sound = over_the_telephone(said, "158", lost_percent);
            let heard = heard::sentence(&sound, &ANNOUNCEMENTS);
            assert_eq!(heard, Ok(said), "{lost_percent} % lost");
        }
    }
}

#[test]
fn what_is_none_of_the_sentences_is_not_taken_for_one() {
    let others = [
        "This message cannot be read aloud. It waits in your chat.",
        "That was all. Goodbye.",
        "The server room is on fire, please come at once and bring water.",
    ];
    for said in others {
        let sound = over_the_telephone(said, "150", 0);
        assert!(heard::sentence(&sound, &ANNOUNCEMENTS).is_err(), "{said}");
    }
}

#[test]
fn silence_and_noise_say_nothing() {
    let mut random = StdRng::seed_from_u64(7);
    let noise: Vec<i16> = (0..40_000).map(|_| random.random_range(-3000..3000)).collect();
    assert!(heard::sentence(&[0; 40_000], &ANNOUNCEMENTS).is_err());
    assert!(heard::sentence(&noise, &ANNOUNCEMENTS).is_err());
}

/// Speech as a phone would get it: 8,000 samples a second, µ-law, packets of 20 ms of which some are lost.
fn over_the_telephone(text: &str, words_a_minute: &str, lost_percent: u32) -> Vec<i16> {
    let line = "espeak-ng -v en-us -s \"$1\" --stdout \"$0\" \
                | sox -t wav - -t raw -r 8000 -c 1 -e mu-law - \
                | sox -t raw -r 8000 -c 1 -e mu-law - -t raw -e signed -b 16 -L -";
    let output = Command::new("sh").args(["-c", line, text, words_a_minute]).output().unwrap();
    let sound: Vec<i16> =
        output.stdout.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    assert!(sound.len() > 8000, "sox and espeak-ng made no sound");
    let mut random = StdRng::seed_from_u64(42);
    let mut packets: Vec<&[i16]> = sound.chunks(160).collect();
    packets.retain(|_| random.random_range(0..100) >= lost_percent);
    packets.concat()
}
