//! Calls as lines of text: what the callee does in each second, what is heard and done.

use std::time::Duration;

use proptest::prelude::*;

use super::menu::Menu;
use super::prompt::{Kind, Line, Prompts};
use super::{Input, Item, Output, Script, Terms};
use crate::clock;
use crate::notification::MessageId;

fn terms(hear_first: bool) -> Terms {
    let call_max = Duration::from_secs(300);
    let (settle, menu) = (Duration::from_millis(700), Menu::default());
    Terms { settle, hear_first, menu, voice: true, call_max }
}

fn english() -> Prompts {
    Prompts::new("en-GB")
}

fn item(id: i64) -> Item {
    let arrival = format!("At 10:3{id} a message from Alice arrived.");
    let body = Line::body(MessageId(id), "en", format!("body {id}"));
    Item { id: MessageId(id), sender: "Alice".into(), arrival, body }
}

/// Plays a call. In `callee`, `>` is what is spoken reaching its end, `.` a second, `+` the commit, `-` its failure,
/// `m` another message found, `e` none found, `?` the body cannot be said, `q` nobody speaks any more, `s` a short recording, `l` a long one, anything else a key.
fn play(hear_first: bool, messages: i64, callee: &str) -> String {
    let mut script = Script::new(
        terms(hear_first),
        english(),
        "Bob".into(),
        (1..=messages).map(item).collect(),
        false,
    );
    let mut heard = vec![];
    perform(&mut script, callee, |output| heard.push(shown(output)));
    heard.join(" ")
}

fn perform(script: &mut Script, callee: &str, mut hear: impl FnMut(&Output)) {
    let mut now = clock::now();
    let mut drain = |script: &mut Script| {
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
        Output::Hush => "hush".into(),
        Output::CodeWanted | Output::Identify { .. } | Output::CheckPin(_) => "code".into(),
        Output::Heard(id) => format!("heard{}", id.0),
        Output::Passed(id) => format!("passed{}", id.0),
        Output::Commit(answer) => format!("commit{}={}", answer.message.0, answer.key),
        Output::Record => "record".into(),
        Output::StopRecording(id) => format!("enough{}", id.0),
        Output::CommitVoice(id) => format!("voice{}", id.0),
        Output::StopCalls => "stop".into(),
        Output::CheckForMore => "more?".into(),
        Output::HangUp => "bye".into(),
    }
}

fn short(line: &Line) -> &str {
    match line.kind {
        Kind::Tone => return "tone",
        Kind::Recording => return "own voice",
        Kind::Prompt | Kind::Announcement | Kind::Body(_) => {}
    }
    let known = [
        ("Hello, Bob. 2 messages", "hello 2"),
        ("Hello", "hello"),
        ("Press 5", "5?"),
        ("body", "body"),
        ("To answer by message, press 1", "menu?"),
        ("That key", "no such key"),
        ("This is a call about", "explained"),
        ("To stop these calls", "9 again?"),
        ("These calls are switched off", "switched off"),
        ("I am sorry", "sorry"),
        ("This message can't", "can't be read"),
        ("That was all", "goodbye"),
        ("Your messages wait", "they wait, goodbye"),
        ("Next message", "next"),
        ("Another message", "one more"),
        ("At 10:3", "arrival"),
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
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            false,
            1,
            "hears at once and answers",
            ">>2+>e>",
            "\"hello, body\" heard1 \"menu?\" hush commit1=2 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "types ahead",
            "51+>e>",
            "\"hello, 5?\" hush \"body\" hush commit1=1 \"thanks\" more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "types during the settling and cuts nothing",
            "5>1",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1",
        ),
        (
            true,
            1,
            "cuts the thanks short",
            ">5>1+#e>",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"thanks\" hush more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "repeats before and after",
            ">*5>*>",
            "\"hello, 5?\" hush \"arrival, 5?\" hush \"body\" heard1 \"menu?\" hush \"body\" \"menu?\"",
        ),
        (true, 1, "asks what this is", "0>", "\"hello, 5?\" hush \"explained, 5?\""),
        (
            true,
            1,
            "goes on without hearing",
            "#e>",
            "\"hello, 5?\" hush passed1 more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "goes on after hearing",
            "5>#e>",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "presses wrong keys",
            "1448",
            "\"hello, 5?\" hush \"no such key, 5?\" hush \"no such key, 5?\" hush \"they wait, goodbye\"",
        ),
        (
            true,
            1,
            "is silent",
            ">.....>.....>.....>",
            "\"hello, 5?\" \"5?\" \"5?\" \"they wait, goodbye\" bye",
        ),
        (
            true,
            1,
            "is silent after hearing",
            "5>>.....>.....>.....>",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" \"menu?\" \"menu?\" \"they wait, goodbye\" bye",
        ),
        (
            true,
            1,
            "wants no more calls",
            "99+>",
            "\"hello, 5?\" hush \"9 again?\" hush stop \"switched off\" bye",
        ),
        (
            true,
            1,
            "thinks better of it",
            "9#5",
            "\"hello, 5?\" hush \"9 again?\" hush \"5?\" hush \"body\"",
        ),
        (
            true,
            1,
            "thinks better of it after hearing",
            "5>9#1",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush \"9 again?\" hush \"menu?\" hush commit1=1",
        ),
        (
            true,
            2,
            "hears two",
            "5>1+>5>#e>",
            "\"hello 2, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"thanks\" \"next, 5?\" hush \"body\" heard2 \"menu?\" hush more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "gets one more",
            "5>1+>m5>#e>",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"thanks\" more? \"one more, 5?\" hush \"body\" heard9 \"menu?\" hush more? \"goodbye\" bye",
        ),
        (
            true,
            1,
            "is told of a failure",
            "5>1->",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"sorry\" bye",
        ),
        (
            true,
            1,
            "gets an unspeakable text",
            "5?>",
            "\"hello, 5?\" hush \"body\" passed1 \"menu?\"",
        ),
        (
            true,
            1,
            "presses keys while it is stored",
            "5>123+",
            "\"hello, 5?\" hush \"body\" heard1 \"menu?\" hush commit1=1 \"thanks\" hush more?",
        ),
    ];
    for (hear_first, messages, callee, line, expected) in cases {
        assert_eq!(play(hear_first, messages, line), expected, "callee {callee}: {line}");
    }
}

#[test]
fn an_answer_can_be_spoken() {
    let to_menu = "\"hello, 5?\" hush \"body\" heard1 \"menu?\"";
    let to_question = "hush \"consent, tone\" record enough1 \"send?\"";
    let sent = "voice1 \"thanks\" more? \"goodbye\" bye";
    let cases = [
        ("speaks and sends", "7>8l1+>e>", format!("{to_question} hush {sent}")),
        ("falls silent", "7>ql1+>e>", format!("{to_question} hush {sent}")),
        ("listens first", "7>8l2>1+>e>", format!("{to_question} hush \"own voice, send?\" hush {sent}")),
        (
            "records again",
            "7>8l3>8l1+>e>",
            format!("{to_question} hush \"speak, tone\" record enough1 \"send?\" hush {sent}"),
        ),
        (
            "coughs",
            "7>8s>8l1+>e>",
            "hush \"consent, tone\" record enough1 \"too short, speak, tone\" record enough1 \"send?\" hush ".to_owned() + sent,
        ),
        (
            "never speaks",
            "7>qs>qs>qs1+",
            "hush \"consent, tone\" record enough1 \"too short, speak, tone\" record enough1 \"too short, speak, tone\" record enough1 \
             \"too short, menu?\" hush commit1=1 \"thanks\"".to_owned(),
        ),
        ("cuts the words, not the tone", "718>l", "hush \"consent, tone\" hush \"tone\" record enough1 \"send?\"".to_owned()),
        ("says nothing to the question", "7>8l>.....>.....>.....+", format!("{to_question} \"send?\" \"send?\" voice1 \"thanks\"")),
        ("adds his voice to a key", "1+7>8l1+>e>", format!("hush commit1=1 \"thanks\" {to_question} hush {sent}")),
        ("cannot be stored", "7>8l1->", format!("{to_question} hush voice1 \"sorry\" bye")),
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
        ("while he speaks", "5>7>", Some(1)),
        ("at the question", "5>7>8l", Some(1)),
        ("while it is stored", "5>7>8l1", None),
        ("after a cough", "5>7>8s", None),
    ];
    for (when, line, expected) in cases {
        let mut script = Script::new(terms(true), english(), "Bob".into(), vec![item(1)], false);
        perform(&mut script, line, |_| ());
        assert_eq!(script.unsent_voice(), expected.map(MessageId), "he hangs up {when}");
    }
}

#[test]
fn a_call_ends_at_its_limit() {
    let mut script = Script::new(terms(true), english(), "Bob".into(), vec![item(1)], false);
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
        let script =
            Script::new(terms(hear_first), english(), "Bob".into(), vec![item(1), item(2)], false);
        let ahead = script.lines_ahead();
        assert_eq!(ahead.iter().filter(|line| matches!(line.kind, Kind::Body(_))).count(), 2);
        assert!(ahead.iter().any(|line| line.text.starts_with("Hello, Bob. 2 messages")));
    }
}

#[test]
fn a_german_callee_is_spoken_to_in_german() {
    let mut script =
        Script::new(terms(true), Prompts::new("de-AT"), "Bob".into(), vec![item(1)], true);
    for line in script.lines_ahead() {
        assert!(matches!(line.kind, Kind::Body(_)) || line.language == "de", "{line:?}");
    }
    let mut heard = vec![];
    perform(&mut script, "5>2+>e>", |output| {
        if let Output::Speak(lines) = output {
            heard.extend(lines.iter().map(|line| line.text.clone()));
        }
    });
    let expected = [
        "Hallo, Bob. Dies ist die Fortsetzung eines früheren Anrufs. At 10:31 a message from Alice arrived.",
        "Um sie zu hören, drücken Sie die 5.",
        "body 1",
        "Um per Nachricht zu antworten, drücken Sie die 1. Um zurückzurufen, drücken Sie die 2. \
         Um später zu antworten, drücken Sie die 3. Um eine Antwort aufzusprechen, drücken Sie die 7. \
         Um die Nachricht noch einmal zu hören, drücken Sie die Stern-Taste. \
         Um fortzufahren, drücken Sie die Raute-Taste.",
        "Bob ruft zurück. Vielen Dank.",
        "Das war alles. Auf Wiederhören.",
    ];
    assert_eq!(heard, expected);
    let script = Script::new(terms(true), Prompts::new("ja"), "Bob".into(), vec![item(1)], false);
    assert!(script.lines_ahead().iter().all(|line| line.language == "en"));
}

proptest! {
    #[test]
    fn no_keys_break_the_call(hear_first: bool, messages in 0_i64..4, callee in "[0-9*#.>+\\-esl]{0,200}") {
        let mut script = Script::new(terms(hear_first), english(), "Bob".into(), (1..=messages).map(item).collect(), false);
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
                    Output::Commit(_) | Output::CommitVoice(_) | Output::StopCalls => { owed += 1; committed = false; }
                    Output::Speak(lines) if lines.iter().any(|line| line.text.ends_with("Thank you.")) => prop_assert!(committed),
                    Output::HangUp => over = true,
                    Output::Record | Output::StopRecording(_) | Output::Speak(_) | Output::Hush | Output::Heard(_) | Output::Passed(_) | Output::CheckForMore | Output::CodeWanted | Output::Identify { .. } | Output::CheckPin(_) => {}
                }
            }
        }
        prop_assert!(over, "the limit ends every call");
    }
}
