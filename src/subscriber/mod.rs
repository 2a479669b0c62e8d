//! A subscriber: a person who can be phoned, and their settings.

mod languages;
mod pin;
mod quiet;
mod setting;
mod written_hours;
mod zones;

pub use languages::{is_language_name, language_name, language_names};
pub use pin::{NotAPin, Pin};
pub use quiet::{NotQuietHours, QuietHours};
pub use setting::{NotASetting, SenderRule, Senders, Setting};
pub use zones::{is_zone_name, nearest_zone, zone_name};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use crate::phone_number::PhoneNumber;

/// What one person has set, or the operator for them.
///
/// Source: promise S1, the settings table (2001-313666 ¶23, fig. 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Subscriber {
    /// Their account.
    pub jid: BareJid,
    /// Their name, on the phone and to senders.
    pub name: String,
    /// Their number. Without it there are no calls, whatever `offline` says.
    pub number: Option<PhoneNumber>,
    /// The number for calls that were not answered on the first one.
    pub second: Option<PhoneNumber>,
    /// What happens to a message while the person is offline.
    pub offline: WhenOffline,
    /// Language tag for prompts and voice, such as `ja`; `None` takes `speech.language`.
    pub language: Option<String>,
    /// The person's own quiet hours: `None` takes `dial.quiet`.
    pub quiet: Option<Quiet>,
    /// The zone of quiet hours and spoken times; `None` takes `dial.time_zone`.
    pub time_zone: Option<TimeZone>,
    /// The PIN that is asked for before a message is spoken.
    pub pin: Option<Pin>,
    /// Who may make the phone ring; `None` takes `dial.senders`.
    pub senders: Option<Senders>,
    /// They have turned down the request to see their presence.
    pub refuses_presence: bool,
    /// When they last agreed to calls, by sending back a code.
    pub agreed: Option<Timestamp>,
}

impl Subscriber {
    /// A person without any settings.
    pub fn new(jid: BareJid, name: String) -> Self {
        Self {
            jid,
            name,
            number: None,
            second: None,
            offline: WhenOffline::Phone,
            language: None,
            quiet: None,
            time_zone: None,
            pin: None,
            senders: None,
            refuses_presence: false,
            agreed: None,
        }
    }
}

/// What happens to a message for a person who is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOffline {
    /// Hold it, then phone.
    Phone,
    /// Hold it until the person is online.
    Store,
}

/// Whether there are hours without calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// The phone may ring at any time.
    Never,
    /// The phone may not ring within these hours.
    Daily(QuietHours),
}
