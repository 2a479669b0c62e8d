//! Keeps the speech workers: gives them texts, waits only so long, replaces those that die.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::media::codec::{Clip, Codec};
use crate::speech::cache::Cache;
use crate::speech::sanitise::{self, Unreadable};
use crate::speech::voices::Voice;
use crate::speech::wire::{Answer, HEAD_BYTES, Order};
use crate::speech::{SpeechError, SpeechSettings, Utterance, worker};

/// Turns text into clips, by processes that a text may kill. Clones share them.
///
/// Contract: needs a tokio runtime. The workers end with the last clone.
#[derive(Clone, Debug)]
pub struct Speaker {
    settings: Arc<SpeechSettings>,
    errands: mpsc::Sender<Errand>,
    cache: Arc<Lock<Cache>>,
}

impl Speaker {
    /// Starts the workers and a spare.
    ///
    /// Errors: tells what this machine lacks: voices, a kernel with seccomp, a way to start the worker.
    pub async fn start(settings: SpeechSettings) -> Result<Self, SpeechError> {
        let settings = Arc::new(settings);
        let first = Worker::start(&settings, worker::SPEAK).await?;
        if !first.landlock {
            warn!(
                "this kernel has no landlock: speech workers could read files, though not send them anywhere"
            );
        }
        let (errands, queue) = mpsc::channel(QUEUE_MAX);
        let (spare, spares) = mpsc::channel(1);
        let crew = Arc::new(Crew {
            queue: Mutex::new(queue),
            spares: Mutex::new(spares),
            settings: settings.clone(),
        });
        let mut first = Some(first);
        for _ in 0..settings.workers.max(1) {
            tokio::spawn(serve(crew.clone(), first.take()));
        }
        tokio::spawn(raise(spare, settings.clone()));
        let cache = Arc::new(Lock::new(Cache::new(settings.cache_bytes_max)));
        Ok(Self { settings, errands, cache })
    }

    /// Renders an utterance, or finds it if it is a prompt that was rendered before.
    ///
    /// Errors: [`SpeechError::Unspeakable`] and [`SpeechError::GivenUp`] are the text's fault: say another instead.
    pub async fn say(&self, utterance: &Utterance, codec: Codec) -> Result<Arc<Clip>, SpeechError> {
        if !utterance.keep {
            return Ok(Arc::new(Clip::encode(codec, &self.render(utterance).await?)));
        }
        if let Some(clip) = self.cache().clip(utterance, codec) {
            return Ok(clip);
        }
        let samples = self.cache().samples(utterance);
        let rendered = match samples.get_or_try_init(|| self.render(utterance)).await {
            Ok(rendered) => rendered,
            Err(error) => {
                self.cache().forget(utterance);
                return Err(error);
            }
        };
        let clip = Arc::new(Clip::encode(codec, rendered));
        self.cache().keep(utterance, &clip);
        Ok(clip)
    }

    /// Tells how a text will be said, in the International Phonetic Alphabet.
    pub async fn phonemes(&self, text: &str, language: &str) -> Result<String, SpeechError> {
        let (voice, clean) = readable(text, language)?;
        let mut worker = Worker::start(&self.settings, worker::PHONEMES).await?;
        match timeout(self.settings.patience, worker.ask(&self.order(voice, clean))).await {
            Ok(Ok(Answer::Phonemes(phonemes))) => Ok(phonemes),
            Ok(Ok(Answer::NoVoice)) => Err(SpeechError::UnknownLanguage(language.to_owned())),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(SpeechError::GivenUp),
        }
    }

    async fn render(&self, utterance: &Utterance) -> Result<Arc<[i16]>, SpeechError> {
        let (voice, clean) = readable(&utterance.text, &utterance.language)?;
        // A text that kills a worker gets a second chance in crumbs: the engine's errors need a long stretch at once.
        for chars_max in [sanitise::PIECE_CHARS_MAX, CRUMB_CHARS_MAX] {
            let text = sanitise::pieces(&clean, chars_max).join("\n");
            match self.ask(self.order(voice, text)).await {
                Some(Answer::Samples(samples)) if samples.is_empty() => {
                    return Err(SpeechError::Unspeakable);
                }
                Some(Answer::Samples(samples)) => return Ok(samples.into()),
                Some(Answer::NoVoice) => {
                    return Err(SpeechError::UnknownLanguage(utterance.language.clone()));
                }
                Some(_) | None => {}
            }
        }
        Err(SpeechError::GivenUp)
    }

    fn order(&self, voice: &Voice, text: String) -> Order {
        let SpeechSettings { rate_wpm, word_gap, .. } = *self.settings;
        Order { rate_wpm, word_gap, voice: voice.name.to_owned(), text }
    }

    /// Waits for a worker and its answer; `None` if it died or was too slow.
    async fn ask(&self, order: Order) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.errands.send(Errand { order, answer }).await.ok()?;
        answered.await.ok()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn readable(text: &str, language: &str) -> Result<(&'static Voice, String), SpeechError> {
    let voice = Voice::for_language(language)
        .ok_or_else(|| SpeechError::UnknownLanguage(language.to_owned()))?;
    let clean = sanitise::clean(text, voice).map_err(|Unreadable| SpeechError::Unspeakable)?;
    Ok((voice, clean))
}

struct Errand {
    order: Order,
    answer: oneshot::Sender<Answer>,
}

/// What those who serve share.
struct Crew {
    queue: Mutex<mpsc::Receiver<Errand>>,
    spares: Mutex<mpsc::Receiver<Worker>>,
    settings: Arc<SpeechSettings>,
}

/// Serves one errand after the other, with one worker as long as it lives, until no [`Speaker`] is left.
async fn serve(crew: Arc<Crew>, mut worker: Option<Worker>) {
    loop {
        let Some(Errand { order, answer }) = crew.queue.lock().await.recv().await else { return };
        if answer.is_closed() {
            continue;
        }
        let ready = match worker.take() {
            Some(ready) => Some(ready),
            None => timeout(START_MAX, async { crew.spares.lock().await.recv().await })
                .await
                .ok()
                .flatten(),
        };
        // Without an answer the sender is dropped, which tells the same.
        let Some(mut ready) = ready else { continue };
        match timeout(crew.settings.patience, ready.ask(&order)).await {
            Ok(Ok(answered)) => {
                drop(answer.send(answered));
                worker = (ready.orders_left > 0).then_some(ready);
            }
            Ok(Err(error)) => warn!(%error, "speech worker died"),
            Err(_) => warn!("speech worker took too long"),
        }
    }
}

/// Keeps one worker ready for whoever loses his.
async fn raise(spare: mpsc::Sender<Worker>, settings: Arc<SpeechSettings>) {
    let mut pause = PAUSE_MIN;
    while let Ok(place) = spare.reserve().await {
        match Worker::start(&settings, worker::SPEAK).await {
            Ok(worker) => {
                place.send(worker);
                pause = PAUSE_MIN;
            }
            Err(error) => {
                warn!(%error, "no spare speech worker");
                drop(place);
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// One worker process. Dropping it kills it.
#[derive(Debug)]
struct Worker {
    _process: Child,
    orders: ChildStdin,
    answers: ChildStdout,
    orders_left: u32,
    landlock: bool,
}

impl Worker {
    async fn start(settings: &SpeechSettings, purpose: &str) -> Result<Self, SpeechError> {
        // Not by its name: after an upgrade the name belongs to another version.
        let program = settings
            .program
            .as_deref()
            .map_or(OsStr::new("/proc/self/exe"), |program| program.as_os_str());
        let mut process = Command::new(program)
            .arg0("offhook")
            .arg(worker::ARGUMENT)
            .arg(purpose)
            .args(&settings.data)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(SpeechError::NotStarted)?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked to be pipes")
        };
        let mut worker =
            Self { _process: process, orders, answers, orders_left: ORDERS_MAX, landlock: false };
        let first = timeout(START_MAX, worker.answer())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(SpeechError::NotStarted)?;
        match first {
            Answer::Ready { landlock } => Ok(Self { landlock, ..worker }),
            Answer::NoData => Err(SpeechError::NoData),
            Answer::NoSandbox => Err(SpeechError::NoSandbox),
            _ => Err(SpeechError::NotStarted(io::ErrorKind::InvalidData.into())),
        }
    }

    async fn ask(&mut self, order: &Order) -> io::Result<Answer> {
        self.orders_left = self.orders_left.saturating_sub(1);
        self.orders.write_all(&order.to_bytes()).await?;
        let answer = self.answer().await?;
        debug!(orders_left = self.orders_left, "speech worker answered");
        Ok(answer)
    }

    async fn answer(&mut self) -> io::Result<Answer> {
        let mut head = [0; HEAD_BYTES];
        self.answers.read_exact(&mut head).await?;
        let (tag, len) = Answer::head(head).ok_or(io::ErrorKind::InvalidData)?;
        let mut content = vec![0; len];
        self.answers.read_exact(&mut content).await?;
        Answer::parse(tag, content).ok_or(io::ErrorKind::InvalidData.into())
    }
}

/// Texts that wait for a worker; further callers wait to be let in.
const QUEUE_MAX: usize = 64;
/// Orders after which a worker is replaced, so that what it leaks and its processor time stay small.
const ORDERS_MAX: u32 = 200;
/// Length of a piece at the second try.
const CRUMB_CHARS_MAX: usize = 60;
const START_MAX: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);
