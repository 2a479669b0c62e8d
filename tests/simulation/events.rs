//! What will happen in a world, and who is told of it.

use std::time::Duration;

use jiff::SignedDuration;
use minidom::Element;
use offhook::component::{BatchId, DeliveryEvent, Input, LinkInput};
use offhook::notification::{AttemptId, RecordingId};

use crate::far_end::PhoneStep;
use crate::lines::CallId;
use crate::world::World;

/// Something that will happen. A number in front is the run of the program, or the stream, that it belongs to.
#[derive(Debug)]
pub(crate) enum Event {
    /// The store's thread has a group together.
    StoreStep,
    /// The disk works again.
    DiskHeals,
    /// A stanza has come to the component.
    Arrives(u64, Element),
    /// A stanza of the component has come to the server.
    Leaves(u64, Element),
    /// The server has answered the ping of a batch.
    Pong(u64, BatchId),
    LinkUp,
    /// The server gives up a stream on which it has lost a stanza.
    StreamBreaks(u64),
    /// A call of the short model goes on.
    Call(u64, AttemptId),
    /// The INVITE of a call leaves.
    Dials(u64, CallId),
    /// A SIP message has come to the phone.
    ToPhone(u64, CallId, Vec<u8>),
    /// A SIP message of the phone has come to us.
    FromPhone(u64, CallId, Vec<u8>),
    /// The phone, its callee or the line between does something.
    Phone(u64, CallId, PhoneStep),
    /// A call looks what its requests to the store wait for.
    CallStores(u64, CallId),
    /// What became of a voice reply on its way.
    Delivery(u64, RecordingId, DeliveryEvent),
    /// Something that the seed has chosen.
    Chance,
    /// Two seconds after a person's presence has come in.
    IsSilent(u64, String),
    /// Two seconds after this call was to stop ringing.
    IsStopped(u64, CallId),
    /// A message that was read long enough ago to be held, refused or passed on.
    IsServed(u64, String),
    /// The machine's wall clock is set.
    ClockSet(SignedDuration),
    /// A refused message whose sender must know by now.
    IsRefused(u64, String),
}

impl World {
    // Long: one arm for each kind of event, all of them calls.
    pub(crate) fn carry_event(&mut self, event: Event) {
        let (run, stream) = (self.program.run, self.stream.number);
        match event {
            Event::StoreStep => self.store_step(),
            Event::DiskHeals => self.heal(),
            Event::Arrives(of, stanza) if of == stream && self.stream.is_up => {
                if self.program.reads {
                    self.takes(stanza);
                } else {
                    self.stream.unread.push_back(stanza);
                }
            }
            Event::Leaves(of, stanza) if of == stream => self.server_takes(of, &stanza),
            Event::Pong(of, batch) if of == stream => {
                self.tell(Input::Link(LinkInput::Batch(batch, true)));
            }
            Event::StreamBreaks(of) if of == stream => self.link_down(Duration::from_secs(3)),
            Event::LinkUp => self.link_up(),
            Event::Call(of, attempt) if of == run => self.call_goes_on(attempt),
            Event::Dials(of, call) if of == run => self.dials(call),
            Event::ToPhone(of, call, bytes) if of == run => self.phone_receives(call, &bytes),
            Event::FromPhone(of, call, bytes) if of == run => self.call_receives(call, &bytes),
            Event::Phone(of, call, step) if of == run => self.phone_steps(call, step),
            Event::CallStores(of, call) if of == run => self.call_stores(call),
            Event::Delivery(of, recording, event) if of == run => {
                self.tell(Input::Delivery(recording, event));
            }
            Event::Chance => self.chance(),
            Event::ClockSet(ahead) => self.sets_clock(ahead),
            Event::IsSilent(of, callee) if of == stream && !self.quiet => {
                self.check_silence(&callee);
            }
            Event::IsStopped(of, call) if of == run => self.check_stopped(call),
            Event::IsServed(of, id) if of == stream => self.check_served(&id),
            Event::IsRefused(of, id) if of == stream => self.check_refused(&id),
            Event::Arrives(..)
            | Event::Leaves(..)
            | Event::Pong(..)
            | Event::StreamBreaks(..)
            | Event::Call(..)
            | Event::Dials(..)
            | Event::ToPhone(..)
            | Event::FromPhone(..)
            | Event::Phone(..)
            | Event::CallStores(..)
            | Event::Delivery(..)
            | Event::IsSilent(..)
            | Event::IsStopped(..)
            | Event::IsServed(..)
            | Event::IsRefused(..) => {}
        }
    }
}

/// An event as the last steps show it.
pub(crate) fn told(event: &Event) -> String {
    let shown = |stanza: &Element| {
        let attr = |name| stanza.attr(name).unwrap_or("-").to_owned();
        let body = stanza.children().find(|it| it.name() == "body").map(Element::text);
        let (kind, id, from, to) = (attr("type"), attr("id"), attr("from"), attr("to"));
        format!("{} {kind} {id} {from} > {to} {}", stanza.name(), body.unwrap_or_default())
    };
    match event {
        Event::Arrives(stream, stanza) => format!("to us on {stream}: {}", shown(stanza)),
        Event::Leaves(stream, stanza) => format!("to the server on {stream}: {}", shown(stanza)),
        other => brief(&format!("{other:?}")),
    }
}

pub(crate) fn brief(line: &str) -> String {
    line.chars().take(200).collect()
}
