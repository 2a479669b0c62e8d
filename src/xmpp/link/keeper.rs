//! Keeps the stream up: reads and writes at once, asks after a silence, connects again.

use std::collections::VecDeque;
use std::fmt;
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
use tracing::{debug, info, warn};

use super::{ComponentStream, Event, LinkError, LinkSettings, Patience, open, stream_error};
use crate::clock::now;
use crate::seed::Seed;
use crate::xmpp::{ns, stanza};

/// What [`super::Link`] asks for.
#[derive(Debug)]
pub(super) enum Order {
    Send(Element),
    /// Send these, then tell whether the server has read them.
    Deliver(Vec<Element>, oneshot::Sender<bool>),
    Close,
}

/// The one owner of the stream.
pub(super) struct Keeper {
    settings: LinkSettings,
    backoff: Backoff,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
    incoming: Incoming,
    /// To be written, in this order.
    outgoing: VecDeque<Element>,
    /// Pings sent or about to be, and who waits for them.
    receipts: VecDeque<(String, oneshot::Sender<bool>)>,
    closing: bool,
}

impl Keeper {
    pub(super) fn new(
        settings: LinkSettings,
        backoff: Backoff,
        orders: mpsc::Receiver<Order>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            settings,
            backoff,
            orders,
            events,
            incoming: Incoming::default(),
            outgoing: VecDeque::new(),
            receipts: VecDeque::new(),
            closing: false,
        }
    }

    /// Runs until the link is closed or nobody takes its events any more.
    pub(super) async fn run(mut self, mut stream: ComponentStream) {
        loop {
            info!(jid = self.settings.jid, "link up");
            self.incoming.push(Event::Up, 0);
            let lost = self.keep(&mut stream).await;
            self.forget_what_is_unsaid();
            if self.closing {
                // Whether the server hears the goodbye does not matter.
                let _ = timeout(super::FAREWELL, stream.shutdown()).await;
                return;
            }
            drop(stream);
            self.incoming.push(Event::Down, 0);
            let pause = self.backoff.after(&lost);
            stream = match self.connect_again(pause).await {
                Some(stream) => stream,
                None => return,
            };
        }
    }

    /// Carries stanzas both ways until the stream is lost or to be closed.
    async fn keep(&mut self, stream: &mut ComponentStream) -> Lost {
        let (mut dropped, mut passed) = (0, 0);
        let mut written = now();
        let up_since = now();
        let mut writes_first = false;
        loop {
            if self.closing && self.outgoing.is_empty() {
                return Lost::Closed;
            }
            if self.outgoing.is_empty() {
                written = now();
            }
            let reads = self.incoming.has_room();
            writes_first = !writes_first;
            let happened = tokio::select! {
                turn = turn(stream, &mut self.outgoing, reads, writes_first) => Happened::Turn(turn),
                order = self.orders.recv(), if self.outgoing.is_empty() && !self.closing => {
                    Happened::Ordered(order)
                }
                permit = self.events.reserve(), if !self.incoming.is_empty() => {
                    match (permit, self.incoming.pop()) {
                        (Ok(permit), Some(event)) => permit.send(event),
                        (Err(_), _) => self.closing = true,
                        (_, None) => unreachable!("the arm waits only while there is an event"),
                    }
                    Happened::Passed
                }
                () = sleep_until((written + STALLED).into()), if !self.outgoing.is_empty() => {
                    Happened::Stalled
                }
            };
            match happened {
                Happened::Turn(Turn::Read(Ok(element))) => {
                    if let Some(condition) = stream_error(&element) {
                        return Lost::StreamError(condition.to_owned());
                    }
                    let passed_by_now = stream.get_stream().passed();
                    self.take(element, passed_by_now - passed);
                    passed = passed_by_now;
                }
                Happened::Turn(Turn::Read(Err(error))) => match error {
                    ReadError::SoftTimeout => {
                        let id = format!("{KEEPALIVE}{}", self.backoff.seed.token());
                        self.outgoing.push_back(ping(&self.settings.jid, &id));
                    }
                    ReadError::ParseError(_) => debug!("stanza not read"),
                    ReadError::HardError(error) => return Lost::Broken(error.to_string()),
                    ReadError::StreamFooterReceived => return Lost::Closed,
                },
                Happened::Turn(Turn::Ended) => return Lost::Closed,
                Happened::Turn(Turn::Written(Ok(()))) => written = now(),
                Happened::Turn(Turn::Written(Err(error))) => {
                    return Lost::Broken(error.to_string());
                }
                Happened::Ordered(order) => self.obey(order),
                Happened::Passed => {}
                Happened::Stalled => {
                    return Lost::Broken("the server has stopped reading".to_owned());
                }
            }
            let dropped_by_now = stream.get_stream().dropped();
            if dropped_by_now > dropped {
                debug!(stanzas = dropped_by_now - dropped, "hostile stanzas dropped");
                dropped = dropped_by_now;
            }
            if now().duration_since(up_since) > STEADY {
                self.backoff.reset();
            }
        }
    }

    fn obey(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Send(stanza)) => self.outgoing.push_back(stanza),
            Some(Order::Deliver(stanzas, receipt)) => {
                let id = format!("{RECEIPT}{}", self.backoff.seed.token());
                self.outgoing.extend(stanzas);
                self.outgoing.push_back(ping(&self.settings.jid, &id));
                // Whoever has given up waiting needs no place in the queue.
                self.receipts.retain(|(_, waiting)| !waiting.is_closed());
                self.receipts.push_back((id, receipt));
            }
            Some(Order::Close) | None => self.closing = true,
        }
    }

    /// Passes a stanza on, unless it is the answer to a ping of ours.
    fn take(&mut self, stanza: Element, bytes: u64) {
        let id = stanza.attr("id").unwrap_or_default();
        if stanza.name() != "iq" || !(id.starts_with(RECEIPT) || id.starts_with(KEEPALIVE)) {
            return self.incoming.push(Event::Stanza(stanza), bytes);
        }
        // Pings come back in the order they went; an answer vouches for all before it.
        if let Some(at) = self.receipts.iter().position(|(expected, _)| expected == id) {
            for (_, receipt) in self.receipts.drain(..=at) {
                let _ = receipt.send(true);
            }
        }
    }

    fn forget_what_is_unsaid(&mut self) {
        self.outgoing.clear();
        for (_, receipt) in self.receipts.drain(..) {
            let _ = receipt.send(false);
        }
    }

    /// `None` when the link is to be closed.
    async fn connect_again(&mut self, mut pause: Duration) -> Option<ComponentStream> {
        loop {
            self.meanwhile(sleep(pause)).await?;
            let settings = self.settings.clone();
            match self.meanwhile(open(&settings)).await? {
                Ok(stream) => return Some(stream),
                Err(error) => pause = self.backoff.after(&Lost::Refused(error)),
            }
        }
    }

    /// Waits for `work`, passing on what was read before and refusing what cannot be sent.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                order = self.orders.recv() => match order {
                    Some(Order::Send(_)) => debug!("stanza dropped while the link is down"),
                    Some(Order::Deliver(_, receipt)) => drop(receipt.send(false)),
                    Some(Order::Close) | None => return None,
                },
                permit = self.events.reserve(), if !self.incoming.is_empty() => {
                    permit.ok()?.send(self.incoming.pop()?);
                }
            }
        }
    }
}

/// Read, and not yet taken by the gateway.
#[derive(Default)]
struct Incoming {
    /// With the bytes that each took on the wire.
    events: VecDeque<(Event, u64)>,
    bytes: u64,
}

impl Incoming {
    fn has_room(&self) -> bool {
        self.events.len() < INCOMING_MAX && self.bytes < INCOMING_BYTES_MAX
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn push(&mut self, event: Event, bytes: u64) {
        self.bytes += bytes;
        self.events.push_back((event, bytes));
    }

    fn pop(&mut self) -> Option<Event> {
        let (event, bytes) = self.events.pop_front()?;
        self.bytes -= bytes;
        Some(event)
    }
}

enum Happened {
    Turn(Turn),
    Ordered(Option<Order>),
    Passed,
    Stalled,
}

enum Turn {
    Read(Result<Element, ReadError>),
    Written(io::Result<()>),
    Ended,
}

/// Waits until something was read or written. A side that is ready waits for the other at most once.
async fn turn(
    stream: &mut ComponentStream,
    outgoing: &mut VecDeque<Element>,
    reads: bool,
    writes_first: bool,
) -> Turn {
    poll_fn(|cx| {
        if writes_first && let Poll::Ready(written) = write(stream, outgoing, cx) {
            return Poll::Ready(Turn::Written(written));
        }
        if reads && let Poll::Ready(read) = Pin::new(&mut *stream).poll_next(cx) {
            return Poll::Ready(read.map_or(Turn::Ended, Turn::Read));
        }
        write(stream, outgoing, cx).map(Turn::Written)
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

/// Why the stream is gone, or did not come.
pub(super) enum Lost {
    Closed,
    Broken(String),
    StreamError(String),
    Refused(LinkError),
}

impl Lost {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(LinkError::Conflict { .. }))
            || matches!(self, Self::StreamError(condition) if condition == "conflict")
    }

    fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_for_the_operator())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the stream"),
            Self::Broken(says) => f.write_str(says),
            Self::StreamError(condition) => write!(f, "the server ended the stream: {condition}"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// Pauses between attempts: twice as long each time, never at the same moment as another's.
pub(super) struct Backoff {
    patience: Patience,
    seed: Seed,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(patience: Patience, seed: Seed) -> Self {
        Self { patience, seed, failures: 0 }
    }

    /// Tells why the link is down, and how long to wait before the next attempt.
    pub(super) fn after(&mut self, lost: &Lost) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let Patience { backoff_max, conflict, .. } = self.patience;
        let ceiling = FIRST_PAUSE.saturating_mul(1 << self.failures.min(12)).min(backoff_max);
        let pause = if lost.is_conflict() {
            conflict + self.below(conflict)
        } else if lost.is_for_the_operator() {
            backoff_max
        } else {
            ceiling / 2 + self.below(ceiling / 2)
        };
        warn!(because = %lost, next_try_ms = pause.as_millis() as u64, "link down");
        pause
    }

    fn reset(&mut self) {
        self.failures = 0;
    }

    fn below(&mut self, bound: Duration) -> Duration {
        Duration::from_millis(self.seed.below(bound.as_millis() as u64))
    }
}

/// A ping to ourselves: the server reads it after all that went before and hands it back, whatever hosts it serves.
fn ping(jid: &str, id: &str) -> Element {
    let mut ping = stanza::stanza("iq", &[("type", "get"), ("id", id), ("from", jid), ("to", jid)]);
    ping.append_child(Element::bare("ping", ns::PING));
    ping
}

const RECEIPT: &str = "receipt-";
const KEEPALIVE: &str = "keepalive-";
/// Stanzas read and not yet taken. Beyond, the server keeps the rest.
const INCOMING_MAX: usize = 1000;
/// The same, in bytes on the wire: as a tree, a stanza can take sixty times as much.
const INCOMING_BYTES_MAX: u64 = 256 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A stream that has held for so long was no accident.
const STEADY: Duration = Duration::from_secs(60);
/// A server that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_a_conflict_waits() {
        let mut backoff = Backoff::new(Patience::default(), Seed::fixed(1));
        let mut pause = |lost: &Lost| backoff.after(lost).as_secs_f32();
        let first = pause(&Lost::Closed);
        assert!((0.2..=0.5).contains(&first), "{first}");
        let later: Vec<_> = (0..20).map(|_| pause(&Lost::Closed)).collect();
        assert!(later.iter().all(|it| (0.5..=60.0).contains(it)), "{later:?}");
        assert!(later[12..].iter().all(|it| (30.0..=60.0).contains(it)), "{later:?}");
        for conflict in ["conflict", "conflict"] {
            let waits = pause(&Lost::StreamError(conflict.into()));
            assert!((30.0..=60.0).contains(&waits), "{waits}");
        }
        let (server, jid) = (String::new(), String::new());
        let refused = pause(&Lost::Refused(LinkError::WrongSecret { server, jid }));
        assert!(refused >= 60.0, "{refused}");
    }
}
