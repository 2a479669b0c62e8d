//! What the callee records in one call: begun, fetched from the line, made ready for the store.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock;
use crate::media::codec::Codec;
use crate::media::take::Take;
use crate::media::{Command, engine};
use crate::notification::{MessageId, VoiceAnswer};
use crate::script::VOICE_MIN;
use crate::sealing::{self, SealingKey};
use crate::seed::Seed;

/// At most one recording: on the line, or fetched from it.
#[derive(Default)]
pub(super) struct Recorder {
    on_line: Option<oneshot::Receiver<Box<Take>>>,
    fetched: Option<Box<Take>>,
}

impl Recorder {
    /// Begins anew; what was recorded before is forgotten.
    pub(super) fn begin(&mut self, line: &engine::Line, codec: Codec, length_max: Duration) {
        let (back, taken) = oneshot::channel();
        let take = Box::new(Take::new(codec, length_max, clock::now()));
        line.command(Command::Record { take, back });
        (self.on_line, self.fetched) = (Some(taken), None);
    }

    /// Stops recording. What comes back is handed to [`Recorder::keep`].
    pub(super) fn stop(&mut self, line: &engine::Line) -> Option<oneshot::Receiver<Box<Take>>> {
        line.command(Command::StopRecording);
        self.on_line.take()
    }

    /// Keeps what came from the line.
    pub(super) fn keep(&mut self, take: Box<Take>) {
        self.fetched = Some(take);
    }

    /// Whether a recording is still going on.
    pub(super) fn is_on_line(&self) -> bool {
        self.on_line.is_some()
    }

    /// What was recorded, as an answer; `None` if it is too short to be one.
    pub(super) fn answer(
        &self,
        message: MessageId,
        cut: bool,
        sealing: Option<&SealingKey>,
    ) -> Option<VoiceAnswer> {
        let take = self.fetched.as_ref().filter(|take| take.voice() >= VOICE_MIN)?;
        let mut seed = Seed::fresh();
        let name = seed.token();
        let sound = sealing::close(&take.to_bytes(), name.as_bytes(), sealing, seed.nonce());
        Some(VoiceAnswer { message, name, sound, length: take.length(), cut })
    }
}
