//! What a person in front of the terminal sees of the demo.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::chat_client::ChatMessage;

/// The terminal, or the file that stands for it. Clones write to the same.
///
/// Contract: on a terminal a wait is a line that moves; elsewhere it is one line when it begins.
#[derive(Clone, Debug)]
pub struct Terminal {
    spinner: Option<Arc<ProgressBar>>,
}

impl Terminal {
    /// Begins with standard output.
    pub fn begin() -> Self {
        let spinner = io::stdout().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            spinner.enable_steady_tick(TICK);
            Arc::new(spinner)
        });
        Self { spinner }
    }

    /// Says what is waited for now.
    pub fn waiting(&self, what: &str) {
        match &self.spinner {
            Some(spinner) => {
                spinner.reset_elapsed();
                spinner.set_message(what.to_owned());
            }
            None => self.write(&format!("{:7} {what}", "...")),
        }
    }

    /// One line of the play: a person, and what they say or do.
    pub fn line(&self, who: &str, what: &str) {
        self.write(&format!("{who:7} {what}"));
    }

    /// A message as Alice reads it. ⋯ marks a correction of the line before.
    pub fn read_by_alice(&self, message: &ChatMessage) {
        if let Some(condition) = &message.error {
            self.line("error", condition);
            return;
        }
        let Some(text) = &message.text else {
            return;
        };
        if text.is_empty() {
            // All of it stands for something that a client shows by itself.
            let link = message.body.as_deref().unwrap_or_default();
            self.line("Bob", &format!("♪ {link}"));
            return;
        }
        match (&message.replace, &message.reply_to) {
            (Some(_), _) => self.line("  ⋯", text),
            (None, Some(_)) if message.is_offhooks_own() => self.line("Offhook", text),
            (None, Some(_)) => self.line("Bob", &format!("{text}   (a reply to Alice's message)")),
            (None, None) => self.line("Offhook", text),
        }
    }

    /// Any text, as it is.
    pub fn write(&self, text: &str) {
        match &self.spinner {
            Some(spinner) => spinner.println(text),
            None => {
                // Nobody reads any more: the play goes on.
                let _ = writeln!(io::stdout(), "{text}");
            }
        }
    }

    /// The same terminal without a line that moves, for people who type.
    pub fn without_spinner(&self) -> Self {
        self.end();
        Self { spinner: None }
    }

    /// Ends the line that moves.
    pub fn end(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

const TICK: Duration = Duration::from_millis(120);
