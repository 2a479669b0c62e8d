//! What a language must bring, so that its texts can be put into words.

/// The words of one language.
pub(super) struct Language {
    pub(super) tag: &'static str,
    /// 0 to 10^18 in words.
    pub(super) cardinal: fn(u64) -> String,
    /// "third", as it stands alone.
    pub(super) ordinal: fn(u64) -> String,
    pub(super) year: fn(u64) -> String,
    pub(super) digits: [&'static str; 10],
    /// What stands before the decimals of a number.
    pub(super) decimal_mark: char,
    pub(super) signs: Signs,
    /// Short forms of the months, with the month's place.
    pub(super) month_forms: &'static [(&'static str, usize)],
    /// Short forms of the days of the week.
    pub(super) weekdays: &'static [(&'static str, &'static str)],
    pub(super) units: &'static [Unit],
    pub(super) durations: &'static [Unit],
    pub(super) currencies: &'static [Currency],
    pub(super) scales: &'static [(&'static str, &'static str, &'static str)],
    /// Written, said. What ends with a full stop is found with it only.
    pub(super) abbreviations: &'static [(&'static str, &'static str)],
    /// Words after which a number is read digit by digit.
    pub(super) references: &'static [&'static str],
    /// Words before a number with "m" that mean minutes.
    pub(super) minutes_after: &'static [&'static str],
    /// Words before a number of four digits that mean a year.
    pub(super) year_after: &'static [&'static str],
    pub(super) clock: fn(&Clock) -> String,
    pub(super) date: fn(&Date<'_>) -> String,
    pub(super) fraction: fn(u64, u64) -> Option<String>,
    /// A whole number and a fraction: "one and a half".
    pub(super) mixed: fn(u64, u64, u64) -> Option<String>,
    /// The number one before something counted; the argument says that its word is feminine.
    pub(super) one: fn(bool) -> &'static str,
    /// How words from elsewhere are written so that the voice says them as people do.
    pub(super) respelled: &'static [(&'static str, &'static str)],
}

/// Signs as they are said.
pub(super) struct Signs {
    pub(super) point: &'static str,
    pub(super) dot: &'static str,
    pub(super) slash: &'static str,
    pub(super) underscore: &'static str,
    pub(super) dash: &'static str,
    pub(super) colon: &'static str,
    pub(super) at: &'static str,
    pub(super) star: &'static str,
    pub(super) plus: &'static str,
    pub(super) minus: &'static str,
    pub(super) plus_minus: &'static str,
    pub(super) percent: &'static str,
    pub(super) above: &'static str,
    pub(super) below: &'static str,
    pub(super) at_least: &'static str,
    pub(super) at_most: &'static str,
    pub(super) about: &'static str,
    pub(super) equals: &'static str,
    pub(super) differs: &'static str,
    pub(super) becomes: &'static str,
    pub(super) to: &'static str,
    pub(super) times: &'static str,
    pub(super) times_as: &'static str,
    pub(super) by: &'static str,
    pub(super) of: &'static str,
    pub(super) or: &'static str,
    pub(super) and: &'static str,
    pub(super) per: &'static str,
    pub(super) port: &'static str,
    pub(super) number: &'static str,
    pub(super) version: &'static str,
    pub(super) extension: &'static str,
    pub(super) identifier: &'static str,
    pub(super) alert: &'static str,
    pub(super) alerts: &'static str,
    pub(super) heart: &'static str,
}

/// Something counted.
pub(super) struct Unit {
    pub(super) written: &'static str,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) feminine: bool,
}

/// Money.
pub(super) struct Currency {
    pub(super) written: &'static str,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) hundredth: &'static str,
    pub(super) hundredths: &'static str,
}

/// A time of day as it was written.
#[derive(Default)]
pub(super) struct Clock {
    pub(super) hour: u64,
    pub(super) minute: u64,
    pub(super) second: Option<u64>,
    /// "AM" or "PM", if it was written.
    pub(super) half: Option<&'static str>,
    /// Written as "09:30".
    pub(super) leading_zero: bool,
}

/// A date as it was written; months count from 1.
pub(super) struct Date<'t> {
    pub(super) day: u64,
    pub(super) month: usize,
    pub(super) year: Option<u64>,
    /// The word before it, for the ending that it asks for.
    pub(super) after: &'t str,
}

impl Language {
    /// Digit by digit, in groups that one can write down.
    pub(super) fn spelled(&self, digits: &str) -> String {
        let digits: Vec<&str> = digits
            .chars()
            .filter_map(|digit| Some(self.digits[digit.to_digit(10)? as usize]))
            .collect();
        groups(digits.len()).fold(String::new(), |mut said, (from, to)| {
            if !said.is_empty() {
                said.push_str(", ");
            }
            said.push_str(&digits[from..to].join(" "));
            said
        })
    }
}

pub(super) const fn unit(
    written: &'static str,
    one: &'static str,
    many: &'static str,
    feminine: bool,
) -> Unit {
    Unit { written, one, many, feminine }
}

/// Threes, and twos at the end rather than one alone. More than three alike in a row would be taken for noise.
fn groups(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let length = match count - from {
            0 => return None,
            2 | 4 => 2,
            left => left.min(3),
        };
        from += length;
        Some((from - length, from))
    })
}
