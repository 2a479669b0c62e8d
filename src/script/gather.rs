//! One question on the phone: wait for a key, ask again, give up.

use std::time::{Duration, Instant};

/// A question, already being spoken, that the callee answers with one key.
///
/// Units:  `WAIT` runs from the end of the prompt, not from its start.
/// Source: VoiceXML 2.0 §4.1.5 (barge-in), §4.1.7 (timeout), §5.2.6 (noinput, nomatch).
#[derive(Debug)]
pub struct Gather {
    keys: String,
    asks_left: u32,
    phase: Phase,
}

impl Gather {
    /// Listens for one of `keys`; the question is spoken once more for each of `asks_left`.
    pub fn new(keys: impl Into<String>, asks_left: u32) -> Self {
        Self { keys: keys.into(), asks_left, phase: Phase::Speaking }
    }

    /// Takes one input and tells the one thing to do about it, if any.
    pub fn handle(&mut self, input: Input, now: Instant) -> Option<Output> {
        use {Input::*, Output::*, Phase::*};
        let (next, output) = match (input, self.phase) {
            (_, Over) => return None, // Keys still arrive while the line is being closed.
            (PromptEnded, _) => (Waiting(now + WAIT), None),
            (Key(key), _) if self.keys.contains(key) => (Over, Some(Chosen(key))),
            // A slip of the finger shows that somebody listens: it ends the call no sooner.
            (Key(_), _) => (Speaking, Some(NoMatch)),
            (Tick, Waiting(until)) if now >= until => self.ask_again(),
            (Tick, unchanged) => (unchanged, None),
        };
        self.phase = next;
        output
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        if let Phase::Waiting(until) = self.phase { Some(until) } else { None }
    }

    fn ask_again(&mut self) -> (Phase, Option<Output>) {
        let Some(asks_left) = self.asks_left.checked_sub(1) else {
            return (Phase::Over, Some(Output::GaveUp));
        };
        self.asks_left = asks_left;
        (Phase::Speaking, Some(Output::NoInput))
    }
}

#[derive(Clone, Copy, Debug)]
#[rustfmt::skip]
enum Phase { Speaking, Waiting(Instant), Over }

/// What happened on the line.
#[rustfmt::skip]
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// The question has been spoken to its end.
    PromptEnded,
    /// A key was pressed.
    Key(char),
    /// Time has passed.
    Tick,
}

/// What the script must do: speak again and why, or move on.
#[derive(Debug)]
#[rustfmt::skip]
pub enum Output {
    /// No key was pressed: ask again.
    NoInput,
    /// The key means nothing here: say so and ask again.
    NoMatch,
    /// This key was pressed.
    Chosen(char),
    /// The question has been asked often enough.
    GaveUp,
}

const WAIT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callee_is_asked_until_a_known_key_or_the_limit() {
        // One character is one second: `>` the prompt ends, `.` nothing, a digit is a key.
        let cases = [
            ("answers after the prompt", ">..1", "[Chosen('1')]"),
            ("barges in", "2", "[Chosen('2')]"),
            ("is silent for seven seconds", ">.......", "[]"),
            ("is silent for eight, then answers", ">........>1", "[NoInput, Chosen('1')]"),
            ("presses wrong keys", ">.9.9.9", "[NoMatch, NoMatch, NoMatch]"),
            ("presses a key after the end", ">........>........1", "[NoInput, GaveUp]"),
        ];
        for (callee, timeline, expected) in cases {
            let (mut gather, start, mut told) = (Gather::new("12", 1), crate::clock::now(), vec![]);
            for (second, step) in (0..).zip(timeline.chars()) {
                let input = match step {
                    '>' => Input::PromptEnded,
                    '.' => Input::Tick,
                    key => Input::Key(key),
                };
                told.extend(gather.handle(input, start + Duration::from_secs(second)));
            }
            assert_eq!(format!("{told:?}"), expected, "callee {callee}");
        }
    }
}
