//! What people ask of the component itself: in chat messages, commands and forms, all for the same wishes.

pub mod chat;
pub mod commands;
pub mod form;
pub mod register;
pub mod words;

use std::fmt;

use minidom::Element;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::notification::verification::Place;
use crate::phone_number::PhoneNumber;
use crate::subscriber::Setting;

/// What somebody wants, however it was said.
#[derive(Clone, PartialEq)]
pub enum Wish {
    /// The commands that matter most.
    Help,
    /// The others.
    HelpMore,
    /// What is set.
    Show,
    /// To set all this.
    Set(Wanted),
    /// That this code be tried.
    Code(String),
    /// To be phoned, as a test.
    Test,
    /// The last calls to him.
    Calls,
    /// To be forgotten; `true` if he has been asked whether he is sure.
    Forget(bool),
    /// What only the operator may want.
    Operator(Order),
}

/// Settings that are to change together.
#[derive(Clone, Default, PartialEq)]
pub struct Wanted {
    /// Those that hold at once.
    pub settings: Vec<Setting>,
    /// The digits of a new PIN; empty for none.
    pub pin: Option<String>,
    /// A number that is to be verified.
    pub number: Option<(PhoneNumber, Place)>,
}

/// What the operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Who is known here.
    People,
    /// The last calls to anybody.
    Calls,
    /// A call to a person, as a test.
    TestCall(BareJid),
    /// No more calls, or calls again.
    Suspend(bool),
}

impl fmt::Debug for Wish {
    /// Never what was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wish")
    }
}

/// A wish, and by what way its answer goes back.
#[derive(Debug, PartialEq)]
pub struct Petition {
    /// Who has it.
    pub from: Jid,
    /// What it is.
    pub wish: Wish,
    /// The language he writes in, where known.
    pub language: Option<String>,
    /// Where the answer goes.
    pub back: Back,
}

/// By what way a wish came.
#[derive(Debug, PartialEq)]
pub enum Back {
    /// A chat message.
    Chat,
    /// A command (XEP-0050): this IQ, which ends the session of that name.
    Command {
        /// The question.
        iq: Box<Element>,
        /// The session.
        session: String,
    },
    /// A registration (XEP-0077): this IQ.
    Register(Box<Element>),
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// In words.
    pub words: String,
    /// It is done, or under way; else the words say why not.
    pub granted: bool,
}
