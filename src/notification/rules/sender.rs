//! Who may make a phone ring.

use xmpp_parsers::jid::BareJid;

use super::Verdict;
use crate::subscriber::{SenderRule, Senders};

/// Who has written, as far as it decides whether a phone rings.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'s> {
    /// The sender's address.
    pub jid: &'s BareJid,
    /// Whom they have written to.
    pub recipient: &'s BareJid,
    /// They are a contact of the recipient's.
    pub is_contact: bool,
    /// They say that they are a program (disco identity `client/bot`); `None` while they are being asked.
    pub is_program: Option<bool>,
    /// What the recipient has set for them.
    pub rule: Option<SenderRule>,
}

impl Sender<'_> {
    /// What decides about this sender, where `wanted` may ring unless a rule says otherwise.
    pub(super) fn basis(&self, wanted: Senders) -> SenderBasis {
        match (self.rule, self.is_program) {
            // A person who writes to themselves has asked for the call.
            _ if self.jid == self.recipient => SenderBasis::Themselves,
            (Some(SenderRule::Allow), _) => SenderBasis::Allowed,
            (Some(SenderRule::Block), _) => SenderBasis::Blocked,
            (None, None) => SenderBasis::BeingAsked,
            (None, Some(true)) => SenderBasis::Program,
            (None, Some(false)) => match wanted {
                Senders::Everyone => SenderBasis::Everyone,
                Senders::Contacts => SenderBasis::Contacts { is_contact: self.is_contact },
                Senders::Domain => {
                    let same = self.jid.domain() == self.recipient.domain();
                    SenderBasis::Domain { same }
                }
            },
        }
    }
}

/// What decided about a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderBasis {
    /// They are the recipient.
    Themselves,
    /// The recipient has allowed them.
    Allowed,
    /// The recipient has blocked them.
    Blocked,
    /// They are being asked whether they are a program.
    BeingAsked,
    /// They say that they are a program.
    Program,
    /// Everyone may make this phone ring.
    Everyone,
    /// Contacts may.
    Contacts {
        /// Whether they are one, as the recipient's server has told.
        is_contact: bool,
    },
    /// People of the recipient's own domain may.
    Domain {
        /// Whether they are one of them.
        same: bool,
    },
}

impl SenderBasis {
    pub(super) fn may_ring(self) -> bool {
        match self {
            Self::Themselves | Self::Allowed | Self::Everyone => true,
            Self::Blocked | Self::BeingAsked | Self::Program => false,
            Self::Contacts { is_contact } => is_contact,
            Self::Domain { same } => same,
        }
    }

    pub(super) fn refusal(self) -> Verdict {
        if self == Self::BeingAsked { Verdict::Stopped } else { Verdict::Never }
    }
}
