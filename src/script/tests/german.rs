//! Calls in the language of the callee.

use super::{item, perform, terms};
use crate::script::prompt::{PromptKind, Prompts};
use crate::script::{CallFlow, Opening, Output};

#[test]
fn a_german_callee_is_spoken_to_in_german() {
    let mut script = CallFlow::messages(
        terms(true),
        Prompts::new("de-AT"),
        "Bob".into(),
        vec![item(1)],
        Opening::Continued,
    );
    for line in script.prompts_to_prerender() {
        assert!(matches!(line.kind, PromptKind::Body(_)) || line.language == "de", "{line:?}");
    }
    let mut heard = vec![];
    perform(&mut script, "5>02+>e>", |output| {
        if let Output::Speak(lines) = output {
            heard.extend(lines.iter().map(|line| line.text.clone()));
        }
    });
    let expected = [
        "Noch einmal guten Tag, Bob. Sie haben eine Nachricht von Alice. Sie kam at 10:31.",
        "",
        "Um sie zu hören, drücken Sie die 5.",
        "",
        "body 1",
        "",
        "",
        "Ende der Nachricht.",
        "Um per Nachricht zu antworten, drücken Sie die 1. Um zurückzurufen, drücken Sie die 2. \
         Um später zu antworten, drücken Sie die 3. Für mehr drücken Sie die 0.",
        "Um eine Antwort aufzusprechen, drücken Sie die 7. Um noch einmal zu hören, drücken Sie die \
         Stern-Taste. Um fortzufahren, drücken Sie die Raute-Taste. Um diese Anrufe für immer \
         abzuschalten, drücken Sie zweimal die 9.",
        "Sie rufen zurück. Vielen Dank.",
        "Das war alles. Auf Wiederhören.",
    ];
    assert_eq!(heard, expected);
    let script = CallFlow::messages(
        terms(true),
        Prompts::new("ja"),
        "Bob".into(),
        vec![item(1)],
        Opening::New,
    );
    assert!(script.prompts_to_prerender().iter().all(|line| line.language == "en"));
}
