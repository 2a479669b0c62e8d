//! One phone call, from INVITE to BYE.

pub mod announcer;
mod broken;
mod caller;
mod codec_budget;
mod driver;
mod inbound;
mod ladder;
pub mod machine;
mod outbound;
pub mod outcome;
mod player;
mod prepare;
mod recorder;
mod requests;
pub mod span;
mod speech_tag;
mod store_queue;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub use broken::end_broken;
pub use codec_budget::CodecBudget;
pub use inbound::receive;
pub use outbound::{place, place_verification};

use crate::config::Live;
use crate::media::engine::Engine;
use crate::notification::CallChange;
use crate::numbers::Numbers;
use crate::sip::transport::UserAgent;
use crate::speech::Speaker;
use crate::store::Store;
use crate::trunks::TrunkPool;

/// The handles that all calls share.
#[derive(Debug)]
pub struct CallContext {
    /// SIP.
    pub agent: UserAgent,
    /// RTP.
    pub engine: Engine,
    /// Speech.
    pub speaker: Speaker,
    /// Durability.
    pub store: Store,
    /// The trunks.
    pub trunk_pool: TrunkPool,
    /// How many calls may use wide-band codecs.
    pub codec_budget: CodecBudget,
    /// What is counted and timed.
    pub numbers: Numbers,
    /// What the operator may change while calls go on.
    pub live: watch::Receiver<Arc<Live>>,
}

impl CallContext {
    /// The settings of now. What is said in a call follows those that it began with.
    pub fn settings(&self) -> Arc<Live> {
        self.live.borrow().clone()
    }
}

/// What becomes of messages while calls go on that read them. A call that came in is told of other calls' messages, too.
pub type Changes = mpsc::UnboundedReceiver<CallChange>;

/// Why a call is to end from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is not.
    None,
    /// The recipient can read chat again: a ringing phone falls silent, an answered call goes on.
    CameOnline,
    /// What the call is about was taken back: as [`Stop::CameOnline`].
    Withdrawn,
    /// The program ends.
    ShuttingDown,
}
