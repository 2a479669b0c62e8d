//! One phone call, from INVITE to BYE: the only place where a call touches the world.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::conduct::{Conducted, Ready};
use super::outcome::verdict;
use super::teller::Teller;
use super::trunks::Verdict;
use super::{Exchange, Stop};
use crate::clock;
use crate::media::codec::Codec;
use crate::notification::verification::{Code, VerificationId};
use crate::notification::{Attempt, AttemptId, Claim, Outcome};
use crate::phone_number::PhoneNumber;
use crate::script::prompt::{Line, Prompts};
use crate::script::{CodeCall, Talk};
use crate::seed::Seed;
use crate::sip::invite::{Invite, InvitePlan};
use crate::sip::offer_answer;
use crate::sip::transport::Path;
use crate::sip::trunk::{Dtmf, Trunk};

/// Places one call and returns what became of it.
///
/// [`Call`](super::call::Call) decides everything; this carries bytes, audio and time to and from it.
///
/// Contract: never drop this future to end a call. Send a [`Stop`] and await the attempt, so that the callee
///           gets a BYE or CANCEL and no answer is lost.
/// Errors:   none. What goes wrong is an outcome.
pub async fn place(claim: Claim, exchange: &Exchange, mut stop: watch::Receiver<Stop>) -> Attempt {
    let teller = Arc::new(Teller { callee: claim.callee.clone(), exchange: exchange.clone() });
    let about = About::Messages { attempt: claim.attempt, teller: teller.clone() };
    let talk = teller.talk(&claim.messages, claim.continuing, true);
    over_trunks(&claim.number, about, talk, exchange, &mut stop).await
}

/// Phones a number to speak a code there, and returns what became of it.
///
/// Contract: as [`place`]. Before the code is said it is durable that it opens something.
pub async fn place_code(
    code: &Code,
    prompts: Prompts,
    house: String,
    exchange: &Exchange,
    mut stop: watch::Receiver<Stop>,
) -> Attempt {
    let settle = exchange.terms.settle;
    let call = CodeCall::new(prompts, house, code.digits.clone(), settle, CODE_CALL_MAX);
    over_trunks(&code.number, About::Code(code.id), Talk::Code(call), exchange, &mut stop).await
}

async fn over_trunks(
    number: &PhoneNumber,
    about: About,
    mut script: Talk,
    exchange: &Exchange,
    stop: &mut watch::Receiver<Stop>,
) -> Attempt {
    let mut attempt = unplaced(Outcome::TrunkFailed);
    if !exchange.policy.may_dial(number) {
        warn!("a number outside dial.allow was not dialled");
        return unplaced(Outcome::WrongNumber);
    }
    let mut tried = vec![];
    loop {
        let way = tokio::select! {
            way = async {
                exchange.engine.until_calm().await;
                exchange.ways.take(number, &tried).await
            } => way,
            () = wanted(stop) => return unplaced(match *stop.borrow() {
                Stop::ShuttingDown => Outcome::Interrupted,
                Stop::CameOnline | Stop::None => Outcome::Cancelled,
            }),
        };
        let way = match way {
            Ok(way) => way,
            Err(rest) => {
                attempt.retry_after = attempt.retry_after.max(rest);
                return attempt;
            }
        };
        let trunk = way.trunk();
        let verdict = loop {
            let one = OneTrunk { number, about: about.clone(), exchange, stop };
            let (verdict, path);
            (attempt, verdict, path, script) = one.run(trunk.clone(), script).await;
            // Whoever says nothing, or 503, is passed over; what else goes wrong would go wrong there too.
            let silent = matches!(verdict, Verdict::Fault(_))
                && attempt.status.is_none_or(|status| status == 503);
            let elsewhere = silent && path.is_some_and(|path| exchange.agent.gave_up(&path));
            if !elsewhere || *stop.borrow() != Stop::None {
                break verdict;
            }
            info!(trunk = trunk.name, "another address of the trunk is tried");
        };
        tried.push(way.index);
        way.ended(verdict);
        if !matches!(verdict, Verdict::Fault(_)) || *stop.borrow() != Stop::None {
            return attempt;
        }
        info!(trunk = trunk.name, "the trunk failed; the next one is tried, if there is one");
    }
}

/// Waits until the call is to end.
async fn wanted(stop: &mut watch::Receiver<Stop>) {
    // Nobody left to ask wants nothing.
    if stop.wait_for(|stop| *stop != Stop::None).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a call is about.
#[derive(Clone)]
pub(super) enum About {
    Messages {
        attempt: AttemptId,
        teller: Arc<Teller>,
    },
    Code(VerificationId),
    /// Somebody has called in for whom nothing is held.
    Nothing,
}

impl About {
    /// What an answering machine hears. Somebody waits for a code, so nobody is screened who hears one.
    fn notice(&self) -> Option<Line> {
        match self {
            Self::Messages { teller, .. } => Some(teller.prompts().notice_for_machines()),
            Self::Code(_) | Self::Nothing => None,
        }
    }

    /// The call in the store; other calls have none.
    pub(super) fn attempt(&self) -> AttemptId {
        match self {
            Self::Messages { attempt, .. } => *attempt,
            Self::Code(_) | Self::Nothing => AttemptId(0),
        }
    }
}

struct OneTrunk<'c> {
    number: &'c PhoneNumber,
    about: About,
    exchange: &'c Exchange,
    stop: &'c mut watch::Receiver<Stop>,
}

impl OneTrunk<'_> {
    /// Tries one trunk. After a fault of the trunk the next one is worth a try with the same script.
    async fn run(self, trunk: Arc<Trunk>, script: Talk) -> (Attempt, Verdict, Option<Path>, Talk) {
        let name = trunk.name.clone();
        let failed = |verdict, script| {
            let attempt = Attempt { trunk: name.clone(), ..unplaced(Outcome::TrunkFailed) };
            (attempt, verdict, None, script)
        };
        let path = match self.exchange.agent.reach(&name).await {
            Ok(path) => path,
            Err(error) => {
                warn!(%error, "the call was not placed");
                return failed(Verdict::Fault(None), script);
            }
        };
        let media = match self.exchange.engine.open(path.target.address.ip()) {
            Ok(media) => media,
            Err(error) => {
                warn!(%error, "no line for the call");
                return failed(Verdict::Unknown, script);
            }
        };
        let mut seed = Seed::fresh();
        let rtp = media.advertised(path.hop.local.ip());
        let (dtmf, screened, country) =
            (trunk.dtmf, trunk.answering_machine, trunk.country.clone());
        // Who listens for tones in the sound, or for who picked up, needs sound that is cheap to look at.
        let (codecs, room) = match dtmf == Dtmf::Inband || screened {
            true => (narrow(&self.exchange.codecs), None),
            false => self.exchange.wide_band.offer(&self.exchange.codecs),
        };
        let offer = offer_answer::offer(rtp, &codecs, dtmf, seed.below(1 << 53));
        let offer = offer_answer::protect(offer, trunk.srtp, &mut seed);
        let plan = InvitePlan {
            trunk,
            number: Some(self.number.clone()),
            hop: path.hop,
            offer,
            patience: path.patience(),
            ring: self.exchange.policy.ring,
        };
        let invite = Invite::new(plan, seed, clock::now());
        let line = self.exchange.agent.line(path.clone(), invite.call_id());
        let notice = self.about.notice().filter(|_| screened);
        let about = self.about;
        let ready =
            Ready { about, country, trunk: name, invite, line, media, codecs, room, dtmf, notice };
        let conducted = ready.conduct(script, self.exchange, self.stop).await;
        let Conducted { attempt, over, script, .. } = conducted;
        let verdict = verdict(&over.ending, over.rang.is_some(), over.cause);
        (attempt, verdict, Some(path), script)
    }
}

pub(super) fn unplaced(outcome: Outcome) -> Attempt {
    Attempt {
        outcome,
        status: None,
        cause: None,
        rang: Duration::ZERO,
        talked: Duration::ZERO,
        sip_call_id: String::new(),
        trunk: String::new(),
        stop_calls: false,
        retry_after: None,
        picked_up: None,
        line: None,
    }
}

pub(super) fn narrow(codecs: &[Codec]) -> Vec<Codec> {
    let narrow: Vec<_> = codecs.iter().copied().filter(|codec| !codec.is_wide()).collect();
    // An operator who named only wide ones gets what every phone knows.
    if narrow.is_empty() { vec![Codec::Pcmu, Codec::Pcma] } else { narrow }
}

const CODE_CALL_MAX: Duration = Duration::from_secs(120);
