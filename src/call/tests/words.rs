//! The words in which timelines of calls are told.

use crate::script::Request;
use crate::script::prompt::{Prompt, PromptKind, Prompts};

pub(super) fn requested(request: &Request) -> String {
    match request {
        Request::Heard(id) => format!("heard{}", id.0),
        Request::Passed(id) => format!("passed{}", id.0),
        Request::Commit(answer) => format!("commit{}={}", answer.message.0, answer.key),
        Request::Record => "record".into(),
        Request::StopRecording(id) => format!("keep{}", id.0),
        Request::CommitVoice(id) => format!("voice{}", id.0),
        Request::CheckPin(digits) => format!("pin:{digits}"),
        Request::Identify { number, pin } => format!("identify:{number}/{pin}"),
        Request::CodeWanted => "code?".into(),
        Request::RefuseCodes => "never".into(),
        Request::StopCalls => "off".into(),
        Request::CheckForMore => "more?".into(),
    }
}

/// What kind of a prompt it is; in which words is for the script to decide.
pub(super) fn said(prompt: &Prompt) -> &'static str {
    match prompt.kind {
        _ if *prompt == Prompts::new("en").notice_for_machines() => "say:notice",
        PromptKind::Body(_) => "say:body",
        PromptKind::Tone => "say:tone",
        PromptKind::Pause | PromptKind::Mark => "say:sound",
        PromptKind::Recording => "say:recording",
        PromptKind::Prompt | PromptKind::Announcement => "say",
    }
}

pub(super) fn description(kind: &str) -> String {
    let (mut format, mut direction, mut host) = (0, "sendrecv", "192.0.2.1");
    for word in kind.split('+') {
        match word {
            "g729" => format = 18,
            "pcma" => format = 8,
            "hold" => direction = "sendonly",
            "inactive" => direction = "inactive",
            "nowhere" => host = "0.0.0.0",
            "moved" => host = "192.0.2.7",
            _ => {}
        }
    }
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP {format}\r\na={direction}\r\n"
    )
}
