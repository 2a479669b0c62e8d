//! IQ requests to the server and its services, and their answers (RFC 6120 §8.2.3).

use std::collections::HashMap;
use std::time::Duration;

use minidom::Element;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use xmpp_parsers::jid::Jid;

use crate::seed::Seed;
use crate::xmpp::stanza;

/// Sends IQ requests. Cloning gives another handle.
#[derive(Clone, Debug)]
pub(crate) struct IqClient {
    requests: mpsc::Sender<IqRequest>,
    component: String,
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct IqRequest {
    to: Jid,
    iq: Element,
    answer: oneshot::Sender<Element>,
}

/// The requests that wait for their answers.
#[derive(Debug)]
pub(crate) struct IqTracker {
    requests: mpsc::Receiver<IqRequest>,
    open: HashMap<String, (Jid, oneshot::Sender<Element>)>,
    seed: Seed,
}

/// Makes both ends.
pub(crate) fn iq_tracker(component: &str, seed: Seed) -> (IqClient, IqTracker) {
    let (send, requests) = mpsc::channel(OPEN_MAX);
    let iq_client = IqClient { requests: send, component: component.to_owned() };
    (iq_client, IqTracker { requests, open: HashMap::new(), seed })
}

impl IqClient {
    /// Sends an IQ `get`; its `result`.
    ///
    /// Errors: [`NoResult`].
    pub(crate) async fn get(&self, to: &Jid, payload: Element) -> Result<Element, NoResult> {
        let attributes = [("type", "get"), ("from", &*self.component), ("to", to.as_str())];
        let mut iq = stanza::stanza("iq", &attributes);
        iq.append_child(payload);
        let (answer, answered) = oneshot::channel();
        let request = self.requests.send(IqRequest { to: to.clone(), iq, answer });
        request.await.map_err(|_| NoResult::NoAnswer)?;
        match timeout(ANSWER_WAIT, answered).await {
            Ok(Ok(answer)) if answer.attr("type") == Some("result") => Ok(answer),
            Ok(Ok(_)) => Err(NoResult::Refused),
            Ok(Err(_)) | Err(_) => Err(NoResult::NoAnswer),
        }
    }
}

/// Why a request has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoResult {
    /// The answer is an error.
    Refused,
    /// No answer came in time: the request or its answer was lost, or the link is down.
    NoAnswer,
}

impl IqTracker {
    /// Waits for the next request; gives the stanza to send. `None` when all clients are gone.
    pub(crate) async fn next(&mut self) -> Option<Element> {
        let IqRequest { to, mut iq, answer } = self.requests.recv().await?;
        self.open.retain(|_, (_, waits)| !waits.is_closed());
        let id = format!("iq-{}", self.seed.token());
        stanza::set(&mut iq, "id", &id);
        if self.open.len() < OPEN_MAX {
            self.open.insert(id, (to, answer));
        }
        Some(iq)
    }

    /// The stream is lost, and the answers to all requests with it.
    pub(crate) fn stream_lost(&mut self) {
        self.open.clear();
    }

    /// Passes on the answer to a request of ours; `false` if the stanza is none.
    pub(crate) fn takes(&mut self, stanza: &Element) -> bool {
        let is_answer =
            stanza.name() == "iq" && matches!(stanza.attr("type"), Some("result" | "error"));
        let id = stanza.attr("id").unwrap_or_default();
        // Only the addressee may answer.
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
const ANSWER_WAIT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_was_asked_can_answer() {
        let (iq_client, mut iq_tracker) = iq_tracker("phone.example.org", Seed::fixed(1));
        let upload = Jid::new("upload.example.org").unwrap();
        let asking = tokio::spawn(async move {
            iq_client.get(&upload, Element::bare("query", "x")).await.is_ok()
        });
        let iq = iq_tracker.next().await.unwrap();
        let answer = |from: &str, kind: &str, id: &str| -> Element {
            format!("<iq xmlns='jabber:component:accept' type='{kind}' id='{id}' from='{from}' to='phone.example.org'/>").parse().unwrap()
        };
        let id = iq.attr("id").unwrap();
        assert_eq!(
            (iq.attr("to"), iq.attr("from")),
            (Some("upload.example.org"), Some("phone.example.org"))
        );
        assert!(!iq_tracker.takes(&answer("eve@example.org/x", "result", id)));
        assert!(!iq_tracker.takes(&answer("upload.example.org", "get", id)));
        assert!(!iq_tracker.takes(&answer("upload.example.org", "result", "iq-other")));
        assert!(iq_tracker.takes(&answer("upload.example.org", "result", id)));
        assert!(!iq_tracker.takes(&answer("upload.example.org", "result", id)), "once");
        assert!(asking.await.unwrap());
    }
}
