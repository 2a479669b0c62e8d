//! One phone call that somebody makes to us, to hear what is held for him.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::conduct::Ready;
use super::place::{About, narrow, unplaced};
use super::teller::Teller;
use super::{Exchange, Stop};
use crate::clock;
use crate::notification::{Attempt, AttemptId, Message, Outcome};
use crate::seed::Seed;
use crate::sip::caller::caller;
use crate::sip::invite::{Invite, InvitePlan};
use crate::sip::offer_answer;
use crate::sip::transport::Incoming;
use crate::sip::trunk::Dtmf;
use crate::store::CallIn;
use crate::subscriber::Subscriber;

/// Answers a call that a trunk brings, if it comes from a subscriber's number, and tells him what is held, with the script
/// of a call of ours. Tells what is to be settled.
///
/// Contract: as [`place`](super::place). Whoever is not known is refused with 403, and who cannot be served now with 486 or 503.
pub async fn receive(
    incoming: Incoming,
    exchange: &Exchange,
    mut stop: watch::Receiver<Stop>,
) -> Option<(AttemptId, Attempt)> {
    let trunk = incoming.trunk.clone();
    let Some(number) = caller(&incoming.request, trunk.country.as_deref()) else {
        debug!(trunk = trunk.name, "a call without a number of its caller was refused");
        incoming.refuse(403).await;
        return None;
    };
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
    let call_in = match exchange.store.call_in(number.clone(), clock::timestamp()).await {
        Ok(call_in) => call_in,
        Err(error) => {
            warn!(%error, "a call that came in cannot be answered");
            incoming.refuse(503).await;
            return None;
        }
    };
    let guest =
        |callee: Subscriber, exchange: &Exchange| Teller { callee, exchange: exchange.clone() };
    let (teller, admitted): (Teller, Option<(AttemptId, Vec<Message>)>) = match call_in {
        CallIn::Admitted(claim) => {
            (guest(claim.callee, exchange), Some((claim.attempt, claim.messages)))
        }
        CallIn::Nothing(callee) => (guest(*callee, exchange), None),
        CallIn::Unknown => {
            debug!(trunk = trunk.name, "a call from an unknown number was refused");
            incoming.refuse(403).await;
            return None;
        }
        CallIn::Locked => {
            info!("a call that came in was refused: too many wrong PINs within a day");
            incoming.refuse(403).await;
            return None;
        }
        CallIn::OnTheLine => {
            incoming.refuse(486).await;
            return None;
        }
    };
    info!(messages = admitted.as_ref().map_or(0, |(_, messages)| messages.len()), "a call came in");
    let (about, messages): (About<'_>, &[Message]) = match &admitted {
        Some((attempt, messages)) => {
            (About::Messages { attempt: *attempt, teller: &teller }, messages)
        }
        None => (About::Nothing, &[]),
    };
    let settled = admitted.as_ref().map(|(attempt, _)| *attempt);
    let lost = || settled.map(|id| (id, unplaced(Outcome::Interrupted)));
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
    let (dtmf, name) = (trunk.dtmf, trunk.name.clone());
    let rtp = media.advertised(hop.local.ip());
    let plan = InvitePlan {
        trunk,
        number,
        hop,
        offer: offer_answer::offer(rtp, &codecs, dtmf, seed.below(1 << 53)),
        patience: incoming.path.patience(),
        ring: exchange.policy.ring,
    };
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
    let script = teller.talk(messages, false);
    let notice = None;
    let ready = Ready { about, trunk: name, invite, line, media, codecs, room, dtmf, notice };
    let (attempt, _, _) = ready.conduct(script, exchange, &mut stop).await;
    settled.map(|id| (id, attempt))
}

/// Whoever calls is not kept waiting longer for the machine to keep up.
const CALM_WITHIN: Duration = Duration::from_secs(2);
