//! The keys that answer a message, and what they mean to both ends.

use std::sync::Arc;

use super::keys;
use crate::wording::{self, phrase};

/// What the callee may choose after a message. The spoken menu and the accepted keys come from one list, so they cannot differ.
/// Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    choices: Arc<[Choice]>,
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
        let free = |choice: &Choice| keys::free().any(|key| key == choice.key);
        Self { choices: choices.into_iter().filter(free).take(CHOICES_MAX).collect() }
    }

    /// The same menu for somebody with this language. What the operator has worded otherwise stays as it is.
    pub fn in_language(self, language: Option<&str>) -> Self {
        let (english, translated) = (Self::worded(None), Self::worded(language));
        if translated == english {
            return self;
        }
        let reword = |choice: &Choice| {
            let same = |own: &&Choice| own.say == choice.say && own.reply == choice.reply;
            let own = english.iter().find(same).map(|own| own.key);
            let other = translated.iter().find(|other| Some(other.key) == own).cloned();
            other.map_or(choice.clone(), |other| Choice { key: choice.key, ..other })
        };
        Self { choices: self.choices.iter().map(reword).collect() }
    }

    fn worded(language: Option<&str>) -> Vec<Choice> {
        let keys = [keys::ANSWER_BY_MESSAGE, keys::CALL_BACK, keys::ANSWER_LATER];
        let choice = |(key, (say, reply, _))| Choice {
            key,
            say: phrase(language, say, &[]),
            reply: phrase(language, reply, &[("callee", CALLEE.into())]),
        };
        keys.into_iter().zip(wording::MENU).map(choice).collect()
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

    /// What the callee hears of themselves once `key` is stored. The operator's words are quoted.
    pub(super) fn confirmation(&self, key: char, callee: &str, language: &str) -> Option<String> {
        let choice = self.choices.iter().find(|choice| choice.key == key)?;
        let mut own = Self::worded(Some(language)).into_iter().zip(wording::MENU);
        let same = |own: &Choice| own.say == choice.say && own.reply == choice.reply;
        Some(match own.find(|(own, _)| same(own)) {
            Some((_, (_, _, confirmation))) => phrase(Some(language), confirmation, &[]),
            None => {
                let words = choice.reply.replace(CALLEE, callee);
                phrase(Some(language), "phone-own-answer", &[("words", (&words).into())])
            }
        })
    }

    /// The choices that are said at once, as they are spoken.
    pub fn common(&self, language: Option<&str>) -> String {
        Self::spoken(self.choices.iter().take(COMMON_MAX), language)
    }

    /// The choices that are said when more is asked for; mostly none.
    pub fn rest(&self, language: Option<&str>) -> String {
        Self::spoken(self.choices.iter().skip(COMMON_MAX), language)
    }

    fn spoken<'c>(choices: impl Iterator<Item = &'c Choice>, language: Option<&str>) -> String {
        let spoken = |choice: &Choice| {
            let say = choice.say.trim_end_matches(['.', ',']);
            let key = keys::spoken(choice.key, language);
            phrase(language, "phone-choice", &[("say", say.into()), ("key", (&key).into())])
        };
        choices.map(spoken).collect::<Vec<_>>().join(" ")
    }
}

/// How much of the menu is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MenuPart {
    /// The choices that are mostly wanted: said once in a call, and when they are asked for.
    Common,
    /// All others.
    Rest,
    /// That there is something to choose.
    Short,
}

impl Default for Menu {
    fn default() -> Self {
        Self::new(Self::worded(None))
    }
}

const CHOICES_MAX: usize = 6;
/// More is not kept in mind.
const COMMON_MAX: usize = 3;
const CALLEE: &str = "{callee}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_taken() {
        let menu = Menu::default();
        assert_eq!(menu.keys().collect::<String>(), "123");
        for key in menu.keys() {
            let spoken = menu.common(None);
            assert!(spoken.contains(&format!("press {key}.")), "{spoken}");
        }
        assert_eq!(menu.reply('2', "Bob").as_deref(), Some("Bob will phone you back."));
        assert_eq!(menu.reply('4', "Bob"), None);
        assert_eq!(menu.rest(None), "");
        let own = |key| Choice { key, say: format!("To {key}"), reply: "done".into() };
        let menu = Menu::new("12346".chars().map(own).collect());
        assert_eq!(menu.common(None), "To 1, press 1. To 2, press 2. To 3, press 3.");
        assert_eq!(menu.rest(None), "To 4, press 4. To 6, press 6.");
    }

    #[test]
    fn the_menu_is_translated_but_for_the_words_of_the_operator() {
        let mut choices = Menu::worded(None);
        choices[1].key = '4';
        choices[2] = Choice { key: '6', say: "To shout".into(), reply: "{callee} shouts.".into() };
        let menu = Menu::new(choices).in_language(Some("de-CH"));
        assert_eq!(
            menu.common(Some("de-CH")),
            "Um per Nachricht zu antworten, drücken Sie die 1. Um zurückzurufen, drücken Sie die 4. \
             To shout, drücken Sie die 6."
        );
        let replies: Vec<_> = menu.keys().filter_map(|key| menu.reply(key, "Bob")).collect();
        assert_eq!(replies, ["Bob antwortet per Nachricht.", "Bob ruft zurück.", "Bob shouts."]);
        assert_eq!(Menu::default().in_language(Some("ja")), Menu::default());
    }

    #[test]
    fn the_callee_is_spoken_to_and_of_to_the_sender() {
        let mut choices = Menu::worded(None);
        choices.push(Choice { key: '4', say: "To nod".into(), reply: "{callee} nods.".into() });
        let menu = Menu::new(choices);
        let confirmation = |key| menu.confirmation(key, "Bob", "en");
        assert_eq!(confirmation('1').as_deref(), Some("You will answer by message."));
        assert_eq!(menu.reply('1', "Bob").as_deref(), Some("Bob will answer by message."));
        assert_eq!(confirmation('4').as_deref(), Some("Your answer is: Bob nods."));
        let german = menu.in_language(Some("de"));
        assert_eq!(german.confirmation('2', "Bob", "de").as_deref(), Some("Sie rufen zurück."));
    }

    #[test]
    fn a_key_of_the_script_cannot_be_taken_by_a_choice() {
        let choice = |key| Choice { key, say: "To test".into(), reply: "tested".into() };
        let menu = Menu::new(vec![choice('9'), choice('*'), choice('4')]);
        assert_eq!(menu.keys().collect::<String>(), "4");
    }
}
