//! A phone call that we make, over the first trunk that carries it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{Instrument, Span, info, warn};

use super::announcer::{MessageAnnouncer, PinCheck};
use super::driver::{FinishedCall, conduct};
use super::outcome::report;
use super::prepare::{Fallback, Preparation, PreparedCall, prepare};
use super::subject::CallSubject;
use super::{CallContext, Changes, Stop, span};
use crate::clock;
use crate::notification::verification::Code;
use crate::notification::{Attempt, Claim, Outcome};
use crate::phone_number::PhoneNumber;
use crate::script::prompt::Prompts;
use crate::script::{CallFlow, Opening};
use crate::sip::invite::Invite;
use crate::sip::transport::Route;
use crate::sip::trunk::Trunk;
use crate::trunks::selector::TrunkReport;

/// Places one call and returns what became of it.
///
/// [`Call`](super::machine::Call) decides everything; this carries bytes, audio and time to and from it.
///
/// `changes` tells which messages were taken back or corrected since.
///
/// Contract: never drop this future to end a call. Send a [`Stop`] and await the attempt, so that the callee
///           gets a BYE or CANCEL and no answer is lost.
/// Errors:   none. What goes wrong is an outcome.
pub async fn place(
    claim: Claim,
    context: &Arc<CallContext>,
    mut stop: watch::Receiver<Stop>,
    mut changes: Changes,
) -> Attempt {
    let announcer =
        Arc::new(MessageAnnouncer { callee: claim.callee.clone(), settings: context.settings() });
    let subject = CallSubject::Messages {
        attempt: claim.attempt,
        announcer: announcer.clone(),
        since: claim.messages.last().map(|message| message.received),
    };
    let opening = if claim.continuing { Opening::Continued } else { Opening::New };
    let pin = if claim.pin_locked { PinCheck::Locked } else { PinCheck::Due };
    let flow = announcer.flow(&claim.messages, opening, pin);
    place_over_trunks(&claim.number, subject, flow, context, (&mut stop, &mut changes)).await
}

/// Phones a number to speak a code there, and returns what became of it. `domain`: in whose name.
///
/// Contract: as [`place`]. Before the code is spoken it is durable that it opens something.
pub async fn place_verification(
    code: &Code,
    prompts: Prompts,
    domain: String,
    context: &Arc<CallContext>,
    mut stop: watch::Receiver<Stop>,
) -> Attempt {
    let preroll = context.settings().script.preroll;
    let flow = CallFlow::verification(prompts, &domain, &code.digits, preroll, VERIFICATION_MAX);
    let subject = CallSubject::Verification(code.id);
    let (_, mut changes) = mpsc::unbounded_channel();
    place_over_trunks(&code.number, subject, flow, context, (&mut stop, &mut changes)).await
}

async fn place_over_trunks(
    number: &PhoneNumber,
    subject: CallSubject,
    mut flow: CallFlow,
    context: &Arc<CallContext>,
    (stop, changes): (&mut watch::Receiver<Stop>, &mut Changes),
) -> Attempt {
    if !context.settings().policy.may_dial(number) {
        warn!("number outside dial.allow and dial.types was not dialled");
        return Attempt::without_invite(Outcome::WrongNumber);
    }
    let mut attempt = Attempt::without_invite(Outcome::TrunkFailed);
    let mut tried = vec![];
    loop {
        let slot = tokio::select! {
            slot = async {
                context.engine.until_calm().await;
                context.trunk_pool.take(number, &tried).await
            } => slot,
            stop = stopped(stop) => return Attempt::without_invite(match stop {
                Stop::ShuttingDown => Outcome::Interrupted,
                Stop::CameOnline | Stop::Withdrawn | Stop::None => Outcome::Cancelled,
            }),
        };
        let slot = match slot {
            Ok(slot) => slot,
            Err(no_trunk) => {
                attempt.retry_after = attempt.retry_after.max(no_trunk.usable_in);
                return attempt;
            }
        };
        let trunk = slot.trunk();
        let fallback = match context.trunk_pool.has_another(number, &tried, slot.index) {
            true => Fallback::AnotherTrunk,
            false => Fallback::None,
        };
        let report = loop {
            let placing = Placing { number, subject: subject.clone(), context, stop, changes };
            let TrunkAttempt { attempt: ended, report, route, flow: again } =
                placing.over(trunk.clone(), fallback, flow).await;
            (attempt, flow) = (ended, again);
            // An address that says nothing, or 503, is left for the next; another fault would be the same there.
            let silent = report.is_fault() && attempt.status.is_none_or(|status| status == 503);
            let another =
                silent && route.is_some_and(|route| context.agent.mark_unreachable(&route));
            if !another || *stop.borrow() != Stop::None {
                break report;
            }
            let call_id = attempt.sip_call_id.as_str();
            info!(call_id, trunk = trunk.name, "another address of the trunk is tried");
        };
        tried.push(slot.index);
        slot.ended(report);
        if !report.is_fault() || *stop.borrow() != Stop::None {
            return attempt;
        }
        let call_id = attempt.sip_call_id.as_str();
        info!(call_id, trunk = trunk.name, "trunk failed; the next one is tried, if there is one");
    }
}

/// Waits until the call is to end, and tells why; for ever once the sender of the stop is gone.
async fn stopped(stop: &mut watch::Receiver<Stop>) -> Stop {
    let Ok(reason) = stop.wait_for(|stop| *stop != Stop::None).await.map(|reason| *reason) else {
        return std::future::pending().await;
    };
    reason
}

/// One call about to be placed.
struct Placing<'c> {
    number: &'c PhoneNumber,
    subject: CallSubject,
    context: &'c Arc<CallContext>,
    stop: &'c mut watch::Receiver<Stop>,
    changes: &'c mut Changes,
}

/// How a call went over one address of one trunk.
struct TrunkAttempt {
    attempt: Attempt,
    report: TrunkReport,
    /// Where the INVITE went, if there was one.
    route: Option<Route>,
    /// For another try elsewhere.
    flow: CallFlow,
}

impl Placing<'_> {
    /// Tries one trunk. After a fault of the trunk the next one is worth a try with the same flow.
    async fn over(self, trunk: Arc<Trunk>, fallback: Fallback, flow: CallFlow) -> TrunkAttempt {
        let Self { number, subject, context, stop, changes } = self;
        let trunk_name = trunk.name.clone();
        let failed = |report, flow| {
            let attempt =
                Attempt { trunk: trunk_name, ..Attempt::without_invite(Outcome::TrunkFailed) };
            TrunkAttempt { attempt, report, route: None, flow }
        };
        let route = match context.agent.reach(&trunk.name).await {
            Ok(route) => route,
            Err(error) => {
                warn!(%error, "call not placed, the trunk was not reached");
                return failed(TrunkReport::Fault(None), flow);
            }
        };
        let prepared = match prepare(context, trunk, &route, Some(number.clone()), fallback) {
            Ok(prepared) => prepared,
            Err(error) => {
                warn!(%error, "call not placed, no RTP port is free");
                return failed(TrunkReport::Unknown, flow);
            }
        };
        let Preparation { plan, seed, media } = prepared;
        let invite = Invite::new(plan, seed, clock::now());
        let channel = context.agent.channel(route.clone(), invite.call_id());
        let span = span::sip(invite.call_id());
        let call = PreparedCall { call_span: Span::current(), subject, invite, channel, media };
        let finished = conduct(call, flow, context, stop, changes).instrument(span).await;
        let FinishedCall { attempt, over, flow, .. } = finished;
        TrunkAttempt { attempt, report: report(&over), route: Some(route), flow }
    }
}

const VERIFICATION_MAX: Duration = Duration::from_secs(120);
