//! Voice over RTP: what is sent, what is heard, which keys were pressed.

pub mod answering_machine;
pub mod beep;
pub mod codec;
pub mod dtmf_events;
pub mod dtmf_tones;
pub mod engine;
mod far_end;
mod keys;
pub mod ports;
mod realtime;
pub mod reports;
pub(crate) mod resample;
pub mod srtp;
mod strain;
pub mod stream;
pub mod take;

use std::net::SocketAddr;
use std::sync::Arc;

use answering_machine::Heard;
use codec::{Clip, Codec};
use reports::Quality;
use srtp::Keys;
use take::Take;
use tokio::sync::oneshot;

/// What offer and answer have agreed on for one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the far end wants RTP.
    pub remote: SocketAddr,
    /// The codec in both directions.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// Payload type of telephone events (RFC 4733), if both sides know them.
    pub events_payload_type: Option<u8>,
    /// Whether keys are listened for in the sound.
    pub tones: bool,
    /// How much sound the far end wants in a packet: 10, 20, 30, 40 or 60 ms.
    pub packet_ms: u8,
    /// Whether the far end is on hold and wants no packets from us.
    pub sending: bool,
    /// What both ends encrypt with; `None`: nothing.
    pub keys: Option<Arc<Keys>>,
}

impl Negotiated {
    /// How much sound we put into a packet; our frames of Opus are not cut.
    pub fn packet_ms(&self) -> u8 {
        if self.codec == Codec::Opus { 20 } else { self.packet_ms }
    }
}

/// What the control plane asks of one stream.
#[derive(Debug)]
pub enum Command {
    /// Send and listen as agreed; the first packet leaves at once. Again during a call: the far end changed its mind.
    Start(Negotiated),
    /// Play after what is playing; before the start, play with the first packet. Its end is told by [`Event::Played`] with the same tag.
    Play {
        /// Ready frames of the agreed codec.
        clip: Arc<Clip>,
        /// Comes back in the event.
        tag: u32,
    },
    /// Drop what is playing and what waits. Dropped clips tell no end.
    Hush,
    /// Write down what is heard from now on. That it is over by itself is told by [`Event::RecordingOver`].
    Record {
        /// Where it is written; it brings all memory with it.
        take: Box<Take>,
        /// Where it goes once recording stops.
        back: oneshot::Sender<Box<Take>>,
    },
    /// Give back what was recorded.
    StopRecording,
    /// Find out who picked up; it is told by [`Event::Heard`].
    Screen,
    /// Tell how good the line has been; nothing is told before [`Command::Start`].
    Quality(oneshot::Sender<Quality>),
}

/// What one stream tells the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The last frame of the clip with this tag has left.
    Played(u32),
    /// A key was pressed: `0-9`, `*`, `#`, `A-D`. Once per press, when it begins.
    Key(char),
    /// What was found out about whoever picked up.
    Heard(Heard),
    /// Only one end is heard, or none.
    Silent(Fault),
    /// The recording is full, or nobody has spoken for a while.
    RecordingOver,
}

/// Why it makes no sense to talk on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing has come from where we were to send.
    NothingCame,
    /// Nothing has come for the time set.
    FellSilent,
    /// The far end reports that nothing of ours arrives any more.
    NothingArrives,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NothingCame => "ended, nothing came from the far end",
            Self::FellSilent => "ended, the far end fell silent",
            Self::NothingArrives => "ended, nothing of ours arrived any more",
        })
    }
}
