//! How a message is announced: who wrote it, and when it came.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::prompt::{Prompt, Prompts};
use super::{Opening, SpokenMessage};
use crate::wording::Value;

impl Prompts {
    /// When a message came, within a sentence: "yesterday at 10:30 am".
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
        let minute = number("minute", "minute", then.minute());
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

    /// The first words to the callee: of so many messages these are the first.
    pub(super) fn greeting(
        &self,
        opening: Opening,
        callee: &str,
        first: &[&SpokenMessage],
        count: u64,
    ) -> Prompt {
        let id = match opening {
            Opening::New => "phone-greeting",
            Opening::Continued => "phone-greeting-continued",
        };
        let alone = first.len() as u64 == count;
        let arrival = match (first.len(), alone) {
            (..=1, _) => "phone-arrived",
            (_, true) => "phone-arrived-together",
            (_, false) => "phone-arrived-together-first",
        };
        let arrival = self.announced(arrival, first, count).text;
        self.announcement(id, &[("callee", callee.into()), ("arrival", (&arrival).into())])
    }

    /// The announcement of messages of one sender after others.
    pub(super) fn next_messages(&self, items: &[&SpokenMessage]) -> Prompt {
        let id = if items.len() > 1 { "phone-next-together" } else { "phone-next" };
        self.announced(id, items, 1)
    }

    /// The announcement of messages of one sender that came in during the call.
    pub(super) fn new_messages(&self, items: &[&SpokenMessage]) -> Prompt {
        let several = items.len() > 1;
        let id = if several { "phone-just-arrived-together" } else { "phone-just-arrived" };
        self.announced(id, items, 1)
    }

    fn announced(&self, id: &str, items: &[&SpokenMessage], count: u64) -> Prompt {
        let last = items.last();
        let values = [
            ("sender", last.map_or("", |item| &item.sender).into()),
            ("came", last.map_or("", |item| &item.came).into()),
            ("together", Value::Count(items.len() as u64)),
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
            ("2026-11-23T10:30:00+09", "at 10:30 am"),
            ("2026-11-23T00:05:00+09", "at 12:05 am"),
            ("2026-11-22T23:59:00+09", "yesterday at 11:59 pm"),
            ("2026-11-20T09:00:00+09", "on Friday at nine o'clock in the morning"),
            ("2026-11-02T09:00:00+09", "on November 2 at nine o'clock in the morning"),
            ("2026-11-23T00:00:00+09", "at midnight"),
            ("2026-11-22T12:00:00+09", "yesterday at noon"),
            ("2026-11-22T12:30:00+09", "yesterday at 12:30 pm"),
            ("2026-11-22T22:00:00+09", "yesterday at ten o'clock at night"),
        ];
        let came = |language, received: &str| {
            Prompts::new(language).came(received.parse().unwrap(), now, &zone)
        };
        for (received, expected) in cases {
            assert_eq!(came("en", received), expected);
        }
        let in_others = [
            ("de-DE", "2026-11-23T10:05:00+09", "um 10 Uhr 5"),
            ("de-DE", "2026-11-22T01:00:00+09", "gestern um ein Uhr"),
            ("de-DE", "2026-11-20T21:30:00+09", "am Freitag um 21 Uhr 30"),
            ("de-DE", "2026-03-02T09:00:00+09", "am zweiten März um 9 Uhr"),
            ("fr-CA", "2026-11-23T10:05:00+09", "à 10 heures 5"),
            ("fr-CA", "2026-11-23T00:00:00+09", "à minuit"),
            ("fr-CA", "2026-11-22T01:00:00+09", "hier à une heure"),
            ("fr-CA", "2026-11-22T01:21:00+09", "hier à une heure vingt et une"),
            ("fr-CA", "2026-11-20T21:30:00+09", "vendredi à vingt et une heures 30"),
            ("fr-CA", "2026-03-01T12:00:00+09", "le premier mars à midi"),
            ("es-MX", "2026-11-23T10:05:00+09", "a las 10 y 5 de la mañana"),
            ("es-MX", "2026-11-23T00:00:00+09", "a las 12 de la noche"),
            ("es-MX", "2026-11-22T01:00:00+09", "ayer a la una de la madrugada"),
            ("es-MX", "2026-11-22T13:15:00+09", "ayer a la una y cuarto de la tarde"),
            ("es-MX", "2026-11-20T21:30:00+09", "el viernes a las 9 y media de la noche"),
            ("es-MX", "2026-03-02T12:00:00+09", "el 2 de marzo a las 12 del mediodía"),
        ];
        for (language, received, expected) in in_others {
            assert_eq!(came(language, received), expected);
        }
    }
}
