//! The keys that answer a message, and what they mean to both ends.

use crate::wording::{self, phrase};

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

    /// The same menu for somebody with this language. What the operator has worded otherwise stays as it is.
    pub fn in_language(self, language: Option<&str>) -> Self {
        let (english, translated) = (Self::worded(None), Self::worded(language));
        let reword = |choice: Choice| {
            let same = |own: &&Choice| own.say == choice.say && own.reply == choice.reply;
            let own = english.iter().find(same).map(|own| own.key);
            let other = translated.iter().find(|other| Some(other.key) == own).cloned();
            other.map_or(choice.clone(), |other| Choice { key: choice.key, ..other })
        };
        Self { choices: self.choices.into_iter().map(reword).collect() }
    }

    fn worded(language: Option<&str>) -> Vec<Choice> {
        let choice = |(key, say, reply)| Choice {
            key,
            say: phrase(language, say, &[]),
            reply: phrase(language, reply, &[("callee", CALLEE.into())]),
        };
        wording::MENU.map(choice).into()
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
            .map(|choice| choice.reply.replace(CALLEE, callee))
    }

    /// The menu as it is spoken.
    pub fn spoken(&self, language: Option<&str>) -> String {
        let spoken = |choice: &Choice| {
            let (say, key) = (choice.say.trim_end_matches(['.', ',']), choice.key.to_string());
            phrase(language, "phone-choice", &[("say", say.into()), ("key", (&key).into())])
        };
        self.choices.iter().map(spoken).collect::<Vec<_>>().join(" ")
    }
}

impl Default for Menu {
    fn default() -> Self {
        Self::new(Self::worded(None))
    }
}

/// Keys with a meaning of their own: hear, stop the calls, repeat, go on, explain; 7 and 8 are kept for the voice answer.
pub const RESERVED: &str = "57890*#";
const CHOICES_MAX: usize = 6;
const CALLEE: &str = "{callee}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_taken() {
        let menu = Menu::default();
        assert_eq!(menu.keys().collect::<String>(), "123");
        for key in menu.keys() {
            let spoken = menu.spoken(None);
            assert!(spoken.contains(&format!("press {key}.")), "{spoken}");
        }
        assert_eq!(menu.reply('2', "Bob").as_deref(), Some("Bob will phone you back."));
        assert_eq!(menu.reply('4', "Bob"), None);
    }

    #[test]
    fn the_menu_is_translated_but_for_what_the_operator_says_himself() {
        let mut choices = Menu::worded(None);
        choices[1].key = '4';
        choices[2] = Choice { key: '6', say: "To shout".into(), reply: "{callee} shouts.".into() };
        let menu = Menu::new(choices).in_language(Some("de-CH"));
        assert_eq!(
            menu.spoken(Some("de-CH")),
            "Um per Nachricht zu antworten, drücken Sie die 1. Um zurückzurufen, drücken Sie die 4. \
             To shout, drücken Sie die 6."
        );
        let replies: Vec<_> = menu.keys().filter_map(|key| menu.reply(key, "Bob")).collect();
        assert_eq!(replies, ["Bob antwortet per Nachricht.", "Bob ruft zurück.", "Bob shouts."]);
        assert_eq!(Menu::default().in_language(Some("ja")), Menu::default());
    }

    #[test]
    fn a_key_of_the_script_cannot_be_taken_by_a_choice() {
        let choice = |key| Choice { key, say: "To test".into(), reply: "tested".into() };
        let menu = Menu::new(vec![choice('9'), choice('*'), choice('4')]);
        assert_eq!(menu.keys().collect::<String>(), "4");
    }
}
