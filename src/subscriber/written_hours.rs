//! Quiet hours as people write them: `22-7`, `10pm to 7am`, `von 22 bis 7 Uhr`.

use jiff::civil::Time;

use super::{NotQuietHours, QuietHours};

/// Reads a span of the day, more loosely than the configuration does.
pub(super) fn quiet_hours(written: &str) -> Result<QuietHours, NotQuietHours> {
    let mut text = written.to_lowercase();
    for dash in ['‐', '‑', '‒', '–', '—', '−', '~'] {
        text = text.replace(dash, "-");
    }
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !FILLERS.contains(word))
        .map(|word| if UNTIL.contains(&word) { "-" } else { word })
        .collect();
    let text = words.concat();
    let (from, until) = text.split_once('-').ok_or(NotQuietHours)?;
    let (from, until) = (time(from)?, time(until)?);
    QuietHours::between(from, until)
}

/// Reads a time of day: `22`, `22:00`, `22.00`, `2200`, `22h30`, `10pm`, `7 uhr`.
fn time(written: &str) -> Result<Time, NotQuietHours> {
    if let Some((_, time)) = NAMED.iter().find(|(names, _)| names.contains(&written)) {
        return Ok(*time);
    }
    let written = written.trim_end_matches("uhr").replace("o'clock", "");
    let half = |suffixes: [&str; 2]| suffixes.iter().find_map(|it| written.strip_suffix(it));
    let (digits, half) = match (half(["pm", "p.m."]), half(["am", "a.m."])) {
        (Some(digits), _) => (digits, Some(Half::Afternoon)),
        (_, Some(digits)) => (digits, Some(Half::Morning)),
        _ => (written.as_str(), None),
    };
    let digits = digits.trim_end_matches('h');
    let (hour, minute) = match digits.split_once([':', '.', 'h']) {
        Some((hour, minute)) => (hour, minute),
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "00"),
    };
    let is_number =
        |it: &str| (1..=2).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || minute.len() != 2 || !is_number(minute) {
        return Err(NotQuietHours);
    }
    let hour: i8 = hour.parse().map_err(|_| NotQuietHours)?;
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return Err(NotQuietHours),
        Some(Half::Morning) => hour % 12,
        Some(Half::Afternoon) => hour % 12 + 12,
        // Midnight, as the end of a day.
        None if hour == 24 => 0,
        None => hour,
    };
    let minute = minute.parse().map_err(|_| NotQuietHours)?;
    Time::new(hour, minute, 0, 0).map_err(|_| NotQuietHours)
}

/// The half of a day, of twelve hours.
enum Half {
    Morning,
    Afternoon,
}

const FILLERS: [&str; 7] = ["from", "von", "between", "zwischen", "at", "uhr", "o'clock"];
const UNTIL: [&str; 7] = ["to", "till", "until", "bis", "and", "und", "through"];
const NAMED: [(&[&str], Time); 2] = [
    (&["midnight", "mitternacht"], Time::constant(0, 0, 0, 0)),
    (&["noon", "mittag"], Time::constant(12, 0, 0, 0)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_people_write_it() {
        for (written, span) in [
            ("22:00-07:30", "22:00-07:30"),
            ("22-7", "22:00-07:00"),
            ("22:00 – 7:00", "22:00-07:00"),
            ("22.00-07.30", "22:00-07:30"),
            ("10pm-7am", "22:00-07:00"),
            ("10 pm to 7 am", "22:00-07:00"),
            ("from 10:30pm until 7am", "22:30-07:00"),
            ("von 22 bis 7 Uhr", "22:00-07:00"),
            ("22 Uhr bis 7 Uhr", "22:00-07:00"),
            ("2200-0730", "22:00-07:30"),
            ("22h30-7h", "22:30-07:00"),
            ("12am-12pm", "00:00-12:00"),
            ("midnight to noon", "00:00-12:00"),
            ("22-24", "22:00-00:00"),
        ] {
            assert_eq!(quiet_hours(written).map(|it| it.to_string()).as_deref(), Ok(span));
        }
        for wrong in ["", "late", "22", "22-22", "25-7", "13pm-7am", "22:0-7", "22-7-8", "é1é2-7"]
        {
            assert_eq!(quiet_hours(wrong), Err(NotQuietHours), "{wrong}");
        }
    }
}
