//! What the packets of a far end carry, and who listens to their sound.

use std::time::Instant;

use super::{Stream, UnagreedTones};
use crate::media::codec::{Codec, Decoder, HEARD_MAX, OCTETS_PER_MS};
use crate::media::{MediaEvent, PayloadFormat};

impl Stream {
    /// What packets of this payload type carry; `None` for what nobody has named.
    ///
    /// Source: RFC 3264 §5.1, §6.1: the far end may send by the numbers of our description, in each of its formats.
    ///         COMPAT(gateways): or by those of its own.
    pub(super) fn format(&self, payload_type: u8) -> Option<PayloadFormat> {
        let agreed = &self.agreed;
        if payload_type == agreed.payload_type {
            return Some(PayloadFormat::Audio(agreed.codec));
        }
        let listed = agreed.formats.iter().find(|(number, _)| *number == payload_type);
        let listed = listed.map(|(_, format)| *format);
        let before = self.events_before.filter(|_| agreed.events_payload_type.is_some());
        if [agreed.events_payload_type, before].contains(&Some(payload_type)) {
            let ticks_per_ms = match listed {
                Some(PayloadFormat::Events { ticks_per_ms }) => ticks_per_ms,
                Some(PayloadFormat::Audio(_)) | None => OCTETS_PER_MS as u32,
            };
            return Some(PayloadFormat::Events { ticks_per_ms });
        }
        listed
    }

    /// Gives the sound of one packet to whatever listens: recording, tones, answering machine. They hear all codecs in
    /// the law of the one agreed on; a recording stays in the law in which it began.
    pub(super) fn hear(
        &mut self,
        codec: Codec,
        payload: &[u8],
        sequence: u16,
        timestamp: u32,
        now: Instant,
    ) -> Option<MediaEvent> {
        let unagreed = matches!(self.tones, UnagreedTones::Listening | UnagreedTones::Found);
        let tones = self.agreed.tones || unagreed;
        if self.recording.is_none() && self.listener.is_none() && !tones {
            return None;
        }
        if codec != self.heard {
            self.heard = codec;
            self.decoder = Decoder::of(codec);
        }
        let agreed = self.agreed.codec;
        let (mut octets, mut in_law) = ([0; HEARD_MAX], [0; HEARD_MAX]);
        let mut recorded = [0; HEARD_MAX];
        let sound = match &mut self.decoder {
            None => payload,
            Some(decoder) => {
                let heard = decoder.decode(payload, &mut octets);
                &octets[..heard]
            }
        };
        let sound = translated(sound, codec, agreed, &mut in_law);
        let timestamp = self.clock.plain(timestamp, codec);
        if let Some(recording) = &mut self.recording {
            let sound = translated(sound, agreed, recording.codec(), &mut recorded);
            recording.packet(sequence, timestamp, sound, now);
        }
        let key = if tones { self.keys.sound(agreed, sound, timestamp, now) } else { None };
        if unagreed && matches!(key, Some(MediaEvent::Key(_))) {
            self.tones = UnagreedTones::Found;
        }
        let listener = self.listener.as_mut();
        let heard = listener.and_then(|listener| listener.packet(agreed, sound, timestamp));
        self.listener.take_if(|listener| listener.is_done());
        // A key proves nothing until it is clear who picked up.
        heard.map(MediaEvent::Heard).or(key)
    }
}

/// Sound of one law in that of another.
fn translated<'s>(
    sound: &'s [u8],
    from: Codec,
    to: Codec,
    room: &'s mut [u8; HEARD_MAX],
) -> &'s [u8] {
    if from.same_law(to) {
        return sound;
    }
    let heard = sound.len().min(HEARD_MAX);
    for (octet, other) in room.iter_mut().zip(sound) {
        *octet = to.octet(from.decode(*other));
    }
    &room[..heard]
}
