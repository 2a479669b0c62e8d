//! Carries stanzas between link and gateway, and what the gateway wants done to store and dialer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tracing::{debug, info, warn};
use xmpp_parsers::jid::BareJid;

use super::front_desk::{FrontDesk, News};
use super::inquiries::Inquiries;
use crate::clock;
use crate::dialer::{Order, asked};
use crate::notification::{Draft, MessageId};
use crate::redaction::Pii;
use crate::store::{Corrected, Held, Store, StoreError};
use crate::xmpp::desk::{Outcome, Petition};
use crate::xmpp::directory::{Directory, House};
use crate::xmpp::gateway::{Gateway, Input, NoRoom, Output};
use crate::xmpp::link::{Event, Link};
use crate::xmpp::privilege::Grants;

/// What the switchboard connects.
pub(super) struct Switchboard {
    pub(super) store: Store,
    pub(super) link: Link,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) gateway: Gateway,
    pub(super) inquiries: Inquiries,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) lines: Arc<Semaphore>,
    pub(super) settled: watch::Sender<bool>,
    pub(super) people: mpsc::Receiver<(Directory, House)>,
    pub(super) front_desk: FrontDesk,
    pub(super) news: mpsc::Receiver<News>,
    pub(super) granted: watch::Sender<Grants>,
    pub(super) stopping: watch::Receiver<bool>,
}

type Granting = JoinSet<(Petition, Outcome)>;
type Holding = JoinSet<(Draft, Result<Held, StoreError>)>;

impl Switchboard {
    /// Runs until it is told to stop, and until what it has begun to hold is held.
    ///
    /// Messages are handed to the store in the order in which they came, without waiting for the commit of the
    /// one before, so that a burst shares its commits.
    pub(super) async fn run(mut self) {
        let mut holding: Holding = JoinSet::new();
        let mut granting: Granting = JoinSet::new();
        // The link is up before anyone listens; what it says first is that.
        loop {
            self.carry_out(&mut holding, &mut granting).await;
            let wake = self.gateway.deadline().unwrap_or_else(|| clock::now() + IDLE);
            tokio::select! {
                () = asked(&mut self.stopping) => break,
                Some(event) = self.events.recv(), if holding.len() < HOLDING_MAX => self.hear(event),
                Some(Ok((draft, held))) = holding.join_next() => self.held(draft, held).await,
                Some((people, house)) = self.people.recv() => self.gateway.handle(Input::People(people, Box::new(house)), clock::now()),
                Some(news) = self.news.recv() => self.learn(news),
                Some(Ok((petition, outcome))) = granting.join_next() => {
                    self.gateway.handle(Input::Granted(&petition, &outcome), clock::now());
                }
                Some(iq) = self.inquiries.next() => self.link.send(iq).await,
                () = sleep_until(wake.into()) => self.gateway.handle(Input::Tick, clock::now()),
            }
        }
        while let Some(Ok((draft, held))) = holding.join_next().await {
            self.held(draft, held).await;
        }
        self.carry_out(&mut holding, &mut granting).await;
    }

    fn hear(&mut self, event: Event) {
        let now = clock::now();
        match event {
            Event::Up => self.gateway.handle(Input::LinkUp, now),
            Event::Down => {
                self.settled.send_replace(false);
                self.gateway.handle(Input::LinkDown, now);
            }
            Event::Stanza(stanza) if self.inquiries.takes(&stanza) => {}
            Event::Stanza(stanza) => self.gateway.handle(Input::Stanza(&stanza), now),
        }
    }

    async fn carry_out(&mut self, holding: &mut Holding, granting: &mut Granting) {
        while let Some(output) = self.gateway.poll() {
            match output {
                Output::Send(stanza) => self.link.send(stanza).await,
                Output::Hold(draft) => self.hold(draft, holding),
                Output::Granted(grants) => drop(self.granted.send_replace(grants)),
                Output::Unsent(id) => {
                    if let Err(error) = self.store.owe_again(id).await {
                        warn!(%error, "what came back is not sent again");
                    }
                }
                Output::Identified(message, is_program) => {
                    self.identified(message, is_program).await;
                }
                Output::Correct { id, draft } => self.correct(id, draft, holding).await,
                Output::Retract { sender, recipient, id } => {
                    let now = clock::timestamp();
                    match self.store.retract(&sender, &recipient, id, now).await {
                        // What it would say is not true any more.
                        Ok(true) => drop(self.orders.send(Order::CameOnline(recipient)).await),
                        Ok(false) => {}
                        Err(error) => warn!(%error, "a message was not taken back"),
                    }
                }
                Output::CameOnline(jid) => self.came_online(jid).await,
                Output::WentOffline(_) => {}
                Output::Petition(petition) if granting.len() >= GRANTING_MAX => {
                    let outcome = self.front_desk.puts_off(&petition);
                    self.gateway.handle(Input::Granted(&petition, &outcome), clock::now());
                }
                Output::Petition(petition) => {
                    let front_desk = self.front_desk.clone();
                    granting.spawn(async move {
                        let outcome = front_desk.grant(&petition).await;
                        (petition, outcome)
                    });
                }
                Output::Settled => {
                    info!("it is known who is online");
                    self.settled.send_replace(true);
                }
            }
        }
    }

    fn hold(&self, draft: Draft, holding: &mut Holding) {
        let room = if self.gateway.settled() { self.lines.available_permits() } else { 0 };
        let held = self.store.hold(draft.clone(), clock::timestamp(), room);
        holding.spawn(async move { (draft, held.await) });
    }

    async fn held(&mut self, draft: Draft, held: Result<Held, StoreError>) {
        match held {
            Ok(Held { duplicate: true, .. }) => {}
            Ok(Held { message, claim, .. }) => {
                self.gateway.handle(Input::Held(&draft, message), clock::now());
                info!(message_id = message.0, recipient = %Pii(&draft.recipient), "message held");
                if let Some(claim) = claim {
                    // A dialer that is gone is a program that ends; the lease brings the call back.
                    let _ = self.orders.send(Order::Dial(Box::new(claim))).await;
                }
            }
            Err(error) => {
                let no_room = match error {
                    StoreError::RecipientFull => NoRoom::Recipient,
                    StoreError::SenderFull => NoRoom::Sender,
                    _ => NoRoom::Store,
                };
                if no_room == NoRoom::Store {
                    warn!(%error, "a message was not held; its sender is told");
                } else {
                    // A flood would fill the log, too.
                    debug!(%error, "a message was not held; its sender is told");
                }
                self.gateway.handle(Input::NotHeld(&draft, no_room), clock::now());
            }
        }
    }

    async fn identified(&self, message: MessageId, is_program: bool) {
        let room = if self.gateway.settled() { self.lines.available_permits() } else { 0 };
        match self.store.identified(message, is_program, clock::timestamp(), room).await {
            Ok(Some(claim)) => drop(self.orders.send(Order::Dial(Box::new(claim))).await),
            Ok(None) => {}
            Err(error) => warn!(%error, "a message still waits to be told about"),
        }
    }

    async fn correct(&self, id: String, draft: Draft, holding: &mut Holding) {
        match self.store.correct(id, draft.clone(), clock::timestamp()).await {
            Ok(Corrected::Done { rings: false }) => {}
            Ok(Corrected::Done { rings: true }) => {
                drop(self.orders.send(Order::CameOnline(draft.recipient)).await);
            }
            Ok(Corrected::TooLate) => debug!("a correction came after the message was heard"),
            Ok(Corrected::NotHeld) => self.hold(draft, holding),
            Err(error) => warn!(%error, "a message was not corrected"),
        }
    }

    async fn came_online(&self, jid: BareJid) {
        match self.store.came_online(&jid, clock::timestamp()).await {
            Ok(0) => {}
            Ok(messages) => info!(recipient = %Pii(&jid), messages, "held messages are delivered"),
            Err(error) => {
                warn!(%error, "held messages were not delivered; they are at the next log-in")
            }
        }
        let _ = self.orders.send(Order::CameOnline(jid)).await;
    }

    fn learn(&mut self, news: News) {
        let now = clock::now();
        match news {
            News::Person(person) => self.gateway.handle(Input::Person(&person), now),
            News::Forgotten(jid, still_there) => {
                self.gateway.handle(Input::Forgotten(&jid, still_there.as_deref()), now);
            }
            News::Say(jid, words) => self.gateway.handle(Input::Say(&jid, &words), now),
        }
    }
}

/// Messages handed to the store and not yet durable. Beyond, the server keeps the rest; the store itself would refuse at
/// some hundred more, and 256 fill two of its commits.
const HOLDING_MAX: usize = 256;
/// Petitions under way: more are put off.
const GRANTING_MAX: usize = 256;
const IDLE: Duration = Duration::from_secs(3600);
