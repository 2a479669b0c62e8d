//! What a call needs before its INVITE leaves or is answered: codecs, an RTP port and an offer.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::CallContext;
use super::codec_budget::CodecPermit;
use super::subject::CallSubject;
use crate::media::codec::{Codec, telephone_band};
use crate::media::engine::{MediaError, RtpPort};
use crate::phone_number::PhoneNumber;
use crate::seed::Seed;
use crate::sip::invite::{Invite, InvitePlan};
use crate::sip::offer_answer;
use crate::sip::transport::{Route, SipChannel};
use crate::sip::trunk::{Dtmf, Trunk};

/// A call whose INVITE is written or answered.
pub(super) struct PreparedCall {
    /// The span `call`.
    pub(super) call_span: Span,
    pub(super) subject: CallSubject,
    pub(super) invite: Invite,
    pub(super) channel: SipChannel,
    pub(super) media: PreparedMedia,
}

/// What an [`Invite`] is made from, and the media that its offer describes.
pub(super) struct Preparation {
    pub(super) plan: InvitePlan,
    pub(super) seed: Seed,
    pub(super) media: PreparedMedia,
}

/// The RTP port of a call and what may be sent there.
pub(super) struct PreparedMedia {
    pub(super) trunk: Arc<Trunk>,
    pub(super) port: RtpPort,
    /// The codecs offered, best first.
    pub(super) codecs: Vec<Codec>,
    /// Kept while the call is in wide band, or may still be.
    pub(super) codec_permit: Option<CodecPermit>,
    /// Whether it is found out if a machine picks up.
    pub(super) detects_machines: bool,
}

/// What is there if the trunk does not carry the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    AnotherTrunk,
    None,
}

/// Prepares a call on this route: to `number`, or, where there is none, from a caller.
///
/// Errors: no RTP port is to be had.
pub(super) fn prepare(
    context: &CallContext,
    trunk: Arc<Trunk>,
    route: &Route,
    number: Option<PhoneNumber>,
    fallback: Fallback,
) -> Result<Preparation, MediaError> {
    let port = context.engine.open(route.target.address.ip())?;
    let settings = context.settings();
    let detects_machines = number.is_some() && trunk.answering_machine;
    // Tones in the audio, and who picks up, are looked for in audio that is cheap to decode.
    let (codecs, codec_permit) = match trunk.dtmf == Dtmf::Inband || detects_machines {
        true => (telephone_band(&settings.offer.codecs), None),
        false => context.codec_budget.offer(&settings.offer.codecs),
    };
    let mut seed = Seed::fresh();
    let rtp = port.advertised(route.local_addr.local.ip());
    let offer = offer_answer::offer(rtp, &codecs, trunk.dtmf, seed.below(1 << 53));
    let plan = InvitePlan {
        trunk: trunk.clone(),
        number,
        local_addr: route.local_addr,
        offer: offer_answer::protect(offer, trunk.srtp, &mut seed),
        patience: route.patience(),
        setup: match fallback {
            Fallback::AnotherTrunk => SETUP_MAX.min(settings.policy.ring),
            Fallback::None => settings.policy.ring,
        },
        ring: settings.policy.ring,
    };
    let media = PreparedMedia { trunk, port, codecs, codec_permit, detects_machines };
    Ok(Preparation { plan, seed, media })
}

/// With the time in which its CANCEL is answered, a trunk that does not get on costs 14 s where another one is left.
const SETUP_MAX: Duration = Duration::from_secs(9);
