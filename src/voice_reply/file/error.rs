//! Why a voice reply did not become a file.

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The encoder cannot take this sound.
    #[error("the {0} encoder failed; another voice_reply.format may work")]
    Encoder(&'static str),
    /// The program ffmpeg is missing.
    #[error("voice_reply.format \"m4a\" needs the program ffmpeg; install it or choose \"mp3\"")]
    NoFfmpeg,
    /// ffmpeg made no file.
    #[error("ffmpeg made no m4a file: {0}")]
    Ffmpeg(String),
}
