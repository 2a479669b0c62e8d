//! Offer and answer: which codec, where to, and who sends.

mod fallback_offer;
mod host;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use sdp_types::{
    Attribute, Connection, Direction, Media, MediaType, Origin, RtpMap, Session, TransportProto,
};

pub use self::fallback_offer::reduced;
use self::host::Host;
use super::message::DATAGRAM_BYTES_MAX;
use super::sdes::Crypto;
use super::trunk::{Dtmf, Srtp};
use crate::media::codec::Codec;
use crate::media::srtp::Keys;
use crate::media::{Negotiated, PayloadFormat};
use crate::seed::Seed;

/// Writes our offer: one audio stream of 20 ms packets, with telephone events where `dtmf` wants them.
///
/// `session` is a number that no other call of ours has.
///
/// Source: RFC 8866 §5; RFC 3264 §5; RFC 4733 §7.1.1.
pub fn offer(local_rtp: SocketAddr, codecs: &[Codec], dtmf: Dtmf, session: u64) -> String {
    let mut formats: Vec<_> = codecs
        .iter()
        .map(|codec| (codec.description().payload_type, Format::Audio(*codec)))
        .collect();
    if dtmf.offers_events() {
        // An event goes by the clock of the audio beside it (RFC 4733 §2.5.1.2).
        let clocks = EventsClock::all();
        let used =
            clocks.filter(|clock| codecs.iter().any(|codec| EventsClock::of(*codec) == *clock));
        formats.extend(used.map(|clock| (clock.payload_type(), Format::Events(clock))));
    }
    let audio = stream(local_rtp.port(), &formats, Direction::SendRecv);
    write(local_rtp.ip(), &session.to_string(), 0, vec![audio])
}

/// Adds fresh keys to an offer of ours.
///
/// Where they are optional the offer stays RTP/AVP, which who knows no SRTP takes too.
///
/// Source: RFC 4568 §5.1.1; RFC 3711 §12 (RTP/SAVP).
pub fn protect(offer: String, srtp: Srtp, seed: &mut Seed) -> String {
    let Some(mut session) = read(&offer).ok().filter(|_| srtp != Srtp::Off) else { return offer };
    for media in &mut session.medias {
        if srtp == Srtp::Required {
            media.proto = SECURE.0.to_owned();
        }
        for crypto in Crypto::fresh(seed) {
            media.add_attribute_with_value("crypto", crypto.write());
        }
    }
    session.to_string()
}

/// Reads the far end's answer to an offer of `own`.
///
/// Errors: [`AnswerError`]; the call cannot speak and is hung up.
/// Source: RFC 3264 §6, §7. We send with the payload types of the answer. RFC 4568 §5.1.3 (keys).
pub fn accept(answer: &str, own: &str) -> Result<Negotiated, AnswerError> {
    let (theirs, ours) = (read(answer)?, read(own)?);
    let us = Stream::ours(&ours)?;
    let stream = Stream::find(&theirs, us.srtp())?;
    let fits = |it: &Crypto, own: &Crypto| it.tag == own.tag && it.key.suite() == own.key.suite();
    let keys = stream.keys(&us, fits)?.map(|(keys, _)| keys);
    if keys.is_none() && stream.names_keys && us.srtp() != Srtp::Off {
        return Err(AnswerError::NoKeys);
    }
    stream.negotiate(&us, keys)
}

/// Answers an offer of the far end during a call, and tells what now holds.
///
/// `own` is the description that we gave last; the answer names the same port and the codecs known from it.
///
/// Errors: [`AnswerError`]; the offer is refused with 488 and what held before holds on.
/// Source: RFC 3264 §6 (answer), §8 (changing a session), §8.4 (hold); RFC 4568 §7.1.4 (changing keys). Our key for a
///         suite stays the same during a call, and its packets go on counting.
pub fn reanswer(offer: &str, own: &str, version: u64) -> Result<(String, Negotiated), AnswerError> {
    let (theirs, ours) = (read(offer)?, read(own)?);
    let us = Stream::ours(&ours)?;
    let stream = Stream::find(&theirs, us.srtp())?;
    let fits = |it: &Crypto, own: &Crypto| it.key.suite() == own.key.suite();
    let (keys, tag) = stream.keys(&us, fits)?.unzip();
    let mut negotiated = stream.negotiate(&us, keys)?;
    if !us.formats.iter().any(|(_, format)| matches!(format, Format::Events(_))) {
        negotiated.events_payload_type = None;
    }
    let mut formats = vec![(negotiated.payload_type, Format::Audio(negotiated.codec))];
    let events =
        stream.events(negotiated.codec).filter(|_| negotiated.events_payload_type.is_some());
    formats.extend(events);
    let mut accepted = self::stream(us.remote.port(), &formats, stream.direction.reverse());
    accepted.proto.clone_from(&stream.proto);
    if let (Some(keys), Some(tag)) = (&negotiated.keys, tag) {
        let crypto = Crypto { tag, key: keys.ours.clone() };
        accepted.add_attribute_with_value("crypto", crypto.write());
    }
    let medias = theirs.medias.iter().enumerate().map(|(index, media)| {
        if index == stream.index { accepted.clone() } else { refused(media) }
    });
    let answer = write(us.remote.ip(), &ours.origin.sess_id, version, medias.collect());
    Ok((answer, negotiated))
}

/// Repeats our own description as a new offer, for a far end that asks us to make one.
///
/// Source: RFC 3261 §14.2.
pub fn reoffer(own: &str, version: u64) -> Result<String, AnswerError> {
    let mut session = read(own)?;
    session.origin.sess_version = version;
    Ok(session.to_string())
}

/// The codecs of a description of ours.
#[cfg(test)]
pub(crate) fn codecs(own: &str) -> Vec<Codec> {
    read(own).and_then(|session| Stream::ours(&session).map(|us| us.codecs())).unwrap_or_default()
}

/// Why a description is of no use to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Over a limit.
    #[error("the session description is larger than a call needs")]
    TooLarge,
    /// Not a session description.
    #[error("the session description cannot be read")]
    NotSdp,
    /// No audio stream that is open and over RTP as we have it.
    #[error("the far end takes no audio that we could send")]
    NoAudio,
    /// No key that fits one of ours, where one must.
    #[error(
        "the far end gives no key for SRTP that fits, and the trunk's srtp does not allow plain audio"
    )]
    NoKeys,
    /// No codec of ours.
    #[error("the far end knows none of the codecs offered; allow another in codecs")]
    NoCodec,
    /// An address that is no single host's.
    #[error("the far end names no address to send audio to")]
    NoAddress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Audio(Codec),
    Events(EventsClock),
}

/// The RTP clock of telephone events, in Hz: that of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EventsClock(u32);

impl EventsClock {
    fn of(codec: Codec) -> Self {
        Self(codec.description().clock_hz)
    }

    /// Each once, the telephone's first.
    fn all() -> impl Iterator<Item = Self> {
        let clocks = Codec::ALL.map(Self::of);
        (0..clocks.len())
            .filter(move |at| !clocks[..*at].contains(&clocks[*at]))
            .map(move |at| clocks[at])
    }

    fn payload_type(self) -> u8 {
        let place = Self::all().position(|clock| clock == self).unwrap_or_default();
        EVENTS_PAYLOAD_TYPE + place as u8
    }
}

/// The audio stream of a description: the first that is open.
struct Stream {
    index: usize,
    remote: SocketAddr,
    /// Whether there is a host that takes packets; a held call may name none.
    is_known: bool,
    direction: Direction,
    formats: Vec<(u8, Format)>,
    packet_ms: u8,
    proto: String,
    crypto: Vec<Crypto>,
    /// Whether there are lines for keys, of use to us or not.
    names_keys: bool,
}

impl Stream {
    fn ours(session: &Session) -> Result<Self, AnswerError> {
        Self::find(session, Srtp::Optional)
    }

    /// What we take: where nothing is encrypted only what is in the clear; where all is, rather what has keys.
    fn find(session: &Session, srtp: Srtp) -> Result<Self, AnswerError> {
        let open = |media: &&(usize, &Media)| {
            let plain = srtp != Srtp::Off && is_one_of(SECURE, &media.1.proto);
            let known = plain || is_one_of(PLAIN, &media.1.proto);
            media.1.media.eq_ignore_ascii_case("audio") && media.1.port != 0 && known
        };
        let medias: Vec<_> = session.medias.iter().enumerate().filter(|it| open(&it)).collect();
        let with_keys = |(_, media): &&(usize, &Media)| !Crypto::all(media).is_empty();
        let safe = medias.iter().find(with_keys).filter(|_| srtp == Srtp::Required);
        let (index, media) = *safe.or(medias.first()).ok_or(AnswerError::NoAudio)?;
        let connection = media.connections.first().or(session.connection.as_ref());
        let host = connection.and_then(|it| Host::read(&it.connection_address));
        let host = host.ok_or(AnswerError::NoAddress)?;
        let (ip, is_known) = match host {
            Host::Address(ip) => (ip, !ip.is_unspecified()),
            Host::Name => (Ipv4Addr::UNSPECIFIED.into(), true),
        };
        let words = media.fmt.split_ascii_whitespace();
        let formats =
            words.take(FORMATS_MAX).filter_map(|word| format(word.parse().ok()?, media)).collect();
        let direction = direction(&media.attributes).or_else(|| direction(&session.attributes));
        let direction = direction.unwrap_or(Direction::SendRecv);
        let packet_ms = packet_ms(media);
        Ok(Self {
            index,
            remote: SocketAddr::new(ip, media.port),
            is_known,
            direction,
            formats,
            packet_ms,
            proto: media.proto.clone(),
            crypto: Crypto::all(media),
            names_keys: media.attributes.iter().any(|line| line.attribute == "crypto"),
        })
    }

    /// What a description of ours insists on.
    fn srtp(&self) -> Srtp {
        match is_one_of(SECURE, &self.proto) {
            true => Srtp::Required,
            false if self.crypto.is_empty() => Srtp::Off,
            false => Srtp::Optional,
        }
    }

    /// The first key of theirs that fits one of ours, with its tag; none where there may be none.
    fn keys(
        &self,
        us: &Self,
        fits: impl Fn(&Crypto, &Crypto) -> bool,
    ) -> Result<Option<(Arc<Keys>, u32)>, AnswerError> {
        let keys = self.crypto.iter().find_map(|it| {
            let own = us.crypto.iter().find(|own| fits(it, own) && it.key != own.key)?;
            let keys = Keys { ours: own.key.clone(), theirs: it.key.clone() };
            Some((Arc::new(keys), it.tag))
        });
        match us.srtp() {
            _ if keys.is_some() => Ok(keys),
            Srtp::Required => Err(AnswerError::NoKeys),
            Srtp::Optional | Srtp::Off if is_one_of(SECURE, &self.proto) => {
                Err(AnswerError::NoKeys)
            }
            Srtp::Optional | Srtp::Off => Ok(None),
        }
    }

    fn codecs(&self) -> Vec<Codec> {
        let audio = |(_, format): &(u8, Format)| match format {
            Format::Audio(codec) => Some(*codec),
            Format::Events(_) => None,
        };
        self.formats.iter().filter_map(audio).collect()
    }

    /// Telephone events beside this codec. COMPAT(baresip and others): they come with a clock of 8,000 Hz beside Opus too.
    fn events(&self, codec: Codec) -> Option<(u8, Format)> {
        let with = |clock| self.formats.iter().find(|(_, format)| *format == Format::Events(clock));
        let others = || EventsClock::all().find_map(with);
        with(EventsClock::of(codec)).or_else(others).copied()
    }

    fn negotiate(&self, us: &Self, keys: Option<Arc<Keys>>) -> Result<Negotiated, AnswerError> {
        let known = us.codecs();
        let audio = self.formats.iter().find_map(|(payload_type, format)| match format {
            Format::Audio(codec) if known.contains(codec) => Some((*payload_type, *codec)),
            Format::Audio(_) | Format::Events(_) => None,
        });
        let (payload_type, codec) = audio.ok_or(AnswerError::NoCodec)?;
        let events = self.events(codec);
        let formats = self.formats.iter().chain(&us.formats).filter_map(|(number, format)| {
            let format = match format {
                Format::Audio(codec) if !known.contains(codec) => return None,
                Format::Audio(codec) => PayloadFormat::Audio(*codec),
                Format::Events(clock) => PayloadFormat::Events { ticks_per_ms: clock.0 / 1000 },
            };
            Some((*number, format))
        });
        Ok(Negotiated {
            formats: formats.collect(),
            remote: self.remote,
            codec,
            payload_type,
            events_payload_type: events.map(|(payload_type, _)| payload_type),
            tones: events.is_none(),
            packet_ms: self.packet_ms,
            sending: self.direction.has_recv() && self.is_known,
            keys,
        })
    }
}

/// Parses a description within limits that are checked before the parser sees it.
fn read(sdp: &str) -> Result<Session, AnswerError> {
    let count = |key: &str| sdp.lines().filter(|line| line.starts_with(key)).count();
    if sdp.len() > DATAGRAM_BYTES_MAX || count("m=") > MEDIAS_MAX || count("a=") > ATTRIBUTES_MAX {
        return Err(AnswerError::TooLarge);
    }
    Session::parse(sdp.as_bytes()).map_err(|_| AnswerError::NotSdp)
}

fn write(ip: IpAddr, session: &str, version: u64, medias: Vec<Media>) -> String {
    let mut description = Session::new(Origin::with_ip_addr(session, version, ip), "-");
    description.connection = Some(Connection::from_ip_addr(ip));
    description.medias = medias;
    description.to_string()
}

fn stream(port: u16, formats: &[(u8, Format)], direction: Direction) -> Media {
    let list: Vec<_> = formats.iter().map(|(payload_type, _)| payload_type.to_string()).collect();
    let mut media = Media::new(MediaType::Audio, port, TransportProto::RtpAvp, list.join(" "));
    for (payload_type, format) in formats {
        media
            .add_attribute_with_value("rtpmap", format_args!("{payload_type} {}", format.rtpmap()));
        let Some(parameters) = format.fmtp() else { continue };
        media.add_attribute_with_value("fmtp", format_args!("{payload_type} {parameters}"));
    }
    media.add_attribute_with_value("ptime", 20);
    media.add_attribute_from_str(direction.as_str());
    media
}

/// A stream that we do not want (RFC 3264 §6).
fn refused(media: &Media) -> Media {
    let mut refused = media.clone();
    refused.port = 0;
    refused.attributes.clear();
    refused.connections.clear();
    refused
}

fn format(payload_type: u8, media: &Media) -> Option<(u8, Format)> {
    let mut maps = media.attributes_typed::<RtpMap>().flatten();
    let mut known =
        Codec::ALL.map(Format::Audio).into_iter().chain(EventsClock::all().map(Format::Events));
    let format = match maps.find(|map| map.payload_type == payload_type) {
        Some(map) => {
            // Channels may be left out (RFC 8866 §6.6); no format differs from another in them.
            let name = format!("{}/{}", map.encoding_name, map.clock_rate);
            let named = |format: &Format| {
                let rtpmap = format.rtpmap();
                let without_channels =
                    rtpmap.match_indices('/').nth(1).map_or(rtpmap.len(), |it| it.0);
                rtpmap[..without_channels].eq_ignore_ascii_case(&name)
            };
            known.find(named)
        }
        None if payload_type < DYNAMIC => known.find(|format| match format {
            Format::Audio(codec) => codec.description().payload_type == payload_type,
            Format::Events(_) => false,
        }),
        None => None,
    };
    Some((payload_type, format?))
}

impl Format {
    fn rtpmap(self) -> Cow<'static, str> {
        match self {
            Self::Audio(codec) => codec.description().rtpmap.into(),
            Self::Events(EventsClock(hz)) => format!("telephone-event/{hz}").into(),
        }
    }

    fn fmtp(self) -> Option<&'static str> {
        match self {
            Self::Audio(codec) => codec.description().fmtp,
            Self::Events(_) => Some("0-15"),
        }
    }
}

/// How much audio in a packet the far end wants, as near as we can.
///
/// Source: RFC 8866 §6.4 (`ptime` is a wish, `maxptime` a limit).
fn packet_ms(media: &Media) -> u8 {
    let number = |name| media.get_first_attribute_value(name)??.trim().parse::<u8>().ok();
    let max = number("maxptime").unwrap_or(u8::MAX);
    let wish = number("ptime").unwrap_or(20).min(max);
    PACKETS_MS.into_iter().rev().find(|ms| *ms <= wish).unwrap_or(PACKETS_MS[0])
}

fn is_one_of(profiles: (&str, &str), proto: &str) -> bool {
    proto.eq_ignore_ascii_case(profiles.0) || proto.eq_ignore_ascii_case(profiles.1)
}

fn direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| attribute.attribute.parse().ok())
}

/// Without and with feedback.
const PLAIN: (&str, &str) = ("RTP/AVP", "RTP/AVPF");
const SECURE: (&str, &str) = ("RTP/SAVP", "RTP/SAVPF");
const PACKETS_MS: [u8; 5] = [10, 20, 30, 40, 60];
/// Of the first clock; the others follow.
const EVENTS_PAYLOAD_TYPE: u8 = 101;
/// The first payload type that means nothing without `a=rtpmap` (RFC 3551 §3).
const DYNAMIC: u8 = 96;
const MEDIAS_MAX: usize = 8;
const ATTRIBUTES_MAX: usize = 64;
const FORMATS_MAX: usize = 16;

#[cfg(test)]
mod tests;
