//! From what came over the line to a file that people play: trimmed, levelled, encoded.

pub mod encode;
mod error;
mod m4a;
mod opus;
mod postprocess;
mod sound;

pub use encode::{Encoded, Format, encode};
pub use error::EncodeError;
pub use postprocess::finish;
pub use sound::Sound;
