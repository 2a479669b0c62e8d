//! Ogg Opus.

use ogg::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Encoder};

use super::sound::{Sound, WIDE_HZ};

/// Writes the file; `None` if the encoder refuses.
///
/// Source: RFC 7845 §3 to §5.
pub(super) fn write(sound: &Sound) -> Option<Vec<u8>> {
    let samples = sound.wide_band()?;
    let mut encoder = Encoder::new(WIDE_HZ as u32, Channels::Mono, Application::Voip).ok()?;
    encoder.set_bitrate(Bitrate::Bits(16_000)).ok()?;
    encoder.set_vbr(true).ok()?;
    encoder.set_complexity(5).ok()?;
    let pre_skip = u64::try_from(encoder.get_lookahead().ok()?).ok()? * UP;

    let mut writer = PacketWriter::new(vec![]);
    writer.write_packet(head(pre_skip), SERIAL, PacketWriteEndInfo::EndPage, 0).ok()?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0).ok()?;
    // Positions are samples at 48 kHz, the encoder's own delay among them; the last one cuts what fills the last packet.
    let end = samples.len() as u64 * UP + pre_skip;
    let packets = end.div_ceil(PACKET).max(1);
    for number in 0..packets {
        let from = usize::try_from(number * PACKET / UP).ok()?;
        let mut frame = [0; FRAME];
        let heard = samples.get(from..).unwrap_or_default();
        let heard = &heard[..heard.len().min(FRAME)];
        frame[..heard.len()].copy_from_slice(heard);
        let packet = encoder.encode_vec(&frame, PACKET_BYTES_MAX).ok()?;
        let (position, info) = if number + 1 == packets {
            (end, PacketWriteEndInfo::EndStream)
        } else if number % PACKETS_PER_PAGE == PACKETS_PER_PAGE - 1 {
            ((number + 1) * PACKET, PacketWriteEndInfo::EndPage)
        } else {
            ((number + 1) * PACKET, PacketWriteEndInfo::NormalPacket)
        };
        writer.write_packet(packet, SERIAL, info, position).ok()?;
    }
    Some(writer.into_inner())
}

fn head(pre_skip: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&u16::try_from(pre_skip).unwrap_or(0).to_le_bytes());
    head.extend_from_slice(&(WIDE_HZ as u32).to_le_bytes());
    head.extend_from_slice(&[0, 0, 0]);
    head
}

fn tags() -> Vec<u8> {
    let vendor = b"Offhook";
    let mut tags = b"OpusTags".to_vec();
    tags.extend_from_slice(&(vendor.len() as u32).to_le_bytes());
    tags.extend_from_slice(vendor);
    tags.extend_from_slice(&0_u32.to_le_bytes());
    tags
}

/// From our rate to 48 kHz.
const UP: u64 = 48_000 / WIDE_HZ as u64;
/// 20 ms at 48 kHz, and at ours.
const PACKET: u64 = 960;
const FRAME: usize = WIDE_HZ / 50;
const PACKETS_PER_PAGE: u64 = 50;
const PACKET_BYTES_MAX: usize = 1275;
/// One stream to a file; any number does.
const SERIAL: u32 = 1;
