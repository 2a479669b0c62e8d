//! Before the flow begins: did a person pick up? An answering machine hears one sentence that names nobody.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::prompt::Prompt;
use crate::media::answering_machine::{Heard, PickedUp};

/// Waits until it is known who picked up, and lets people in.
///
/// A key proves a person only while the notice is spoken to what has fallen silent: greetings hold the tones of keys,
/// and some machines play them or send back what they hear.
///
/// Contract: `handle`, then `poll` until `None`; call again with [`Input::Tick`] at `deadline`. After
///           [`Output::LetIn`] there is nothing more to do here.
#[derive(Debug)]
pub struct MachineDetection {
    notice: Prompt,
    who: PickedUp,
    phase: Phase,
    outputs: VecDeque<Output>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// What the detector of answering machines heard.
    Heard(Heard),
    /// A key was pressed.
    Key,
    /// The notice was heard to its end.
    Spoken,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Begin with the flow.
    LetIn,
    /// Say this.
    Speak(Prompt),
    /// Fall silent at once.
    StopPlayback,
    /// End the call.
    HangUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is not known yet who picked up; everybody is let in then.
    Deciding {
        until: Instant,
    },
    /// A machine plays its greeting; the notice is spoken then at the latest.
    Waiting {
        until: Instant,
    },
    Speaking {
        /// The greeting has ended, so a key comes from a person.
        silent: bool,
    },
    Over,
}

impl MachineDetection {
    /// Begins with the answer. `notice` is all that a machine hears.
    pub fn new(notice: Prompt, now: Instant) -> Self {
        let phase = Phase::Deciding { until: now + DECIDING_MAX };
        Self { notice, who: PickedUp::Unknown, phase, outputs: VecDeque::new() }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match (self.phase, input) {
            (Phase::Over, _) => {}
            (Phase::Speaking { silent: true }, Input::Key) => {
                self.who = PickedUp::Human;
                self.outputs.push_back(Output::StopPlayback);
                self.let_in();
            }
            (Phase::Deciding { .. }, Input::Heard(Heard::PickedUp(PickedUp::Machine))) => {
                self.who = PickedUp::Machine;
                self.phase = Phase::Waiting { until: now + WAITING_MAX };
            }
            (Phase::Deciding { .. }, Input::Heard(Heard::PickedUp(who))) => {
                self.who = who;
                self.let_in();
            }
            (Phase::Waiting { .. }, Input::Heard(Heard::Ready)) => self.speak(true),
            (Phase::Deciding { until }, Input::Tick) if now >= until => self.let_in(),
            (Phase::Waiting { until }, Input::Tick) if now >= until => self.speak(false),
            (Phase::Speaking { .. }, Input::Spoken) => {
                self.phase = Phase::Over;
                self.outputs.push_back(Output::HangUp);
            }
            (_, Input::Heard(_) | Input::Key | Input::Spoken | Input::Tick) => {}
        }
    }

    /// Gives the next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Deciding { until } | Phase::Waiting { until } => Some(until),
            Phase::Speaking { .. } | Phase::Over => None,
        }
    }

    /// Who picked up, as far as is known.
    pub fn who(&self) -> PickedUp {
        self.who
    }

    fn let_in(&mut self) {
        self.phase = Phase::Over;
        self.outputs.push_back(Output::LetIn);
    }

    fn speak(&mut self, silent: bool) {
        self.phase = Phase::Speaking { silent };
        self.outputs.push_back(Output::Speak(self.notice.clone()));
    }
}

/// A little more than the detector needs.
const DECIDING_MAX: Duration = Duration::from_secs(6);
/// The longest greeting that is listened to.
const WAITING_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::script::prompt::Prompts;

    #[test]
    fn persons_are_let_in_and_machines_hear_one_sentence() {
        use Heard::Ready;
        let who = |who| Some(Input::Heard(Heard::PickedUp(who)));
        let (human, machine) = (who(PickedUp::Human), who(PickedUp::Machine));
        let (key, spoken, ready) =
            (Some(Input::Key), Some(Input::Spoken), Some(Input::Heard(Ready)));
        // What happens, with the second at which it does; none is time that passes.
        let cases = [
            ("a person", vec![(1, human)], "LetIn", PickedUp::Human),
            ("who knows", vec![(1, who(PickedUp::Unknown))], "LetIn", PickedUp::Unknown),
            ("no sound at all", vec![(5, None), (6, None)], "LetIn", PickedUp::Unknown),
            ("who presses a key at once", vec![(1, key), (2, human)], "LetIn", PickedUp::Human),
            (
                "a box with the tones of keys in its greeting",
                vec![(1, key), (2, machine), (3, key), (9, ready), (12, spoken)],
                "Speak HangUp",
                PickedUp::Machine,
            ),
            (
                "a box that plays tones on and on",
                vec![(1, key), (2, machine), (32, None), (33, key), (36, spoken)],
                "Speak HangUp",
                PickedUp::Machine,
            ),
            (
                "a machine",
                vec![(1, machine), (9, ready), (12, spoken)],
                "Speak HangUp",
                PickedUp::Machine,
            ),
            ("a machine without end", vec![(1, machine), (31, None)], "Speak", PickedUp::Machine),
            (
                "a person taken for a machine, who does not wait",
                vec![(1, machine), (3, key)],
                "",
                PickedUp::Machine,
            ),
            (
                "a person who hears the notice",
                vec![(1, machine), (3, ready), (4, key), (5, spoken)],
                "Speak StopPlayback LetIn",
                PickedUp::Human,
            ),
            ("a beep before all", vec![(1, ready), (2, human)], "LetIn", PickedUp::Human),
        ];
        for (name, timeline, expected, who) in cases {
            let start = now();
            let notice = Prompts::new("en").notice_for_machines();
            let mut detection = MachineDetection::new(notice, start);
            let mut told = vec![];
            for (second, input) in timeline {
                let time = start + Duration::from_secs(second);
                detection.handle(input.unwrap_or(Input::Tick), time);
                while let Some(output) = detection.poll() {
                    told.push(match output {
                        Output::Speak(_) => "Speak".to_owned(),
                        other => format!("{other:?}"),
                    });
                }
            }
            assert_eq!((told.join(" ").as_str(), detection.who()), (expected, who), "{name}");
        }
    }
}
