//! The session timer: a call whose far end is gone does not go on for ever.

use std::time::{Duration, Instant};

use super::{Ending, Invite, Output};
use crate::sip::offer_answer::{accept, reoffer};
use tracing::debug;

use crate::sip::header_value::parameter;
use crate::sip::message::{Message, digits};
use crate::sip::message_builder::MessageBuilder;

/// How long the session still holds, and who has to say that it goes on.
///
/// Source: RFC 4028 §7 (we refresh), §9 (the far end refreshes), §10 (what is due when).
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionTimer {
    interval_s: u32,
    /// When we say that it goes on; none if the far end does.
    refresh: Option<Instant>,
    ends: Instant,
}

impl SessionTimer {
    /// What a 2xx to a request of ours has agreed on; none if it speaks of no session timer.
    pub(super) fn agreed(answer: &Message, now: Instant) -> Option<Self> {
        let value = answer.header("Session-Expires")?;
        Some(Self::new(seconds(value)?, parameter(value, "refresher") != Some("uas"), now))
    }

    /// What the far end asks for in a re-INVITE or UPDATE.
    pub(super) fn requested(request: &Message, now: Instant) -> Option<Self> {
        let value = request.header("Session-Expires").or(request.header("x"))?;
        Some(Self::new(seconds(value)?, parameter(value, "refresher") == Some("uas"), now))
    }

    /// Tells whether a request asks for refreshing more often than we take part in.
    ///
    /// Source: RFC 4028 §9: then the answer is 422.
    pub(super) fn is_too_short(request: &Message) -> bool {
        let interval = request.header("Session-Expires").and_then(seconds);
        interval.is_some_and(|seconds| seconds < SHORTEST_S)
    }

    fn new(interval_s: u32, ours: bool, now: Instant) -> Self {
        let interval_s = interval_s.max(SHORTEST_S);
        let interval = Duration::from_secs(interval_s.into());
        let refresh = ours.then_some(now + interval / 2);
        // A far end that refreshes late is given up before it gives us up.
        let spare = Duration::from_secs(32).min(interval / 3);
        let ends = now + if ours { interval } else { interval - spare };
        Self { interval_s, refresh, ends }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Instant {
        self.refresh.map_or(self.ends, |refresh| refresh.min(self.ends))
    }

    /// Tells, once, that we have to refresh now.
    pub(super) fn is_to_be_refreshed(&mut self, now: Instant) -> bool {
        self.refresh.take_if(|refresh| now >= *refresh).is_some()
    }

    /// Tries again soon; the session ends when it would have.
    pub(super) fn try_again(&mut self, now: Instant) {
        self.refresh = Some(now + TRY_AGAIN);
    }

    pub(super) fn has_ended(&self, now: Instant) -> bool {
        now >= self.ends
    }

    /// What our request for going on says.
    pub(super) fn request_headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Supported", "timer".to_owned()),
            ("Session-Expires", format!("{};refresher=uac", self.interval_s)),
            ("Min-SE", SHORTEST_S.to_string()),
        ]
    }

    /// What our answer to the far end's request says.
    pub(super) fn answer(&self, builder: MessageBuilder) -> MessageBuilder {
        let refresher = if self.refresh.is_some() { "uas" } else { "uac" };
        builder
            .header("Require", "timer")
            .header("Session-Expires", &format!("{};refresher={refresher}", self.interval_s))
    }
}

impl Invite {
    /// Does what the session timer wants done by now.
    pub(super) fn keep_session(&mut self, now: Instant) {
        let Some(session) = &mut self.session else { return };
        let Some(fork) = self.forks.first_mut() else { return };
        if fork.refresh_is_unanswered() || session.has_ended(now) {
            debug!("session timer ran out");
            return self.hang_up_by_bye(now);
        }
        if session.is_to_be_refreshed(now) {
            let headers = session.request_headers();
            let version = self.sdp_version + 1;
            let sdp = reoffer(&self.plan.offer, version).unwrap_or_default();
            self.sdp_version = version;
            fork.refresh(headers, sdp, &self.plan, &mut self.seed, now);
        }
    }

    /// The far end has answered our refresh.
    ///
    /// Source: RFC 4028 §10: 408 and 481 end the dialog; after another refusal it is tried again while there is time.
    pub(super) fn refreshed(&mut self, response: &Message, status: u16, now: Instant) {
        match status {
            200..=299 => {
                self.session = SessionTimer::agreed(response, now);
                let sdp = response.sdp().map(|answer| accept(answer, &self.plan.offer));
                self.events.extend(sdp.and_then(Result::ok).map(Output::Reoffered));
            }
            408 | 481 => {
                if let Some(fork) = self.forks.first_mut() {
                    fork.is_over |= status == 481;
                }
                self.over(Ending::ByPeer, now);
            }
            _ => {
                // A request of the far end may have ended the timer meanwhile.
                let Some(session) = &mut self.session else { return };
                let longer = at_least(response).filter(|_| status == 422);
                session.interval_s = session.interval_s.max(longer.unwrap_or_default());
                session.try_again(now);
            }
        }
    }
}

/// The least that the far end takes part in, if that is no day.
pub(super) fn at_least(refusal: &Message) -> Option<u32> {
    refusal.header("Min-SE").and_then(seconds).filter(|seconds| *seconds <= LONGEST_S)
}

fn seconds(value: &str) -> Option<u32> {
    let written = value.split(';').next().unwrap_or_default().trim();
    digits(written).filter(|_| !written.is_empty())
}

/// What we ask for in an INVITE.
pub(super) const USUAL_S: u32 = 1800;
pub(super) const SHORTEST_S: u32 = 90;
const LONGEST_S: u32 = 86_400;
const TRY_AGAIN: Duration = Duration::from_secs(10);
