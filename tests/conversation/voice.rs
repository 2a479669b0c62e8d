//! The answer that is spoken.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use offhook::cli::demo::part::Folder;
use offhook::cli::demo::phone::Phone;
use tokio::time::sleep;

use crate::answer::pick_up;
use crate::heard;
use crate::house::{House, Kind, LONG, NUMBER, TO_BOB, dial, subscriber, trunk};

pub(crate) async fn a_spoken_answer_arrives_as_a_file_at_the_servers_upload_service(kind: Kind) {
    let mut call = Spoken::open(kind, "").await;
    call.speak().await;
    let (url, file) = call.arrives().await;
    assert!(url.ends_with("/voice.mp3"), "{url}");
    assert_eq!(probed(&file, "stream=codec_name"), "mp3");
    call.is_what_was_said(&file);
    call.house.close(&["coming", "minutes"]).await;
}

/// A call that is about to be answered by voice.
struct Spoken {
    house: House,
    phone: Phone,
    folder: Folder,
}

impl Spoken {
    async fn open(kind: Kind, tables: &str) -> Self {
        let folder = Folder::make().unwrap();
        let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
        let rest = trunk(phone.sip) + &dial("wait_s = 0") + tables + &subscriber("bob", NUMBER);
        let house = House::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
        Self { house, phone, folder }
    }

    /// Listens, presses 7, says [`SAID`] after the tone, presses 8 and 1.
    async fn speak(&mut self) {
        self.house.alice.write(TO_BOB, "m1", "When will you be here?").await;
        let recording = pick_up(&mut self.phone).await;
        sleep(Duration::from_secs(1)).await;
        self.phone.press("5").await.unwrap();
        sleep(Duration::from_secs(2)).await;
        let from = recording.length();
        self.phone.press("7").await.unwrap();
        recording.pause(from, LONG).await;
        let voice = wav(self.folder.path());
        self.phone.says(&voice).await.unwrap();
        sleep(length(&voice) + Duration::from_millis(500)).await;
        let from = recording.length();
        self.phone.press("8").await.unwrap();
        recording.pause(from, LONG).await;
        self.phone.press("1").await.unwrap();
        self.phone.event("CALL_CLOSED", LONG).await.unwrap();
    }

    /// Reads both messages about it, and downloads the file.
    async fn arrives(&mut self) -> (String, std::path::PathBuf) {
        let alice = &mut self.house.alice;
        let file = alice.until("the file", |it| it.xml.contains("urn:xmpp:sfs:0")).await;
        let url = file.body.unwrap();
        assert!(file.xml.contains("jabber:x:oob") && file.reply_to.as_deref() == Some("m1"));
        let note = alice
            .until("the note", |it| {
                it.text.as_ref().is_some_and(|text| text.starts_with("Voice answer from Bob, "))
            })
            .await;
        assert_eq!(note.reply_to.as_deref(), Some("m1"));
        let path = self.folder.path().join(url.rsplit('/').next().unwrap());
        let fetched =
            Command::new("curl").args(["-sSf", "-o"]).arg(&path).arg(&url).status().unwrap();
        assert!(fetched.success(), "{url} cannot be downloaded");
        (url, path)
    }

    fn is_what_was_said(&self, file: &Path) {
        let seconds: f64 = probed(file, "format=duration").parse().unwrap();
        let spoken = length(&wav(self.folder.path())).as_secs_f64();
        assert!((seconds - spoken).abs() < 0.3 + 0.4, "{seconds} s of {spoken} s");
        assert_eq!(
            heard::sentence(&decoded(file), &[SAID, &OTHERS[0], &OTHERS[1], &OTHERS[2]]),
            Ok(SAID)
        );
    }
}

fn wav(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("said.wav");
    if !file.exists() {
        let line =
            "espeak-ng -v en-us -s 150 --stdout \"$0\" | sox -t wav - -r 8000 -c 1 -b 16 \"$1\"";
        assert!(Command::new("sh").args(["-c", line, SAID]).arg(&file).status().unwrap().success());
    }
    file
}

fn length(wav: &Path) -> Duration {
    let reader = hound::WavReader::open(wav).unwrap();
    Duration::from_millis(u64::from(reader.duration()) / 8)
}

fn probed(file: &Path, entry: &str) -> String {
    let arguments = ["-v", "error", "-of", "default=nw=1:nk=1", "-show_entries", entry];
    let output = Command::new("ffprobe").args(arguments).arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn decoded(file: &Path) -> Vec<i16> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(file)
        .args(["-f", "s16le", "-ar", "8000", "-ac", "1", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

const SAID: &str = "I am coming with the spare fan, give me ten minutes.";
const OTHERS: [&str; 3] = [
    "I am coming with the spare fan, give me two minutes.",
    "I am not coming with the spare fan, give me ten minutes.",
    "This message can't be read aloud. It waits in your chat.",
];
