//! Commands that people send to the component as chat messages.

use crate::subscriber::WhenOffline;

/// What a person asks of the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Which commands there are.
    Help,
    /// To be phoned, or not.
    Switch(WhenOffline),
    /// What is set.
    Show,
    /// Something else.
    Unknown,
}

/// Reads a command; case and blanks around it do not matter.
pub fn read(text: &str) -> Command {
    match text.trim().to_lowercase().as_str() {
        "help" | "?" => Command::Help,
        "on" => Command::Switch(WhenOffline::Phone),
        "off" => Command::Switch(WhenOffline::Store),
        "show" => Command::Show,
        _ => Command::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_however_it_is_typed() {
        let cases = [
            ("help", Command::Help),
            (" HELP\n", Command::Help),
            ("On", Command::Switch(WhenOffline::Phone)),
            ("off", Command::Switch(WhenOffline::Store)),
            ("show", Command::Show),
            ("on please", Command::Unknown),
            ("", Command::Unknown),
        ];
        for (text, command) in cases {
            assert_eq!(read(text), command, "{text:?}");
        }
    }
}
