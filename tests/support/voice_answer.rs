//! A voice answer that waits in a store, and an upload service that takes it.

#![allow(dead_code)] // Each test file plays other parts of it.
#![allow(clippy::unwrap_used)] // What fails here fails the test.

use std::path::Path;
use std::time::Duration;

use minidom::Element;
use offhook::clock;
use offhook::media::codec::Codec;
use offhook::media::recording_buffer::RecordingBuffer;
use offhook::notification::policy::Policy;
use offhook::notification::{Draft, VoiceAnswer};
use offhook::sealing;
use offhook::store::Store;
use offhook::subscriber::{Quiet, Subscriber};

/// A store in which Bob has spoken an answer that is to be passed on.
pub(crate) async fn record(path: &Path) {
    let bob = Subscriber {
        number: Some("+81378901111".parse().unwrap()),
        ..Subscriber::new("bob@example.org".parse().unwrap(), "Bob".to_owned())
    };
    let policy = Policy {
        wait: Duration::ZERO,
        quiet: Quiet::Never,
        allow: (0..=9).map(|digit| format!("+81{digit}")).collect(),
        ..Policy::default()
    };
    let (store, now) = (Store::open(path, policy).unwrap(), clock::timestamp());
    store.recover(now).await.unwrap();
    store.configure_subscribers(vec![bob], now).await.unwrap();
    let draft = Draft {
        stanza_id: None,
        sender: "alice@example.org/phone".parse().unwrap(),
        recipient: "bob@example.org".parse().unwrap(),
        body: "Where are you?".to_owned(),
        language: None,
        wants_receipt: false,
        stanza: String::new(),
        how: Default::default(),
    };
    let held = store.hold(draft, now, 1).await.unwrap();
    let (message, claim) = (held.message, held.claim.unwrap());
    store.spoken(claim.attempt, message, now).await.unwrap();
    let begun = clock::now();
    let mut buffer = RecordingBuffer::new(Codec::Pcmu, Duration::from_secs(5), begun);
    for packet in 0..150_u16 {
        let sound: Vec<u8> = (0..160_u16).map(|sample| (packet ^ (sample * 7)) as u8).collect();
        let at = begun + Duration::from_millis(20) * u32::from(packet);
        buffer.packet(packet, 160 * u32::from(packet), &sound, at);
    }
    buffer.end(begun + Duration::from_secs(3));
    let answer = VoiceAnswer {
        message,
        name: "voice".to_owned(),
        sound: sealing::close(&buffer.to_bytes(), b"voice", None, Default::default()),
        length: Duration::from_secs(3),
        cut: false,
    };
    store.keep_voice(claim.attempt, answer, now).await.unwrap();
    store.send_voice("voice".into(), now).await.unwrap();
    store.close().await;
}

/// What an upload service says to a request: that it is one, or that a file goes to this link.
pub(crate) fn upload_service_answers(request: &Element, link: &str) -> String {
    let (id, to) = (request.attr("id").unwrap(), request.attr("from").unwrap());
    let service = request.attr("to").unwrap();
    let inside = if request.has_child("request", "urn:xmpp:http:upload:0") {
        format!(
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='{link}'/><get url='{link}'/></slot>"
        )
    } else {
        "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/></query>"
            .to_owned()
    };
    format!("<iq type='result' id='{id}' from='{service}' to='{to}'>{inside}</iq>")
}
