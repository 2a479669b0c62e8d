//! Senders that answer by themselves what we tell them: found by when they write, and what.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use xmpp_parsers::jid::BareJid;

/// Counts what each sender writes to each recipient right after something of ours.
///
/// A program that answers every status would be answered by the next status, without end. XMPP has no mark for an
/// automatic answer that programs use, so it is counted: people do not answer within two seconds again and again, nor
/// with the same words.
#[derive(Debug, Default)]
pub(super) struct AutomaticAnswers {
    pairs: BTreeMap<(BareJid, BareJid), Answers>,
    /// In the order in which they were first told something.
    oldest: VecDeque<(BareJid, BareJid)>,
}

/// What is done with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// It is held as any other is.
    Person,
    /// It is held for its recipient, without a call and without a status.
    Program,
    /// It repeats itself: its recipient has it often enough.
    ProgramAgain,
}

/// What one sender has written after what they were told.
#[derive(Clone, Debug, Default)]
struct Answers {
    told: Option<Instant>,
    /// The last texts, as hashes.
    texts: VecDeque<u64>,
    /// Texts in a row that came at once.
    prompt: u32,
    /// Those of them that repeated an earlier one.
    repeated: u32,
    /// Repetitions in a row that came soon.
    slow: u32,
    /// A text that was repeated at once too often.
    known: Option<u64>,
}

impl AutomaticAnswers {
    /// We tell the sender something about a message for the recipient.
    pub(super) fn told(&mut self, sender: &BareJid, recipient: &BareJid, now: Instant) {
        let pair = (sender.clone(), recipient.clone());
        if let Some(answers) = self.pairs.get_mut(&pair) {
            answers.told = Some(now);
            return;
        }
        self.oldest.push_back(pair.clone());
        self.pairs.insert(pair, Answers { told: Some(now), ..Answers::default() });
        while self.oldest.len() > PAIRS_MAX {
            let Some(pair) = self.oldest.pop_front() else { break };
            self.pairs.remove(&pair);
        }
    }

    /// Who seems to have written this text, which comes now.
    pub(super) fn author(
        &mut self,
        sender: &BareJid,
        recipient: &BareJid,
        text: &str,
        now: Instant,
    ) -> Author {
        match self.pairs.get_mut(&(sender.clone(), recipient.clone())) {
            Some(answers) => answers.author(text, now),
            None => Author::Person,
        }
    }
}

impl Answers {
    fn author(&mut self, text: &str, now: Instant) -> Author {
        let mut hasher = DefaultHasher::new();
        text.trim().hash(&mut hasher);
        let text = hasher.finish();
        let is_repetition = self.texts.contains(&text);
        if !is_repetition {
            self.texts.push_back(text);
            if self.texts.len() > TEXTS_MAX {
                self.texts.pop_front();
            }
        }
        let after = self.told.map(|told| now.saturating_duration_since(told));
        match after {
            Some(after) if after <= AT_ONCE => {
                self.prompt += 1;
                self.repeated += u32::from(is_repetition);
            }
            Some(after) if after <= SOON && is_repetition => self.slow += 1,
            // Nobody has made them write this.
            Some(_) | None => {
                (self.prompt, self.repeated, self.slow) = (0, 0, 0);
                return Author::Person;
            }
        }
        let is_known = self.known == Some(text);
        if is_known || self.repeated > 2 || self.slow > 5 || self.prompt > 11 {
            if is_repetition {
                self.known = Some(text);
            }
            Author::ProgramAgain
        } else if self.repeated > 0 && is_repetition || self.slow > 2 || self.prompt > 5 {
            Author::Program
        } else {
            Author::Person
        }
    }
}

/// What is written within so long was not typed by a person who has read what they were told.
const AT_ONCE: Duration = Duration::from_secs(2);
/// What is repeated within so long, again and again, was not, either.
const SOON: Duration = Duration::from_secs(10);
const TEXTS_MAX: usize = 4;
const PAIRS_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_by_themselves_is_known_by_time_and_words() {
        // Each text with the milliseconds after what its sender was told; p person, h held in silence, d dropped.
        let sorry = "Sorry, I do not know that command.";
        let cases = [
            ("says the same at once", vec![(100, sorry); 6], "phhddd"),
            ("says the same a little later", vec![(5000, sorry); 8], "ppphhhdd"),
            ("counts", (1..=13).map(|_| (500, "")).collect(), "ppppphhhhhhdd"),
            ("repeats an alarm by the minute", vec![(60_000, "Disk full."); 6], "pppppp"),
            (
                "writes short lines in haste",
                vec![
                    (900, "Hi Bob"),
                    (1200, "are you there?"),
                    (1500, "call me"),
                    (1800, "please"),
                ],
                "pppp",
            ),
            (
                "asks again, then writes something else",
                vec![
                    (1500, "hello?"),
                    (1500, "hello?"),
                    (4000, "I am at the door"),
                    (1500, "hello?"),
                ],
                "phph",
            ),
            (
                "has been found out before",
                [vec![(100, sorry); 5], vec![(90_000, "Alarm"), (100, sorry), (100, sorry)]]
                    .concat(),
                "phhddpdd",
            ),
        ];
        for (who, texts, expected) in cases {
            let (mut answers, mut now) = (AutomaticAnswers::default(), crate::clock::now());
            let (bot, bob) = (jid("bot"), jid("bob"));
            let mut seen = String::new();
            for (number, (after, text)) in texts.into_iter().enumerate() {
                answers.told(&bot, &bob, now);
                now += Duration::from_millis(after);
                let text = if text.is_empty() { number.to_string() } else { text.to_owned() };
                seen.push(match answers.author(&bot, &bob, &text, now) {
                    Author::Person => 'p',
                    Author::Program => 'h',
                    Author::ProgramAgain => 'd',
                });
            }
            assert_eq!(seen, expected, "who {who}");
        }
    }

    #[test]
    fn who_was_told_nothing_answers_nothing_and_the_memory_is_bounded() {
        let (mut answers, now) = (AutomaticAnswers::default(), crate::clock::now());
        for number in 0..PAIRS_MAX + 10 {
            let sender = jid(&number.to_string());
            assert_eq!(answers.author(&sender, &jid("bob"), "x", now), Author::Person);
            answers.told(&sender, &jid("bob"), now);
        }
        assert_eq!((answers.pairs.len(), answers.oldest.len()), (PAIRS_MAX, PAIRS_MAX));
    }

    fn jid(node: &str) -> BareJid {
        BareJid::new(&format!("{node}@example.org")).unwrap()
    }
}
