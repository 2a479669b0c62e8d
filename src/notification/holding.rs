//! The life of one held message: what has become of it, and what is owed because of that.

use super::{Answer, Reply, Status};

/// What has become of a held message.
///
/// Being phoned about and being delivered are two things: a message that was heard on the phone is still
/// delivered when its recipient is online again, as his client has not seen it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// It was spoken to its end.
    pub heard: bool,
    /// A key was pressed for it, or an answer spoken.
    pub answered: bool,
    /// No call is made about it: the callee declined one or passed it over, or its sender may not make the phone ring.
    pub declined: bool,
    /// How it ended; `None` while it is held.
    pub ending: Option<Ending>,
}

impl Holding {
    /// Tells whether the recipient is still to be phoned about it.
    pub fn waits(&self) -> bool {
        !self.told() && !self.declined && self.ending.is_none()
    }

    /// Takes one event and tells what is owed because of it.
    pub fn apply(&mut self, happened: Happened, nature: Nature) -> Vec<Reply> {
        let Nature { wants_receipt, handed_over } = nature;
        use Happened::*;
        let told = self.told();
        match (happened, self.ending) {
            (Spoken, _) if self.heard => vec![],
            (Spoken, ending) => {
                self.heard = true;
                // The sender who reads that it was delivered gains nothing from an older truth.
                let status = ending.is_none().then_some(Reply::Status(Status::Heard));
                status.into_iter().chain(wants_receipt.then_some(Reply::Receipt)).collect()
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
            (_, Some(_)) => vec![],
            (Declined, None) => {
                self.declined = true;
                vec![]
            }
            (Passed, None) => {
                let news = !told && !std::mem::replace(&mut self.declined, true);
                news.then_some(Reply::Status(Status::Passed)).into_iter().collect()
            }
            (CameOnline, None) => {
                self.ending = Some(Ending::Delivered);
                let status = (!told).then_some(Reply::Status(Status::Delivered));
                // His own server delivers what it has handed over.
                (!handed_over).then_some(Reply::Delivery).into_iter().chain(status).collect()
            }
            (TimeUp, None) => {
                self.ending = Some(if told { Ending::Heard } else { Ending::Expired });
                let lost = !told && !handed_over;
                lost.then_some(Reply::Status(Status::Expired)).into_iter().collect()
            }
            (BroughtDown, None) => {
                self.ending = Some(Ending::SetAside);
                vec![Reply::Status(Status::SetAside), Reply::SetAside]
            }
        }
    }

    fn told(&self) -> bool {
        self.heard || self.answered
    }
}

/// What a message is from the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nature {
    /// Its sender asked for a receipt.
    pub wants_receipt: bool,
    /// The recipient's own server keeps and delivers it.
    pub handed_over: bool,
}

/// How a held message ended. There is exactly one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The recipient came online and has it.
    Delivered,
    /// It was heard by phone; the recipient did not come online within `dial.keep_h`.
    Heard,
    /// Nobody could be reached within `dial.keep_h`.
    Expired,
    /// Its handling crashed the program twice.
    SetAside,
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
    /// Its handling crashed the program again.
    BroughtDown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::MessageId;

    #[test]
    fn a_held_message_ends_once_and_says_so_once() {
        // s spoken, a answered, d declined, p passed over, o online, x time up, c crashed the program.
        let cases = [
            ("is delivered", "oox", "Delivery Delivered", Some(Ending::Delivered)),
            ("is heard, then delivered", "ssox", "Heard Receipt Delivery", Some(Ending::Delivered)),
            ("is answered unheard", "aao", "Answer Delivery", Some(Ending::Delivered)),
            ("is heard, never delivered", "sxo", "Heard Receipt", Some(Ending::Heard)),
            ("expires", "xox", "Expired", Some(Ending::Expired)),
            ("is passed over", "ppo", "Passed Delivery Delivered", Some(Ending::Delivered)),
            ("is declined, then delivered", "do", "Delivery Delivered", Some(Ending::Delivered)),
            ("crashes the program", "cox", "SetAside SetAside", Some(Ending::SetAside)),
            (
                "is heard after delivery",
                "osa",
                "Delivery Delivered Receipt Answer",
                Some(Ending::Delivered),
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
                    _ => Happened::BroughtDown,
                };
                owed.extend(
                    holding
                        .apply(happened, Nature { wants_receipt: true, handed_over: false })
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
