//! Somebody with a phone in their hand: what they do when something is said to them.

use std::time::Duration;

use offhook::script::prompt::{Prompt, PromptKind};

use crate::far_end::PhoneStep;

/// How somebody behaves on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Listens, and answers.
    Patient,
    /// Presses keys before they are asked for.
    Hasty,
    /// Never presses a key.
    Silent,
    /// Speaks their answers.
    Speaks,
    /// Wants no more calls.
    Refuses,
    /// Hangs up somewhere.
    HangsUp,
    /// Loses the connection somewhere.
    Vanishes,
}

/// What somebody has to type before anything else.
#[derive(Clone, Debug)]
pub(crate) enum Needs {
    Nothing,
    /// These keys.
    Typed(String),
}

type Below<'b> = &'b mut dyn FnMut(u64) -> u64;

impl Temper {
    pub(crate) fn drawn(below: Below<'_>) -> Self {
        match below(20) {
            0..7 => Self::Patient,
            7..10 => Self::Hasty,
            10..12 => Self::Silent,
            12..15 => Self::Speaks,
            15 => Self::Refuses,
            16..19 => Self::HangsUp,
            _ => Self::Vanishes,
        }
    }

    /// What they do about what is said, counted from its beginning. `lasts`: how long that is.
    pub(crate) fn reacts(
        self,
        said: &[Prompt],
        lasts: Duration,
        needs: &Needs,
        below: Below<'_>,
    ) -> Vec<(Duration, PhoneStep)> {
        let ends = lasts.as_millis() as u64;
        let at = match self {
            Self::Hasty | Self::HangsUp | Self::Vanishes => below(ends.max(1)),
            _ => ends + 200 + below(4000),
        };
        let at = Duration::from_millis(at);
        match (self, needs) {
            (Self::Vanishes, _) if below(3) == 0 => vec![(at, PhoneStep::Vanishes)],
            (Self::HangsUp, _) if below(3) == 0 => vec![(at, PhoneStep::HangsUp)],
            (Self::Silent, _) => vec![],
            (_, Needs::Typed(keys)) => keys
                .chars()
                .enumerate()
                .map(|(nth, key)| (at + KEY_PAUSE * nth as u32, PhoneStep::Key(key)))
                .collect(),
            (_, Needs::Nothing) => vec![(at, PhoneStep::Key(self.key(said, below)))],
        }
    }

    fn key(self, said: &[Prompt], below: Below<'_>) -> char {
        let is_body = said.iter().any(|it| matches!(it.kind, PromptKind::Body(_)));
        let keys: &[u8] = match self {
            Self::Speaks if is_body => b"77771",
            Self::Speaks => b"5577118123",
            Self::Refuses => b"9995",
            Self::Hasty => b"551237#*089",
            _ if is_body => b"11123#*5",
            _ => b"55555511123#*0",
        };
        char::from(keys[below(keys.len() as u64) as usize])
    }

    /// How a recording ends, counted from its beginning.
    pub(crate) fn ends_recording(self, below: Below<'_>) -> (Duration, PhoneStep) {
        let spoken = Duration::from_millis(300 + below(9000));
        match below(5) {
            0 => (spoken + Duration::from_secs(4), PhoneStep::StopsSpeaking),
            1 => (spoken, PhoneStep::HangsUp),
            2 => (spoken, PhoneStep::Key('#')),
            _ => (spoken, PhoneStep::Key('8')),
        }
    }
}

const KEY_PAUSE: Duration = Duration::from_millis(300);
