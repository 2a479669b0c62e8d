//! The offer for far ends that refuse what they do not know instead of choosing from it.

use super::{EventsClock, Format, PLAIN, format, is_one_of, read};
use crate::media::codec::Codec;

/// An offer of ours once more, with nothing but G.711 and its telephone events, and without keys where they are optional;
/// `None` if it names nothing else.
///
/// Source: RFC 3264 §5.
pub fn reduced(own: &str, version: u64) -> Option<String> {
    let mut session = read(own).ok()?;
    session.origin.sess_version = version;
    let audio =
        session.medias.iter_mut().find(|media| media.media.eq_ignore_ascii_case("audio"))?;
    let offered: Vec<_> = audio.fmt.split_ascii_whitespace().map(str::to_owned).collect();
    let kind = |word: &String| word.parse().ok().and_then(|number| format(number, audio));
    let is_plain = |word: &&String| match kind(word) {
        Some((_, Format::Audio(codec))) => codec.description().is_g711,
        Some((_, Format::Events(clock))) => clock == EventsClock::of(Codec::Pcmu),
        None => false,
    };
    let kept: Vec<_> = offered.iter().filter(is_plain).cloned().collect();
    let keys = is_one_of(PLAIN, &audio.proto) && audio.has_attribute("crypto");
    let less = kept.len() < offered.len() || keys;
    if !less || !kept.iter().any(|word| matches!(kind(word), Some((_, Format::Audio(_))))) {
        return None;
    }
    audio.fmt = kept.join(" ");
    audio.attributes.retain(|attribute| {
        if keys && attribute.attribute == "crypto" {
            return false;
        }
        let about = ["rtpmap", "fmtp"].contains(&attribute.attribute.as_str());
        let number = attribute.value.as_deref().and_then(|value| value.split(' ').next());
        !about || number.is_none_or(|number| kept.iter().any(|kept| kept == number))
    });
    Some(session.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{codecs, offer, protect};
    use super::*;
    use crate::seed::Seed;
    use crate::sip::trunk::{Dtmf, Srtp};
    use Codec::{G722, Opus, Pcma, Pcmu};

    #[test]
    fn only_what_every_phone_knows_stays() {
        let rtp = "192.0.2.2:20000".parse().unwrap();
        let wide = offer(rtp, &[Opus, G722, Pcma, Pcmu], Dtmf::Auto, 7);
        let plain = reduced(&wide, 3).unwrap();
        assert_eq!(
            plain,
            offer(rtp, &[Pcma, Pcmu], Dtmf::Auto, 7).replace("o=- 7 0", "o=- 7 3"),
            "as if nothing else had been offered"
        );
        assert_eq!(codecs(&plain), [Pcma, Pcmu]);
        let secure = |srtp| protect(plain.clone(), srtp, &mut Seed::fixed(1));
        assert_eq!(reduced(&secure(Srtp::Optional), 3).as_ref(), Some(&plain), "without keys");
        assert_eq!(reduced(&secure(Srtp::Required), 3), None, "never in the clear");
        assert_eq!(reduced(&plain, 4), None, "there is nothing to leave away");
        assert_eq!(reduced(&offer(rtp, &[Opus], Dtmf::Auto, 7), 1), None, "nothing would be left");
    }
}
