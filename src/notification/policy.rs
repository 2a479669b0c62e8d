//! What the operator has set in `[dial]`. The [`rules`](super::rules) decide with it.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::budget::Country;
use super::rules::RetryPauses;
use super::throttle::Throttle;
use crate::phone_number::{NumberType, PhoneNumber};
use crate::subscriber::{Quiet, Senders};

/// What the operator allows, from `[dial]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// From the first held message to the call (`wait_s`).
    pub wait: Duration,
    /// How long a phone may ring (`ring_s`).
    pub ring: Duration,
    /// Calls that may fail to reach the person before we stop (`attempts`).
    pub attempts: u32,
    /// From one call to the next (`busy_retry_s`, `no_answer_retry_s`).
    pub retry: RetryPauses,
    /// How long a message is held (`keep_h`).
    pub keep: Duration,
    /// How long a recorded answer is kept (`voice_reply.keep_days`).
    pub keep_voice: Duration,
    /// How long `trace` knows a message that has ended (`store.trace_days`).
    pub keep_trace: Duration,
    /// How long calls are listed with the people they were with (`store.keep_calls_days`).
    pub keep_calls: Duration,
    /// Quiet hours of everyone who has not chosen their own (`quiet`).
    pub quiet: Quiet,
    /// Zone of everyone who has not chosen their own (`time_zone`).
    pub zone: TimeZone,
    /// Calls to one number (`throttle`).
    pub throttle: Vec<Throttle>,
    /// Calls that one sender can cause to one person (`sender_throttle`).
    pub sender_throttle: Vec<Throttle>,
    /// Calls that one sender can cause over all people (`sender_calls`).
    pub sender_calls: Vec<Throttle>,
    /// Calls of the whole component in any 24 hours (`calls_per_day_max`).
    pub calls_per_day_max: u32,
    /// Minutes that its calls talk in any 24 hours (`minutes_per_day_max`).
    pub minutes_per_day_max: u32,
    /// The longest call (`call_s_max`).
    pub call_max: Duration,
    /// Limits for some countries (`[[dial.country]]`).
    pub countries: Vec<Country>,
    /// Prefixes that may be dialled; nothing else ever is (`allow`).
    pub allow: Vec<String>,
    /// Prefixes within them that may not (`deny`).
    pub deny: Vec<String>,
    /// Types of numbers that may be dialled beside the ordinary ones (`types`).
    pub types: Vec<NumberType>,
    /// Our own numbers: the caller IDs of the trunks.
    pub own: Vec<PhoneNumber>,
    /// Who may make a phone ring unless the person says otherwise (`senders`).
    pub senders: Senders,
    /// The operator has stopped all calls for now.
    pub suspended: bool,
    /// How much may be held (`[store]`).
    pub quotas: Quotas,
}

/// Why a number is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It is outside `allow`, or inside `deny`.
    #[error("dial.allow does not let this number be dialled")]
    Prefix,
    /// It is in no plan, and `allow` says no more of it than its country.
    #[error("it is no number of its country; if it is meant, write a longer prefix in dial.allow")]
    Unknown,
    /// `types` does not name its type.
    #[error("its type is {0}, which dial.types does not name")]
    Type(NumberType),
}

/// How much may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// For one person, and from one sender (`person_held_max`, `person_held_mb_max`).
    pub of_one: Quota,
    /// Of all together (`held_max`, `held_mb_max`).
    pub of_all: Quota,
}

/// Messages, and what they take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub messages: i64,
    /// Their texts and stanzas.
    pub bytes: i64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            of_one: Quota { messages: 10_000, bytes: 64 << 20 },
            of_all: Quota { messages: 10_000_000, bytes: 16 << 30 },
        }
    }
}

impl Default for Policy {
    /// The defaults of `component.toml`, in UTC, with no number allowed.
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(60),
            ring: Duration::from_secs(30),
            attempts: 3,
            retry: RetryPauses::default(),
            keep: Duration::from_secs(72 * 3600),
            keep_voice: Duration::from_secs(30 * 24 * 3600),
            keep_trace: Duration::from_secs(3 * 24 * 3600),
            keep_calls: Duration::from_secs(30 * 24 * 3600),
            quiet: "21:00-08:00".parse().map_or(Quiet::Never, Quiet::Daily),
            zone: TimeZone::UTC,
            throttle: [(1, 60), (3, 900), (7, 3600), (15, 10_800)].map(Throttle::from).to_vec(),
            sender_throttle: vec![Throttle::from((3, 900))],
            sender_calls: [(10, 3600), (20, 86_400)].map(Throttle::from).to_vec(),
            calls_per_day_max: 200,
            minutes_per_day_max: 600,
            call_max: Duration::from_secs(300),
            countries: Vec::new(),
            allow: Vec::new(),
            deny: Vec::new(),
            types: Vec::new(),
            own: Vec::new(),
            senders: Senders::Domain,
            suspended: false,
            quotas: Quotas::default(),
        }
    }
}

impl Policy {
    /// Tells whether the operator lets this number be dialled at all.
    pub fn may_dial(&self, number: &PhoneNumber) -> bool {
        self.forbids(number).is_none()
    }

    /// What keeps this number from being dialled, whoever wants it called.
    pub fn forbids(&self, number: &PhoneNumber) -> Option<Forbidden> {
        let listed = |prefixes: &[String]| prefixes.iter().any(|prefix| number.has_prefix(prefix));
        if !listed(&self.allow) || listed(&self.deny) {
            return Some(Forbidden::Prefix);
        }
        let of = self.type_of(number);
        if of != NumberType::Unknown {
            let may = of.is_ordinary() || self.types.contains(&of);
            return (!may).then_some(Forbidden::Type(of));
        }
        // Test ranges and private numbers are in no plan. A prefix that says more than the country means them.
        let means = |it: &String| number.has_prefix(it) && it.len() > number.code_length();
        (!self.allow.iter().any(means)).then_some(Forbidden::Unknown)
    }

    /// The limits of the countries that this number belongs to.
    pub fn countries_of(&self, number: &PhoneNumber) -> impl Iterator<Item = &Country> {
        self.countries.iter().filter(move |country| number.has_prefix(&country.prefix))
    }

    /// What sort of number it is; our own caller IDs are a sort of their own.
    pub fn type_of(&self, number: &PhoneNumber) -> NumberType {
        if self.own.contains(number) { NumberType::Own } else { NumberType::of(number) }
    }
}
