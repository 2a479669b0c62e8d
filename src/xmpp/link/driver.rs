//! Drives the stream: reads and writes at once, pings after a silence, connects again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use minidom::Element;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_xmpp::xmlstream::ReadError;
use tracing::{debug, info};
use xmpp_parsers::jid::BareJid;

use super::reconnect::{Lost, Reconnect};
use super::{ComponentStream, LinkEvent, LinkSettings, open, stream_error};
use crate::clock::now;
use crate::seed::Seed;
use crate::xmpp::guard::Guard;
use crate::xmpp::stanza::{self, ping_to_ourselves};

/// What [`super::Link`] asks of the driver.
#[derive(Debug)]
pub(super) enum LinkCommand {
    Send(Element),
    /// Send these, then tell whether the server has read them.
    Deliver(Vec<Element>, oneshot::Sender<bool>),
    Close,
}

/// The task that owns the stream.
pub(super) struct LinkDriver {
    settings: LinkSettings,
    /// `component.jid`, as servers write it.
    jid: Option<BareJid>,
    reconnect: Reconnect,
    seed: Seed,
    commands: mpsc::Receiver<LinkCommand>,
    events: mpsc::Sender<LinkEvent>,
    incoming: Incoming,
    /// To be written, in this order.
    outgoing: VecDeque<Element>,
    /// The ids of pings sent or about to be, each with the sender of its receipt.
    receipts: VecDeque<(String, oneshot::Sender<bool>)>,
    closing: bool,
}

impl LinkDriver {
    pub(super) fn new(
        settings: LinkSettings,
        reconnect: Reconnect,
        seed: Seed,
        commands: mpsc::Receiver<LinkCommand>,
        events: mpsc::Sender<LinkEvent>,
    ) -> Self {
        Self {
            jid: BareJid::new(&settings.jid).ok(),
            settings,
            reconnect,
            seed,
            commands,
            events,
            incoming: Incoming::default(),
            outgoing: VecDeque::new(),
            receipts: VecDeque::new(),
            closing: false,
        }
    }

    /// Runs until the link is closed or its events have no receiver any more.
    pub(super) async fn run(mut self, mut stream: ComponentStream) {
        loop {
            info!(jid = self.settings.jid, "link up");
            self.incoming.push(LinkEvent::Up, 0);
            let lost = self.drive(&mut stream).await;
            self.discard_outgoing();
            if self.closing {
                // Whether the server reads the end of the stream does not matter.
                let _ = timeout(super::SHUTDOWN_WAIT, stream.shutdown()).await;
                return;
            }
            drop(stream);
            self.incoming.push(LinkEvent::Down, 0);
            let pause = self.reconnect.after(&lost);
            stream = match self.reconnect(pause).await {
                Some(stream) => stream,
                None => return,
            };
        }
    }

    /// Carries stanzas both ways until the stream is lost or to be closed.
    async fn drive(&mut self, stream: &mut ComponentStream) -> Lost {
        let mut counted = Counted::default();
        let mut written = now();
        let up_since = now();
        let mut writes_first = false;
        // A handle of its own, so that waiting for room does not borrow the driver.
        let events = self.events.clone();
        loop {
            if self.closing && self.outgoing.is_empty() {
                return Lost::Closed;
            }
            if self.outgoing.is_empty() {
                written = now();
            }
            let reads = self.incoming.has_room();
            writes_first = !writes_first;
            tokio::select! {
                step = step(stream, &mut self.outgoing, reads, writes_first) => match step {
                    StreamStep::Read(Ok(element)) => {
                        if let Some(condition) = stream_error(&element) {
                            return Lost::StreamError(condition.to_owned());
                        }
                        self.receive(element, counted.passed(stream.get_stream()));
                    }
                    StreamStep::Read(Err(ReadError::SoftTimeout)) => self.send_keepalive(),
                    StreamStep::Read(Err(ReadError::ParseError(_))) => debug!("stanza not read"),
                    StreamStep::Read(Err(ReadError::HardError(error)))
                    | StreamStep::Written(Err(error)) => return Lost::Broken(error.to_string()),
                    StreamStep::Read(Err(ReadError::StreamFooterReceived)) | StreamStep::Ended => {
                        return Lost::Closed;
                    }
                    StreamStep::Written(Ok(())) => written = now(),
                },
                command = self.commands.recv(), if self.outgoing.is_empty() && !self.closing => {
                    self.handle(command);
                }
                permit = events.reserve(), if !self.incoming.is_empty() => {
                    match (permit, self.incoming.pop()) {
                        (Ok(permit), Some(event)) => permit.send(event),
                        (Err(_), _) => self.closing = true,
                        (_, None) => unreachable!("the arm waits only while there is an event"),
                    }
                }
                () = sleep_until((written + STALLED).into()), if !self.outgoing.is_empty() => {
                    return Lost::Broken("the server has stopped reading".to_owned());
                }
            }
            counted.log_dropped(stream.get_stream());
            if now().duration_since(up_since) > STEADY {
                self.reconnect.reset();
            }
        }
    }

    fn send_keepalive(&mut self) {
        let id = format!("{KEEPALIVE}{}", self.seed.token());
        self.outgoing.push_back(ping_to_ourselves(&self.settings.jid, &id));
    }

    fn handle(&mut self, command: Option<LinkCommand>) {
        match command {
            Some(LinkCommand::Send(stanza)) => self.outgoing.push_back(stanza),
            Some(LinkCommand::Deliver(stanzas, receipt)) => {
                let id = format!("{RECEIPT}{}", self.seed.token());
                self.outgoing.extend(stanzas);
                self.outgoing.push_back(ping_to_ourselves(&self.settings.jid, &id));
                // A sender that has stopped waiting needs no receipt.
                self.receipts.retain(|(_, waiting)| !waiting.is_closed());
                self.receipts.push_back((id, receipt));
            }
            Some(LinkCommand::Close) | None => self.closing = true,
        }
    }

    /// Passes a stanza on, unless it is a ping of ours that came back.
    fn receive(&mut self, stanza: Element, bytes: u64) {
        let id = stanza.attr("id").unwrap_or_default();
        if !self.is_pong(&stanza) {
            return self.incoming.push(LinkEvent::Stanza(stanza), bytes);
        }
        // Pings come back in the order they went; each confirms all before it.
        if let Some(at) = self.receipts.iter().position(|(expected, _)| expected == id) {
            for (_, receipt) in self.receipts.drain(..=at) {
                let _ = receipt.send(true);
            }
        }
    }

    /// Whether this is a ping of ours, or its answer. The server vouches for `from`: an IQ of somebody else may bear any
    /// id, and is to be answered.
    fn is_pong(&self, stanza: &Element) -> bool {
        let id = stanza.attr("id").unwrap_or_default();
        stanza.name() == "iq"
            && (id.starts_with(RECEIPT) || id.starts_with(KEEPALIVE))
            // A server that answers by itself does so from the address with the resource.
            && stanza::from(stanza).map(|from| from.to_bare()) == self.jid
    }

    fn discard_outgoing(&mut self) {
        self.outgoing.clear();
        for (_, receipt) in self.receipts.drain(..) {
            let _ = receipt.send(false);
        }
    }

    /// Connects again after a pause. `None` when the link is to be closed.
    async fn reconnect(&mut self, mut pause: Duration) -> Option<ComponentStream> {
        loop {
            self.while_down(sleep(pause)).await?;
            let settings = self.settings.clone();
            match self.while_down(open(&settings)).await? {
                Ok(stream) => return Some(stream),
                Err(error) => pause = self.reconnect.after(&Lost::Refused(error)),
            }
        }
    }

    /// Waits for `work`; meanwhile passes on what was read before and refuses what cannot be sent.
    async fn while_down<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                command = self.commands.recv() => match command {
                    Some(LinkCommand::Send(_)) => debug!("stanza dropped while the link is down"),
                    Some(LinkCommand::Deliver(_, receipt)) => drop(receipt.send(false)),
                    Some(LinkCommand::Close) | None => return None,
                },
                permit = self.events.reserve(), if !self.incoming.is_empty() => {
                    permit.ok()?.send(self.incoming.pop()?);
                }
            }
        }
    }
}

/// What the guard of one stream had counted when it was last looked at.
#[derive(Default)]
struct Counted {
    dropped: u64,
    passed: u64,
}

impl Counted {
    /// The bytes that the parser has read since.
    fn passed<Io>(&mut self, guard: &Guard<Io>) -> u64 {
        let before = std::mem::replace(&mut self.passed, guard.passed());
        self.passed - before
    }

    fn log_dropped<Io>(&mut self, guard: &Guard<Io>) {
        let before = std::mem::replace(&mut self.dropped, guard.dropped());
        if self.dropped > before {
            debug!(stanzas = self.dropped - before, "stanzas beyond the limits dropped");
        }
    }
}

/// Events not yet taken by the gateway.
#[derive(Default)]
struct Incoming {
    /// With the bytes that each took on the wire.
    events: VecDeque<(LinkEvent, u64)>,
    bytes: u64,
}

impl Incoming {
    fn has_room(&self) -> bool {
        self.events.len() < INCOMING_MAX && self.bytes < INCOMING_BYTES_MAX
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn push(&mut self, event: LinkEvent, bytes: u64) {
        self.bytes += bytes;
        self.events.push_back((event, bytes));
    }

    fn pop(&mut self) -> Option<LinkEvent> {
        let (event, bytes) = self.events.pop_front()?;
        self.bytes -= bytes;
        Some(event)
    }
}

enum StreamStep {
    Read(Result<Element, ReadError>),
    Written(io::Result<()>),
    Ended,
}

/// Waits until a stanza was read or written. A side that is ready waits for the other at most once.
async fn step(
    stream: &mut ComponentStream,
    outgoing: &mut VecDeque<Element>,
    reads: bool,
    writes_first: bool,
) -> StreamStep {
    poll_fn(|cx| {
        if writes_first && let Poll::Ready(written) = write(stream, outgoing, cx) {
            return Poll::Ready(StreamStep::Written(written));
        }
        if reads && let Poll::Ready(read) = Pin::new(&mut *stream).poll_next(cx) {
            return Poll::Ready(read.map_or(StreamStep::Ended, StreamStep::Read));
        }
        write(stream, outgoing, cx).map(StreamStep::Written)
    })
    .await
}

/// Ready when a stanza was taken from the queue; also pushes on what was taken before.
fn write(
    stream: &mut ComponentStream,
    outgoing: &mut VecDeque<Element>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let mut stream = Pin::new(stream);
    let Some(stanza) = outgoing.front() else {
        return match Sink::<&Element>::poll_flush(stream, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        };
    };
    ready!(Sink::<&Element>::poll_ready(stream.as_mut(), cx))?;
    let written = Sink::<&Element>::start_send(stream, stanza);
    outgoing.pop_front();
    Poll::Ready(written)
}

const RECEIPT: &str = "receipt-";
const KEEPALIVE: &str = "keepalive-";
/// Stanzas read and not yet taken. Beyond, nothing more is read.
const INCOMING_MAX: usize = 1000;
/// The same, in bytes on the wire: as a tree, a stanza can take sixty times as much.
const INCOMING_BYTES_MAX: u64 = 256 * 1024;
/// A stream that has been up for so long resets the pauses.
const STEADY: Duration = Duration::from_secs(60);
/// A server that reads nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::link::LinkTimeouts;

    #[tokio::test]
    async fn an_iq_of_a_user_is_no_pong_whatever_its_id() {
        let (_commands, commands) = mpsc::channel(1);
        let (events, _events) = mpsc::channel(1);
        let settings = LinkSettings {
            jid: "phone.example.org".into(),
            server: String::new(),
            secret: "secret".into(),
            timeouts: LinkTimeouts::default(),
        };
        let reconnect = Reconnect::new(settings.timeouts, Seed::fixed(1));
        let mut driver = LinkDriver::new(settings, reconnect, Seed::fixed(2), commands, events);
        for (from, id, is_passed_on) in [
            ("phone.example.org", "receipt-x", false),
            ("phone.example.org", "keepalive-x", false),
            ("eve@example.org/x", "receipt-x", true),
            ("eve@example.org/x", "keepalive-x", true),
            ("phone.example.org", "other", true),
        ] {
            let iq = stanza::stanza("iq", &[("type", "get"), ("id", id), ("from", from)]);
            driver.receive(iq, 0);
            assert_eq!(driver.incoming.pop().is_some(), is_passed_on, "{from} {id}");
        }
    }
}
