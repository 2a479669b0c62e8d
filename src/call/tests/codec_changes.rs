//! What is spoken when the far end changes the codec in mid-speech.

use super::{Play, messages, setup};
use crate::sip::trunk::Srtp;

#[test]
fn speech_goes_on_in_the_new_codec_with_the_prompt_that_was_cut() {
    for prompts_left in [1, 2] {
        let mut play = begun();
        let greeting = play.spoken.clone();
        assert!(greeting.len() > 1, "{greeting:?}");
        play.step(&format!("left{prompts_left}"));
        play.step("INVITE=pcma");
        assert_eq!(play.spoken, greeting[greeting.len() - prompts_left..], "{prompts_left} left");
        // It changes once more, before anything more was played.
        play.step("ACK");
        play.step("INVITE=sdp");
        assert_eq!(play.spoken, greeting[greeting.len() - prompts_left..], "{prompts_left} left");
    }
}

#[test]
fn what_was_played_of_an_earlier_speech_counts_for_no_other() {
    let mut play = begun();
    let before = play.tag;
    play.step("INVITE=pcma");
    let again = play.spoken.clone();
    play.step("ACK");
    let tag = std::mem::replace(&mut play.tag, before);
    play.step("left1");
    play.step("played");
    play.tag = tag;
    play.step("INVITE=sdp");
    assert_eq!(play.spoken, again);
}

fn begun() -> Play {
    let mut play = Play::new(&setup(Srtp::Off, None, messages));
    play.step("200");
    play.step("@1");
    play
}
