//! From what came over the line to a file that people play: trimmed, levelled, encoded.

pub mod encode;
mod finish;
mod m4a;
mod opus_file;

pub use encode::{EncodeError, Encoded, Format, encode};
pub use finish::{Sound, finish};
