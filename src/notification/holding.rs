//! The life of one held message: what has become of it, and what is owed because of that.

use super::{Answer, Reply, Status};

/// What has become of a held message.
///
/// Being phoned about and being delivered are two things: a message that was heard on the phone is still
/// delivered when its recipient is online again, as their client has not seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// It was spoken to its end.
    pub heard: bool,
    /// A key was pressed for it, or an answer spoken.
    pub answered: bool,
    /// No call is made about it: the callee declined one or passed it over, its sender may not make the phone ring, or it
    /// was set aside.
    pub declined: bool,
    /// It is on its way to the recipient, and nobody is phoned about it meanwhile.
    pub delivering: Option<Delivering>,
    /// How it ended; `None` while it is held.
    pub ending: Option<HoldingEnd>,
}

impl Holding {
    /// Tells whether the recipient is still to be phoned about it.
    pub fn waits(&self) -> bool {
        !self.told() && !self.declined && self.delivering.is_none() && self.ending.is_none()
    }

    // Long: one arm for each thing that can happen.
    /// Takes one event and tells what is owed because of it.
    pub fn apply(&mut self, happened: Happened, nature: MessageTraits) -> Vec<Reply> {
        let MessageTraits { wants_receipt, handed_over, silent } = nature;
        use Happened::*;
        let told = self.told();
        match (happened, self.ending) {
            (Spoken, _) if self.heard => vec![],
            (Spoken, ending) => {
                self.heard = true;
                let status = match ending {
                    None => Some(Status::Heard),
                    Some(HoldingEnd::Corrected) => Some(Status::HeardBeforeCorrection),
                    Some(HoldingEnd::Retracted) => Some(Status::HeardBeforeRetraction),
                    // The sender who reads that it was delivered gains nothing from an older truth.
                    Some(HoldingEnd::Delivered | HoldingEnd::Heard | HoldingEnd::Expired) => None,
                };
                status
                    .map(Reply::Status)
                    .into_iter()
                    .chain(wants_receipt.then_some(Reply::Receipt))
                    .collect()
            }
            (Answered(_), _) if self.answered => vec![],
            (Answered(answer), _) => {
                self.answered = true;
                vec![Reply::Answer(answer)]
            }
            (Recorded, _) => {
                self.answered = true;
                vec![]
            }
            (CallOver { answered }, Some(HoldingEnd::Retracted)) if !told => {
                status(if answered { Status::TakenBackUnheard } else { Status::TakenBack })
            }
            (CallOver { .. }, None) | (_, Some(_)) => vec![],
            (Corrected, None) => {
                self.ending = Some(HoldingEnd::Corrected);
                if told { status(Status::HeardBeforeCorrection) } else { vec![] }
            }
            (Retracted(announced), None) => {
                self.ending = Some(HoldingEnd::Retracted);
                match announced {
                    _ if told => status(Status::HeardBeforeRetraction),
                    Announced::Never => status(Status::TakenBack),
                    Announced::Before => status(Status::TakenBackUnheard),
                    // What its callee has heard by then is known when it is over.
                    Announced::InCall => vec![],
                }
            }
            (Declined, None) => {
                self.declined = true;
                vec![]
            }
            (Passed, None) => {
                let news = !told && !std::mem::replace(&mut self.declined, true);
                news.then_some(Reply::Status(Status::Passed)).into_iter().collect()
            }
            // The recipient's own server delivers what it has handed over.
            (CameOnline, None) if handed_over => {
                self.end(HoldingEnd::Delivered, Status::Delivered, silent)
            }
            (CameOnline, None) => {
                self.delivering = Some(Delivering::Online);
                vec![Reply::Delivery]
            }
            (TimeUp, None) if handed_over => {
                self.ending = Some(self.ending_without_delivery());
                vec![]
            }
            // Nothing is dropped before the recipient's server was asked to keep it.
            (TimeUp, None) => {
                let is_on_its_way = self.delivering.is_some();
                self.delivering.get_or_insert(Delivering::TimeUp);
                if is_on_its_way { vec![] } else { vec![Reply::Delivery] }
            }
            (Arrived, None) => match self.delivering.take() {
                Some(Delivering::TimeUp) => {
                    self.end(self.ending_without_delivery(), Status::LeftWithServer, silent)
                }
                Some(Delivering::Online) | None => {
                    self.end(HoldingEnd::Delivered, Status::Delivered, silent)
                }
            },
            (Returned { goes_again }, None) => match self.delivering {
                Some(Delivering::TimeUp) if goes_again => vec![],
                Some(Delivering::TimeUp) => {
                    self.delivering = None;
                    self.end(self.ending_without_delivery(), Status::Expired, silent)
                }
                before @ (Some(Delivering::Online) | None) => {
                    let is_first = before.is_some();
                    self.delivering = None;
                    // At a further return nothing is new.
                    let news = is_first && !told && !silent;
                    news.then_some(Reply::Status(Status::NotTaken)).into_iter().collect()
                }
            },
            (SetAside, None) => {
                let news = !told && !std::mem::replace(&mut self.declined, true);
                news.then_some(Reply::Status(Status::SetAside)).into_iter().collect()
            }
        }
    }

    /// Ends it; the sender who knows that it was heard gains nothing from a later word.
    fn end(&mut self, ending: HoldingEnd, status: Status, silent: bool) -> Vec<Reply> {
        self.ending = Some(ending);
        let news = !self.told() && !silent;
        news.then_some(Reply::Status(status)).into_iter().collect()
    }

    fn ending_without_delivery(&self) -> HoldingEnd {
        if self.told() { HoldingEnd::Heard } else { HoldingEnd::Expired }
    }

    fn told(&self) -> bool {
        self.heard || self.answered
    }
}

/// What a message is from the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageTraits {
    /// Its sender asked for a receipt.
    pub wants_receipt: bool,
    /// The recipient's own server keeps and delivers it.
    pub handed_over: bool,
    /// Its sender reads nothing of it.
    pub silent: bool,
}

/// Why a held message is on its way to its recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivering {
    /// They are online.
    Online,
    /// `dial.keep_h` has passed: their server may keep it for them.
    TimeUp,
}

/// How a held message ended. There is exactly one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldingEnd {
    /// The recipient came online and has it.
    Delivered,
    /// It was heard by phone; the recipient did not come online within `dial.keep_h`, and their server was asked to keep it.
    Heard,
    /// Nobody could be reached within `dial.keep_h`; the recipient's server was asked to keep it.
    Expired,
    /// Its sender has corrected it, and the new wording is a message of its own.
    Corrected,
    /// Its sender has taken it back.
    Retracted,
}

impl HoldingEnd {
    /// In the operator's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Heard => "heard, left to the server",
            Self::Expired => "expired, left to the server",
            Self::Corrected => "corrected",
            Self::Retracted => "taken back",
        }
    }
}

/// What happens to a held message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was spoken to its end.
    Spoken,
    /// The callee pressed a key.
    Answered(Answer),
    /// The callee has spoken an answer; the sender gets it as soon as it is a file.
    Recorded,
    /// The callee declined the call, or the sender may not cause one.
    Declined,
    /// The callee was told of it on the phone and went on without listening.
    Passed,
    /// The recipient is online.
    CameOnline,
    /// `dial.keep_h` has passed.
    TimeUp,
    /// The server has its delivery, and no error came for that.
    Arrived,
    /// Its delivery came back.
    Returned {
        /// It is tried again by itself.
        goes_again: bool,
    },
    /// No call is made about it, since two of them ended in a crash; it is delivered all the same.
    SetAside,
    /// The sender has corrected it, and the new wording takes its place as a message of its own.
    Corrected,
    /// The sender has taken it back.
    Retracted(Announced),
    /// A call that was on the line when it was taken back is over.
    CallOver {
        /// Whether somebody had answered.
        answered: bool,
    },
}

/// Whether a callee may know of a message that is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// No call about it was answered.
    Never,
    /// An earlier call about it was answered.
    Before,
    /// A call about it is on the line.
    InCall,
}

/// How a correction is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewording {
    /// The message gets the new wording: nobody knows the old one.
    InPlace,
    /// A call is on the line that may have begun to read it: the new wording takes its place as another message, so that
    /// it is never in doubt which wording was heard.
    InCalls,
    /// The old wording is heard, delivered or gone: the new one is held as any message is.
    Anew,
}

impl Holding {
    /// How a correction of this message is taken in, while a call reads it or not.
    pub fn reworded(&self, in_call: bool) -> Rewording {
        match (self.ending, self.told(), in_call) {
            // What is on its way may be read already.
            _ if self.delivering.is_some() => Rewording::Anew,
            (Some(_), ..) | (None, true, _) => Rewording::Anew,
            (None, false, true) => Rewording::InCalls,
            (None, false, false) => Rewording::InPlace,
        }
    }
}

fn status(status: Status) -> Vec<Reply> {
    vec![Reply::Status(status)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::MessageId;

    #[test]
    fn a_held_message_ends_once_and_says_so_once() {
        // s spoken, a answered, d declined, p passed over, o online, x time up, c crashed the program, w worded anew, r taken
        // back (R during a call, b after one), e call over, k arrived, B came back, W came back and goes again.
        use HoldingEnd::*;
        let cases = [
            ("is delivered", "ookx", "Delivery Delivery Delivered", Some(Delivered)),
            ("is heard, then delivered", "ssokx", "Heard Receipt Delivery", Some(Delivered)),
            ("is answered unheard", "aaok", "Answer Delivery", Some(Delivered)),
            ("is heard, never delivered", "sxko", "Heard Receipt Delivery", Some(Heard)),
            ("is heard, and not taken by the server", "sxB", "Heard Receipt Delivery", Some(Heard)),
            ("is left with the server", "xxko", "Delivery LeftWithServer", Some(Expired)),
            ("expires", "xWBx", "Delivery Expired", Some(Expired)),
            ("is passed over", "ppok", "Passed Delivery Delivered", Some(Delivered)),
            ("is declined, then delivered", "dok", "Delivery Delivered", Some(Delivered)),
            (
                "crashes the program, then is delivered",
                "ccok",
                "SetAside Delivery Delivered",
                Some(Delivered),
            ),
            ("crashes the program", "cxB", "SetAside Delivery Expired", Some(Expired)),
            ("crashes the program when heard", "scok", "Heard Receipt Delivery", Some(Delivered)),
            ("is taken back", "rrosxe", "TakenBack HeardBeforeRetraction Receipt", Some(Retracted)),
            ("is taken back while it rings", "Rno", "TakenBack", Some(Retracted)),
            ("is taken back in a call", "Reo", "TakenBackUnheard", Some(Retracted)),
            ("is taken back after a call", "bo", "TakenBackUnheard", Some(Retracted)),
            (
                "is taken back while it is read",
                "Rsaeo",
                "HeardBeforeRetraction Receipt Answer",
                Some(Retracted),
            ),
            (
                "is taken back after it was heard",
                "sro",
                "Heard Receipt HeardBeforeRetraction",
                Some(Retracted),
            ),
            ("is worded anew", "wo", "", Some(Corrected)),
            (
                "is worded anew while it is read",
                "wso",
                "HeardBeforeCorrection Receipt",
                Some(Corrected),
            ),
            (
                "is worded anew after it was heard",
                "swo",
                "Heard Receipt HeardBeforeCorrection",
                Some(Corrected),
            ),
            (
                "is heard after delivery",
                "oksa",
                "Delivery Delivered Receipt Answer",
                Some(Delivered),
            ),
            ("is heard while it is delivered", "osk", "Delivery Heard Receipt", Some(Delivered)),
            ("comes back", "oB", "Delivery NotTaken", None),
            ("comes back and goes again", "oWk", "Delivery NotTaken Delivered", Some(Delivered)),
            (
                "comes back, at the next log-in not",
                "oBok",
                "Delivery NotTaken Delivery Delivered",
                Some(Delivered),
            ),
            ("comes back for ever", "oBxB", "Delivery NotTaken Delivery Expired", Some(Expired)),
            (
                "is still on its way when its time is up",
                "oxk",
                "Delivery Delivered",
                Some(Delivered),
            ),
            (
                "meets its recipient when its time is up",
                "xok",
                "Delivery Delivery Delivered",
                Some(Delivered),
            ),
        ];
        for (message, timeline, expected, ending) in cases {
            let (mut holding, mut owed) = (Holding::default(), vec![]);
            for step in timeline.chars() {
                let happened = match step {
                    's' => Happened::Spoken,
                    'a' => Happened::Answered(Answer {
                        message: MessageId(1),
                        key: '1',
                        words: String::new(),
                    }),
                    'd' => Happened::Declined,
                    'p' => Happened::Passed,
                    'o' => Happened::CameOnline,
                    'x' => Happened::TimeUp,
                    'w' => Happened::Corrected,
                    'r' => Happened::Retracted(Announced::Never),
                    'b' => Happened::Retracted(Announced::Before),
                    'R' => Happened::Retracted(Announced::InCall),
                    'e' => Happened::CallOver { answered: true },
                    'n' => Happened::CallOver { answered: false },
                    'k' => Happened::Arrived,
                    'B' => Happened::Returned { goes_again: false },
                    'W' => Happened::Returned { goes_again: true },
                    _ => Happened::SetAside,
                };
                owed.extend(
                    holding
                        .apply(
                            happened,
                            MessageTraits { wants_receipt: true, ..MessageTraits::default() },
                        )
                        .iter()
                        .map(|reply| match reply {
                            Reply::Status(status) => format!("{status:?}"),
                            Reply::Answer(_) => "Answer".to_owned(),
                            other => format!("{other:?}"),
                        }),
                );
            }
            assert_eq!(
                (owed.join(" "), holding.ending),
                (expected.to_owned(), ending),
                "a message that {message}"
            );
        }
    }
}
