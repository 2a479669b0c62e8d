//! The order in which a call is heard.

use std::time::Duration;

use super::{english, item, perform, play, shown, terms};
use crate::clock;
use crate::notification::MessageId;
use crate::script::prompt::Prompt;
use crate::script::time_left::spoken_within;
use crate::script::{CallFlow, Input, Opening, Output, Request, ScriptSettings, SpokenMessage};

/// All that is said until this has happened, by the text.
fn said(call: &mut CallFlow, inputs: &[Input]) -> Vec<String> {
    let mut now = clock::now();
    let mut said: Vec<Prompt> = vec![];
    for input in inputs {
        if *input == Input::Tick {
            now += Duration::from_secs(1);
        }
        call.handle(input.clone(), now);
        while let Some(output) = call.poll() {
            if let Output::Speak(prompts) = output {
                said.extend(prompts);
            }
        }
    }
    said.into_iter().map(|prompt| prompt.text).collect()
}

#[test]
fn who_calls_is_said_first_in_every_call_and_once() {
    let messages = |count| {
        let items = (1..=count).map(item).collect();
        CallFlow::messages(terms(true), english(), "Bob".into(), items, Opening::New)
            .introduced("example.org")
    };
    let login = || CallFlow::caller_login(english(), Duration::ZERO).introduced("example.org");
    let notice = CallFlow::notice(english(), Duration::ZERO, "pin-needed", 0);
    let call_max = Duration::from_secs(120);
    let code = CallFlow::verification(english(), "example.org", "471003", Duration::ZERO, call_max);
    let calls = [
        ("about messages", messages(1), "Hello, Bob. You have a message from Alice."),
        ("about many", messages(10), "Hello, Bob. You have a message from Alice, the first of"),
        ("about none", messages(0), "No message is waiting."),
        ("behind a PIN", messages(2).behind_pin(4, 2), "2 messages are waiting. Please enter"),
        ("of a stranger", login(), "Please enter your phone number"),
        ("that says one thing", notice.introduced("example.org"), "Messages are read on"),
        ("with a code", code, "Somebody has asked for a code"),
    ];
    for (name, mut call, then) in calls {
        assert_eq!(call.prompts_to_prerender()[0].text, WHO_CALLS, "{name}");
        let inputs = [Input::Answered, Input::Tick, Input::Key('#'), Input::Pin(true), Input::Tick];
        let said = said(&mut call, &inputs);
        assert_eq!(said[0], WHO_CALLS, "a call {name}");
        assert!(said[1].starts_with(then), "a call {name}: {said:?}");
        assert!(!said[1..].iter().any(|text| text == WHO_CALLS), "a call {name}: {said:?}");
    }
}

const WHO_CALLS: &str = "This is the message service of example dot org.";

/// Plays a call about so many messages of one sender.
fn play_together(hear_first: bool, count: i64, callee: &str) -> String {
    let from = |id| SpokenMessage { from: item(1).from, ..item(id) };
    let items = (1..=count).map(from).collect();
    let mut script =
        CallFlow::messages(terms(hear_first), english(), "Bob".into(), items, Opening::New);
    let mut heard = vec![];
    perform(&mut script, callee, |output| heard.push(shown(output)));
    heard.join(" ")
}

#[test]
fn the_menu_is_said_once_and_more_of_it_when_it_is_asked_for() {
    let cases = [
        ("asks for more", 1, "5>0>0>", "menu? / rest? / menu?"),
        ("is asked again after a message", 2, "5>1+>5>", "menu? / short?"),
        ("asks what there is to choose", 2, "5>1+>5>0>0>", "menu? / short? / menu? / rest?"),
        ("presses a wrong key", 1, "5>4>6>", "menu? / no such key, hint? / no such key, hint?"),
        (
            "is silent after the second message",
            2,
            "5>1+>5>>........>",
            "menu? / short? / short?, hint?",
        ),
        ("is silent after a wrong key", 1, "5>4>........>", "menu? / no such key, hint? / menu?"),
    ];
    for (callee, messages, line, expected) in cases {
        let told = play(true, messages, line);
        let asked = told.split('"').filter(|said| said.ends_with("?") && !said.ends_with("5?"));
        let asked: Vec<&str> = asked.map(|said| said.trim_start_matches("♪, …, end, ")).collect();
        assert_eq!(asked.join(" / "), expected, "callee {callee}: {told}");
    }
}

#[test]
fn what_one_sender_wrote_in_a_row_is_told_and_answered_together() {
    let begins = "\"hello 3, …, 5?\" stop_playback \"♪, body\"";
    let cases = [
        (
            true,
            "hears all",
            "5b>b>b>1+>e>",
            format!("{begins} heard1 \"♪, …, ♪, body\" heard2 \"♪, …, ♪, body\" heard3 \"♪, …, end, menu?\" stop_playback commit3=1 \"thanks\" more? \"goodbye\" bye"),
        ),
        (
            true,
            "answers while the second is read",
            "5b>b1+>5b>",
            format!("{begins} heard1 \"♪, …, ♪, body\" stop_playback commit2=1 \"thanks\" \"next, …, 5?\" stop_playback \"♪, body\" heard3 \"♪, …, end, menu?\""),
        ),
        (
            true,
            "answers before anything of the second is heard",
            "5b>1+>5b>b>",
            format!("{begins} heard1 \"♪, …, ♪, body\" stop_playback commit1=1 \"thanks\" \"next 2, …, 5?\" stop_playback \"♪, body\" heard2 \"♪, …, ♪, body\" heard3 \"♪, …, end, menu?\""),
        ),
        (
            true,
            "goes on to the next",
            "5b#b#b>",
            format!("{begins} stop_playback passed1 \"♪, body\" stop_playback passed2 \"♪, body\" heard3 \"♪, …, end, menu?\""),
        ),
        (
            true,
            "hears none",
            "#e>",
            "\"hello 3, …, 5?\" stop_playback passed1 passed2 passed3 more? \"goodbye\" bye".into(),
        ),
        (
            true,
            "hears all again",
            "5b>b>b>*b>b>b>",
            format!("{begins} heard1 \"♪, …, ♪, body\" heard2 \"♪, …, ♪, body\" heard3 \"♪, …, end, menu?\" stop_playback \"♪, body\" \"♪, …, ♪, body\" \"♪, …, ♪, body\" \"♪, …, end, short?\""),
        ),
        (
            true,
            "has one taken back that was heard, and hears the others again",
            "5b>b>b>X*b>b>",
            format!("{begins} heard1 \"♪, …, ♪, body\" heard2 \"♪, …, ♪, body\" heard3 \"♪, …, end, menu?\" stop_playback \"♪, body\" \"♪, …, ♪, body\" \"♪, …, end, short?\""),
        ),
        (
            false,
            "has one taken back before it is read",
            "b>Xb>",
            "\"hello 3, …, ♪, body\" heard1 \"♪, …, ♪, body\" stop_playback \"♪, body\" heard3 \"♪, …, end, menu?\"".into(),
        ),
        (
            true,
            "has one taken back before they are read",
            "X5b>b>",
            "\"hello 3, …, 5?\" stop_playback \"next 2, …, 5?\" stop_playback \"♪, body\" heard1 \"♪, …, ♪, body\" heard3 \"♪, …, end, menu?\"".into(),
        ),
    ];
    for (hear_first, callee, line, expected) in cases {
        assert_eq!(play_together(hear_first, 3, line), expected, "callee {callee}: {line}");
    }
    let two = play_together(false, 2, "b>X1+>e>");
    let expected = "\"hello together, …, ♪, body\" heard1 \"♪, …, ♪, body\" stop_playback \"menu?\" stop_playback \
                    commit1=1 \"thanks\" more? \"goodbye\" bye";
    assert_eq!(two, expected, "the last of two is taken back");
}

#[test]
fn silence_hears_again_who_calls_and_who_wrote() {
    let mut call =
        CallFlow::messages(terms(true), english(), "Bob".into(), vec![item(1)], Opening::New)
            .introduced("example.org");
    let mut heard = vec![];
    perform(&mut call, ">........>........>........>", |output| heard.push(shown(output)));
    let whole = "\"who calls, hello, …, 5?\"";
    assert_eq!(heard, [whole, whole, whole, "\"they wait, goodbye\"", "bye"]);

    let mut call =
        CallFlow::messages(terms(true), english(), "Bob".into(), vec![item(1)], Opening::New)
            .behind_pin(4, 1)
            .introduced("example.org");
    let mut heard = vec![];
    perform(&mut call, ">.......1.....>", |output| heard.push(shown(output)));
    assert_eq!(heard, ["\"who calls, 1 message is waiting. Please enter your PIN.\"", "code"]);
    let mut heard = vec![];
    let mut call =
        CallFlow::messages(terms(true), english(), "Bob".into(), vec![item(1)], Opening::New)
            .behind_pin(4, 1)
            .introduced("example.org");
    perform(&mut call, ">........>........>........>", |output| heard.push(shown(output)));
    let whole = "\"who calls, 1 message is waiting. Please enter your PIN.\"";
    assert_eq!(heard, [whole, whole, whole, "\"Goodbye.\"", "bye"]);
}

#[test]
fn a_call_whose_time_is_over_ends_between_two_sentences_and_says_so() {
    let long = "This is one of the longer sentences that somebody might write. ".repeat(3);
    for call_s in 30..120 {
        let call_max = Duration::from_secs(call_s);
        let settings = ScriptSettings { call_max, ..terms(call_s % 2 == 0) };
        let with = |id| SpokenMessage {
            body: Prompt::body(MessageId(id), "en", long.clone()),
            ..item(id)
        };
        let items = (1..=9).map(with).collect();
        let mut call = CallFlow::messages(settings, english(), "Bob".into(), items, Opening::New)
            .introduced("example.org");
        let start = clock::now();
        let (mut now, mut speaking_until, mut said) = (start, None, vec![]);
        call.handle(Input::Answered, now);
        loop {
            while let Some(output) = call.poll() {
                match output {
                    Output::Speak(prompts) => {
                        assert_eq!(speaking_until, None, "nothing is cut short");
                        let length: Duration = prompts.iter().map(spoken_within).sum();
                        // A voice is a little quicker than it is given time for.
                        speaking_until = Some(now + length * 9 / 10);
                        said.extend(prompts);
                    }
                    Output::StopPlayback => speaking_until = None,
                    Output::HangUp => {
                        assert_eq!(speaking_until, None, "{call_s} s: cut in {:?}", said.last());
                        let last = shown(&Output::Speak(said.split_off(said.len() - 1)));
                        // Who skips all of them is through before.
                        assert!(["\"time over\"", "\"goodbye\""].contains(&&*last), "{last}");
                        assert!(now - start <= call_max, "{call_s} s: {:?}", now - start);
                        assert_eq!(call.cut(), None);
                        break;
                    }
                    Output::Request(Request::CheckForMore) => {
                        call.handle(Input::More(vec![]), now);
                    }
                    Output::Request(_) => {}
                }
            }
            let wake = [call.deadline(), speaking_until].into_iter().flatten().min();
            let Some(wake) = wake else { break };
            now = wake;
            if speaking_until.is_some_and(|until| now >= until) {
                speaking_until = None;
                call.handle(Input::Spoken, now);
                // Whoever answers at once gets to the end of the time, and not of the messages.
                call.handle(Input::Key(if call_s % 3 == 0 { '#' } else { '5' }), now);
            } else {
                call.handle(Input::Tick, now);
            }
        }
        assert!(said.len() >= 2 && now - start > call_max / 3, "{call_s} s: {}", said.len());
    }
}
