//! What Alice has read of each message.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use offhook::clock;
use offhook::demo::chat_client::{ChatMessage, ChatUpdate};

use crate::chat::Chat;
use crate::world::{World, until_nothing_is_owed};

/// What Alice has read, by the person it was written to: each gets one message, so that all can be told apart.
#[derive(Default)]
pub(crate) struct Told {
    /// Of whom anything was told.
    pub(crate) first_words: HashSet<String>,
    /// Whose messages came back.
    pub(crate) refused: HashSet<String>,
    pub(crate) held: HashSet<String>,
    pub(crate) over: HashSet<String>,
    pub(crate) answers: HashMap<String, HashSet<String>>,
    ids: HashSet<String>,
    /// So many stanzas came under an id that another had before.
    pub(crate) copies: usize,
}

impl Told {
    /// Reads for so long.
    pub(crate) async fn until(&mut self, alice: &mut Chat, time: Duration) {
        let end = clock::now() + time;
        alice.read.drain(..).for_each(|message| self.take(message));
        loop {
            let left = end.saturating_duration_since(clock::now());
            if left.is_zero() {
                return;
            }
            if let Ok(ChatUpdate::Message(message)) = alice.client.next(left).await {
                self.take(*message);
            }
        }
    }

    pub(crate) fn take(&mut self, message: ChatMessage) {
        let person = message.from.split('\\').next().unwrap().to_owned();
        if message.kind == "error" {
            self.refused.insert(person);
            return; // The component was away: Alice knows that the message did not get there.
        }
        if message.id.as_ref().is_some_and(|id| !self.ids.insert(id.clone())) {
            self.copies += 1;
        }
        // What must not be overlooked replies, too.
        if message.reply_to.is_some() && !message.is_offhooks_own() {
            self.answers.entry(person.clone()).or_default().insert(message.id.unwrap_or_default());
            self.over.insert(person);
            return;
        }
        let body = message.text.unwrap_or_default();
        self.first_words.insert(person.clone());
        if body.contains("held") {
            self.held.insert(person.clone());
        }
        // The ends of the ladder: answered by key comes as a reply, these as a status.
        let ends = ["No further call", "has expired", "is online"];
        if ends.iter().any(|end| body.contains(end)) {
            self.over.insert(person);
        }
    }

    /// All that were read, each id once.
    pub(crate) fn stanzas(&self) -> usize {
        self.ids.len()
    }

    /// Who was told to be held, and of whom nothing more was heard.
    pub(crate) fn open(&self) -> Vec<&String> {
        self.held.difference(&self.over).collect()
    }

    /// Waits until no message is open that was told to be held; none may stay so, and no answer may have two ids.
    pub(crate) async fn until_all_is_over(&mut self, world: &mut World) {
        // A call that was cut off is made again after a minute, and after two if it was cut off again.
        let patience = clock::now() + Duration::from_secs(400);
        while clock::now() < patience && !self.open().is_empty() {
            self.until(&mut world.alice, Duration::from_secs(1)).await;
        }
        until_nothing_is_owed(&world.home, &mut world.alice).await;
        world.alice.read.drain(..).for_each(|message| self.take(message));
        assert!(
            self.open().is_empty(),
            "told to be held, then never heard of again: {:?}",
            self.open()
        );
        for (person, ids) in &self.answers {
            assert_eq!(ids.len(), 1, "{person} answered once, but Alice got it under several ids");
        }
    }
}
