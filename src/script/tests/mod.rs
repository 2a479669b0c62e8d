//! Calls as lines of text: what the callee does in each second, what is heard and done.

mod changes;
mod german;
mod keys;
mod order;
mod prerender;

use std::time::Duration;

use proptest::prelude::*;

use super::prompt::{Prompt, PromptKind, Prompts};
use super::{CallFlow, Input, Opening, Output, Request, ScriptSettings, SpokenMessage};
use crate::clock;
use crate::notification::MessageId;

fn terms(hear_first: bool) -> ScriptSettings {
    ScriptSettings { hear_first, ..ScriptSettings::default() }
}

fn english() -> Prompts {
    Prompts::new("en-GB")
}

fn item(id: i64) -> SpokenMessage {
    let came = format!("at 10:3{id}");
    let body = Prompt::body(MessageId(id), "en", format!("body {id}"));
    // No two are told together unless a test wants that.
    let from = format!("alice{id}@example.org").parse().unwrap();
    SpokenMessage { id: MessageId(id), from, sender: "Alice".into(), came, body }
}

/// Plays a call. In `callee`, `>` is what is spoken reaching its end, `.` a second, `+` the commit, `-` its failure,
/// `m` another message found, `e` none found, `b` the body begins, `?` the body cannot be said, `q` nobody speaks any more, `s` a short recording, `l` a long one, `x` and `X`
/// the first and the second message taken back, `c` and `C` corrected by message 7, anything else a key.
fn play(hear_first: bool, messages: i64, callee: &str) -> String {
    let mut script = CallFlow::messages(
        terms(hear_first),
        english(),
        "Bob".into(),
        (1..=messages).map(item).collect(),
        Opening::New,
    );
    let mut heard = vec![];
    perform(&mut script, callee, |output| heard.push(shown(output)));
    heard.join(" ")
}

fn perform(script: &mut CallFlow, callee: &str, mut hear: impl FnMut(&Output)) {
    let mut now = clock::now();
    let mut drain = |script: &mut CallFlow| {
        while let Some(output) = script.poll() {
            hear(&output);
        }
    };
    script.handle(Input::Answered, now);
    now += Duration::from_millis(700);
    script.handle(Input::Tick, now);
    drain(script);
    for step in callee.chars() {
        let input = match step {
            '>' => Input::Spoken,
            'b' => Input::Began,
            '.' => {
                now += Duration::from_secs(1);
                Input::Tick
            }
            '+' => Input::Committed,
            '-' => Input::CommitFailed,
            'm' => Input::More(vec![item(9)]),
            'e' => Input::More(vec![]),
            '?' => Input::Unspeakable(MessageId(1)),
            'q' => Input::Enough,
            's' => Input::Recorded(Duration::from_millis(1400)),
            'l' => Input::Recorded(Duration::from_millis(1600)),
            'x' | 'X' => Input::Dropped(MessageId(1 + i64::from(step == 'X'))),
            'c' | 'C' => Input::Corrected(MessageId(1 + i64::from(step == 'C')), item(7)),
            key => Input::Key(key),
        };
        script.handle(input, now);
        drain(script);
    }
}

fn shown(output: &Output) -> String {
    match output {
        Output::Speak(lines) => {
            format!("\"{}\"", lines.iter().map(short).collect::<Vec<_>>().join(", "))
        }
        Output::StopPlayback => "stop_playback".into(),
        Output::Request(request) => requested(request),
        Output::HangUp => "bye".into(),
    }
}

fn requested(request: &Request) -> String {
    match request {
        Request::RefuseCodes => "never".into(),
        Request::CodeWanted | Request::Identify { .. } | Request::CheckPin(_) => "code".into(),
        Request::Heard(id) => format!("heard{}", id.0),
        Request::Passed(id) => format!("passed{}", id.0),
        Request::Commit(answer) => format!("commit{}={}", answer.message.0, answer.key),
        Request::Record => "record".into(),
        Request::StopRecording(id) => format!("enough{}", id.0),
        Request::CommitVoice(id) => format!("voice{}", id.0),
        Request::StopCalls => "stop".into(),
        Request::CheckForMore => "more?".into(),
    }
}

fn short(line: &Prompt) -> &str {
    match line.kind {
        PromptKind::Tone => return "tone",
        PromptKind::Pause => return "…",
        PromptKind::Mark => return "♪",
        PromptKind::Recording => return "own voice",
        PromptKind::Prompt | PromptKind::Announcement | PromptKind::Body(_) => {}
    }
    let known = [
        ("This is the message service", "who calls"),
        ("Hello, Bob. You have a message from Alice, the first of 2", "hello 2"),
        ("Hello, Bob. Alice wrote 3", "hello 3"),
        ("Hello, Bob. Alice wrote", "hello together"),
        ("Hello", "hello"),
        ("Next, Alice wrote 2", "next 2"),
        ("To hear it, press 5", "5?"),
        ("To hear them, press 5", "5?"),
        ("body", "body"),
        ("To answer by message, press 1", "menu?"),
        ("Your answer, please", "short?"),
        ("For the choices", "hint?"),
        ("To record a voice answer", "rest?"),
        ("End of ", "end"),
        ("That key", "no such key"),
        ("This is a call about", "explained"),
        ("To stop these calls", "9 again?"),
        ("These calls are switched off", "switched off"),
        ("I am sorry", "sorry"),
        ("This message cannot", "can't be read"),
        ("That was all", "goodbye"),
        ("The time for this call", "time over"),
        ("Your messages wait", "they wait, goodbye"),
        ("The next is", "next"),
        ("Another message", "one more"),
        ("Your answer will be sent to Alice. Speak", "consent"),
        ("Speak after", "speak"),
        ("That was too short", "too short"),
        ("To send your answer", "send?"),
    ];
    if line.text.ends_with("Thank you.") {
        return "thanks";
    }
    known
        .iter()
        .find(|(start, _)| line.text.starts_with(start))
        .map_or(&line.text, |(_, short)| short)
}

#[test]
fn callee_is_told_and_can_answer() {
    let cases = [
        (
            true,
            1,
            "hears and answers",
            ">5>>1+>e>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            false,
            1,
            "hears at once and answers",
            ">>2+>e>",
            "\"hello, …, ♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=2 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "types ahead",
            "51b+>e>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" stop_playback commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "types during the settling and cuts nothing",
            "5>1",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1",
        ),
        (
            true,
            1,
            "cuts the thanks short",
            ">5>1+#e>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" stop_playback more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "repeats before and after",
            ">*5>*>",
            "\"hello, …, 5?\" stop_playback \"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback \"♪, body\" \"♪, …, end, short?\"",
        ),
        (true, 1, "asks what this is", "0>", "\"hello, …, 5?\" stop_playback \"explained, 5?\""),
        (
            true,
            1,
            "goes on without hearing",
            "#e>",
            "\"hello, …, 5?\" stop_playback passed1 more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "goes on after hearing",
            "5>#e>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "presses wrong keys",
            "1448>5",
            "\"hello, …, 5?\" stop_playback \"5?\" stop_playback \"no such key, 5?\" stop_playback \"no such key, 5?\" stop_playback \"no such key, 5?\" stop_playback \"♪, body\"",
        ),
        (
            true,
            1,
            "is silent",
            ">........>........>........>",
            "\"hello, …, 5?\" \"hello, …, 5?\" \"hello, …, 5?\" \"they wait, goodbye\" bye",
        ),
        (
            true,
            1,
            "is silent after hearing",
            "5>>........>........>........>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" \"menu?\" \"menu?\" \"they wait, goodbye\" bye",
        ),
        (
            true,
            1,
            "wants no more calls",
            "9.9+>",
            "\"hello, …, 5?\" stop_playback \"9 again?\" stop_playback stop \"switched off\" bye",
        ),
        (
            true,
            1,
            "thinks better of it",
            "9#5",
            "\"hello, …, 5?\" stop_playback \"9 again?\" stop_playback \"5?\" stop_playback \"♪, body\"",
        ),
        (
            true,
            1,
            "thinks better of it after hearing",
            "5>9#1",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback \"9 again?\" stop_playback \"short?\" stop_playback commit1=1",
        ),
        (
            true,
            2,
            "hears two",
            "5>1+>5>#e>",
            "\"hello 2, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" \"next, …, 5?\" stop_playback \"♪, body\" heard2 \"♪, …, end, short?\" stop_playback more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "gets one more",
            "5>1+>m5>#e>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" more? \"one more, …, 5?\" stop_playback \"♪, body\" heard9 \"♪, …, end, short?\" stop_playback more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "is told of a failure",
            "5>1->",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"sorry\" bye",
        ),
        (
            true,
            1,
            "gets an unspeakable text",
            "5?>",
            "\"hello, …, 5?\" stop_playback \"♪, body\" passed1 \"♪, …, end, menu?\"",
        ),
        (
            true,
            1,
            "presses keys while it is stored",
            "5>123+",
            "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\" stop_playback commit1=1 \"thanks\" stop_playback more?",
        ),
    ];
    for (hear_first, messages, callee, line, expected) in cases {
        assert_eq!(play(hear_first, messages, line), expected, "callee {callee}: {line}");
    }
}

#[test]
fn an_answer_can_be_spoken() {
    let to_menu = "\"hello, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, end, menu?\"";
    let to_question = "stop_playback \"consent, tone\" record enough1 \"send?\"";
    let sent = "voice1 \"thanks\" more? \"goodbye\" bye";
    let cases = [
        ("speaks and sends", "7>8l1+>e>", format!("{to_question} stop_playback {sent}")),
        ("falls silent", "7>ql1+>e>", format!("{to_question} stop_playback {sent}")),
        ("listens first", "7>8l2>1+>e>", format!("{to_question} stop_playback \"own voice, send?\" stop_playback {sent}")),
        (
            "records again",
            "7>8l3>8l1+>e>",
            format!("{to_question} stop_playback \"speak, tone\" record enough1 \"send?\" stop_playback {sent}"),
        ),
        (
            "coughs",
            "7>8s>8l1+>e>",
            "stop_playback \"consent, tone\" record enough1 \"too short, speak, tone\" record enough1 \"send?\" stop_playback ".to_owned() + sent,
        ),
        (
            "never speaks",
            "7>qs>qs>qs1+",
            "stop_playback \"consent, tone\" record enough1 \"too short, speak, tone\" record enough1 \"too short, speak, tone\" record enough1 \
             \"too short, short?\" stop_playback commit1=1 \"thanks\"".to_owned(),
        ),
        ("cuts the words, not the tone", "718>l", "stop_playback \"consent, tone\" stop_playback \"tone\" record enough1 \"send?\"".to_owned()),
        ("says nothing to the question", "7>8l>........>........>........+", format!("{to_question} \"send?\" \"send?\" voice1 \"thanks\"")),
        ("adds a voice answer to a key", "1+7>8l1+>e>", format!("stop_playback commit1=1 \"thanks\" {to_question} stop_playback {sent}")),
        ("cannot be stored", "7>8l1->", format!("{to_question} stop_playback voice1 \"sorry\" bye")),
    ];
    for (callee, line, expected) in cases {
        let told = play(true, 1, &format!("5>{line}"));
        assert_eq!(told, format!("{to_menu} {expected}"), "callee {callee}: {line}");
    }
}

#[test]
fn what_was_spoken_when_the_call_ends_is_an_answer() {
    let cases = [
        ("before the tone", "5>7", None),
        ("while they speak", "5>7>", Some(1)),
        ("at the question", "5>7>8l", Some(1)),
        ("while it is stored", "5>7>8l1", None),
        ("after a cough", "5>7>8s", None),
    ];
    for (when, line, expected) in cases {
        let mut script =
            CallFlow::messages(terms(true), english(), "Bob".into(), vec![item(1)], Opening::New);
        perform(&mut script, line, |_| ());
        assert_eq!(script.unsent_voice(), expected.map(MessageId), "hangs up {when}");
    }
}

#[test]
fn a_call_ends_at_its_limit() {
    let mut script =
        CallFlow::messages(terms(true), english(), "Bob".into(), vec![item(1)], Opening::New);
    let start = clock::now();
    script.handle(Input::Answered, start);
    let end = start + Duration::from_secs(300);
    script.handle(Input::Tick, end);
    assert!(std::iter::from_fn(|| script.poll()).any(|output| output == Output::HangUp));
    assert_eq!(script.deadline(), None);
}

#[test]
fn what_can_be_said_is_known_ahead() {
    for hear_first in [true, false] {
        let script = CallFlow::messages(
            terms(hear_first),
            english(),
            "Bob".into(),
            vec![item(1), item(2)],
            Opening::New,
        );
        let ahead = script.prompts_to_prerender();
        assert_eq!(ahead.iter().filter(|line| matches!(line.kind, PromptKind::Body(_))).count(), 2);
        assert!(ahead.iter().any(|line| {
            line.text.starts_with("Hello, Bob. You have a message from Alice, the first of 2.")
        }));
    }
}

proptest! {
    #[test]
    fn no_keys_break_the_call(hear_first: bool, messages in 0_i64..4, callee in "[0-9*#.>+\\-esl]{0,200}") {
        let mut script = CallFlow::messages(terms(hear_first), english(), "Bob".into(), (1..=messages).map(item).collect(), Opening::New);
        let mut now = clock::now();
        let (mut owed, mut committed, mut over) = (0, false, false);
        script.handle(Input::Answered, now);
        for step in callee.chars().chain(".".repeat(301).chars()) {
            let input = match step {
                '>' => Input::Spoken,
                '.' => { now += Duration::from_secs(1); Input::Tick }
                '+' => { committed = owed > 0; Input::Committed }
                '-' => Input::CommitFailed,
                'e' => Input::More(vec![]),
                's' => Input::Recorded(Duration::from_secs(1)),
                'l' => Input::Recorded(Duration::from_secs(2)),
                key => Input::Key(key),
            };
            script.handle(input, now);
            while let Some(output) = script.poll() {
                prop_assert!(!over, "{output:?} after the end");
                match output {
                    Output::Request(Request::Commit(_) | Request::CommitVoice(_) | Request::StopCalls) => { owed += 1; committed = false; }
                    Output::Speak(lines) if lines.iter().any(|line| line.text.ends_with("Thank you.")) => prop_assert!(committed),
                    Output::HangUp => over = true,
                    Output::Request(Request::Record | Request::StopRecording(_) | Request::Heard(_) | Request::Passed(_) | Request::CheckForMore | Request::CodeWanted | Request::RefuseCodes | Request::Identify { .. } | Request::CheckPin(_)) | Output::Speak(_) | Output::StopPlayback => {}
                }
            }
        }
        prop_assert!(over, "the limit ends every call");
    }
}
