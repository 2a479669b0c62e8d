//! The content of a reply, as the columns of its row.

use jiff::Timestamp;
use rusqlite::Row;

use super::columns::{ColumnValue, Columns, misfit, ms};
use crate::notification::{Answer, MessageId, Outcome, Reply, Status, VoiceFile, VoiceNews, Wait};

/// A reply as its row has it.
#[derive(Default)]
pub(super) struct ReplyColumns<'a> {
    pub(super) content: &'static str,
    pub(super) status: Option<&'static str>,
    pub(super) call_at: Option<i64>,
    pub(super) why: Option<&'static str>,
    pub(super) outcome: Option<&'static str>,
    pub(super) key: Option<String>,
    pub(super) words: Option<&'a str>,
}

impl<'a> From<&'a Reply> for ReplyColumns<'a> {
    fn from(reply: &'a Reply) -> Self {
        let only = |content| Self { content, ..Self::default() };
        match reply {
            Reply::Status(status) => Self { content: "status", ..Self::status(*status) },
            Reply::Answer(Answer { key, words, .. }) => {
                Self { key: Some(key.to_string()), words: Some(words), ..only("answer") }
            }
            Reply::Voice(_) => unreachable!("written with its recording"),
            Reply::Receipt => only("receipt"),
            Reply::Delivery => only("delivery"),
            Reply::CallsSwitchedOff => only("calls_switched_off"),
        }
    }
}

impl ReplyColumns<'_> {
    /// The step as `offhook trace` shows it: `owed: waiting, quiet, call at 2026-11-24T08:00:00Z`.
    pub(super) fn told(&self) -> String {
        let mut told = format!("owed: {}", self.status.unwrap_or(self.content));
        for reason in self.why.iter().chain(&self.outcome) {
            told = told + ", " + reason;
        }
        match self.call_at.and_then(|at| Timestamp::from_millisecond(at).ok()) {
            Some(at) => format!("{told}, call at {at}"),
            None => told,
        }
    }

    fn status(status: Status) -> Self {
        let plain = |word| Self { status: Some(word), ..Self::default() };
        match status {
            Status::Waiting { call_at, why } => {
                Self { call_at: Some(ms(call_at)), why: Some(why.word()), ..plain("waiting") }
            }
            Status::NotReached { outcome, next } => Self {
                call_at: next.map(ms),
                outcome: Some(outcome.word()),
                ..plain("not_reached")
            },
            Status::HeardInPart { next } => {
                Self { call_at: next.map(ms), ..plain("heard_in_part") }
            }
            Status::Held => plain("held"),
            Status::Calling => plain("calling"),
            Status::Ringing => plain("ringing"),
            Status::Answered => plain("answered"),
            Status::Heard => plain("heard"),
            Status::Passed => plain("passed"),
            Status::NotReadAloud => plain("not_read_aloud"),
            Status::Delivered => plain("delivered"),
            Status::CallsSwitchedOff => plain("calls_switched_off"),
            Status::NotTaken => plain("not_taken"),
            Status::LeftWithServer => plain("left_with_server"),
            Status::Expired => plain("expired"),
            Status::SetAside => plain("set_aside"),
            Status::TakenBack => plain("taken_back"),
            Status::TakenBackUnheard => plain("taken_back_unheard"),
            Status::HeardBeforeCorrection => plain("heard_before_correction"),
            Status::HeardBeforeRetraction => plain("heard_before_retraction"),
        }
    }
}

/// What a row says.
pub(super) fn content(row: &Row<'_>, message: MessageId) -> rusqlite::Result<Reply> {
    let content: String = row.get("content")?;
    Ok(match content.as_str() {
        "status" => Reply::Status(status(row)?),
        "answer" => {
            let key: String = row.get("key")?;
            let key = key.chars().next().ok_or_else(|| misfit("key"))?;
            Reply::Answer(Answer { message, key, words: row.get("words")? })
        }
        "voice" => Reply::Voice(voice_news(row)?),
        "receipt" => Reply::Receipt,
        "delivery" => Reply::Delivery,
        "calls_switched_off" => Reply::CallsSwitchedOff,
        _ => return Err(misfit("content")),
    })
}

fn voice_news(row: &Row<'_>) -> rusqlite::Result<VoiceNews> {
    let length = row.maybe_span("length_ms")?.ok_or_else(|| misfit("length_ms"))?;
    let news: String = row.get("news")?;
    Ok(match news.as_str() {
        "file" => VoiceNews::File(VoiceFile {
            url: row.get("url")?,
            file_name: row.get("file_name")?,
            media_type: row.get("media_type")?,
            octets: row.get::<_, i64>("octets")?.unsigned_abs(),
            length,
        }),
        "note" => VoiceNews::Note { length, cut: row.get("cut")? },
        "transcript" => VoiceNews::Transcript {
            length,
            cut: row.get("cut")?,
            text: row.get("transcript")?,
            of: row.get("note_stanza_id")?,
        },
        "late" => VoiceNews::Late(length),
        "no_way" => VoiceNews::NoWay(length),
        _ => return Err(misfit("news")),
    })
}

fn status(row: &Row<'_>) -> rusqlite::Result<Status> {
    let status: String = row.get("status")?;
    Ok(match status.as_str() {
        "waiting" => {
            Status::Waiting { call_at: row.time("call_at")?, why: row.word::<Wait>("why")? }
        }
        "not_reached" => Status::NotReached {
            outcome: row.word::<Outcome>("outcome")?,
            next: row.maybe_time("call_at")?,
        },
        "heard_in_part" => Status::HeardInPart { next: row.maybe_time("call_at")? },
        "held" => Status::Held,
        "calling" => Status::Calling,
        "ringing" => Status::Ringing,
        "answered" => Status::Answered,
        "heard" => Status::Heard,
        "passed" => Status::Passed,
        "not_read_aloud" => Status::NotReadAloud,
        "delivered" => Status::Delivered,
        "calls_switched_off" => Status::CallsSwitchedOff,
        "not_taken" => Status::NotTaken,
        "left_with_server" => Status::LeftWithServer,
        "expired" => Status::Expired,
        "set_aside" => Status::SetAside,
        "taken_back" => Status::TakenBack,
        "taken_back_unheard" => Status::TakenBackUnheard,
        "heard_before_correction" => Status::HeardBeforeCorrection,
        "heard_before_retraction" => Status::HeardBeforeRetraction,
        _ => return Err(misfit("status")),
    })
}
