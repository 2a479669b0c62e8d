//! Inputs and outputs of a call, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use super::cause::Reason;
use crate::media::Negotiated;
use crate::phone_number::PhoneNumber;
use crate::sip::trunk::Trunk;
use crate::sip::via::LocalAddr;

/// What a call is to be.
#[derive(Clone, Debug)]
pub struct InvitePlan {
    /// Where it goes.
    pub trunk: Arc<Trunk>,
    /// The callee; `None` in a call of the far end.
    pub number: Option<PhoneNumber>,
    /// How our requests leave.
    pub local_addr: LocalAddr,
    /// Our session description, from [`crate::sip::offer_answer::offer`].
    pub offer: String,
    /// How long anything at all is waited for.
    pub patience: Duration,
    /// How long a trunk that tries may take until it says what becomes of the phone. A shorter time than `ring` has another
    /// trunk tried in time.
    pub setup: Duration,
    /// How long the phone may ring.
    pub ring: Duration,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'b> {
    /// A message of this Call-ID came in.
    Received(&'b [u8]),
    /// The call is to end, by CANCEL or BYE.
    HangUp,
    /// The same, for a reason of which the far end is told.
    HangUpFor(Reason),
    /// The trunk cannot be reached. Matters only before its first answer; later, timers know what to do.
    TransportFailed,
    /// The deadline has come.
    Tick,
}

/// What to do, and what there is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to the trunk.
    Send(Vec<u8>),
    /// The phone rings (180). Once.
    Ringing,
    /// EarlyDialog media, described so. Once, by the first fork that sends a description.
    EarlyMedia(String),
    /// The phone was answered, with this description; empty if the far end gave none.
    Answered(String),
    /// A call of the far end is accepted, with this session. Once.
    Accepted(Negotiated),
    /// The far end changed the session (hold, resume, another address); it has its answer already.
    Reoffered(Negotiated),
    /// What another run of the program would need to end this call: keep the last one as long as the call lasts.
    Dialog(String),
    /// A key came by INFO.
    Key(char),
    /// The call is over. Once.
    Over(Ending),
    /// Nothing late can come any more; the machine may be dropped. Last.
    Done,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The trunk or the phone said no; a redirection counts as one.
    Refused {
        /// 300 to 699.
        status: u16,
        /// When to try again, if they said so.
        retry_after: Option<Duration>,
    },
    /// Nothing at all came in time.
    NoResponse,
    /// The trunk cannot be reached.
    TransportFailed,
    /// The trunk said that it tries, and no more.
    NoProgress,
    /// It rang for as long as it may.
    NoAnswer,
    /// We hung up before it was answered.
    Cancelled,
    /// We hung up.
    ByUs,
    /// The far end hung up.
    ByPeer,
}
