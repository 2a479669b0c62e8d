//! The keys that answer a message, and what they mean to both ends.

/// What the callee may choose after a message. The spoken menu and the accepted keys come from one list, so they cannot differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    choices: Vec<Choice>,
}

/// One key of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The key: a digit that the script itself does not use.
    pub key: char,
    /// What is said before "press N".
    pub say: String,
    /// What the sender reads; `{callee}` is the callee's name.
    pub reply: String,
}

impl Menu {
    /// A menu of these choices. Keys that the script uses itself are left out.
    pub fn new(choices: Vec<Choice>) -> Self {
        let free = |choice: &Choice| choice.key.is_ascii_digit() && !RESERVED.contains(choice.key);
        Self { choices: choices.into_iter().filter(free).take(CHOICES_MAX).collect() }
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = char> + '_ {
        self.choices.iter().map(|choice| choice.key)
    }

    /// What the sender reads when `key` is pressed.
    pub fn reply(&self, key: char, callee: &str) -> Option<String> {
        self.choices
            .iter()
            .find(|choice| choice.key == key)
            .map(|choice| choice.reply.replace("{callee}", callee))
    }

    /// The menu as it is spoken.
    pub fn spoken(&self) -> String {
        self.choices
            .iter()
            .map(|choice| {
                format!("{}, press {}.", choice.say.trim_end_matches(['.', ',']), choice.key)
            })
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Default for Menu {
    /// Source: promise C3 (2001-313666 ¶45-47).
    fn default() -> Self {
        let choice =
            |key, say: &str, reply: &str| Choice { key, say: say.into(), reply: reply.into() };
        Self::new(vec![
            choice('1', "To answer by message", "{callee} will answer by message."),
            choice('2', "To call back", "{callee} will phone you back."),
            choice('3', "To answer later", "{callee} can't talk now and will get in touch later."),
        ])
    }
}

/// Keys with a meaning of their own: hear, stop the calls, repeat, go on, explain; 7 and 8 are kept for the voice answer.
pub const RESERVED: &str = "57890*#";
const CHOICES_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_taken() {
        let menu = Menu::default();
        assert_eq!(menu.keys().collect::<String>(), "123");
        for key in menu.keys() {
            assert!(menu.spoken().contains(&format!("press {key}.")), "{}", menu.spoken());
        }
        assert_eq!(menu.reply('2', "Bob").as_deref(), Some("Bob will phone you back."));
        assert_eq!(menu.reply('4', "Bob"), None);
    }

    #[test]
    fn a_key_of_the_script_cannot_be_taken_by_a_choice() {
        let choice = |key| Choice { key, say: "To test".into(), reply: "tested".into() };
        let menu = Menu::new(vec![choice('9'), choice('*'), choice('4')]);
        assert_eq!(menu.keys().collect::<String>(), "4");
    }
}
