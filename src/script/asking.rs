//! What the call about messages asks, which keys answer, and what of all this is known before the answer.

use super::frame::Frame;
use super::keys::{self, ALWAYS};
use super::menu::MenuPart;
use super::message_step::{
    Ask, GOODBYE, GOODBYE_UNANSWERED, NO_MATCH, NOT_STORED, NOTHING_WAITS, STOPPED, Step,
};
use super::messages::Messages;
use super::prompt::Prompt;
use super::question::{Asked, Question};
use super::voice_answer::VoiceAnswer;

impl Messages {
    /// Asks a question, with something said before it.
    pub(super) fn ask(&mut self, ask: Ask, before: Vec<Prompt>, frame: &mut Frame) {
        let question = self.question(ask);
        let (keys, early, whole) = match ask {
            Ask::Hear => {
                let keys = [keys::HEAR].into_iter().chain(ALWAYS).collect();
                (keys, self.answers().collect(), self.announced())
            }
            Ask::Answer(part) => {
                self.menu_said |= part == MenuPart::Common;
                (self.answers().chain(ALWAYS).collect(), String::new(), vec![])
            }
            Ask::Stop => (String::from_iter([keys::STOP, keys::SKIP]), String::new(), vec![]),
        };
        let hint = self.prompts.plain(HINT);
        let mut whole: Vec<Prompt> = whole.into_iter().chain([question.clone()]).collect();
        if ask == Ask::Answer(MenuPart::Short) {
            whole.push(hint.clone());
        }
        let asked = Asked {
            whole,
            short: match ask {
                Ask::Answer(_) => hint,
                Ask::Hear | Ask::Stop => question.clone(),
            },
            keys,
            no_match: Some(self.prompts.plain(NO_MATCH)),
            early,
        };
        let said = before.into_iter().chain([question]).collect();
        self.step = Step::Asking { ask, question: Question::ask(frame, said, asked) };
    }

    /// Asks what to answer: by the menu for the first time, and shortly after that.
    pub(super) fn ask_answer(&mut self, before: Vec<Prompt>, frame: &mut Frame) {
        let part = if self.menu_said { MenuPart::Short } else { MenuPart::Common };
        self.ask(Ask::Answer(part), before, frame);
    }

    /// The keys that answer a message.
    pub(super) fn answers(&self) -> impl Iterator<Item = char> {
        let record = self.settings.voice.then_some(keys::RECORD);
        self.settings.menu.keys().chain(record)
    }

    /// What was said of the messages that the call is about, and the pause after it.
    pub(super) fn announced(&self) -> Vec<Prompt> {
        self.announcement.iter().cloned().chain([self.prompts.pause()]).collect()
    }

    /// What parts the last message from the question about it.
    pub(super) fn message_end(&self) -> Vec<Prompt> {
        let Self { prompts, agenda, .. } = self;
        vec![prompts.mark(), prompts.pause(), self.end(agenda.group().len())]
    }

    fn end(&self, messages: usize) -> Prompt {
        self.prompts.plain(if messages > 1 { "phone-messages-end" } else { "phone-message-end" })
    }

    fn question(&self, ask: Ask) -> Prompt {
        let (prompts, settings) = (self.prompts, &self.settings);
        match ask {
            Ask::Hear => self.hear_question(self.agenda.group().len()),
            Ask::Answer(MenuPart::Common) => prompts.menu(&settings.menu),
            Ask::Answer(MenuPart::Rest) => prompts.rest_of_menu(&settings.menu, settings.voice),
            Ask::Answer(MenuPart::Short) => prompts.plain("phone-menu-short"),
            Ask::Stop => prompts.plain("phone-stop-question"),
        }
    }

    fn hear_question(&self, messages: usize) -> Prompt {
        let several = messages > 1;
        self.prompts.plain(if several { "phone-press-to-hear-them" } else { "phone-press-to-hear" })
    }

    pub(super) fn explanation(&self) -> Prompt {
        self.prompts.plain(match self.settings.hear_first {
            true => "phone-explanation-hear-first",
            false => "phone-explanation",
        })
    }

    /// All that may be said and can be known before the answer, in the order in which it is likely to be wanted.
    pub(super) fn known_ahead(&self) -> Vec<Prompt> {
        let prompts = self.prompts;
        let (first, others) = (self.agenda.group(), self.agenda.waiting());
        let Some(greeting) = self.agenda.greeting(self.opening, prompts, &self.callee) else {
            return vec![prompts.plain(NOTHING_WAITS)];
        };
        let mut all = vec![greeting, prompts.pause()];
        if self.settings.hear_first {
            all.push(self.hear_question(first.len()));
        }
        all.push(prompts.mark());
        all.extend(first.iter().map(|item| item.body.clone()));
        all.push(self.end(first.len()));
        all.push(self.question(Ask::Answer(MenuPart::Common)));
        for group in &others {
            all.push(prompts.next_messages(group));
            if self.settings.hear_first {
                all.push(self.hear_question(group.len()));
            }
            all.extend(group.iter().map(|item| item.body.clone()));
            all.push(self.end(group.len()));
        }
        all.extend([MenuPart::Short, MenuPart::Rest].map(|part| self.question(Ask::Answer(part))));
        let (menu, language) = (&self.settings.menu, prompts.language());
        let confirmations =
            menu.keys().filter_map(|key| menu.confirmation(key, &self.callee, language));
        all.extend(confirmations.map(|words| prompts.thanks(&words)));
        if self.settings.voice {
            let senders = others.iter().chain([&first]).map(|group| group[0].sender.as_str());
            all.extend(VoiceAnswer::prompts_to_prerender(prompts, senders));
        }
        all.extend([self.explanation(), self.question(Ask::Stop), prompts.unspeakable()]);
        all.extend(
            [HINT, NO_MATCH, STOPPED, NOT_STORED, GOODBYE, GOODBYE_UNANSWERED]
                .map(|id| prompts.plain(id)),
        );
        all
    }
}

const HINT: &str = "phone-menu-hint";
