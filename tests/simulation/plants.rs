//! Faults that are planted at the edge of a world, where it carries what the program wants: each must be found by the
//! invariant that it breaks, or that invariant says nothing.

use minidom::Element;
use offhook::notification::{AttemptId, Claim};

use crate::nature::Nature;
use crate::runs::violation;
use crate::world::{SENDERS, World};

/// What is wrong at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// A held message is lost from the tables.
    LosesAMessage,
    /// An ending changes.
    EndsTwice,
    /// A status is dropped on its way, and its pong comes.
    LosesAStatus,
    /// Another number is dialled.
    DialsAnotherNumber,
    /// The INVITE is sent to two phones with one number.
    DialsTwice,
    /// What was heard is not stored.
    ForgetsWhatWasHeard,
    ForgetsToStopRinging,
    /// Nothing is throttled.
    RingsAgain,
    /// The cap on calls is another than was written.
    AllowsMoreCalls,
    NeverTellsAnEnd,
    /// The result of a claim is lost.
    DropsAClaim,
    AsksForNoPin,
    /// Answers go to somebody else.
    MisdirectsAnswers,
    /// An answer is sent again under another `id`.
    AnswersTwice,
    ReordersABatch,
    IsDeafAfterGarbage,
    RefusesWhatItHolds,
    /// Something is said that the store does not know.
    SaysWhatIsNotStored,
    PretendsToForget,
    /// With a silent trunk nothing is delivered.
    DeliversNothingWithoutATrunk,
    /// A stanza is sent twice.
    SendsTwice,
    /// What was to be told is lost from the tables.
    TellsNothing,
    SwallowsInAStop,
}

impl Plant {
    /// Makes a world one in which the fault can show.
    pub(crate) fn suits(self, nature: &mut Nature) {
        let throttle = [(1, 60), (3, 900)].map(offhook::notification::Throttle::from).to_vec();
        match self {
            Self::RingsAgain => {
                (nature.calls_are_real, nature.trunk_is_silent) = (false, false);
                nature.file.policy.throttle = throttle;
            }
            Self::DialsTwice => nature.calls_are_real = false,
            Self::AllowsMoreCalls => {
                (nature.calls_per_day_max, nature.file.policy.calls_per_day_max) = (1, 200);
                nature.trunk_is_silent = false;
            }
            Self::AsksForNoPin => {
                (nature.has_pin, nature.calls_are_real, nature.trunk_is_silent) =
                    (true, true, false);
            }
            Self::DeliversNothingWithoutATrunk => nature.trunk_is_silent = true,
            _ => {}
        }
        nature.force = nature.file.clone();
    }
}

impl World {
    /// A stanza as it leaves, which a planted fault may drop, change or double.
    pub(crate) fn spoiled(&mut self, mut stanza: Element) -> Vec<Element> {
        let Some(plant) = self.plant else { return vec![stanza] };
        let body = stanza.children().find(|it| it.name() == "body").map(Element::text);
        let body = body.unwrap_or_default();
        let is_message = stanza.name() == "message" && stanza.attr("type") != Some("error");
        let is_answer = stanza.get_child("reply", "urn:xmpp:reply:0").is_some();
        let to_sender =
            stanza.attr("to").is_some_and(|to| SENDERS.iter().any(|it| to.starts_with(it)));
        match plant {
            Plant::LosesAStatus if is_message && to_sender && !is_answer => vec![],
            Plant::DeliversNothingWithoutATrunk if is_message && body.starts_with('[') => vec![],
            Plant::SendsTwice if is_message => vec![stanza.clone(), stanza],
            Plant::AnswersTwice if is_message && is_answer => {
                let mut again = stanza.clone();
                let id = format!("again-{}", stanza.attr("id").unwrap_or_default());
                offhook::xmpp::stanza::set(&mut again, "id", &id);
                self.promises.is_owed(&id);
                vec![stanza, again]
            }
            Plant::MisdirectsAnswers if is_message && is_answer && to_sender => {
                let other = SENDERS
                    .iter()
                    .find(|it| !stanza.attr("to").is_some_and(|to| to.starts_with(**it)))
                    .unwrap();
                offhook::xmpp::stanza::set(&mut stanza, "to", other);
                vec![stanza]
            }
            Plant::SaysWhatIsNotStored if is_message && to_sender => {
                let mut other = stanza.clone();
                offhook::xmpp::stanza::set(&mut other, "id", "out-of-the-blue");
                vec![other, stanza]
            }
            _ => vec![stanza],
        }
    }

    /// A claim as it is dialled.
    pub(crate) fn spoiled_claim(&mut self, claim: Claim) -> Claim {
        if self.has(Plant::DialsTwice) {
            let attempt = AttemptId(claim.attempt.0 + 1_000_000);
            let twin = Claim { attempt, ..claim.clone() };
            let call =
                crate::phones::ModelCall::new(twin, &self.nature, |bound| self.seed.below(bound));
            self.calls.insert(attempt, call);
            self.call_soon(attempt);
        }
        match self.plant {
            Some(Plant::DialsAnotherNumber) => {
                Claim { number: "+493012345678".parse().unwrap(), ..claim }
            }
            _ => claim,
        }
    }

    /// The tables after a transaction.
    pub(crate) fn spoil_tables(&self) {
        let sql = match self.plant {
            Some(Plant::LosesAMessage) => {
                "DELETE FROM messages WHERE id % 3 = 0 AND heard IS NULL AND ended IS NULL"
            }
            Some(Plant::EndsTwice) if !self.promises.endings.is_empty() => {
                "UPDATE messages SET ending = 'set_aside' WHERE ended IS NOT NULL"
            }
            Some(Plant::TellsNothing) => {
                "DELETE FROM replies WHERE content = 'status' AND sent IS NULL"
            }
            _ => return,
        };
        if self.disk.is_well() {
            self.disk.tables().execute_batch(sql).unwrap();
        }
    }
}

/// Plays worlds with a fault until its invariant finds it.
fn is_found(plant: Plant, invariant: &str) {
    let mut others = vec![];
    for seed in 1..=SEEDS_MAX {
        match violation(&mut World::with_plant(seed, plant)) {
            Some(said) if said.contains(invariant) => {
                return println!("{plant:?}: seed {seed}: {said}");
            }
            Some(said) => others.push(format!("{seed}: {said}")),
            None => {}
        }
    }
    panic!("{plant:?} is not found by {invariant}; found was {others:#?}");
}

#[test]
fn i1_finds_a_message_that_is_lost() {
    is_found(Plant::LosesAMessage, "I1: m");
}

#[test]
fn i1_finds_an_ending_that_changes() {
    is_found(Plant::EndsTwice, "I1: message");
}

#[test]
fn i1_finds_a_status_that_counts_as_sent_and_never_came() {
    is_found(Plant::LosesAStatus, "I1: ");
}

#[test]
fn i2_finds_a_number_that_is_nobodys() {
    is_found(Plant::DialsAnotherNumber, "I2: ");
}

#[test]
fn i3_finds_two_calls_with_one_phone() {
    is_found(Plant::DialsTwice, "I3: ");
}

#[test]
fn i4_finds_what_is_read_again() {
    is_found(Plant::ForgetsWhatWasHeard, "I4: ");
}

#[test]
fn i5_finds_a_phone_that_rings_on() {
    is_found(Plant::ForgetsToStopRinging, "I5: ");
}

#[test]
fn i6_finds_calls_beyond_the_throttle() {
    is_found(Plant::RingsAgain, "I6: ");
}

#[test]
fn i7_finds_calls_beyond_the_day() {
    is_found(Plant::AllowsMoreCalls, "I7: ");
}

#[test]
fn i8_finds_a_call_without_an_end() {
    is_found(Plant::NeverTellsAnEnd, "I8: ");
}

#[test]
fn i8_finds_a_claim_that_is_never_dialled() {
    is_found(Plant::DropsAClaim, "I8: ");
}

#[test]
fn i9_finds_a_name_before_the_pin() {
    is_found(Plant::AsksForNoPin, "I9: ");
}

#[test]
fn i10_finds_an_answer_to_somebody_else() {
    is_found(Plant::MisdirectsAnswers, "I10: ");
}

#[test]
fn i10_finds_an_answer_under_two_ids() {
    is_found(Plant::AnswersTwice, "I10: ");
}

#[test]
fn i11_finds_another_order() {
    is_found(Plant::ReordersABatch, "I11: ");
}

#[test]
fn i12_finds_a_service_that_garbage_stops() {
    is_found(Plant::IsDeafAfterGarbage, "I12: ");
}

#[test]
fn i14_finds_a_refusal_of_what_is_held() {
    is_found(Plant::RefusesWhatItHolds, "I14: ");
}

#[test]
fn i14_finds_what_is_said_and_not_stored() {
    is_found(Plant::SaysWhatIsNotStored, "I14: ");
}

#[test]
fn i16_finds_what_is_left_of_the_forgotten() {
    is_found(Plant::PretendsToForget, "I16: ");
}

#[test]
fn i20_finds_that_nothing_is_delivered_without_a_trunk() {
    is_found(Plant::DeliversNothingWithoutATrunk, "I20: ");
}

#[test]
fn n1_finds_a_stanza_that_is_sent_twice() {
    is_found(Plant::SendsTwice, "N1: ");
}

#[test]
fn n2_finds_a_held_message_of_which_nothing_is_told() {
    is_found(Plant::TellsNothing, "N2: ");
}

#[test]
fn n3_finds_what_a_stop_swallows() {
    is_found(Plant::SwallowsInAStop, "N3: ");
}

const SEEDS_MAX: u64 = 200;
