//! Offer and answer: which codec, where to, and who sends.

mod plainer;

use std::net::{IpAddr, SocketAddr};

use sdp_types::{
    Attribute, Connection, Direction, Media, MediaType, Origin, RtpMap, Session, TransportProto,
};

pub use self::plainer::plainer;
use super::message::DATAGRAM_BYTES_MAX;
use super::trunk::Dtmf;
use crate::media::Negotiated;
use crate::media::codec::Codec;

/// Writes our offer: one audio stream of 20 ms packets, with telephone events where `dtmf` wants them.
///
/// `session` is a number that no other call of ours has.
///
/// Source: RFC 8866 §5; RFC 3264 §5; RFC 4733 §7.1.1.
pub fn offer(local_rtp: SocketAddr, codecs: &[Codec], dtmf: Dtmf, session: u64) -> String {
    let mut formats: Vec<_> =
        codecs.iter().map(|codec| (payload_type(*codec), Format::Audio(*codec))).collect();
    if dtmf.offers_events() {
        // An event goes by the clock of the sound beside it (RFC 4733 §2.5.1.2).
        for clock in [Clock::Telephone, Clock::Opus] {
            if codecs.iter().any(|codec| Clock::of(*codec) == clock) {
                formats.push((clock.events_payload_type(), Format::Events(clock)));
            }
        }
    }
    let audio = stream(local_rtp.port(), &formats, Direction::SendRecv);
    write(local_rtp.ip(), &session.to_string(), 0, vec![audio])
}

/// Reads the far end's answer to an offer of `offered`.
///
/// Errors: [`AnswerError`]; the call cannot speak and is hung up.
/// Source: RFC 3264 §6, §7. We send with the payload types of the answer.
pub fn accept(answer: &str, offered: &[Codec]) -> Result<Negotiated, AnswerError> {
    let session = read(answer)?;
    let stream = Stream::find(&session)?;
    stream.negotiate(offered)
}

/// Answers an offer of the far end during a call, and tells what now holds.
///
/// `own` is the description that we gave last; the answer names the same port and the codecs known from it.
///
/// Errors: [`AnswerError`]; the offer is refused with 488 and what held before holds on.
/// Source: RFC 3264 §6 (answer), §8 (changing a session), §8.4 (hold).
pub fn reanswer(offer: &str, own: &str, version: u64) -> Result<(String, Negotiated), AnswerError> {
    let (theirs, ours) = (read(offer)?, read(own)?);
    let (stream, us) = (Stream::find(&theirs)?, Stream::find(&ours)?);
    let mut negotiated = stream.negotiate(&us.codecs())?;
    if !us.formats.iter().any(|(_, format)| matches!(format, Format::Events(_))) {
        negotiated.events_payload_type = None;
    }
    let mut formats = vec![(negotiated.payload_type, Format::Audio(negotiated.codec))];
    let events =
        stream.events(negotiated.codec).filter(|_| negotiated.events_payload_type.is_some());
    formats.extend(events);
    let accepted = self::stream(us.remote.port(), &formats, stream.direction.reverse());
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
pub fn codecs(own: &str) -> Vec<Codec> {
    read(own).and_then(|session| Stream::find(&session).map(|us| us.codecs())).unwrap_or_default()
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
    /// No audio stream over plain RTP that is open.
    #[error("the far end takes no plain audio")]
    NoAudio,
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
    Events(Clock),
}

/// How fast an RTP clock goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// 8,000 Hz.
    Telephone,
    /// 48,000 Hz.
    Opus,
}

impl Clock {
    fn of(codec: Codec) -> Self {
        if codec == Codec::Opus { Self::Opus } else { Self::Telephone }
    }

    fn events_payload_type(self) -> u8 {
        match self {
            Self::Telephone => 101,
            Self::Opus => 102,
        }
    }
}

/// The audio stream of a description: the first that is open and plain RTP.
struct Stream {
    index: usize,
    remote: SocketAddr,
    direction: Direction,
    formats: Vec<(u8, Format)>,
    packet_ms: u8,
}

impl Stream {
    fn find(session: &Session) -> Result<Self, AnswerError> {
        let open = |media: &&(usize, &Media)| {
            let plain = ["RTP/AVP", "RTP/AVPF"]
                .iter()
                .any(|proto| media.1.proto.eq_ignore_ascii_case(proto));
            media.1.media.eq_ignore_ascii_case("audio") && media.1.port != 0 && plain
        };
        let medias: Vec<_> = session.medias.iter().enumerate().collect();
        let (index, media) = *medias.iter().find(open).ok_or(AnswerError::NoAudio)?;
        let connection = media.connections.first().or(session.connection.as_ref());
        let ip = connection
            .and_then(|connection| connection.connection_address.trim().parse::<IpAddr>().ok())
            .ok_or(AnswerError::NoAddress)?;
        let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        if ip.is_multicast() || broadcast {
            return Err(AnswerError::NoAddress);
        }
        let words = media.fmt.split_ascii_whitespace();
        let formats =
            words.take(FORMATS_MAX).filter_map(|word| format(word.parse().ok()?, media)).collect();
        let direction = direction(&media.attributes).or_else(|| direction(&session.attributes));
        let direction = direction.unwrap_or(Direction::SendRecv);
        let packet_ms = packet_ms(media);
        Ok(Self { index, remote: SocketAddr::new(ip, media.port), direction, formats, packet_ms })
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
        with(Clock::of(codec)).or(with(Clock::Telephone)).or(with(Clock::Opus)).copied()
    }

    fn negotiate(&self, known: &[Codec]) -> Result<Negotiated, AnswerError> {
        let audio = self.formats.iter().find_map(|(payload_type, format)| match format {
            Format::Audio(codec) if known.contains(codec) => Some((*payload_type, *codec)),
            Format::Audio(_) | Format::Events(_) => None,
        });
        let (payload_type, codec) = audio.ok_or(AnswerError::NoCodec)?;
        let events = self.events(codec);
        Ok(Negotiated {
            remote: self.remote,
            codec,
            payload_type,
            events_payload_type: events.map(|(payload_type, _)| payload_type),
            tones: events.is_none(),
            packet_ms: self.packet_ms,
            sending: self.direction.has_recv() && !self.remote.ip().is_unspecified(),
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
        media.add_attribute_with_value(
            "rtpmap",
            format_args!("{payload_type} {}{}", encoding(*format), channels(*format)),
        );
        let parameters = match format {
            Format::Events(_) => "0-15",
            // What is heard is kept as the telephone's band has it, so no more need be sent.
            Format::Audio(Codec::Opus) => "useinbandfec=1;maxplaybackrate=16000;stereo=0",
            Format::Audio(_) => continue,
        };
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
    let name = match maps.find(|map| map.payload_type == payload_type) {
        Some(map) => format!("{}/{}", map.encoding_name, map.clock_rate),
        None => match payload_type {
            0 => encoding(Format::Audio(Codec::Pcmu)).to_owned(),
            8 => encoding(Format::Audio(Codec::Pcma)).to_owned(),
            9 => encoding(Format::Audio(Codec::G722)).to_owned(),
            _ => return None,
        },
    };
    let audio = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus].map(Format::Audio);
    let events = [Clock::Telephone, Clock::Opus].map(Format::Events);
    let mut known = audio.into_iter().chain(events);
    let format = known.find(|format| encoding(*format).eq_ignore_ascii_case(&name))?;
    Some((payload_type, format))
}

fn encoding(format: Format) -> &'static str {
    match format {
        Format::Audio(Codec::Pcmu) => "PCMU/8000",
        Format::Audio(Codec::Pcma) => "PCMA/8000",
        Format::Audio(Codec::G722) => "G722/8000",
        Format::Audio(Codec::Opus) => "opus/48000",
        Format::Events(Clock::Telephone) => "telephone-event/8000",
        Format::Events(Clock::Opus) => "telephone-event/48000",
    }
}

/// Source: RFC 7587 §7: Opus is always declared with two channels.
fn channels(format: Format) -> &'static str {
    if format == Format::Audio(Codec::Opus) { "/2" } else { "" }
}

fn payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
    }
}

/// How much sound in a packet the far end wants, as near as we can.
///
/// Source: RFC 8866 §6.4 (`ptime` is a wish, `maxptime` a limit).
fn packet_ms(media: &Media) -> u8 {
    let number = |name| media.get_first_attribute_value(name)??.trim().parse::<u8>().ok();
    let max = number("maxptime").unwrap_or(u8::MAX);
    let wish = number("ptime").unwrap_or(20).min(max);
    PACKETS_MS.into_iter().rev().find(|ms| *ms <= wish).unwrap_or(PACKETS_MS[0])
}

fn direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| attribute.attribute.parse().ok())
}

const PACKETS_MS: [u8; 5] = [10, 20, 30, 40, 60];
const MEDIAS_MAX: usize = 8;
const ATTRIBUTES_MAX: usize = 64;
const FORMATS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_offer_names_codecs_events_and_packet_time() {
        let offer = offer("192.0.2.2:20000".parse().unwrap(), &BOTH, Dtmf::Auto, 7);
        assert_eq!(
            offer,
            "v=0\r\no=- 7 0 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
             m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        );
        assert_eq!(codecs(&offer), BOTH);
    }

    #[test]
    fn an_answer_gives_codec_payload_types_address_and_direction() {
        use AnswerError::*;
        // Codec, payload types of codec and events, address, and whether we send.
        let cases = [
            (
                "m=audio 4000 RTP/AVP 8 101|a=rtpmap:101 telephone-event/8000",
                Ok("Pcma 8 101 192.0.2.1:4000 true"),
            ),
            ("m=audio 4000 RTP/AVP 0", Ok("Pcmu 0 - 192.0.2.1:4000 true")),
            ("m=audio 4000 RTP/AVP 18 0 8", Ok("Pcmu 0 - 192.0.2.1:4000 true")),
            (
                "m=audio 4000 RTP/AVP 96 97|a=rtpmap:96 pcma/8000|a=rtpmap:97 Telephone-Event/8000",
                Ok("Pcma 96 97 192.0.2.1:4000 true"),
            ),
            ("m=audio 4000 RTP/AVP 8|a=rtpmap:8 L16/44100", Err(NoCodec)),
            (
                "m=audio 4000 RTP/AVP 8 100|a=rtpmap:100 telephone-event/16000",
                Ok("Pcma 8 - 192.0.2.1:4000 true"),
            ),
            ("m=audio 4000 RTP/AVP 8|c=IN IP4 192.0.2.9", Ok("Pcma 8 - 192.0.2.9:4000 true")),
            ("m=audio 4000 RTP/AVP 8|c=IN IP6 2001:db8::9", Ok("Pcma 8 - [2001:db8::9]:4000 true")),
            ("m=audio 4000 RTP/AVP 8|a=sendonly", Ok("Pcma 8 - 192.0.2.1:4000 false")),
            ("a=inactive|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 false")),
            ("a=inactive|m=audio 4000 RTP/AVP 8|a=recvonly", Ok("Pcma 8 - 192.0.2.1:4000 true")),
            ("m=audio 4000 RTP/AVP 8|c=IN IP4 0.0.0.0", Ok("Pcma 8 - 0.0.0.0:4000 false")),
            ("m=video 5000 RTP/AVP 99|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 true")),
            ("m=audio 0 RTP/AVP 8|m=audio 4000 RTP/AVP 8", Ok("Pcma 8 - 192.0.2.1:4000 true")),
            ("m=audio 0 RTP/AVP 8", Err(NoAudio)),
            ("m=audio 4000 RTP/SAVP 8", Err(NoAudio)),
            ("m=audio 4000 RTP/AVP 18", Err(NoCodec)),
            ("m=audio 4000 RTP/AVP 8|c=IN IP4 224.0.0.1", Err(NoAddress)),
            ("m=audio 4000 RTP/AVP 8|c=IN IP4 255.255.255.255", Err(NoAddress)),
            ("m=audio 4000 RTP/AVP 8|c=IN IP4 victim.example.org", Err(NoAddress)),
            ("m=audio 99999 RTP/AVP 8", Err(NotSdp)),
            ("m=audio", Err(NotSdp)),
        ];
        for (answer, expected) in cases {
            let told = accept(&sdp(answer), &BOTH).map(|now| {
                let events =
                    now.events_payload_type.map_or("-".to_owned(), |events| events.to_string());
                format!(
                    "{:?} {} {events} {} {}",
                    now.codec, now.payload_type, now.remote, now.sending
                )
            });
            assert_eq!(told, expected.map(str::to_owned), "{answer}");
        }
        assert_eq!(accept("", &BOTH), Err(NotSdp));
        assert_eq!(accept(&sdp("m=audio 4000 RTP/AVP 8"), &[Codec::Pcmu]), Err(NoCodec));
    }

    #[test]
    fn packets_are_as_long_as_the_far_end_wants_them() {
        let cases = [
            ("", 20),
            ("|a=ptime:20", 20),
            ("|a=ptime:30", 30),
            ("|a=ptime:10", 10),
            ("|a=ptime:5", 10),
            ("|a=ptime:50", 40),
            ("|a=ptime:240", 60),
            ("|a=ptime:40|a=maxptime:30", 30),
            ("|a=maxptime:10", 10),
            ("|a=ptime:0", 10),
            ("|a=ptime:", 20),
            ("|a=ptime:-20", 20),
            ("|a=ptime:99999999999999999999", 20),
        ];
        for (more, expected) in cases {
            let answer = sdp(&format!("m=audio 4000 RTP/AVP 8{more}"));
            assert_eq!(accept(&answer, &BOTH).unwrap().packet_ms, expected, "{more}");
        }
    }

    #[test]
    fn a_description_over_a_limit_is_not_read() {
        for bomb in [
            "m=audio 4000 RTP/AVP 8|".repeat(9),
            "a=x|".repeat(65),
            "a=".to_owned() + &"x".repeat(9000),
        ] {
            assert_eq!(accept(&sdp(&bomb), &BOTH), Err(AnswerError::TooLarge));
        }
    }

    #[test]
    fn a_new_offer_of_the_far_end_is_mirrored() {
        let cases = [
            (
                "m=audio 4000 RTP/AVP 0 8",
                "m=audio 20000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=ptime:20|a=sendrecv|",
            ),
            (
                "m=audio 4000 RTP/AVP 8|a=sendonly",
                "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=recvonly|",
            ),
            (
                "m=video 5000 RTP/AVP 99|a=rtpmap:99 VP8/90000|m=audio 4000 RTP/AVP 8|a=inactive",
                "m=video 0 RTP/AVP 99|m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=ptime:20|a=inactive|",
            ),
        ];
        let own = offer("192.0.2.2:20000".parse().unwrap(), &BOTH, Dtmf::Auto, 7);
        for (theirs, expected) in cases {
            let (answer, negotiated) = reanswer(&sdp(theirs), &own, 3).unwrap();
            let (head, medias) = answer.split_once("t=0 0\r\n").unwrap();
            assert!(head.starts_with("v=0\r\no=- 7 3 IN IP4 192.0.2.2\r\n"), "{head}");
            assert_eq!(medias.replace("\r\n", "|"), expected);
            assert_eq!(negotiated.remote, "192.0.2.1:4000".parse().unwrap());
        }
        assert!(reoffer(&own, 4).unwrap().starts_with("v=0\r\no=- 7 4 IN"));
    }

    fn sdp(medias: &str) -> String {
        let medias = medias.trim_end_matches('|').replace('|', "\r\n");
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{medias}\r\n"
        )
    }

    const BOTH: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];
}
