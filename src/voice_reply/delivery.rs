//! Delivers voice replies: encodes each recording, and uploads or serves the file.

use std::sync::Arc;

use jiff::Zoned;
use tokio::sync::watch;
use tracing::warn;

use super::transcribe::{Transcripts, transcribe};
use super::upload_service::{NotUploaded, UploadService};
use crate::clock;
use crate::config::{Live, VoiceReply};
use crate::http;
use crate::media::recording_buffer::RecordingBuffer;
use crate::notification::{Recording, RecordingId, VoiceFile};
use crate::sealing;
use crate::seed::Seed;
use crate::store::{Sound, Store};
use crate::voice_reply::file::{self, Encoded, encode, finish};

/// The task that delivers recordings.
pub(crate) struct VoiceReplyDelivery {
    pub(crate) store: Store,
    pub(crate) live: watch::Receiver<Arc<Live>>,
    /// Whether our own HTTP server runs.
    pub(crate) serves: bool,
    pub(crate) upload: UploadService,
    pub(crate) transcripts: Transcripts,
}

impl VoiceReplyDelivery {
    /// Makes a file of a recording, puts it where its sender can download it, and has them told.
    ///
    /// Contract: it may be dropped at any moment; what is not told is then delivered again.
    pub(crate) async fn deliver(&self, recording: &Recording) -> Result<(), NotDelivered> {
        let (answer, settings) = (&recording.answer, self.live.borrow().clone());
        let voice = &settings.voice_reply;
        let recorded = sealing::open(&answer.sound, answer.name.as_bytes(), voice.key.as_ref())?;
        let recorded = RecordingBuffer::from_bytes(&recorded, clock::now())?;
        let format = voice.format;
        // Encoding takes long; it has a thread of its own so that no call waits for it.
        let encoding = tokio::task::spawn_blocking(move || {
            let sound = finish(&recorded);
            encode(&sound, format).map(|file| (sound, file))
        });
        let (sound, file) = encoding.await.map_err(|_| NotDelivered::Encoder)??;
        let recipient = &recording.about.draft.recipient;
        let callee = self.store.subscriber(recipient).await?;
        let zone = callee.as_ref().and_then(|it| it.time_zone.clone());
        let taken = recording.taken.to_zoned(zone.unwrap_or_else(|| settings.policy.zone.clone()));
        let name = callee.map_or_else(|| NAMELESS.to_owned(), |callee| callee.name);
        let file_name = file_name(&name, &taken, format.extension());
        let (url, served) = self.publish(recording, &settings, &file_name, &file).await?;
        let is_served = served.is_some();
        let is_transcribed = !voice.transcribe.is_empty();
        let kept = match served {
            Some(file) => Sound::Served(file),
            None if is_transcribed => Sound::Kept,
            None => Sound::Erased,
        };
        let about = VoiceFile {
            url,
            file_name,
            media_type: format.media_type().to_owned(),
            octets: file.bytes.len() as u64,
            length: file.length,
        };
        let now = clock::moment();
        self.store.recording_sent(recording.id, about, kept, now).await?;
        if is_transcribed {
            let kept = if is_served { Sound::Kept } else { Sound::Erased };
            self.transcribe(recording.id, sound, kept, voice.transcribe.clone());
        }
        Ok(())
    }

    /// Has a recording transcribed beside all else: the program may take long, and the next recording does not wait for it.
    fn transcribe(&self, id: RecordingId, sound: file::Sound, kept: Sound, command: Vec<String>) {
        let store = self.store.clone();
        self.transcripts.begin(async move {
            let text = transcribe(&sound, &command).await;
            if let Err(error) = store.transcribed(id, text, kept, clock::timestamp()).await {
                warn!(%error, "transcript not stored");
            }
        });
    }

    /// Makes the file available: at the upload service, else at our own HTTP server. Gives the link, and the stored
    /// form of the file if we serve it.
    async fn publish(
        &self,
        recording: &Recording,
        settings: &Live,
        file_name: &str,
        file: &Encoded,
    ) -> Result<(String, Option<Vec<u8>>), NotDelivered> {
        let domain = recording.about.draft.recipient.domain().as_str();
        let voice: &VoiceReply = &settings.voice_reply;
        let error = match self.upload.put(domain, file_name, voice, file).await {
            Ok(url) => return Ok((url, None)),
            Err(error) => error,
        };
        let public_url = settings.links.public_url.as_ref().filter(|_| self.serves);
        let Some(public_url) = public_url else {
            return Err(match error {
                NotUploaded::NoService | NotUploaded::TooLarge => NotDelivered::NoWay,
                other => other.into(),
            });
        };
        let name = &recording.answer.name;
        let nonce = Seed::fresh().nonce();
        let stored = sealing::close(&file.bytes, name.as_bytes(), voice.key.as_ref(), nonce);
        Ok((http::link(public_url, name, file_name), Some(stored)))
    }
}

/// Who speaks and when, so that one file is told from another where it is kept: `Bob 2026-11-30 17.41.mp3`.
fn file_name(speaker: &str, at: &Zoned, extension: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let plain = speaker.chars().map(|c| if is_plain(c) { c } else { ' ' });
    let plain: String = plain.take(SPEAKER_CHARS_MAX).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let speaker = if words.is_empty() { NAMELESS.to_owned() } else { words.join(" ") };
    format!("{speaker} {}.{extension}", at.strftime("%Y-%m-%d %H.%M"))
}

/// The speaker's name where there is none that a file can bear.
const NAMELESS: &str = "voice";
const SPEAKER_CHARS_MAX: usize = 40;

/// Why a voice reply is not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDelivered {
    #[error("there is neither an upload service nor [http] to pass it on by")]
    NoWay,
    #[error(transparent)]
    Upload(#[from] NotUploaded),
    #[error(transparent)]
    Sealed(#[from] sealing::OpenError),
    #[error(transparent)]
    RecordingBuffer(#[from] crate::media::recording_buffer::NotARecording),
    #[error(transparent)]
    Encode(#[from] file::EncodeError),
    #[error("the encoder panicked")]
    Encoder,
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_who_speaks_and_when() {
        let at = "2026-11-30T17:41:09+09:00[Asia/Tokyo]".parse().unwrap();
        for (speaker, name) in [
            ("Bob", "Bob 2026-11-30 17.41.mp3"),
            ("Dr. Bob O'Neil", "Dr Bob O Neil 2026-11-30 17.41.mp3"),
            ("../../etc/passwd", "etc passwd 2026-11-30 17.41.mp3"),
            ("田中", "田中 2026-11-30 17.41.mp3"),
            ("\u{202e}/", "voice 2026-11-30 17.41.mp3"),
        ] {
            assert_eq!(file_name(speaker, &at, "mp3"), name);
        }
    }
}
