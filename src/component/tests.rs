use minidom::Element;

use super::*;
use crate::clock;
use crate::notification::MessageId;
use crate::seed::Seed;
use crate::store::{Held, JobDone, JobId};
use crate::subscriber::Subscriber;
use crate::xmpp::directory::{Directory, ServedDomains};

/// A component whose link is up, with Bob as its only subscriber.
struct World {
    component: Component,
    now: Now,
}

impl World {
    fn new() -> Self {
        let now = Now { mono: clock::now(), at: clock::moment() };
        let bob = Subscriber::new("bob@example.org".parse().unwrap(), "Bob".to_owned());
        let served =
            ServedDomains { domains: vec!["example.org".to_owned()], ..ServedDomains::default() };
        let people = Directory::new(&[bob]);
        let gateway = Gateway::new("phone.example.org", people, served, Seed::fixed(1));
        let mut component = Component::new("phone.example.org".to_owned(), gateway, 4, now);
        component.handle(Input::Link(LinkInput::Up), now);
        let mut world = Self { component, now };
        world.outputs();
        world.sent();
        world
    }

    fn tell(&mut self, input: Input) {
        self.component.handle(input, self.now);
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.component.poll()).collect()
    }

    fn sent(&mut self) -> Vec<Element> {
        let outgoing = std::iter::from_fn(|| self.component.poll_outgoing());
        let stanza = |outgoing| match outgoing {
            Outgoing::Stanza(stanza) => vec![stanza],
            Outgoing::Batch(_, stanzas) => stanzas,
        };
        outgoing.flat_map(stanza).collect()
    }

    fn jobs(&mut self, wanted: impl Fn(&StoreJob) -> bool) -> Vec<JobId> {
        let job = |output| match output {
            Output::Store { id, job, .. } if wanted(&job) => Some(id),
            _ => None,
        };
        self.outputs().into_iter().filter_map(job).collect()
    }
}

/// No word to a sender waits for the commit of another sender's.
#[test]
fn first_contacts_are_stored_without_waiting_for_each_other() {
    let mut world = World::new();
    let senders = HOLDING_MAX as i64;
    for sender in 0..senders {
        let message = format!(
            "<message xmlns='jabber:component:accept' type='chat' id='m{sender}'
                 from='s{sender}@example.org/x' to='bob\\40example.org@phone.example.org'>
                 <body>Hello</body></message>"
        );
        world.tell(Input::Link(LinkInput::Stanza(message.parse().unwrap())));
    }
    let holds = world.jobs(|job| matches!(job, StoreJob::Hold { .. }));
    assert_eq!(holds.len(), HOLDING_MAX);
    for (message, id) in holds.into_iter().enumerate() {
        let held = Held {
            message: MessageId(message as i64 + 1),
            duplicate: false,
            claim: None,
            kept_by: None,
        };
        world.tell(Input::Stored(id, Box::new(Ok(JobDone::Held(held)))));
    }
    world.outputs();
    let questions: Vec<_> = world.sent().into_iter().filter(|it| it.name() == "iq").collect();
    assert_eq!(questions.len(), HOLDING_MAX);
    for question in questions {
        let (id, client) = (question.attr("id").unwrap(), question.attr("to").unwrap());
        let answer = format!(
            "<iq xmlns='jabber:component:accept' type='result' id='{id}' from='{client}' to='phone.example.org'/>"
        );
        world.tell(Input::Link(LinkInput::Stanza(answer.parse().unwrap())));
    }
    let identified = world.jobs(|job| matches!(job, StoreJob::Identified { .. }));
    assert_eq!(identified.len(), HOLDING_MAX, "none waits for the result of another");
}
