//! What is said in a call: messages, perhaps behind a PIN, or a code, or who it is.

use std::time::Instant;

use super::prompt::Line;
use super::{CodeCall, Doorkeeper, Input, Output, PinGate, Script};
use crate::notification::MessageId;

/// What is said in a call.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One per call.
pub enum Talk {
    /// Messages.
    Messages(Script),
    /// Messages behind a PIN.
    Guarded(PinGate),
    /// A code.
    Code(CodeCall),
    /// Who is it?
    Door(Doorkeeper),
}

impl Talk {
    /// As [`Script::lines_ahead`].
    pub fn lines_ahead(&self) -> Vec<Line> {
        match self {
            Self::Messages(script) => script.lines_ahead(),
            Self::Guarded(gate) => gate.lines_ahead(),
            Self::Code(call) => call.lines_ahead(),
            Self::Door(door) => door.lines_ahead(),
        }
    }

    /// What is said in place of a message that cannot be rendered.
    pub fn unspeakable_line(&self) -> Line {
        match self {
            Self::Messages(script) => script.unspeakable_line(),
            Self::Guarded(gate) => gate.unspeakable_line(),
            // No message is read in it.
            Self::Code(call) => call.lines_ahead().swap_remove(0),
            Self::Door(door) => door.lines_ahead().swap_remove(0),
        }
    }

    /// As [`Script::handle`].
    pub fn handle(&mut self, input: Input, now: Instant) {
        match self {
            Self::Messages(script) => script.handle(input, now),
            Self::Guarded(gate) => gate.handle(input, now),
            Self::Code(call) => call.handle(input, now),
            Self::Door(door) => door.handle(input, now),
        }
    }

    /// As [`Script::poll`].
    pub fn poll(&mut self) -> Option<Output> {
        match self {
            Self::Messages(script) => script.poll(),
            Self::Guarded(gate) => gate.poll(),
            Self::Code(call) => call.poll(),
            Self::Door(door) => door.poll(),
        }
    }

    /// As [`Script::deadline`].
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Messages(script) => script.deadline(),
            Self::Guarded(gate) => gate.deadline(),
            Self::Code(call) => call.deadline(),
            Self::Door(door) => door.deadline(),
        }
    }

    /// As [`Script::unsent_voice`].
    pub fn unsent_voice(&self) -> Option<MessageId> {
        match self {
            Self::Messages(script) => script.unsent_voice(),
            Self::Guarded(gate) => gate.unsent_voice(),
            Self::Code(_) | Self::Door(_) => None,
        }
    }
}
