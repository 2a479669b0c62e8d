//! Voice replies on their way to the sender: uploads that work, fail or hang.

use std::time::Duration;

use offhook::component::{DeliveryEvent, Input};
use offhook::notification::{Recording, RecordingId, VoiceFile};
use offhook::store::Sound;

use crate::events::Event;
use crate::stored::Stored;
use crate::world::World;

impl World {
    /// The component wants a recording delivered.
    pub(crate) fn delivers(&mut self, recording: Recording) {
        let (id, run) = (recording.id, self.program.run);
        let fate = if self.quiet { 9 } else { self.below(6) };
        let pause = self.ms(3000);
        match fate {
            0 => self.plan(pause, Event::Delivery(run, id, DeliveryEvent::Failed)),
            1 => self.plan(pause, Event::Delivery(run, id, DeliveryEvent::NoWay)),
            // It hangs, until the upload gives up.
            2 => self.plan(UPLOAD_MAX, Event::Delivery(run, id, DeliveryEvent::Failed)),
            _ => self.uploads(&recording),
        }
    }

    fn uploads(&mut self, recording: &Recording) {
        let id = recording.id;
        let file = VoiceFile {
            url: format!("https://example.org/{}/voice.mp3", recording.answer.name),
            file_name: "voice.mp3".to_owned(),
            media_type: "audio/mpeg".to_owned(),
            octets: 1000,
            length: recording.answer.length,
        };
        let (store, now) = (self.disk.store.clone(), self.now().at);
        self.call_store(async move {
            let sent = store.recording_sent(id, file, Sound::Erased, now).await;
            Stored::Delivered(id, sent.is_ok())
        });
    }

    pub(crate) fn delivered(&mut self, recording: RecordingId, done: bool) {
        let event = if done { DeliveryEvent::Delivered } else { DeliveryEvent::Failed };
        self.tell(Input::Delivery(recording, event));
    }

    /// What hangs is broken off.
    pub(crate) fn stops_deliveries(&mut self) {
        self.take_planned(|event| matches!(event, Event::Delivery(..)));
    }
}

const UPLOAD_MAX: Duration = Duration::from_secs(60);
