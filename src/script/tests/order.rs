//! The order in which a call is heard.

use std::time::Duration;

use super::{english, item, terms};
use crate::clock;
use crate::script::prompt::Prompt;
use crate::script::{CallFlow, Input, Opening, Output};

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
