//! One phone call that somebody makes to us, to hear what is held for him.

use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::conduct::Ready;
use super::place::{About, narrow, unplaced};
use super::visitor::Visitor;
use super::{Exchange, Stop};
use crate::clock;
use crate::notification::{Attempt, AttemptId, Outcome};
use crate::script::prompt::Prompts;
use crate::script::{Doorkeeper, Talk};
use crate::seed::Seed;
use crate::sip::caller::caller;
use crate::sip::invite::{Invite, InvitePlan};
use crate::sip::offer_answer;
use crate::sip::transport::Incoming;
use crate::sip::trunk::Dtmf;
use crate::store::CallIn;

/// Answers a call that a trunk brings, if it comes from a subscriber's number, and tells him what is held, with the script
/// of a call of ours. Whoever calls from elsewhere is asked for number and PIN, if that is allowed; `strangers` counts how many
/// may be asked at once. Tells what is to be settled.
///
/// Contract: as [`place`](super::place). Whoever is not known is refused with 403, and who cannot be served now with 486 or 503.
pub async fn receive(
    incoming: Incoming,
    exchange: &Exchange,
    strangers: &Semaphore,
    mut stop: watch::Receiver<Stop>,
) -> Option<(AttemptId, Attempt)> {
    let trunk = incoming.trunk.clone();
    // Held until the call is over.
    let Some(_room) = exchange.ways.occupy(&trunk.name) else {
        info!(trunk = trunk.name, "a call came in while the trunk carries as many as it may");
        incoming.refuse(486).await;
        return None;
    };
    if timeout(CALM_WITHIN, exchange.engine.until_calm()).await.is_err() {
        incoming.refuse(503).await;
        return None;
    }
    let call_in = match caller(&incoming.request, trunk.country.as_deref()) {
        Some(number) => exchange.store.call_in(number, clock::timestamp()).await,
        None => Ok(CallIn::Unknown),
    };
    let call_in = match call_in {
        Ok(call_in) => call_in,
        Err(error) => {
            warn!(%error, "a call that came in cannot be answered");
            incoming.refuse(503).await;
            return None;
        }
    };
    let unknown = matches!(call_in, CallIn::Unknown) && exchange.callback_pin;
    let asked = unknown.then(|| strangers.try_acquire().ok()).flatten();
    let visitor = if asked.is_some() {
        let door = Doorkeeper::new(Prompts::new(&exchange.language), exchange.terms.settle);
        Visitor { about: About::Nothing, talk: Talk::Door(door) }
    } else {
        let status = if unknown || matches!(call_in, CallIn::OnTheLine) { 486 } else { 403 };
        let Some(visitor) = Visitor::of(call_in, exchange, true) else {
            debug!(trunk = trunk.name, status, "a call that came in was refused");
            incoming.refuse(status).await;
            return None;
        };
        visitor
    };
    info!(trunk = trunk.name, known = asked.is_none(), "a call came in");
    let claimed = visitor.about.attempt();
    let lost = || is_stored(claimed).then(|| (claimed, unplaced(Outcome::Interrupted)));
    let media = match exchange.engine.open(incoming.path.target.address.ip()) {
        Ok(media) => media,
        Err(error) => {
            warn!(%error, "no line for a call that came in");
            incoming.refuse(503).await;
            return lost();
        }
    };
    let mut seed = Seed::fresh();
    let (codecs, room) = match trunk.dtmf == Dtmf::Inband {
        true => (narrow(&exchange.codecs), None),
        false => exchange.wide_band.offer(&exchange.codecs),
    };
    let hop = incoming.path.hop;
    let (dtmf, name, country) = (trunk.dtmf, trunk.name.clone(), trunk.country.clone());
    let rtp = media.advertised(hop.local.ip());
    let offer = offer_answer::offer(rtp, &codecs, dtmf, seed.below(1 << 53));
    let offer = offer_answer::protect(offer, trunk.srtp, &mut seed);
    let (patience, ring) = (incoming.path.patience(), exchange.policy.ring);
    let plan = InvitePlan { trunk, number: None, hop, offer, patience, ring };
    let Incoming { request, mut line, .. } = incoming;
    let invite = match Invite::taken(&request, plan, seed, clock::now()) {
        Ok(invite) => invite,
        Err(refusal) => {
            info!("a call that came in cannot be talked on");
            if let Err(error) = line.send(&refusal).await {
                debug!(%error, "a refusal was not sent");
            }
            return lost();
        }
    };
    let Visitor { about, talk } = visitor;
    let notice = None;
    let ready =
        Ready { about, country, trunk: name, invite, line, media, codecs, room, dtmf, notice };
    let conducted = ready.conduct(talk, exchange, &mut stop).await;
    is_stored(conducted.id).then_some((conducted.id, conducted.attempt))
}

/// A call for whom nothing is held is not written down.
fn is_stored(id: AttemptId) -> bool {
    id != AttemptId(0)
}

/// Whoever calls is not kept waiting longer for the machine to keep up.
const CALM_WITHIN: Duration = Duration::from_secs(2);
