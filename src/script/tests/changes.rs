//! Messages that are taken back or corrected while the call about them rings or is answered.

use super::{english, item, play, terms};
use crate::clock;
use crate::notification::MessageId;
use crate::script::{CallFlow, Input, Opening};

#[test]
fn what_is_dropped_while_the_phone_rings_is_as_if_it_had_never_been() {
    let about =
        |items| CallFlow::messages(terms(false), english(), "Bob".into(), items, Opening::New);
    let (mut dropped, only) = (about(vec![item(1), item(2), item(3)]), about(vec![item(2)]));
    for id in [1, 3] {
        dropped.handle(Input::Dropped(MessageId(id)), clock::now());
    }
    assert_eq!(dropped.prompts_to_prerender(), only.prompts_to_prerender());
}

#[test]
fn what_is_corrected_while_the_phone_rings_is_as_if_it_had_been_written_so() {
    let about =
        |items| CallFlow::messages(terms(false), english(), "Bob".into(), items, Opening::New);
    let mut corrected = about(vec![item(1), item(2)]);
    for (old, new) in [(1, 7), (2, 8)] {
        corrected.handle(Input::Corrected(MessageId(old), item(new)), clock::now());
    }
    let prompts = about(vec![item(7), item(8)]).prompts_to_prerender();
    assert_eq!(corrected.prompts_to_prerender(), prompts);

    let mut only = about(vec![item(1)]);
    only.handle(Input::Dropped(MessageId(1)), clock::now());
    only.handle(Input::Corrected(MessageId(3), item(7)), clock::now());
    assert_eq!(only.prompts_to_prerender(), about(vec![item(7)]).prompts_to_prerender());
}

#[test]
fn what_was_not_begun_is_dropped_or_replaced_and_what_was_is_read_to_its_end() {
    let cases = [
        (
            true,
            2,
            "takes back the second",
            ">5bX>1+>e>",
            "\"hello 2, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            true,
            2,
            "corrects the second",
            ">5b>C1+>5b>",
            "\"hello 2, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" \"next, …, 5?\" stop_playback \"♪, body\" heard7 \"♪, …, end, short?\"",
        ),
        (
            true,
            1,
            "takes back what is announced",
            ">xe>",
            "\"hello, …, 5?\" stop_playback more? \"goodbye\" bye",
        ),
        (
            true,
            2,
            "takes back the first of two",
            "x>5b>",
            "\"hello 2, …, 5?\" stop_playback \"next, …, 5?\" stop_playback \"♪, body\" heard2 \"♪, …, end, menu?\"",
        ),
        (
            true,
            1,
            "corrects what is announced",
            "c>5b>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard7 \"♪, …, end, menu?\"",
        ),
        (
            false,
            1,
            "corrects what is about to be read",
            "cb>",
            "\"hello, …, ♪, body\" stop_playback \"next, …, ♪, body\" heard7 \"♪, …, end, menu?\"",
        ),
        (
            false,
            1,
            "takes back what is being read",
            "bx>1+>e>",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            false,
            1,
            "corrects what is being read",
            "bc>1+>b>",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" \"next, …, ♪, body\" heard7 \"♪, …, end, short?\"",
        ),
        (
            false,
            1,
            "corrects what is being answered",
            "b>7>c8l1+>b>",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback \"consent, tone\" record enough1 \"send?\" stop_playback voice1 \"thanks\" \"next, …, ♪, body\" heard7 \"♪, …, end, short?\"",
        ),
        (
            false,
            1,
            "corrects what was passed over while more is looked for",
            "#ce>",
            "\"hello, …, ♪, body\" stop_playback passed1 more? \"one more, …, ♪, body\" heard7 \"♪, …, end, menu?\"",
        ),
    ];
    for (hear_first, messages, sender, line, expected) in cases {
        assert_eq!(play(hear_first, messages, line), expected, "the sender {sender}: {line}");
    }
}

#[test]
fn what_was_taken_back_on_its_way_from_the_store_is_not_told() {
    let mut script =
        CallFlow::messages(terms(false), english(), "Bob".into(), vec![item(1)], Opening::New);
    let mut heard = vec![];
    script.handle(Input::Dropped(MessageId(9)), clock::now());
    super::perform(&mut script, "b>1+>m>", |output| heard.push(super::shown(output)));
    assert_eq!(heard.last().map(String::as_str), Some("bye"), "{heard:?}");
}
