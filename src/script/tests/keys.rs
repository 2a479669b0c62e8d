//! Keys that come while something else is said than their question.

use super::play;

#[test]
fn no_key_costs_the_callee_a_message_or_answers_one_unheard() {
    let cases = [
        (
            true,
            1,
            "has a phone that tells a press twice",
            "99>9",
            "\"hello, …, 5?\" stop_playback \"9 again?\"",
        ),
        (
            false,
            1,
            "presses keys without a meaning as a message is read",
            "b54>1+",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\"",
        ),
        (
            false,
            1,
            "answers as a message is read",
            "b1+>e>",
            "\"hello, …, ♪, body\" stop_playback commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            false,
            2,
            "answers twice, but was told of one message",
            "b11+>b>1+",
            "\"hello 2, …, ♪, body\" stop_playback commit1=1 \"thanks\" stop_playback \"next, …, ♪, body\" heard2 \"♪, …, end, menu?\" stop_playback commit2=1 \"thanks\"",
        ),
        (
            false,
            1,
            "answers before anything of the message is heard",
            "1>",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1",
        ),
        (
            false,
            1,
            "asks what this is as a message is read",
            "b0b1+",
            "\"hello, …, ♪, body\" stop_playback \"explained, ♪, body\" stop_playback commit1=1 \"thanks\"",
        ),
    ];
    for (hear_first, messages, callee, line, expected) in cases {
        assert_eq!(play(hear_first, messages, line), expected, "callee {callee}: {line}");
    }
}
