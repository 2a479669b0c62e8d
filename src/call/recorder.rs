//! What the callee records in one call: begun, fetched from the media thread, kept in the store, sent or dropped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tracing::{Instrument, debug, warn};

use crate::clock;
use crate::config::Live;
use crate::media::codec::Codec;
use crate::media::recording_buffer::{Account, RecordingBuffer};
use crate::media::{MediaCommand, engine};
use crate::notification::{AttemptId, MessageId, VoiceAnswer};
use crate::script::VOICE_MIN;
use crate::sealing;
use crate::seed::Seed;
use crate::store::Store;

/// At most one recording: in the media thread, or kept in the store.
pub(super) struct Recorder {
    store: Store,
    live: watch::Receiver<Arc<Live>>,
    running: Option<oneshot::Receiver<Box<RecordingBuffer>>>,
    /// Its name in the store.
    kept: Option<String>,
}

/// What became of a recording when it was over.
pub(super) struct Recorded {
    /// So much of it is voice.
    pub(super) voice: Duration,
    /// What was heard, to be played to the callee.
    pub(super) samples: Vec<i16>,
    /// Its name in the store; `None` if it is too short to be kept, or could not be.
    pub(super) kept: Option<String>,
}

impl Recorder {
    pub(super) fn new(store: Store, live: watch::Receiver<Arc<Live>>) -> Self {
        Self { store, live, running: None, kept: None }
    }

    /// Begins anew; what was recorded before is dropped.
    pub(super) fn begin(&mut self, port: &engine::RtpPort, codec: Codec) {
        if let Some(name) = self.kept.take() {
            let store = self.store.clone();
            let dropped = async move {
                if let Err(error) = store.drop_voice(name).await {
                    warn!(%error, "recording that is not to be sent was not dropped");
                }
            };
            tokio::spawn(dropped.in_current_span());
        }
        let (back, recorded) = oneshot::channel();
        let length_max = self.live.borrow().voice_reply.longest;
        let buffer = Box::new(RecordingBuffer::new(codec, length_max, clock::now()));
        port.command(MediaCommand::Record { buffer, back });
        self.running = Some(recorded);
    }

    /// Stops recording and keeps what was said, once it comes from the media thread. `None` if nothing is being recorded.
    pub(super) fn stop(
        &mut self,
        port: &engine::RtpPort,
        attempt: AttemptId,
        message: MessageId,
        cut: bool,
    ) -> Option<impl Future<Output = Recorded> + Send + use<>> {
        port.command(MediaCommand::StopRecording);
        let recorded = self.running.take()?;
        let (store, live) = (self.store.clone(), self.live.clone());
        Some(async move {
            let nothing = Recorded { voice: Duration::ZERO, samples: vec![], kept: None };
            let Ok(Ok(buffer)) = timeout(MEDIA_THREAD_MAX, recorded).await else { return nothing };
            let Account { expected, received, concealed, late, duplicates } = buffer.account();
            debug!(expected, received, concealed, late, duplicates, "recorded");
            let (voice, samples) = (buffer.voice(), buffer.samples());
            if voice < VOICE_MIN {
                return Recorded { voice, samples, kept: None };
            }
            let mut seed = Seed::fresh();
            let name = seed.token();
            let bytes = buffer.to_bytes();
            // The key may have been changed since the call began; the file is opened with the key of then.
            let key = live.borrow().voice_reply.key.clone();
            let sound = sealing::close(&bytes, name.as_bytes(), key.as_ref(), seed.nonce());
            let length = buffer.length();
            let answer = VoiceAnswer { message, name: name.clone(), sound, length, cut };
            let kept = store.keep_voice(attempt, answer, clock::moment()).await;
            if let Err(error) = &kept {
                warn!(%error, "voice answer was not stored");
            }
            Recorded { voice, samples, kept: kept.ok().map(|()| name) }
        })
    }

    /// Takes note of what was kept.
    pub(super) fn has_kept(&mut self, name: Option<String>) {
        self.kept = name;
    }

    /// Makes what was kept the callee's answer; tells whether that is durable.
    pub(super) fn send(&self) -> impl Future<Output = bool> + Send + use<> {
        let (store, kept) = (self.store.clone(), self.kept.clone());
        async move {
            let Some(name) = kept else { return false };
            let sent = store.send_voice(name, clock::moment()).await;
            if let Err(error) = &sent {
                warn!(%error, "voice answer was not stored");
            }
            sent.is_ok()
        }
    }
}

/// The media thread hands a recording over at once, or it is gone.
const MEDIA_THREAD_MAX: Duration = Duration::from_secs(1);
