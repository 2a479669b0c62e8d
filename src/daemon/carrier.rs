//! Brings voice answers to their senders: makes files of them, and puts these where the senders can get them.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::transcript;
use super::upload_desk::{NotUploaded, UploadDesk};
use crate::clock;
use crate::config::{Http, VoiceReply};
use crate::dialer::asked;
use crate::http;
use crate::media::take::Take;
use crate::notification::{Recording, VoiceFile};
use crate::recording::{Encoded, Format, encode, finish};
use crate::sealing;
use crate::seed::Seed;
use crate::store::Store;

/// What it needs.
pub(super) struct Carrier {
    pub(super) store: Store,
    pub(super) voice: VoiceReply,
    pub(super) http: Option<Http>,
    pub(super) desk: UploadDesk,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Carrier {
    /// Runs until it is told to stop. One recording at a time: what is kept waiting is safe.
    pub(super) async fn run(self) {
        let mut stopping = self.stopping.clone();
        loop {
            let pause = match self.store.next_recording(clock::timestamp()).await {
                Ok(Some(recording)) => {
                    tokio::select! {
                        () = self.carry(recording) => continue,
                        () = asked(&mut stopping) => return,
                    }
                }
                Ok(None) => self.until_due().await,
                Err(error) => {
                    warn!(%error, "voice answers that wait could not be read");
                    RETRY_MIN
                }
            };
            tokio::select! {
                () = self.store.voice().notified() => {}
                () = sleep(pause) => {}
                () = asked(&mut stopping) => return,
            }
        }
    }

    async fn until_due(&self) -> Duration {
        let due = self.store.next_recording_due().await.ok().flatten();
        let left = due.map(|due| due.duration_since(clock::timestamp()));
        left.map_or(IDLE, |left| Duration::try_from(left).unwrap_or_default()).min(IDLE)
    }

    async fn carry(&self, recording: Recording) {
        let id = recording.id;
        let Err(error) = self.pass_on(&recording).await else {
            return info!(message_id = recording.answer.message.0, "a voice answer was passed on");
        };
        let no_way = matches!(error, NotCarried::NoWay);
        let pause = RETRY_MIN * 2_u32.saturating_pow(recording.tries.min(16));
        let pause = if no_way { RETRY_MAX } else { pause.min(RETRY_MAX) };
        warn!(%error, next_try_s = pause.as_secs(), "a voice answer was not passed on; it is kept");
        let now = clock::timestamp();
        let again = now.checked_add(pause).unwrap_or(now);
        if let Err(error) = self.store.recording_failed(id, no_way, again, now).await {
            warn!(%error, "that a voice answer waits was not stored");
            sleep(RETRY_MIN).await;
        }
    }

    async fn pass_on(&self, recording: &Recording) -> Result<(), NotCarried> {
        let answer = &recording.answer;
        let name = answer.name.as_bytes();
        let take = sealing::open(&answer.sound, name, self.voice.key.as_ref())?;
        let take = Take::from_bytes(&take, clock::now())?;
        let format = self.voice.format;
        // Encoding takes its time; no call waits for it.
        let making = tokio::task::spawn_blocking(move || {
            let sound = finish(&take);
            encode(&sound, format).map(|file| (sound, file))
        });
        let (sound, file) = making.await.map_err(|_| NotCarried::Encoder)??;
        let file_name = format!("voice.{}", format.extension());
        let (url, served) = self.publish(recording, &file_name, &file).await?;
        let is_served = served.is_some();
        let keep = !self.voice.transcribe.is_empty();
        let about = VoiceFile {
            url,
            file_name,
            media_type: format.media_type().to_owned(),
            octets: file.bytes.len() as u64,
            length: file.length,
        };
        let now = clock::timestamp();
        self.store.recording_sent(recording.id, about, served, keep, now).await?;
        if keep {
            let text = transcript::of(&sound, &self.voice.transcribe).await;
            let now = clock::timestamp();
            self.store.transcribed(recording.id, text, is_served, now).await?;
        }
        Ok(())
    }

    /// Puts the file where it can be downloaded: at the server's own service, else here. Gives the link, and the
    /// file as it is kept if it is served from here.
    async fn publish(
        &self,
        recording: &Recording,
        file_name: &str,
        file: &Encoded,
    ) -> Result<(String, Option<Vec<u8>>), NotCarried> {
        let domain = recording.about.draft.recipient.domain().as_str();
        let format: Format = self.voice.format;
        let error = match self.desk.put(domain, file_name, format, file).await {
            Ok(url) => return Ok((url, None)),
            Err(error) => error,
        };
        let Some(own) = &self.http else {
            return Err(match error {
                NotUploaded::NoService | NotUploaded::TooLarge => NotCarried::NoWay,
                other => other.into(),
            });
        };
        let name = &recording.answer.name;
        let nonce = Seed::fresh().nonce();
        let kept = sealing::close(&file.bytes, name.as_bytes(), self.voice.key.as_ref(), nonce);
        Ok((http::link(&own.public_url, name, file_name), Some(kept)))
    }
}

/// Why a voice answer is still here.
#[derive(Debug, thiserror::Error)]
enum NotCarried {
    #[error("there is neither an upload service nor [http] to pass it on by")]
    NoWay,
    #[error(transparent)]
    Upload(#[from] NotUploaded),
    #[error(transparent)]
    Sealed(#[from] sealing::NotOurs),
    #[error(transparent)]
    Take(#[from] crate::media::take::NotATake),
    #[error(transparent)]
    Encode(#[from] crate::recording::EncodeError),
    #[error("the encoder broke off")]
    Encoder,
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(3600);
