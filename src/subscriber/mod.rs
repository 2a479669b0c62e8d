//! A person who can be phoned: settings, and the hours in which the phone stays quiet.

mod pin;
mod quiet;
mod setting;

pub use pin::{NotAPin, Pin};
pub use quiet::{NotQuietHours, QuietHours};
pub use setting::{NotASetting, Rule, Senders, Setting};

use jiff::tz::TimeZone;
use xmpp_parsers::jid::BareJid;

use crate::phone_number::PhoneNumber;

/// What one person has set, or the operator for them.
///
/// Source: promise S1, the settings table (2001-313666 ¶23, fig. 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Subscriber {
    /// Who this is.
    pub jid: BareJid,
    /// How the person is called on the phone and to senders.
    pub name: String,
    /// Where to phone. Without it nobody is phoned, whatever `offline` says.
    pub number: Option<PhoneNumber>,
    /// Where to phone when nobody answered there.
    pub second: Option<PhoneNumber>,
    /// What becomes of a message while the person is offline.
    pub offline: WhenOffline,
    /// Language tag for prompts and voice, such as `ja`; `None` takes `speech.language`.
    pub language: Option<String>,
    /// The person's own quiet hours: `None` takes `dial.quiet`.
    pub quiet: Option<Quiet>,
    /// The zone in which quiet hours and spoken times are meant; `None` takes `dial.time_zone`.
    pub time_zone: Option<TimeZone>,
    /// What must be entered on the phone before anything is said.
    pub pin: Option<Pin>,
    /// Who may make the phone ring; `None` takes `dial.senders`.
    pub senders: Option<Senders>,
}

impl Subscriber {
    /// Somebody of whom nothing but address and name is known.
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
        }
    }
}

/// What becomes of a message for someone who is offline.
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
