//! The answer that is spoken.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use offhook::cli::demo::part::{Folder, free_port};
use offhook::cli::demo::phone::Phone;
use offhook::cli::demo::recording::Recording;
use tokio::time::sleep;

use crate::answer::pick_up;
use crate::heard;
use crate::house::{House, Kind, LONG, NUMBER, TO_BOB, dial, subscriber, trunk};
use crate::offhook::Offhook;

pub(crate) async fn a_spoken_answer_arrives_at_the_servers_upload_service(kind: Kind) {
    let call =
        every_format(kind, |format| format!("[voice_reply]\nformat = \"{format}\"\n"), "/").await;
    call.house.close(&["coming", "minutes"]).await;
}

pub(crate) async fn a_spoken_answer_can_be_had_from_offhook_itself(kind: Kind) {
    let listen = format!("127.0.0.1:{}", free_port().unwrap());
    let tables = |format: &str| {
        format!(
            "[voice_reply]\nupload = \"off\"\nformat = \"{format}\"\n\
             [http]\nlisten = \"{listen}\"\npublic_url = \"http://{listen}\"\n"
        )
    };
    let base = format!("http://{listen}/r/");
    let call = every_format(kind, tables, &base).await;
    let guess = format!("{base}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/voice.mp3");
    let arguments = ["-s", "-o", "/dev/null", "-w", "%{http_code}", &guess];
    let status = Command::new("curl").args(arguments).output().unwrap().stdout;
    assert_eq!(String::from_utf8(status).unwrap(), "404");
    call.house.close(&["coming", "minutes"]).await;
}

/// One call a format; each file is downloaded from a URL with this in it, and judged.
async fn every_format(kind: Kind, tables: impl Fn(&str) -> String, in_url: &str) -> Spoken {
    let mut call = Spoken::open(kind, &tables("mp3")).await;
    let mut before = "mp3";
    for (format, codec) in [("mp3", "mp3"), ("opus", "opus"), ("wav", "pcm_s16le"), ("m4a", "aac")]
    {
        if format != before {
            call.restart(&tables(before), &tables(format)).await;
        }
        before = format;
        call.speak(format).await;
        let (url, file) = call.arrives(format).await;
        assert!(url.contains(in_url), "{url}");
        assert_eq!(probed(&file, "stream=codec_name"), codec);
        call.is_what_was_said(&file);
    }
    call
}

pub(crate) async fn what_was_said_when_the_line_breaks_is_sent_and_so_is_what_was_understood(
    kind: Kind,
) {
    let mut call =
        Spoken::open(kind, "[voice_reply]\ntranscribe = [\"sh\", \"-c\", \"echo on my way\"]\n")
            .await;
    call.begin("m1").await;
    // Offhook is told to stop in the middle of a word.
    sleep(Duration::from_secs(2)).await;
    assert_eq!(call.house.offhook.part.stop().await, Some(0));
    call.restart("", "").await;
    let alice = &mut call.house.alice;
    let note = alice.reads("Voice answer from Bob, ").await;
    assert!(note.text.unwrap().ends_with(" The call broke off."));
    let heard = alice.reads("Probably: on my way").await;
    assert_eq!(heard.replace, note.id);
    call.house.close(&["coming", "minutes", "on my way"]).await;
}

pub(crate) async fn who_cannot_be_given_the_answer_is_told_so(kind: Kind) {
    let mut call = Spoken::open(kind, "[voice_reply]\nupload = \"off\"\n").await;
    call.speak("m1").await;
    let told = call.house.alice.reads("nothing is set up here to pass it on").await;
    assert_eq!(told.reply_to.as_deref(), Some("m1"));
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
    async fn speak(&mut self, id: &str) {
        let recording = self.begin(id).await;
        sleep(length(&wav(self.folder.path())) + Duration::from_millis(500)).await;
        let from = recording.length();
        self.phone.press("8").await.unwrap();
        recording.pause(from, LONG).await;
        self.phone.press("1").await.unwrap();
        self.phone.event("CALL_CLOSED", LONG).await.unwrap();
    }

    /// As far as the first word.
    async fn begin(&mut self, id: &str) -> Recording {
        self.house.alice.write(TO_BOB, id, "When will you be here?").await;
        let recording = pick_up(&mut self.phone).await;
        sleep(Duration::from_secs(1)).await;
        self.phone.press("5").await.unwrap();
        sleep(Duration::from_secs(2)).await;
        let from = recording.length();
        self.phone.press("7").await.unwrap();
        recording.pause(from, LONG).await;
        let voice = wav(self.folder.path());
        self.phone.says(&voice).await.unwrap();
        recording
    }

    /// Starts Offhook again, with one table instead of another.
    async fn restart(&mut self, table: &str, other: &str) {
        self.house.configuration = self.house.configuration.replace(table, other);
        self.house.offhook.part.stop().await;
        self.house.offhook =
            Offhook::start(self.house.offhook.folder(), &self.house.configuration).unwrap();
        self.house.offhook.until_it_says("it is known who is online").await.unwrap();
    }

    /// Reads both messages about it, and downloads the file.
    async fn arrives(&mut self, id: &str) -> (String, PathBuf) {
        let alice = &mut self.house.alice;
        let file = alice.until("the file", |it| it.xml.contains("urn:xmpp:sfs:0")).await;
        let url = file.body.unwrap();
        assert!(file.xml.contains("jabber:x:oob") && file.reply_to.as_deref() == Some(id));
        let note = alice
            .until("the note", |it| {
                it.text.as_ref().is_some_and(|text| text.starts_with("Voice answer from Bob, "))
            })
            .await;
        assert_eq!(note.reply_to.as_deref(), Some(id));
        let path = self.folder.path().join(url.rsplit('/').next().unwrap());
        let fetched =
            Command::new("curl").args(["-sSf", "-o"]).arg(&path).arg(&url).status().unwrap();
        assert!(fetched.success(), "{url} cannot be downloaded");
        (url, path)
    }

    fn is_what_was_said(&self, file: &Path) {
        let seconds: f64 = probed(file, "format=duration").parse().unwrap();
        let breaths = 2.0 * 0.2;
        let spoken = voiced(&wav(self.folder.path())).as_secs_f64() + breaths;
        assert!((seconds - spoken).abs() < 0.3, "{seconds} s of {spoken} s");
        assert_eq!(
            heard::sentence(&decoded(file), &[SAID, OTHERS[0], OTHERS[1], OTHERS[2]]),
            Ok(SAID)
        );
    }
}

fn wav(folder: &Path) -> PathBuf {
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

/// From the first word to the last.
fn voiced(wav: &Path) -> Duration {
    let samples = hound::WavReader::open(wav).unwrap().into_samples::<i16>();
    let loud: Vec<bool> = samples.map(|it| it.unwrap().unsigned_abs() > 300).collect();
    let first = loud.iter().position(|it| *it).unwrap();
    let last = loud.iter().rposition(|it| *it).unwrap();
    Duration::from_millis(u64::try_from(last - first).unwrap() / 8)
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
