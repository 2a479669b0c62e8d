//! The answer that is spoken.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use offhook::demo::chat_client::ChatMessage;
use offhook::demo::child_process::{Folder, free_port};
use offhook::demo::phone::Phone;
use offhook::demo::recording::{Recording, is_loud};

use crate::heard;
use crate::listening::{Heard, pick_up};
use crate::offhook::Offhook;
use crate::test_bed::{Kind, LONG, NUMBER, TO_BOB, TestBed, dial, subscriber, trunk};

pub(crate) async fn a_spoken_answer_arrives_at_the_servers_upload_service(kind: Kind) {
    let call =
        every_format(kind, |format| format!("[voice_reply]\nformat = \"{format}\"\n"), "/").await;
    call.bed.close(&["coming", "minutes"]).await;
}

/// ejabberd from 24.10 on drops the requests of such a component that go to domains.
pub(crate) async fn a_spoken_answer_arrives_where_the_component_is_privileged(kind: Kind) {
    let (phone, folder, rest) = Spoken::tables("").await;
    let bed = TestBed::open_with_module(kind, Folder::make().unwrap(), true, &rest).await;
    let mut call = Spoken { bed: bed.settled().await, phone, folder };
    call.speak("m1").await;
    let (_, file) = call.arrives("m1").await;
    call.is_what_was_said(&file);
    call.bed.close(&["coming", "minutes"]).await;
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
    call.bed.close(&["coming", "minutes"]).await;
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
    let (_, from) = call.begin("m1").await;
    // Offhook is told to stop in the middle of a word, but not before there is enough to be kept.
    let enough = |samples: &[i16]| {
        samples.iter().position(is_loud).is_some_and(|first| samples.len() - first > 2 * 8000)
    };
    assert!(call.own_voice().until(from, LONG, enough).await, "the phone says nothing");
    assert_eq!(call.bed.offhook.part.stop().await, Some(0));
    call.restart("", "").await;
    let alice = &mut call.bed.alice;
    let note = alice.reads("Voice answer from Bob, ").await;
    assert!(note.text.unwrap().ends_with(" The call broke off."));
    let heard = alice.reads("Probably: on my way").await;
    assert_eq!(heard.replace, note.id);
    call.bed.close(&["coming", "minutes", "on my way"]).await;
}

pub(crate) async fn who_cannot_be_given_the_answer_is_told_so(kind: Kind) {
    let mut call = Spoken::open(kind, "[voice_reply]\nupload = \"off\"\n").await;
    call.speak("m1").await;
    let told = call.bed.alice.reads("nothing is set up here to pass it on").await;
    assert_eq!(told.reply_to.as_deref(), Some("m1"));
    call.bed.close(&["coming", "minutes"]).await;
}

/// A call that is about to be answered by voice.
struct Spoken {
    bed: TestBed,
    phone: Phone,
    folder: Folder,
}

impl Spoken {
    async fn open(kind: Kind, tables: &str) -> Self {
        let (phone, folder, rest) = Self::tables(tables).await;
        let bed = TestBed::open(kind, Folder::make().unwrap(), &rest).await.settled().await;
        Self { bed, phone, folder }
    }

    /// Bob's phone in its folder, and a configuration that reaches it.
    async fn tables(tables: &str) -> (Phone, Folder, String) {
        let folder = Folder::make().unwrap();
        let phone = Phone::start(&folder.room("phone").unwrap(), NUMBER, None).await.unwrap();
        let rest = trunk(phone.sip) + &dial("wait_s = 0") + tables + &subscriber("bob", NUMBER);
        (phone, folder, rest)
    }

    /// Listens, presses 7, says [`SAID`] after the tone, presses 8 and 1.
    async fn speak(&mut self, id: &str) {
        let (mut heard, from) = self.begin(id).await;
        assert!(self.own_voice().pause(from, LONG).await, "the phone never ends what it says");
        heard.skip();
        self.phone.press("8").await.unwrap();
        heard.part(SEND_QUESTION).await;
        self.phone.press("1").await.unwrap();
        self.phone.event("CALL_CLOSED", LONG).await.unwrap();
    }

    /// As far as the first word; gives what is heard, and how much the phone had sent before.
    async fn begin(&mut self, id: &str) -> (Heard, Duration) {
        self.bed.alice.write(TO_BOB, id, "When will you be here?").await;
        let mut heard = pick_up(&mut self.phone).await;
        heard.voice().await;
        self.phone.press("5").await.unwrap();
        heard.skip();
        heard.voice().await;
        heard.skip();
        self.phone.press("7").await.unwrap();
        heard.part(CONSENT).await;
        let voice = wav(self.folder.path());
        let from = self.own_voice().length();
        self.phone.says(&voice).await.unwrap();
        (heard, from)
    }

    /// What the phone sends.
    fn own_voice(&self) -> Recording {
        self.phone.own_voice().unwrap()
    }

    /// Starts Offhook again, with one table instead of another.
    async fn restart(&mut self, table: &str, other: &str) {
        self.bed.configuration = self.bed.configuration.replace(table, other);
        self.bed.offhook.part.stop().await;
        self.bed.offhook =
            Offhook::start(self.bed.offhook.folder(), &self.bed.configuration).unwrap();
        self.bed.offhook.until_it_says("it is known who is online").await.unwrap();
    }

    /// Reads both messages about it, and downloads the file.
    async fn arrives(&mut self, id: &str) -> (String, PathBuf) {
        let alice = &mut self.bed.alice;
        // After a restart what was sent just before may come again under the same id.
        let is_file = |it: &ChatMessage| {
            it.xml.contains("urn:xmpp:sfs:0") && it.reply_to.as_deref() == Some(id)
        };
        let note = alice
            .until("the note", |it| {
                let is_of_it = it.reply_to.as_deref() == Some(id);
                let text = it.text.as_deref().unwrap_or_default();
                is_of_it && text.starts_with("Voice answer from Bob, ")
            })
            .await;
        assert_eq!(note.reply_to.as_deref(), Some(id));
        let file = alice.until("the file", is_file).await;
        let url = file.body.unwrap();
        assert!(file.xml.contains("jabber:x:oob"));
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

const CONSENT: &str =
    "Your answer will be sent to Alice. Speak after the tone. When you have finished, press 8.";
const SEND_QUESTION: &str =
    "To send your answer, press 1. To listen to it, press 2. To record it again, press 3.";
const SAID: &str = "I am coming with the spare fan, give me ten minutes.";
const OTHERS: [&str; 3] = [
    "I am coming with the spare fan, give me two minutes.",
    "I am not coming with the spare fan, give me ten minutes.",
    "This message cannot be read aloud. It waits in your chat.",
];
