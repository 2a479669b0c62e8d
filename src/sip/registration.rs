//! A binding at the trunk's registrar, kept alive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::client_transaction::ClientTransaction;
use super::digest::Digest;
use super::header_value::{is_same_uri, parameter, uri};
use super::message::{Message, Method, Start, digits};
use super::message_builder::MessageBuilder;
use super::trunk::Trunk;
use super::via::LocalAddr;
use crate::backoff::Backoff;
use crate::seed::Seed;

/// Registers, refreshes before the binding ends, and tries again when refused.
///
/// Contract: `handle`, then `poll` until `None`, then sleep until `deadline` and hand in [`Input::Tick`].
///           The address that is bound is [`Trunk::from`].
/// Source:   RFC 3261 §10.2.
#[derive(Debug)]
pub struct Registration {
    trunk: Arc<Trunk>,
    local_addr: LocalAddr,
    seed: Seed,
    call_id: String,
    local_tag: String,
    expires_s: u32,
    digest: Digest,
    cseq: u32,
    pending: Option<PendingRegister>,
    /// The address bound before, which nothing is to reach any more.
    stale: Option<String>,
    state: State,
    again: Option<Instant>,
    /// When [`Output::KeepOpen`] is due.
    keep_open: Option<Instant>,
    failures: u32,
    leaving: bool,
    outputs: VecDeque<Output>,
}

/// How the binding stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The first answer is still to come.
    #[default]
    Trying,
    /// Calls may come and go.
    Registered,
    /// The registrar said no.
    Refused {
        /// 300 to 699.
        status: u16,
    },
    /// The registrar does not answer.
    Silent,
    /// Given up by us.
    Left,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'b> {
    /// A message of this Call-ID came in.
    Received(&'b [u8]),
    /// Requests leave from this address now: the route before is gone, or our address was not what was thought.
    Moved(LocalAddr),
    /// The binding is to be given up.
    Leave,
    /// The deadline has come.
    Tick,
}

/// What to do, and what there is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to the trunk.
    Send(Vec<u8>),
    /// Send something that keeps the way to us open through a NAT.
    KeepOpen,
    /// The state is another now.
    Changed(State),
    /// The binding is given up, or the registrar does not care. Last.
    Done,
}

impl Registration {
    /// Begins; the first REGISTER is the first output.
    pub fn new(trunk: Arc<Trunk>, local_addr: LocalAddr, mut seed: Seed, now: Instant) -> Self {
        let mut registration = Self {
            call_id: seed.token(),
            local_tag: seed.token(),
            digest: Digest::new(trunk.credentials.as_ref()),
            trunk,
            local_addr,
            stale: None,
            seed,
            expires_s: EXPIRES_S,
            cseq: 0,
            pending: None,
            state: State::default(),
            again: None,
            keep_open: None,
            failures: 0,
            leaving: false,
            outputs: VecDeque::new(),
        };
        registration.send(&[], now);
        registration
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) {
        match input {
            Input::Received(bytes) => match Message::parse(bytes) {
                Ok(message) => self.receive(&message, now),
                Err(error) => debug!(%error, "message dropped"),
            },
            Input::Moved(local_addr) if !self.leaving && self.state != State::Left => {
                let before =
                    std::mem::replace(&mut self.local_addr, local_addr).contact(self.trunk.user());
                self.stale = (before != local_addr.contact(self.trunk.user())).then_some(before);
                self.begin(now);
            }
            Input::Moved(_) => {}
            Input::Leave if self.state == State::Registered => {
                self.leaving = true;
                self.begin(now);
            }
            Input::Leave => self.leave(),
            Input::Tick => self.tick(now),
        }
    }

    /// The next thing to do, until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        let send = self.pending.as_mut().and_then(|pending| pending.transaction.poll());
        self.outputs.extend(send.map(Output::Send));
        self.outputs.pop_front()
    }

    /// Tells when [`Input::Tick`] is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let pending = self.pending.as_ref().and_then(|pending| pending.transaction.deadline());
        pending.into_iter().chain(self.again).chain(self.keep_open).min()
    }

    /// The Call-ID, under which answers come in.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// How the binding stands.
    pub fn state(&self) -> State {
        self.state
    }

    fn receive(&mut self, response: &Message, now: Instant) {
        let Start::Response { status } = response.start else {
            return debug!("request to a registration dropped");
        };
        let Some(pending) =
            self.pending.as_mut().filter(|pending| pending.transaction.owns(response))
        else {
            return debug!(status, "response without a request dropped");
        };
        if !pending.transaction.receive(response, status, now) {
            return;
        }
        match status {
            100..=199 => {}
            _ if self.leaving && !matches!(status, 401 | 407) => self.leave(),
            200..=299 => self.bound(response, now),
            401 | 407 => match self.digest.answer(response, &pending.request) {
                Some(headers) => self.send(&headers, now),
                None if self.leaving => self.leave(),
                None => self.failed(State::Refused { status }, None, now),
            },
            423 => match response.header("Min-Expires").and_then(digits) {
                Some(least) if least > self.expires_s && least <= EXPIRES_S_MAX => {
                    self.expires_s = least;
                    self.begin(now);
                }
                Some(_) | None => self.failed(State::Refused { status }, None, now),
            },
            _ => {
                let wait = response.header("Retry-After").and_then(|value| {
                    let seconds = value.split([' ', ';', '(']).next()?;
                    digits(seconds).filter(|_| !seconds.is_empty())
                });
                self.failed(State::Refused { status }, wait, now);
            }
        }
    }

    /// Source: RFC 3261 §10.2.1.1, §10.2.4: the registrar decides how long; it may list other bindings too.
    fn bound(&mut self, response: &Message, now: Instant) {
        self.stale = None;
        let ours = self.local_addr.contact(self.trunk.user());
        let is_ours = |contact: &&str| uri(contact).is_some_and(|uri| is_same_uri(uri, &ours));
        let expires = |contact: &str| parameter(contact, "expires").and_then(digits);
        // A registrar that has written our contact otherwise may mean any of them.
        let mine = match response.items("Contact").find(is_ours) {
            Some(mine) => expires(mine),
            None => response.items("Contact").filter_map(expires).min(),
        };
        let granted = mine
            .or_else(|| response.header("Expires").and_then(digits))
            .unwrap_or(self.expires_s)
            .clamp(EXPIRES_S_MIN, EXPIRES_S_MAX);
        // Between 75 and 90 % of the time, so that many trunks do not refresh in step.
        let per_mille = 750 + self.seed.below(150);
        self.again = Some(now + Duration::from_millis(u64::from(granted) * per_mille));
        self.failures = 0;
        self.keep_open_later(now);
        self.change(State::Registered);
    }

    /// A NAT forgets a silent flow of datagrams within half a minute; connections are pinged by themselves.
    ///
    /// Source: RFC 5626 §4.4.2 (how often). COMPAT(pjsip and others): by empty lines, as over connections, which every
    ///         registrar passes over, and not by STUN.
    fn keep_open_later(&mut self, now: Instant) {
        let pause = KEEP_OPEN_MIN + Duration::from_millis(self.seed.below(KEEP_OPEN_SPREAD_MS));
        self.keep_open = (!self.local_addr.transport.is_reliable()).then_some(now + pause);
    }

    fn failed(&mut self, state: State, wait_s: Option<u32>, now: Instant) {
        let backoff = BACKOFF.jittered(self.failures, &mut self.seed);
        self.failures = self.failures.saturating_add(1);
        let pending = Duration::from_secs(wait_s.unwrap_or(0).min(EXPIRES_S_MAX).into());
        self.again = Some(now + backoff.max(pending));
        self.change(state);
    }

    fn tick(&mut self, now: Instant) {
        let mut silent = false;
        if let Some(pending) = &mut self.pending {
            pending.transaction.tick(now);
            silent = pending.transaction.has_timed_out() && self.again.is_none();
        }
        if silent {
            if self.leaving {
                return self.leave();
            }
            self.failed(State::Silent, None, now);
        }
        if self.again.is_some_and(|again| now >= again) {
            self.begin(now);
        }
        if self.keep_open.is_some_and(|due| now >= due) {
            self.outputs.push_back(Output::KeepOpen);
            self.keep_open_later(now);
        }
    }

    /// Asks anew, not knowing yet whether there will be a challenge.
    fn begin(&mut self, now: Instant) {
        self.digest = Digest::new(self.trunk.credentials.as_ref());
        self.send(&[], now);
    }

    fn send(&mut self, authorization: &[(&'static str, String)], now: Instant) {
        self.again = None;
        self.cseq += 1;
        let expires_s = if self.leaving { 0 } else { self.expires_s };
        let branch = format!("z9hG4bK{}", self.seed.token());
        let address = &self.trunk.from;
        let mut builder =
            MessageBuilder::request(&Method::Register, &format!("sip:{}", self.trunk.domain()))
                .header("Via", &self.local_addr.via(&branch))
                .header("Max-Forwards", "70");
        if let Some(route) = self.trunk.route() {
            builder = builder.header("Route", &route);
        }
        let ours = self.local_addr.contact(self.trunk.user());
        let stale = self.stale.iter().map(|stale| format!(", <{stale}>;expires=0"));
        let contacts: String = std::iter::once(format!("<{ours}>")).chain(stale).collect();
        builder = builder
            .header("From", &format!("<{address}>;tag={}", self.local_tag))
            .header("To", &format!("<{address}>"))
            .header("Call-ID", &self.call_id)
            .header("CSeq", &format!("{} REGISTER", self.cseq))
            .header("Contact", &contacts)
            .header("Expires", &expires_s.to_string())
            .about_us("User-Agent");
        for (name, value) in authorization {
            builder = builder.header(name, value);
        }
        let bytes = builder.end();
        let Ok(request) = Message::parse(&bytes) else {
            unreachable!("hosts and callers are checked where they are made")
        };
        let transport = self.local_addr.transport;
        let transaction = ClientTransaction::new(Method::Register, branch, bytes, transport, now);
        self.pending = Some(PendingRegister { request, transaction });
    }

    fn leave(&mut self) {
        self.again = None;
        self.keep_open = None;
        self.pending = None;
        self.change(State::Left);
        self.outputs.push_back(Output::Done);
    }

    fn change(&mut self, state: State) {
        if std::mem::replace(&mut self.state, state) != state {
            self.outputs.push_back(Output::Changed(state));
        }
    }
}

/// The REGISTER on its way.
#[derive(Debug)]
struct PendingRegister {
    request: Message,
    transaction: ClientTransaction,
}

const EXPIRES_S: u32 = 3600;
const EXPIRES_S_MIN: u32 = 10;
const EXPIRES_S_MAX: u32 = 86_400;
const KEEP_OPEN_MIN: Duration = Duration::from_secs(24);
const KEEP_OPEN_SPREAD_MS: u64 = 5000;
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(480));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now;
    use crate::sip::trunk::Transport;

    #[test]
    fn a_binding_is_kept_and_a_refusal_is_tried_again_later() {
        // Each word is what the registrar answers; the number after @ is the second since the last word.
        let cases = [
            ("is bound", "200:60", "REGISTER=3600 Registered"),
            ("refreshes", "200:60 @55 200:60", "REGISTER=3600 Registered open REGISTER=3600"),
            ("is behind a NAT", "200:3600 @23 @6 @23 @6", "REGISTER=3600 Registered open open"),
            ("asks for longer", "423:7200 200:7200", "REGISTER=3600 REGISTER=7200 Registered"),
            ("asks for longer than a day", "423:90000", "REGISTER=3600 Refused423"),
            ("challenges", "401:one 200:60", "REGISTER=3600 REGISTER=3600+auth Registered"),
            (
                "knows another password",
                "401:one 401:two @1",
                "REGISTER=3600 REGISTER=3600+auth Refused401",
            ),
            ("says no", "403: @3", "REGISTER=3600 Refused403"),
            ("says no, is pending again", "403: @9", "REGISTER=3600 Refused403 REGISTER=3600"),
            ("says when", "503:120 @100 @21", "REGISTER=3600 Refused503 REGISTER=3600"),
            ("is silent", "@1 @32", "REGISTER=3600 REGISTER=3600 Silent"),
            ("lets us go", "200:60 leave 200:0", "REGISTER=3600 Registered REGISTER=0 Left Done"),
            (
                "sees us elsewhere",
                "200:60 move 200:60 @55 200:60",
                "REGISTER=3600 Registered REGISTER=3600-1 open REGISTER=3600",
            ),
            (
                "hides our contact",
                "200:<sip:b@10.0.0.9>;expires=60,<sip:c@x>;expires=90 @55",
                "REGISTER=3600 Registered open REGISTER=3600",
            ),
            ("never had us", "leave", "REGISTER=3600 Left Done"),
        ];
        for (registrar, timeline, expected) in cases {
            let mut time = now();
            let mut us = Registration::new(
                Arc::new(Trunk::example()),
                LocalAddr::direct(Transport::Udp, "192.0.2.2:5060".parse().unwrap()),
                Seed::fixed(1),
                time,
            );
            let (mut told, mut last) = (Vec::new(), Vec::new());
            tell(&mut us, &mut told, &mut last);
            for word in timeline.split(' ') {
                if let Some(seconds) = word.strip_prefix('@') {
                    time += Duration::from_secs(seconds.parse().unwrap());
                    us.handle(Input::Tick, time);
                } else if word == "move" {
                    let local_addr =
                        LocalAddr::direct(Transport::Udp, "192.0.2.3:5060".parse().unwrap());
                    us.handle(Input::Moved(local_addr), time);
                } else if word == "leave" {
                    us.handle(Input::Leave, time);
                } else {
                    us.handle(Input::Received(&answer(&last, word)), time);
                }
                tell(&mut us, &mut told, &mut last);
            }
            assert_eq!(told.join(" "), expected, "the registrar {registrar}");
        }
    }

    fn tell(us: &mut Registration, told: &mut Vec<String>, last: &mut Vec<u8>) {
        while let Some(output) = us.poll() {
            told.push(match output {
                Output::Send(bytes) => {
                    let message = Message::parse(&bytes).unwrap();
                    let auth = if message.header("Authorization").is_some() { "+auth" } else { "" };
                    let freed = message.header("Contact").unwrap().matches("expires=0").count();
                    let freed = if freed > 0 { format!("-{freed}") } else { String::new() };
                    *last = bytes;
                    format!("REGISTER={}{freed}{auth}", message.header("Expires").unwrap())
                }
                Output::KeepOpen => "open".to_owned(),
                Output::Changed(State::Refused { status }) => format!("Refused{status}"),
                Output::Changed(state) => format!("{state:?}"),
                Output::Done => "Done".to_owned(),
            });
        }
    }

    fn answer(request: &[u8], word: &str) -> Vec<u8> {
        let (status, value) = word.split_once(':').unwrap();
        let request = Message::parse(request).unwrap();
        let builder = request.respond(status.parse().unwrap(), "registrar");
        let contact = request.items("Contact").next().unwrap();
        let builder = match status {
            "200" if value.starts_with('<') => builder.header("Contact", value),
            "200" => builder
                .header("Contact", &format!("<sip:other@x>;expires=9, {contact};expires={value}")),
            "401" => builder
                .header("WWW-Authenticate", &format!("Digest realm=\"r\", nonce=\"{value}\"")),
            "423" => builder.header("Min-Expires", value),
            _ if value.is_empty() => builder,
            _ => builder.header("Retry-After", &format!("{value} (later)")),
        };
        builder.end()
    }
}
