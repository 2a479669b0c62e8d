//! Questions to the server and its services, and their answers (RFC 6120 §8.2.3).

use std::collections::HashMap;
use std::time::Duration;

use minidom::Element;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use xmpp_parsers::jid::Jid;

use crate::seed::Seed;
use crate::xmpp::stanza;

/// Asks. Cloning gives another handle.
#[derive(Clone, Debug)]
pub(super) struct Inquirer {
    questions: mpsc::Sender<Question>,
    component: String,
}

/// A question on its way.
#[derive(Debug)]
pub(super) struct Question {
    to: Jid,
    iq: Element,
    answer: oneshot::Sender<Element>,
}

/// Those that wait for their answer.
#[derive(Debug)]
pub(super) struct Inquiries {
    questions: mpsc::Receiver<Question>,
    open: HashMap<String, (Jid, oneshot::Sender<Element>)>,
    seed: Seed,
}

/// Both ends.
pub(super) fn inquiries(component: &str, seed: Seed) -> (Inquirer, Inquiries) {
    let (send, questions) = mpsc::channel(OPEN_MAX);
    let inquirer = Inquirer { questions: send, component: component.to_owned() };
    (inquirer, Inquiries { questions, open: HashMap::new(), seed })
}

impl Inquirer {
    /// Gets the answer to a question: a `result`. `None` if that is an error, or does not come in time.
    pub(super) async fn get(&self, to: &Jid, payload: Element) -> Option<Element> {
        let attributes = [("type", "get"), ("from", &*self.component), ("to", to.as_str())];
        let mut iq = stanza::stanza("iq", &attributes);
        iq.append_child(payload);
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { to: to.clone(), iq, answer }).await.ok()?;
        let answer = timeout(PATIENCE, answered).await.ok()?.ok()?;
        (answer.attr("type") == Some("result")).then_some(answer)
    }
}

impl Inquiries {
    /// Waits for the next question; gives the stanza to send. `None` when nobody can ask any more.
    pub(super) async fn next(&mut self) -> Option<Element> {
        let Question { to, mut iq, answer } = self.questions.recv().await?;
        self.open.retain(|_, (_, waits)| !waits.is_closed());
        let id = format!("ask-{}", self.seed.token());
        stanza::set(&mut iq, "id", &id);
        if self.open.len() < OPEN_MAX {
            self.open.insert(id, (to, answer));
        }
        Some(iq)
    }

    /// Whether this is the answer to a question of ours; it is handed on then.
    pub(super) fn takes(&mut self, stanza: &Element) -> bool {
        let is_answer =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("result" | "error"));
        let id = stanza.attr("id").unwrap_or_default();
        // Nobody else may answer for the one who was asked.
        let is_asked =
            self.open.get(id).is_some_and(|(to, _)| stanza::from(stanza).as_ref() == Some(to));
        if !is_answer || !is_asked {
            return false;
        }
        if let Some((_, answer)) = self.open.remove(id) {
            let _ = answer.send(stanza.clone());
        }
        true
    }
}

const OPEN_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_was_asked_can_answer() {
        let (inquirer, mut inquiries) = inquiries("phone.example.org", Seed::fixed(1));
        let upload = Jid::new("upload.example.org").unwrap();
        let asking = tokio::spawn(async move {
            inquirer.get(&upload, Element::bare("query", "x")).await.is_some()
        });
        let iq = inquiries.next().await.unwrap();
        let answer = |from: &str, kind: &str, id: &str| -> Element {
            format!("<iq xmlns='jabber:component:accept' type='{kind}' id='{id}' from='{from}' to='phone.example.org'/>").parse().unwrap()
        };
        let id = iq.attr("id").unwrap();
        assert_eq!(
            (iq.attr("to"), iq.attr("from")),
            (Some("upload.example.org"), Some("phone.example.org"))
        );
        assert!(!inquiries.takes(&answer("eve@example.org/x", "result", id)));
        assert!(!inquiries.takes(&answer("upload.example.org", "get", id)));
        assert!(!inquiries.takes(&answer("upload.example.org", "result", "ask-other")));
        assert!(inquiries.takes(&answer("upload.example.org", "result", id)));
        assert!(!inquiries.takes(&answer("upload.example.org", "result", id)), "once");
        assert!(asking.await.unwrap());
    }
}
