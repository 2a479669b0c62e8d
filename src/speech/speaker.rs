//! Keeps the speech workers: gives them texts, waits only so long, replaces those that die.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::media::codec::{Clip, Codec};
use crate::speech::cache::{Cache, Place};
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
            let rendered = self.render(utterance, codec.is_wide()).await?;
            return Ok(Arc::new(Clip::encode(codec, &rendered)));
        }
        let mut made = match self.cache().look(utterance, codec) {
            Place::Ready(clip) => return Ok(clip),
            Place::Making(made) => made,
            Place::Yours(done) => {
                let made = done.subscribe();
                let (speaker, utterance) = (self.clone(), utterance.clone());
                // Others will say it too, so it is finished also when the call that asked first is over.
                tokio::spawn(async move {
                    let clip = speaker.make(&utterance, codec).await;
                    speaker.cache().finish(&utterance, codec, clip.as_ref().ok());
                    done.send_replace(clip.ok());
                });
                made
            }
        };
        let made = made.wait_for(Option::is_some).await.ok().and_then(|clip| clip.clone());
        match made {
            Some(clip) => Ok(clip),
            // Who made it for all had no luck; the reason is found out here.
            None => self.make(utterance, codec).await,
        }
    }

    /// Renders a prompt and encodes it.
    async fn make(&self, utterance: &Utterance, codec: Codec) -> Result<Arc<Clip>, SpeechError> {
        let wide = codec.is_wide();
        let samples = self.cache().samples(utterance, wide);
        let rendered = match samples.get_or_try_init(|| self.render(utterance, wide)).await {
            Ok(rendered) => rendered.clone(),
            Err(error) => {
                self.cache().forget(utterance);
                return Err(error);
            }
        };
        if !wide {
            return Ok(Arc::new(Clip::encode(codec, &rendered)));
        }
        // Some ten milliseconds for each second of speech.
        let encoded = spawn_blocking(move || Clip::encode(codec, &rendered)).await;
        encoded.map(Arc::new).map_err(|_| SpeechError::GivenUp)
    }

    /// The clip of a prompt that was rendered before.
    pub fn at_hand(&self, utterance: &Utterance, codec: Codec) -> Option<Arc<Clip>> {
        self.cache().clip(utterance, codec)
    }

    /// Renders an utterance once for each band, and encodes it in these codecs.
    ///
    /// Where there is a choice, what nobody else will use is not encoded in wide band: that is dear, and few are in the end.
    ///
    /// Errors: as [`Speaker::say`].
    pub async fn say_in(
        &self,
        utterance: &Utterance,
        codecs: &[Codec],
    ) -> Result<Rendered, SpeechError> {
        let mut made = Rendered::default();
        let mut narrow: Option<Arc<[i16]>> = None;
        for &codec in codecs {
            if utterance.keep {
                made.clips.push(self.say(utterance, codec).await?);
                continue;
            }
            let samples = if codec.is_wide() { &mut made.wide } else { &mut narrow };
            let samples = match samples {
                Some(samples) => samples,
                None => samples.insert(self.render(utterance, codec.is_wide()).await?),
            };
            if codecs.len() == 1 || !codec.is_wide() {
                made.clips.push(Arc::new(Clip::encode(codec, samples)));
            }
        }
        Ok(made)
    }

    /// Tells how a text will be said, in the International Phonetic Alphabet.
    pub async fn phonemes(&self, text: &str, language: &str) -> Result<String, SpeechError> {
        let (voice, clean) = readable(text, language)?;
        let mut worker = Worker::start(&self.settings, worker::PHONEMES).await?;
        match worker.ask(&self.order(voice, clean, false), self.settings.patience).await {
            Ok(Answer::Phonemes(phonemes)) => Ok(phonemes),
            Ok(Answer::NoVoice) => Err(SpeechError::UnknownLanguage(language.to_owned())),
            Ok(_) | Err(_) => Err(SpeechError::GivenUp),
        }
    }

    async fn render(&self, utterance: &Utterance, wide: bool) -> Result<Arc<[i16]>, SpeechError> {
        let (voice, clean) = readable(&utterance.text, &utterance.language)?;
        // A text that kills a worker gets a second chance in crumbs: the engine's errors need a long stretch at once.
        for chars_max in [sanitise::PIECE_CHARS_MAX, CRUMB_CHARS_MAX] {
            let text = sanitise::pieces(&clean, chars_max).join("\n");
            match self.ask(self.order(voice, text, wide)).await {
                Ok(Answer::Samples(samples)) if samples.is_empty() => {
                    return Err(SpeechError::Unspeakable);
                }
                Ok(Answer::Samples(samples)) => return Ok(samples.into()),
                Ok(Answer::NoVoice) => {
                    return Err(SpeechError::UnknownLanguage(utterance.language.clone()));
                }
                Ok(_) | Err(Lost::Died) => {}
                Err(Lost::TooSlow) => break,
            }
        }
        Err(SpeechError::GivenUp)
    }

    fn order(&self, voice: &Voice, text: String, wide: bool) -> Order {
        let SpeechSettings { rate_wpm, word_gap, .. } = *self.settings;
        Order { rate_wpm, word_gap, wide, voice: voice.name.to_owned(), text }
    }

    async fn ask(&self, order: Order) -> Result<Answer, Lost> {
        let (answer, answered) = oneshot::channel();
        self.errands.send(Errand { order, answer }).await.map_err(|_| Lost::Died)?;
        answered.await.unwrap_or(Err(Lost::Died))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An utterance as it is kept until its codec is agreed on. Empty if it cannot be said.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Ready to be played.
    pub clips: Vec<Arc<Clip>>,
    /// In wide band, still to be encoded.
    pub wide: Option<Arc<[i16]>>,
}

fn readable(text: &str, language: &str) -> Result<(&'static Voice, String), SpeechError> {
    let voice = Voice::for_language(language)
        .ok_or_else(|| SpeechError::UnknownLanguage(language.to_owned()))?;
    let clean = sanitise::clean(text, voice).map_err(|Unreadable| SpeechError::Unspeakable)?;
    Ok((voice, clean))
}

struct Errand {
    order: Order,
    answer: oneshot::Sender<Result<Answer, Lost>>,
}

/// The worker is gone, and the answer with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[rustfmt::skip]
enum Lost { Died, TooSlow }

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
        let answered = match crew.ready(worker.take()).await {
            Some(mut ready) => {
                let answered = ready.ask(&order, crew.settings.patience).await;
                worker = (answered.is_ok() && ready.orders_left > 0).then_some(ready);
                answered
            }
            None => Err(Lost::TooSlow),
        };
        drop(answer.send(answered)); // Whoever asked may have gone away.
    }
}

impl Crew {
    /// The worker at hand if it lives, else a spare that does.
    async fn ready(&self, mut at_hand: Option<Worker>) -> Option<Worker> {
        loop {
            let mut worker = match at_hand.take() {
                Some(worker) => worker,
                None => timeout(START_MAX, async { self.spares.lock().await.recv().await })
                    .await
                    .ok()??,
            };
            if let Ok(None) = worker.process.try_wait() {
                return Some(worker);
            }
            warn!("speech worker had died while it waited");
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
    process: Child,
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
            .process_group(0) // Ctrl-C ends the program in its own order, not its workers first.
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
            Self { process, orders, answers, orders_left: ORDERS_MAX, landlock: false };
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

    /// After an error the worker is of no use: its answers no longer belong to the orders.
    async fn ask(&mut self, order: &Order, patience: Duration) -> Result<Answer, Lost> {
        self.orders_left = self.orders_left.saturating_sub(1);
        let exchange = async {
            self.orders.write_all(&order.to_bytes()).await?;
            self.answer().await
        };
        match timeout(patience, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                // The status tells a crash from a call that the sandbox forbids (SIGSYS).
                let status = timeout(REAP_MAX, self.process.wait()).await;
                warn!(%error, ?status, "speech worker died");
                Err(Lost::Died)
            }
            Err(_) => {
                warn!(?patience, "speech worker took too long");
                Err(Lost::TooSlow)
            }
        }
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
const REAP_MAX: Duration = Duration::from_millis(100);
const START_MAX: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);
