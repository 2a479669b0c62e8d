//! The stream between the program and its server.

use std::collections::VecDeque;
use std::time::Duration;

use minidom::Element;
use offhook::component::{BatchId, Input, LinkInput, Outgoing};

use crate::events::Event;
use crate::plants::Plant;
use crate::world::World;

#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Raised with each stream.
    pub(crate) number: u64,
    pub(crate) is_up: bool,
    /// On the way of the server to the component while it does not read.
    pub(crate) unread: VecDeque<Element>,
    arrives_at: Duration,
    leaves_at: Duration,
    /// Batches whose pong the server has lost.
    lost_pongs: Vec<BatchId>,
}

impl Stream {
    /// Whether the server is behind, in either direction.
    pub(crate) fn is_late(&self, at: Duration) -> bool {
        self.leaves_at.max(self.arrives_at) > at + Duration::from_secs(1)
    }
}

impl World {
    /// The component reads a stanza.
    pub(crate) fn takes(&mut self, stanza: Element) {
        // What comes back stays held, and is phoned about as before, whatever presence says.
        if stanza.name() == "message" && stanza.attr("type") == Some("error") {
            self.promises.is_seen_offline(stanza.attr("from").unwrap_or_default());
        }
        let kind = stanza.attr("type").map(str::to_owned);
        let from = stanza.attr("from").unwrap_or_default();
        let account = from.split('/').next().unwrap_or_default().to_owned();
        if stanza.name() == "presence" && kind.is_none() {
            self.promises.is_seen_online(&account, self.at());
            self.plan(Duration::from_secs(2), Event::IsSilent(self.stream.number, account));
        } else if stanza.name() == "presence" {
            self.promises.is_seen_offline(&account);
        } else if stanza.name() == "message"
            && let Some(id) = stanza.attr("id")
        {
            self.promises.is_read(id);
            if self.program.stops && self.has(Plant::SwallowsInAStop) {
                return;
            }
        }
        if self.program.is_deaf {
            return;
        }
        self.tell(Input::Link(LinkInput::Stanza(stanza)));
    }

    /// The server sends a stanza to the component, after all it has sent before.
    pub(crate) fn arrives(&mut self, stanza: Element) {
        if !self.stream.is_up {
            // A server bounces what it cannot hand on: the sender knows.
            return self.promises.is_bounced(stanza.attr("id").unwrap_or_default());
        }
        let pause = self.ms(40);
        self.stream.arrives_at = self.stream.arrives_at.max(self.at() + pause);
        let event = Event::Arrives(self.stream.number, stanza);
        self.plan_at(self.stream.arrives_at, event);
    }

    /// Sends what the component has for the stream.
    pub(crate) fn send_outgoing(&mut self) {
        let now = self.now();
        while let Some(outgoing) = self.program.component.poll_outgoing() {
            match outgoing {
                Outgoing::Stanza(stanza) if self.stream.is_up => self.leaves(stanza),
                Outgoing::Batch(id, stanzas) if self.stream.is_up => {
                    self.batch_leaves(stanzas);
                    self.pong(id);
                }
                // As the link does: what is sent while it is down is dropped, and a batch is known to be lost.
                Outgoing::Stanza(_) => {}
                Outgoing::Batch(id, _) => {
                    let lost = Input::Link(LinkInput::Batch(id, false));
                    self.program.component.handle(lost, now);
                }
            }
        }
    }

    fn batch_leaves(&mut self, mut stanzas: Vec<Element>) {
        if self.has(Plant::ReordersABatch) {
            stanzas.reverse();
        }
        stanzas.into_iter().for_each(|stanza| self.leaves(stanza));
    }

    fn pong(&mut self, id: BatchId) {
        let back = self.ms(40);
        self.stream.arrives_at = self.stream.arrives_at.max(self.stream.leaves_at + back);
        let at = self.stream.arrives_at;
        if !self.quiet && self.below(60) == 0 {
            // The pong is lost: the stream has lost its order, and breaks soon.
            let within = self.ms(60_000);
            self.stream.lost_pongs.push(id);
            return self.plan_at(at + within, Event::StreamBreaks(self.stream.number));
        }
        self.plan_at(at, Event::Pong(self.stream.number, id));
    }

    fn leaves(&mut self, stanza: Element) {
        for stanza in self.spoiled(stanza) {
            let pause = self.ms(40);
            self.stream.leaves_at = self.stream.leaves_at.max(self.at() + pause);
            let event = Event::Leaves(self.stream.number, stanza);
            self.plan_at(self.stream.leaves_at, event);
        }
    }

    pub(crate) fn server_takes(&mut self, stream: u64, stanza: &Element) {
        self.check_said(stanza);
        if self.server.bounces.ends_stream(stanza) {
            return self.link_down(Duration::from_secs(3));
        }
        let draw = |bound| self.seed.below(bound);
        if let Some((late, error)) = self.server.bounces.of(stanza, draw) {
            self.server.came.insert(stanza.attr("id").unwrap_or_default().to_owned());
            return self.plan(late, Event::Arrives(stream, error));
        }
        let answers = self.server.takes(stream, stanza);
        answers.into_iter().for_each(|answer| self.arrives(answer));
        self.answers_by_itself(stanza);
    }

    /// The server does nothing for a while; then it goes on where it was.
    pub(crate) fn server_freezes(&mut self) {
        let until = self.at() + self.ms(70_000);
        self.stream.arrives_at = self.stream.arrives_at.max(until);
        self.stream.leaves_at = self.stream.leaves_at.max(until);
        self.promises.is_disturbed();
    }

    /// The server starts anew: nobody is online any more, and nothing tells so.
    pub(crate) fn server_restarts(&mut self) {
        self.server.everybody_goes();
        let pause = self.ms(20_000);
        self.link_down(pause);
    }

    /// A stream on which something was lost breaks now, as nothing goes wrong later.
    pub(crate) fn settle_stream(&mut self) {
        if !self.stream.lost_pongs.is_empty() {
            self.link_down(Duration::from_secs(1));
        }
    }

    pub(crate) fn link_up(&mut self) {
        if self.program.closed || self.stream.is_up {
            return;
        }
        let at = self.at();
        self.stream.number += 1;
        (self.stream.is_up, self.stream.arrives_at, self.stream.leaves_at) = (true, at, at);
        self.tell(Input::Link(LinkInput::Up));
    }

    /// The stream is lost, and comes back after a while.
    pub(crate) fn link_down(&mut self, pause: Duration) {
        if !self.stream.is_up || self.quiet {
            return;
        }
        self.drop_stream();
        let batches = self.batches_under_way();
        self.tell(Input::Link(LinkInput::Down));
        for batch in batches {
            self.tell(Input::Link(LinkInput::Batch(batch, false)));
        }
        self.plan(pause, Event::LinkUp);
    }

    fn batches_under_way(&mut self) -> Vec<BatchId> {
        let stream = self.stream.number;
        let of = |event: &Event| match event {
            Event::Pong(on, batch) if *on == stream => Some(*batch),
            _ => None,
        };
        let mut known: Vec<_> = self.planned().filter_map(of).collect();
        // One whose pong was lost is lost with the stream, too.
        known.append(&mut self.stream.lost_pongs);
        known
    }

    /// What is in the sockets is gone with them.
    pub(crate) fn drop_stream(&mut self) {
        self.stream.is_up = false;
        self.stream.unread.clear();
        self.promises.all_are_seen_offline();
        self.promises.may_swallow();
        self.promises.is_disturbed();
    }

    /// The program has closed the stream in order: what it has written still comes to the server, and what it has not
    /// read is lost.
    pub(crate) fn close_stream(&mut self) {
        let stream = self.stream.number;
        for event in self.take_planned(|it| matches!(it, Event::Leaves(of, _) if *of == stream)) {
            self.carry_event(event);
        }
        let is_unread = |it: &Event| matches!(it, Event::Arrives(of, _) if *of == stream);
        for event in self.take_planned(is_unread) {
            if let Event::Arrives(_, stanza) = event {
                self.promises.is_bounced(stanza.attr("id").unwrap_or_default());
            }
        }
        let unread: Vec<_> = self.stream.unread.drain(..).collect();
        for stanza in unread {
            self.promises.is_bounced(stanza.attr("id").unwrap_or_default());
        }
    }
}
