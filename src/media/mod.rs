//! Voice over RTP: what is sent, what is heard, which keys were pressed.

pub mod answering_machine;
pub mod beep;
pub mod codec;
pub mod dtmf_events;
mod dtmf_keys;
pub mod dtmf_tones;
pub mod engine;
pub mod key_presses;
mod media_peer;
mod overload;
pub mod ports;
mod realtime;
pub mod recording_buffer;
pub mod reports;
pub(crate) mod resample;
pub mod srtp;
pub mod stream;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use answering_machine::Heard;
use codec::{Clip, Codec};
use recording_buffer::RecordingBuffer;
use reports::Quality;
use srtp::Keys;
use tokio::sync::oneshot;

/// What offer and answer have agreed on for one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the far end wants RTP. No address, though it is [`sending`](Self::sending): through the trunk.
    pub remote: SocketAddr,
    /// The codec in which we send.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// Payload type of telephone events (RFC 4733), if both sides know them.
    pub events_payload_type: Option<u8>,
    /// What else the far end may send, by payload type: all that its description and ours name.
    pub formats: Vec<(u8, PayloadFormat)>,
    /// Whether keys are listened for in the sound.
    pub tones: bool,
    /// How much sound the far end wants in a packet: 10, 20, 30, 40 or 60 ms.
    pub packet_ms: u8,
    /// Whether the far end is on hold and wants no packets from us.
    pub sending: bool,
    /// What both ends encrypt with; `None`: nothing.
    pub keys: Option<Arc<Keys>>,
}

/// What packets of one payload type carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// Sound.
    Audio(Codec),
    /// Telephone events (RFC 4733), by this RTP clock.
    Events {
        /// Ticks of the clock in a millisecond.
        ticks_per_ms: u32,
    },
}

impl Negotiated {
    /// How much audio we put into a packet; whole frames are not cut.
    pub fn packet_ms(&self) -> u8 {
        if self.codec.description().has_whole_frames { 20 } else { self.packet_ms }
    }

    /// The same through this trunk, where the far end names no address and wants to hear us.
    fn through(mut self, trunk: IpAddr) -> Self {
        if self.sending && self.remote.ip().is_unspecified() {
            self.remote.set_ip(trunk);
        }
        self
    }
}

/// What the control plane asks of one stream.
#[derive(Debug)]
pub enum MediaCommand {
    /// Send and listen as agreed; the first packet leaves at once. Again during a call: the far end changed its mind.
    Start(Negotiated),
    /// Play after what is playing; before the start, play with the first packet. Its beginning and its end come as
    /// [`MediaEvent::Began`] and [`MediaEvent::Played`] with the same tag.
    Play {
        /// Ready frames of the agreed codec.
        clip: Arc<Clip>,
        /// Comes back in the event.
        tag: u32,
    },
    /// Drop what is playing and what waits. Dropped clips tell no end.
    StopPlayback,
    /// Write down what is heard from now on. Its end by itself comes as [`MediaEvent::RecordingOver`].
    Record {
        /// Where it is written; it brings all memory with it.
        buffer: Box<RecordingBuffer>,
        /// Where it goes once recording stops.
        back: oneshot::Sender<Box<RecordingBuffer>>,
    },
    /// Give back what was recorded.
    StopRecording,
    /// Find out who picked up; it comes as [`MediaEvent::Heard`].
    DetectMachine,
    /// Listen for keys in the sound too, unless telephone events have come.
    ListenForTones,
    /// Tell how good the audio has been; nothing comes before [`MediaCommand::Start`].
    Quality(oneshot::Sender<Quality>),
}

impl MediaCommand {
    /// The same for a far end behind this trunk.
    fn through(self, trunk: IpAddr) -> Self {
        match self {
            Self::Start(agreed) => Self::Start(agreed.through(trunk)),
            other => other,
        }
    }
}

/// What one stream tells the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The first frame of the clip with this tag has left. Again, when the clip begins anew after a hold.
    Began(u32),
    /// The last frame of the clip with this tag has left.
    Played(u32),
    /// A key was pressed: `0-9`, `*`, `#`, `A-D`. Once per press, when it begins.
    Key(char),
    /// The key told last is still down; comes a few times a second during a long press.
    KeyHeld(char),
    /// What was found out about who picked up.
    Heard(Heard),
    /// Only one end is heard, or none.
    Silent(Fault),
    /// The recording is full, or it has been silent for a while.
    RecordingOver,
}

/// Why a call is ended for its media.
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
