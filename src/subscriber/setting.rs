//! Settings that a subscriber can change, by chat message or form.

use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use super::languages::language_tag;
use super::pin::{NotAPin, Pin};
use super::written_hours::quiet_hours;
use super::zones::time_zone;
use super::{NotQuietHours, Quiet, WhenOffline};
use crate::seed::Seed;

/// One setting with its new value. Telephone numbers are no settings: they must be verified first.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// What happens to messages while the person is offline.
    Offline(WhenOffline),
    /// Hours without calls; `None` takes the operator's.
    Quiet(Option<Quiet>),
    /// The zone of all times; `None` takes the operator's.
    TimeZone(Option<TimeZone>),
    /// The language of voice and chat; `None` takes the operator's.
    Language(Option<String>),
    /// Whether the voice speaks slowly; `None` takes the operator's.
    Slow(Option<bool>),
    /// The PIN; `None` removes it.
    Pin(Option<Pin>),
    /// The senders who may make the phone ring; `None` takes the operator's setting.
    Senders(Option<Senders>),
    /// The rule for one sender, whatever holds for the others.
    Sender(BareJid, SenderRule),
    /// Removes the rule for one sender.
    NoSenderRule(BareJid),
    /// Removes the first number.
    NoNumber,
    /// Removes the second number.
    NoSecondNumber,
}

/// The senders who may make a subscriber's phone ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Senders {
    /// Accounts of the person's own domain.
    Domain,
    /// The person's contacts: those in the roster, as far as the server shows it, and those they have written to.
    Contacts,
    /// Everyone.
    Everyone,
}

/// The rule for one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderRule {
    /// This sender makes the phone ring.
    Allow,
    /// This sender never does.
    Block,
}

impl Setting {
    /// Reads quiet hours, as people write them; "off" is none at all.
    pub fn quiet(written: &str) -> Result<Self, NotASetting> {
        match written {
            "" => Ok(Self::Quiet(None)),
            "off" => Ok(Self::Quiet(Some(Quiet::Never))),
            hours => Ok(Self::Quiet(Some(Quiet::Daily(quiet_hours(hours)?)))),
        }
    }

    /// Reads a zone by a name of the tz database, a city or an offset; nothing means the operator's zone.
    pub fn time_zone(written: &str) -> Result<Self, NotASetting> {
        if written.is_empty() {
            return Ok(Self::TimeZone(None));
        }
        time_zone(written).map(|zone| Self::TimeZone(Some(zone))).ok_or(NotASetting::TimeZone)
    }

    /// Reads a language by tag or name, such as `de`, `pt-BR` or `German`; nothing means the operator's language.
    pub fn language(written: &str) -> Result<Self, NotASetting> {
        if written.is_empty() {
            return Ok(Self::Language(None));
        }
        language_tag(written).map(|tag| Self::Language(Some(tag))).ok_or(NotASetting::Language)
    }

    /// Reads a PIN; "off" is none.
    pub fn pin(written: &str, seed: &mut Seed) -> Result<Self, NotASetting> {
        match written {
            "" | "off" => Ok(Self::Pin(None)),
            digits => Ok(Self::Pin(Some(Pin::new(digits, seed)?))),
        }
    }
}

/// Why a text is no value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotASetting {
    /// No quiet hours.
    Quiet,
    /// No zone.
    TimeZone,
    /// No language tag.
    Language,
    /// No PIN.
    Pin,
    /// A PIN that is guessed at once.
    TrivialPin,
    /// No address of a person.
    Jid,
}

impl From<NotQuietHours> for NotASetting {
    fn from(_: NotQuietHours) -> Self {
        Self::Quiet
    }
}

impl From<NotAPin> for NotASetting {
    fn from(_: NotAPin) -> Self {
        Self::Pin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_becomes_a_setting_or_is_refused() {
        assert_eq!(Setting::quiet("off"), Ok(Setting::Quiet(Some(Quiet::Never))));
        assert_eq!(Setting::quiet("22:00-7:30").ok(), Setting::quiet("22:00-07:30").ok());
        assert_eq!(Setting::quiet("late"), Err(NotASetting::Quiet));
        assert!(matches!(Setting::time_zone("Asia/Tokyo"), Ok(Setting::TimeZone(Some(_)))));
        assert_eq!(Setting::time_zone(""), Ok(Setting::TimeZone(None)));
        for invalid in ["Mars/Olympus", "../../etc/passwd", "Asia/Tok\nyo", "/etc/localtime"] {
            assert_eq!(Setting::time_zone(invalid), Err(NotASetting::TimeZone), "{invalid}");
        }
        assert_eq!(Setting::language("pt-BR"), Ok(Setting::Language(Some("pt-br".into()))));
        assert_eq!(Setting::language("german"), Ok(Setting::Language(Some("de".into()))));
        for invalid in ["x", "klingon", "de-", "de-a-b-c", "日本"] {
            assert_eq!(Setting::language(invalid), Err(NotASetting::Language), "{invalid}");
        }
    }
}
