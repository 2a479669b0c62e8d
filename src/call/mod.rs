//! One phone call, from INVITE to BYE.

#[allow(clippy::module_inception)]
// The machine is the call; the room around it has the edge and the tables.
pub mod call;
mod conduct;
mod live;
pub mod outcome;
mod place;
mod receive;
mod recorder;
mod teller;
pub mod trunks;
mod visitor;
mod voice;
mod ways_out;
mod wide_band;

use std::time::Duration;

pub use place::{place, place_code};
pub use receive::receive;
pub use ways_out::WaysOut;
pub use wide_band::WideBand;

use crate::media::codec::Codec;
use crate::media::engine::Engine;
use crate::notification::policy::Policy;
use crate::script::Terms;
use crate::sealing::SealingKey;
use crate::sip::transport::UserAgent;
use crate::speech::Speaker;
use crate::store::Store;

/// What every call may touch, and what holds for all of them.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// SIP.
    pub agent: UserAgent,
    /// RTP.
    pub engine: Engine,
    /// Speech.
    pub speaker: Speaker,
    /// Durability.
    pub store: Store,
    /// The trunks.
    pub ways: WaysOut,
    /// Codecs to offer, best first.
    pub codecs: Vec<Codec>,
    /// How many calls may use the dear ones of them.
    pub wide_band: WideBand,
    /// What may be dialled, and how long it rings.
    pub policy: Policy,
    /// What is asked on the phone.
    pub terms: Terms,
    /// The longest recorded answer (`voice_reply.seconds_max`).
    pub voice_max: Duration,
    /// What recordings are sealed with in the store, if they are.
    pub sealing: Option<SealingKey>,
    /// Language of prompts and voice when nothing better is known.
    pub language: String,
    /// Whoever calls from a number that nobody has may show by number and PIN who he is.
    pub callback_pin: bool,
    /// Longer messages are cut.
    pub body_chars_max: usize,
}

/// Why a call is to end from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is not.
    None,
    /// The recipient can read chat again: a ringing phone falls silent, a talk goes on.
    CameOnline,
    /// The program ends.
    ShuttingDown,
}
