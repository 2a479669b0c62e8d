//! What the callee records in one call: begun, fetched from the line, kept in the store, sent or dropped.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::clock;
use crate::media::codec::Codec;
use crate::media::take::{Account, Take};
use crate::media::{Command, engine};
use crate::notification::{AttemptId, MessageId, VoiceAnswer};
use crate::script::VOICE_MIN;
use crate::sealing::{self, SealingKey};
use crate::seed::Seed;
use crate::store::Store;

/// At most one recording: on the line, or kept in the store.
pub(super) struct Recorder {
    store: Store,
    attempt: AttemptId,
    sealing: Option<SealingKey>,
    on_line: Option<oneshot::Receiver<Box<Take>>>,
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
    pub(super) fn new(store: Store, attempt: AttemptId, sealing: Option<SealingKey>) -> Self {
        Self { store, attempt, sealing, on_line: None, kept: None }
    }

    /// It is found out only during the call which one this is.
    pub(super) fn belongs_to(&mut self, attempt: AttemptId) {
        self.attempt = attempt;
    }

    /// Begins anew; what was recorded before is dropped.
    pub(super) fn begin(&mut self, line: &engine::Line, codec: Codec, length_max: Duration) {
        if let Some(name) = self.kept.take() {
            let store = self.store.clone();
            tokio::spawn(async move {
                if let Err(error) = store.drop_voice(name).await {
                    warn!(%error, "a recording that is not to be sent was not dropped");
                }
            });
        }
        let (back, taken) = oneshot::channel();
        let take = Box::new(Take::new(codec, length_max, clock::now()));
        line.command(Command::Record { take, back });
        self.on_line = Some(taken);
    }

    /// Stops recording and keeps what was said, once it comes from the line. `None` if nothing is being recorded.
    pub(super) fn stop(
        &mut self,
        line: &engine::Line,
        message: MessageId,
        cut: bool,
    ) -> Option<impl Future<Output = Recorded> + Send + use<>> {
        line.command(Command::StopRecording);
        let taken = self.on_line.take()?;
        let (store, attempt, sealing) = (self.store.clone(), self.attempt, self.sealing.clone());
        Some(async move {
            let nothing = Recorded { voice: Duration::ZERO, samples: vec![], kept: None };
            let Ok(Ok(take)) = timeout(LINE_GIVES_MAX, taken).await else { return nothing };
            let Account { expected, received, concealed, late, duplicates } = take.account();
            debug!(expected, received, concealed, late, duplicates, "recorded");
            let (voice, samples) = (take.voice(), take.samples());
            if voice < VOICE_MIN {
                return Recorded { voice, samples, kept: None };
            }
            let mut seed = Seed::fresh();
            let name = seed.token();
            let bytes = take.to_bytes();
            let sound = sealing::close(&bytes, name.as_bytes(), sealing.as_ref(), seed.nonce());
            let length = take.length();
            let answer = VoiceAnswer { message, name: name.clone(), sound, length, cut };
            let kept = store.keep_voice(attempt, answer, clock::timestamp()).await;
            if let Err(error) = &kept {
                warn!(%error, "a voice answer was not stored");
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
            let sent = store.send_voice(name, clock::timestamp()).await;
            if let Err(error) = &sent {
                warn!(%error, "a voice answer was not stored");
            }
            sent.is_ok()
        }
    }
}

/// The line hands a recording over at once, or it is gone.
const LINE_GIVES_MAX: Duration = Duration::from_secs(1);
