//! A call that is on its way, whoever made it, until it is over.

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::call::{Call, Over};
use super::live::Live;
use super::outcome::outcome;
use super::place::{About, unplaced};
use super::recorder::Recorder;
use super::voice::Voice;
use super::wide_band::Room;
use super::{Exchange, Stop};
use crate::clock;
use crate::media::answering_machine::PickedUp;
use crate::media::codec::Codec;
use crate::media::engine;
use crate::notification::{Attempt, AttemptId, Outcome};
use crate::script::Talk;
use crate::script::prompt::Line;
use crate::sip::invite::{Ending, Invite};
use crate::sip::offer_answer::AnswerError;
use crate::sip::transport;
use crate::sip::trunk::Dtmf;

/// All that a call needs before a word is said.
pub(super) struct Ready {
    pub(super) about: About,
    /// Where a number belongs that is typed without its country code.
    pub(super) country: Option<String>,
    pub(super) trunk: String,
    pub(super) invite: Invite,
    pub(super) line: transport::Line,
    pub(super) media: engine::Line,
    pub(super) codecs: Vec<Codec>,
    pub(super) room: Option<Room>,
    pub(super) dtmf: Dtmf,
    /// All that a machine is to hear, if machines are told from people.
    pub(super) notice: Option<Line>,
}

impl Ready {
    /// Carries the call to its end, and tells how it went.
    pub(super) async fn conduct(
        self,
        script: Talk,
        exchange: &Exchange,
        stop: &mut watch::Receiver<Stop>,
    ) -> Conducted {
        let Self { about, country, trunk, invite, line, media, codecs, room, dtmf, notice } = self;
        let call_id = invite.call_id().to_owned();
        let (ahead, unspeakable) = (script.lines_ahead(), script.unspeakable_line());
        let ahead: Vec<Line> = notice.iter().cloned().chain(ahead).collect();
        let call = Call::new(invite, script, dtmf, notice, clock::now());
        let recorder =
            Recorder::new(exchange.store.clone(), about.attempt(), exchange.sealing.clone());
        let mut live = Live {
            about,
            country,
            call,
            line,
            media,
            voice: Voice::new(exchange.speaker.clone(), codecs, unspeakable),
            room,
            recorder,
            errands: JoinSet::new(),
            exchange,
            over: None,
            stop_calls: false,
        };
        live.carry_out().await;
        live.voice.prepare(ahead);
        let over = live.run(stop).await;
        let stop_calls = live.stop_calls;
        let stopping = *stop.borrow() == Stop::ShuttingDown;
        let id = live.about.attempt();
        let (script, quality) = live.end(stopping, &over.ending).await;
        let outcome = match outcome(&over.ending, over.rang.is_some(), over.cause) {
            _ if over.picked_up == Some(PickedUp::Machine) && !stopping => Outcome::Machine,
            Outcome::Answered | Outcome::Cancelled if stopping => Outcome::Interrupted,
            Outcome::Cancelled if over.talked.is_some() => Outcome::Answered,
            // We hung up on an answer that could not be talked on.
            Outcome::Answered if over.unfit == Some(AnswerError::NoKeys) => Outcome::NotEncrypted,
            Outcome::Answered if over.talked.is_none() => Outcome::TrunkFailed,
            other => other,
        };
        let (status, retry_after) = match over.ending {
            Ending::Refused { status, retry_after } => (Some(status), retry_after),
            Ending::NoResponse
            | Ending::TransportFailed
            | Ending::NoAnswer
            | Ending::Cancelled
            | Ending::ByUs
            | Ending::ByPeer => (None, None),
        };
        let attempt = Attempt {
            status,
            cause: over.cause,
            rang: over.rang.unwrap_or_default(),
            talked: over.talked.unwrap_or_default(),
            sip_call_id: call_id,
            trunk,
            stop_calls,
            retry_after,
            picked_up: over.picked_up,
            line: quality.filter(|_| over.talked.is_some()),
            ..unplaced(outcome)
        };
        Conducted { id, attempt, over, script }
    }
}

/// A call that is over.
pub(super) struct Conducted {
    /// Its name in the store; it may have become known during the call only.
    pub(super) id: AttemptId,
    pub(super) attempt: Attempt,
    pub(super) over: Over,
    /// Of use for another try.
    pub(super) script: Talk,
}
