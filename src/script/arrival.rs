//! How a message is announced: who wrote it, and when it came.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::prompt::{Prompt, Prompts};
use super::{Opening, SpokenMessage};
use crate::wording::Value;

impl Prompts {
    /// When a message came, within a sentence: "yesterday at 10:30".
    pub fn came(&self, received: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        let (then, today) = (received.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        let days = today.date().since(then.date()).map_or(0, |span| span.get_days());
        let id = match days {
            ..=0 => "phone-came-today",
            1 => "phone-came-yesterday",
            2..=6 => "phone-came-this-week",
            _ => "phone-came-before",
        };
        let number = |id, name, number: i8| {
            self.say(id, &[(name, Value::Count(u64::from(number.unsigned_abs())))])
        };
        let minute = then.strftime("%M").to_string();
        let clock = [
            ("hour", Value::Count(u64::from(then.hour().unsigned_abs()))),
            ("minute", (&minute).into()),
        ];
        let time = self.say(if then.minute() == 0 { "time-full-hour" } else { "time" }, &clock);
        let weekday = number("weekday", "day", then.weekday().to_monday_one_offset());
        let month = number("month", "month", then.month());
        let day = number("day-of-month", "day", then.day());
        let values = [
            ("time", (&time).into()),
            ("weekday", (&weekday).into()),
            ("month", (&month).into()),
            ("day", (&day).into()),
        ];
        self.say(id, &values)
    }

    /// The first words to the callee: of so many messages this is the first.
    pub(super) fn greeting(
        &self,
        opening: Opening,
        callee: &str,
        first: &SpokenMessage,
        count: u64,
    ) -> Prompt {
        let id = match opening {
            Opening::New => "phone-greeting",
            Opening::Continued => "phone-greeting-continued",
        };
        let arrival = self.announced(first, "phone-arrived", count).text;
        self.announcement(id, &[("callee", callee.into()), ("arrival", (&arrival).into())])
    }

    /// A message that is announced once more.
    pub(super) fn arrived(&self, item: &SpokenMessage) -> Prompt {
        self.announced(item, "phone-arrived", 1)
    }

    /// The announcement of a message after others.
    pub(super) fn next_message(&self, item: &SpokenMessage) -> Prompt {
        self.announced(item, "phone-next", 1)
    }

    /// The announcement of a message that came in during the call.
    pub(super) fn new_message(&self, item: &SpokenMessage) -> Prompt {
        self.announced(item, "phone-just-arrived", 1)
    }

    fn announced(&self, item: &SpokenMessage, id: &str, count: u64) -> Prompt {
        let values = [
            ("sender", (&item.sender).into()),
            ("came", (&item.came).into()),
            ("count", count.into()),
        ];
        self.announcement(id, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_announced_by_its_local_time_and_day() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let now = "2026-11-23T12:00:00+09".parse().unwrap();
        let cases = [
            ("2026-11-23T10:30:00+09", "at 10:30"),
            ("2026-11-23T00:05:00+09", "at 0:05"),
            ("2026-11-22T23:59:00+09", "yesterday at 23:59"),
            ("2026-11-20T09:00:00+09", "on Friday at 9:00"),
            ("2026-11-02T09:00:00+09", "on November 2 at 9:00"),
        ];
        let came = |language, received: &str| {
            Prompts::new(language).came(received.parse().unwrap(), now, &zone)
        };
        for (received, expected) in cases {
            assert_eq!(came("en", received), expected);
        }
        let in_german = [
            ("2026-11-23T10:05:00+09", "um 10 Uhr 05"),
            ("2026-11-22T01:00:00+09", "gestern um ein Uhr"),
            ("2026-11-20T21:30:00+09", "am Freitag um 21 Uhr 30"),
            ("2026-03-02T09:00:00+09", "am zweiten März um 9 Uhr"),
        ];
        for (received, expected) in in_german {
            assert_eq!(came("de-DE", received), expected);
        }
    }
}
