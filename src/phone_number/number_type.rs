//! What sort of number it is, by the numbering plans that libphonenumber collects.

use std::fmt;
use std::str::FromStr;

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use super::PhoneNumber;

/// What sort of number it is.
///
/// Source: ITU-T E.164 and the national plans, in the metadata of libphonenumber; E.164.1 for the codes of networks in the sky.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberType {
    /// A line of a house.
    FixedLine,
    /// A mobile phone.
    Mobile,
    /// One of the two; the plan does not tell them apart.
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// A telephone on the internet.
    Voip,
    /// One that follows a person, often at a price of its own.
    PersonalNumber,
    /// The callee earns by the call.
    PremiumRate,
    /// Caller and callee share a price of its own.
    SharedCost,
    /// A satellite, or another network that belongs to no country.
    Satellite,
    /// A pager.
    Pager,
    /// Access to a voicemail box.
    Voicemail,
    /// One number of a company, for all its places.
    Uan,
    /// Too short to be a subscriber's number in its country.
    ShortCode,
    /// Begins as an emergency number of its country does.
    Emergency,
    /// Our own caller ID.
    Own,
    /// In no plan.
    Unknown,
}

impl NumberType {
    /// What the plans say of a number. [`NumberType::Own`] is not theirs to say.
    pub fn of(number: &PhoneNumber) -> Self {
        let Some((code, national)) = number.parts() else { return Self::Unknown };
        if NETWORKS.contains(&code) {
            return Self::Satellite;
        }
        let mut shortest = usize::MAX;
        for plan in DATABASE.by_code(&code).unwrap_or_default() {
            let found = of_plan(plan, national);
            if found != Self::Unknown {
                return found;
            }
            shortest = shortest.min(shortest_of(plan));
        }
        if national.len() < shortest {
            Self::ShortCode
        } else if EMERGENCY.iter().any(|begins| national.starts_with(begins)) {
            Self::Emergency
        } else {
            Self::Unknown
        }
    }

    /// Its name in `dial.types`, and wherever the operator reads it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(it, _)| *it == self).map_or("unknown", |(_, name)| name)
    }

    /// Numbers of this type may be dialled wherever the prefixes say so.
    pub fn is_ordinary(self) -> bool {
        matches!(
            self,
            Self::FixedLine | Self::Mobile | Self::FixedLineOrMobile | Self::TollFree | Self::Voip
        )
    }
}

impl fmt::Display for NumberType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NumberType {
    type Err = String;

    /// Takes the names of the types that are refused unless they are named.
    fn from_str(name: &str) -> Result<Self, String> {
        let refused = || NAMES.iter().filter(|(it, _)| !it.is_ordinary() && *it != Self::Unknown);
        if let Some((found, _)) = refused().find(|(_, known)| *known == name) {
            return Ok(*found);
        }
        let names: Vec<_> = refused().map(|(_, name)| format!("\"{name}\"")).collect();
        Err(format!("must be one of {}", names.join(", ")))
    }
}

/// The country code of a number, and what follows it.
pub(super) fn parts(digits: &str) -> Option<(u16, &str)> {
    // No code is the beginning of another one.
    (1..=3).find_map(|length| {
        let code = digits.get(..length)?.parse().ok()?;
        DATABASE.region(&code).map(|_| (code, &digits[length..]))
    })
}

fn of_plan(plan: &Metadata, national: &str) -> NumberType {
    use NumberType::{
        FixedLine, FixedLineOrMobile, Mobile, Pager, PersonalNumber, PremiumRate, SharedCost,
        TollFree, Uan, Unknown, Voicemail, Voip,
    };
    let all = plan.descriptors();
    let is = |sort: Option<&Descriptor>| sort.is_some_and(|it| it.is_match(national));
    let elsewhere = plan
        .leading_digits()
        .is_some_and(|digits| digits.find(national).is_none_or(|found| found.start() > 0));
    if elsewhere || !all.general().is_match(national) {
        return Unknown;
    }
    // The order is libphonenumber's: what costs most is asked first.
    let sorts = [
        (PremiumRate, all.premium_rate()),
        (TollFree, all.toll_free()),
        (SharedCost, all.shared_cost()),
        (Voip, all.voip()),
        (PersonalNumber, all.personal_number()),
        (Pager, all.pager()),
        (Uan, all.uan()),
        (Voicemail, all.voicemail()),
    ];
    if let Some((found, _)) = sorts.into_iter().find(|(_, sort)| is(*sort)) {
        return found;
    }
    match (is(all.fixed_line()), is(all.mobile())) {
        (true, true) => FixedLineOrMobile,
        (true, false) => FixedLine,
        (false, true) => Mobile,
        (false, false) => Unknown,
    }
}

/// How many digits the shortest number of a plan has.
fn shortest_of(plan: &Metadata) -> usize {
    let all = plan.descriptors();
    let sorts = [
        all.fixed_line(),
        all.mobile(),
        all.toll_free(),
        all.premium_rate(),
        all.shared_cost(),
        all.voip(),
        all.personal_number(),
        all.pager(),
        all.uan(),
        all.voicemail(),
    ];
    let lengths = sorts.into_iter().flatten().flat_map(Descriptor::possible_length);
    lengths.copied().map(usize::from).min().unwrap_or(0)
}

const NAMES: [(NumberType, &str); 16] = [
    (NumberType::FixedLine, "fixed_line"),
    (NumberType::Mobile, "mobile"),
    (NumberType::FixedLineOrMobile, "fixed_line_or_mobile"),
    (NumberType::TollFree, "toll_free"),
    (NumberType::Voip, "voip"),
    (NumberType::PersonalNumber, "personal_number"),
    (NumberType::PremiumRate, "premium_rate"),
    (NumberType::SharedCost, "shared_cost"),
    (NumberType::Satellite, "satellite"),
    (NumberType::Pager, "pager"),
    (NumberType::Voicemail, "voicemail"),
    (NumberType::Uan, "uan"),
    (NumberType::ShortCode, "short_code"),
    (NumberType::Emergency, "emergency"),
    (NumberType::Own, "own"),
    (NumberType::Unknown, "unknown"),
];
/// Inmarsat, the global mobile satellites, and the two codes of international networks.
const NETWORKS: [u16; 4] = [870, 881, 882, 883];
/// A gateway that strips the country code would dial these at once.
const EMERGENCY: [&str; 5] = ["110", "112", "119", "911", "999"];
