//! A clip as a WAV file. Edge.

use std::path::Path;

use crate::media::codec::Clip;

/// Writes a G.711 clip as the far end decodes it: 8 kHz, 16 bits, one channel.
pub(crate) fn write_wav(clip: &Clip, out: &Path) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(out, spec)?;
    for octet in (0..).map_while(|number| clip.frame(number)).flatten() {
        writer.write_sample(audio_codec_algorithms::decode_ulaw(*octet))?;
    }
    writer.finalize()
}
