//! Speech by real worker processes.

use offhook::media::codec::Codec;
use offhook::speech::{Speaker, SpeechSettings, Utterance};

async fn speaker() -> Speaker {
    let program = Some(env!("CARGO_BIN_EXE_offhook").into());
    Speaker::start(SpeechSettings { program, ..SpeechSettings::default() }).await.unwrap()
}

#[tokio::test]
async fn a_sentence_is_spoken_in_each_of_four_languages() {
    let speaker = speaker().await;
    let sentences = [
        ("en", "A message from Alice arrived."),
        ("de", "Eine Nachricht von Alice ist gekommen."),
        ("fr", "Un message d'Alice est arrivé."),
        ("es", "Ha llegado un mensaje de Alice."),
    ];
    for (language, text) in sentences {
        let utterance = Utterance { language: language.into(), text: text.into(), keep: false };
        let clip = speaker.say(&utterance, Codec::Pcmu).await.unwrap();
        assert!(
            (1000..4000).contains(&clip.duration().as_millis()),
            "{language}: {:?}",
            clip.duration()
        );
    }
}
