//! G.722 and Opus with a real phone.

use offhook::media::codec::Codec;

use crate::call::Call;
use crate::programs::{Baresip, Kamailio};
use crate::talk::{TONES, melody, talk};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_in_wide_band_is_heard_and_keys_are_too() {
    for (codec, module, name) in
        [(Codec::G722, "g722.so", "g722/16000/1"), (Codec::Opus, "opus.so", "opus/48000/2")]
    {
        let phone = Baresip::start_with(module, name);
        let proxy = Kamailio::start(phone.port, "MD5");
        let call = Call::to(proxy.port).with_password("secret");
        let offered = [Codec::Opus, Codec::G722, Codec::Pcmu];
        let talked = talk(call, &phone, &offered, |offer| offer, &["sndcode 5", "sndcode #"]).await;
        assert_eq!(talked.codec, codec);
        let ms = talked.heard.len() / 8;
        assert_eq!(melody(&talked.heard), TONES, "{codec:?}, {ms} ms were heard");
        assert_eq!(talked.keys, "5#", "{codec:?}");
    }
}
