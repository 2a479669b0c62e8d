//! A phone call that somebody makes to us, to hear what is held for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;
use tracing::{Instrument, Span, debug, info, warn};

use super::caller::IdentifiedCaller;
use super::driver::conduct;
use super::prepare::{Fallback, Preparation, PreparedCall, prepare};
use super::subject::CallSubject;
use super::{CallContext, Changes, Stop, span};
use crate::clock;
use crate::notification::{Attempt, AttemptId, Outcome};
use crate::script::CallFlow;
use crate::script::prompt::Prompts;
use crate::sip::caller::caller;
use crate::sip::invite::Invite;
use crate::sip::transport::Incoming;
use crate::store::{CallIn, CallerTrust};

/// Answers a call that a trunk brings, if it comes from a subscriber's number, and tells them what is held, with the
/// flow of a call of ours. A caller from another number is asked for number and PIN, if that is allowed;
/// `unidentified` counts how many may be asked at once. Returns what is to be settled.
///
/// Contract: as [`place`](super::place), in a span of [`span::incoming`]. An unknown caller is refused with 403, one who
///           cannot be served now with 486 or 503.
pub async fn receive(
    incoming: Incoming,
    context: &Arc<CallContext>,
    unidentified: &Semaphore,
    stop: watch::Receiver<Stop>,
    changes: Changes,
) -> Option<(AttemptId, Attempt)> {
    let span = span::sip(&incoming.request.call_id);
    let told = (stop, changes);
    serve(incoming, context, unidentified, told, Span::current()).instrument(span).await
}

async fn serve(
    incoming: Incoming,
    context: &Arc<CallContext>,
    unidentified: &Semaphore,
    (mut stop, mut changes): (watch::Receiver<Stop>, Changes),
    call_span: Span,
) -> Option<(AttemptId, Attempt)> {
    let trunk = incoming.trunk.clone();
    if !context.settings().callback.enabled {
        incoming.refuse(403).await;
        return None;
    }
    // Held until the call is over.
    let Some(_slot) = context.trunk_pool.occupy(&trunk.name) else {
        info!(trunk = trunk.name, "call refused, the trunk carries as many as it may");
        incoming.refuse(486).await;
        return None;
    };
    let accepted = match accept(&incoming, context, unidentified, &call_span).await {
        Ok(accepted) => accepted,
        Err(status) => {
            debug!(trunk = trunk.name, status, "call refused");
            incoming.refuse(status).await;
            return None;
        }
    };
    let AcceptedCaller { caller: IdentifiedCaller { subject, flow }, permit } = accepted;
    info!(trunk = trunk.name, known = permit.is_none(), "call came in");
    let claimed = subject.attempt();
    let interrupted = || claimed.map(|id| (id, Attempt::without_invite(Outcome::Interrupted)));
    let prepared = match prepare(context, trunk, &incoming.route, None, Fallback::None) {
        Ok(prepared) => prepared,
        Err(error) => {
            warn!(%error, "call refused, no RTP port is free");
            incoming.refuse(503).await;
            return interrupted();
        }
    };
    let Preparation { plan, seed, media } = prepared;
    let Incoming { request, mut channel, .. } = incoming;
    let invite = match Invite::accept(&request, plan, seed, clock::now()) {
        Ok(invite) => invite,
        Err(refusal) => {
            info!("call refused, its INVITE asks for what we do not know");
            if let Err(error) = channel.send(&refusal).await {
                debug!(%error, "refusal not sent");
            }
            return interrupted();
        }
    };
    let call = PreparedCall { call_span, subject, invite, channel, media };
    let finished = conduct(call, flow, context, &mut stop, &mut changes).await;
    // A call for whose caller nothing is held has no row in the store.
    finished.id.map(|id| (id, finished.attempt))
}

/// A caller who is to hear something. The permit counts those who are asked who they are.
struct AcceptedCaller<'s> {
    caller: IdentifiedCaller,
    permit: Option<SemaphorePermit<'s>>,
}

/// Finds out by their number who calls.
///
/// Errors: the status with which the call is refused.
async fn accept<'s>(
    incoming: &Incoming,
    context: &Arc<CallContext>,
    unidentified: &'s Semaphore,
    call_span: &Span,
) -> Result<AcceptedCaller<'s>, u16> {
    if timeout(CALM_WITHIN, context.engine.until_calm()).await.is_err() {
        return Err(503);
    }
    let call_in = match caller(&incoming.request, incoming.trunk.country.as_deref()) {
        Some(number) => {
            let trust = match context.settings().callback.without_pin {
                true => CallerTrust::NumberAlone,
                false => CallerTrust::NumberAndPin,
            };
            context.store.call_in(number, trust, clock::moment()).await
        }
        None => Ok(CallIn::Unknown),
    };
    let call_in = call_in.map_err(|error| {
        warn!(%error, "callers cannot be looked up");
        503_u16
    })?;
    let settings = context.settings();
    let asked = matches!(call_in, CallIn::Unknown) && settings.callback.by_pin;
    if asked {
        let permit = Some(unidentified.try_acquire().map_err(|_| 486_u16)?);
        let prompts = Prompts::new(&settings.speech.language);
        let mut flow = CallFlow::caller_login(prompts, settings.script.preroll);
        if let Some(domain) = settings.access.users.first() {
            flow = flow.introduced(domain);
        }
        let caller = IdentifiedCaller { subject: CallSubject::Nothing, flow };
        return Ok(AcceptedCaller { caller, permit });
    }
    let status = if matches!(call_in, CallIn::OnTheLine) { 486_u16 } else { 403 };
    let caller = IdentifiedCaller::by_number(call_in, &settings, call_span).ok_or(status)?;
    Ok(AcceptedCaller { caller, permit: None })
}

/// A caller is not kept waiting longer for the machine to keep up.
const CALM_WITHIN: Duration = Duration::from_secs(2);
