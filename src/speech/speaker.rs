//! Keeps the speech workers: gives them texts, waits only so long, replaces those that die.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::backoff::Backoff;
use crate::config::Engine;
use crate::media::codec::{Clip, Codec};
use crate::speech::cache::{Cache, CacheSlot};
use crate::speech::engines::{Engines, Fit};
use crate::speech::sanitise::{self, Unreadable};
use crate::speech::wire::{SynthesisRequest, WorkerResponse};
use crate::speech::worker_process::{Lost, START_MAX, Worker};
use crate::speech::{Pace, SpeechError, SpeechSettings, Utterance, spoken_text, worker};

/// Turns text into clips, by processes that a text may kill. Clones share them.
///
/// Contract: needs a tokio runtime. The workers end with the last clone.
#[derive(Clone, Debug)]
pub struct Speaker {
    settings: Arc<SpeechSettings>,
    jobs: mpsc::Sender<SpeechJob>,
    cache: Arc<Lock<Cache>>,
    engines: Arc<Engines>,
    /// So many programs speak at once.
    programs: Arc<Semaphore>,
    /// Texts that are being rendered or wait for it.
    waiting: Arc<AtomicUsize>,
}

impl Speaker {
    /// Starts the workers and a spare.
    ///
    /// Errors: tells what this machine lacks: voices, a kernel with seccomp, a way to start the worker.
    pub async fn start(settings: SpeechSettings) -> Result<Self, SpeechError> {
        let settings = Arc::new(settings);
        let first = Worker::start(&settings, worker::SPEAK).await?;
        let engines = Arc::new(Engines::new(&settings.voices, first.hibari));
        let programs = Arc::new(Semaphore::new(settings.workers.max(1)));
        if !first.landlock {
            warn!(
                "this kernel has no landlock: speech workers could read files, though not send them anywhere"
            );
        }
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
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
        Ok(Self { settings, jobs, cache, engines, programs, waiting: Arc::default() })
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
            CacheSlot::Ready(clip) => return Ok(clip),
            CacheSlot::Making(made) => made,
            CacheSlot::Yours(done) => {
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
            // The caller that made it for all failed; trying again shows the reason.
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
    /// Where there is a choice, speech for one call alone is not encoded in wide band: that is dear, and few calls use it.
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

    /// The engines that can speak a language, the one that does first.
    pub fn engines_for(&self, language: &str) -> Vec<Engine> {
        self.engines.fits(language).iter().map(Fit::engine).collect()
    }

    /// The languages that the operator has chosen voices for.
    pub fn chosen_languages(&self) -> Vec<String> {
        self.engines.chosen().map(str::to_owned).collect()
    }

    /// Says something for the telephone, by the engine that fits best or by this one only, and tells which it was.
    ///
    /// Errors: as [`Speaker::say`], and [`SpeechError::NotThisEngine`].
    pub async fn say_by(
        &self,
        utterance: &Utterance,
        only: Option<Engine>,
    ) -> Result<Spoken, SpeechError> {
        let (samples, engine) = self.render_by(utterance, false, only).await?;
        Ok(Spoken { clip: Clip::encode(Codec::Pcmu, &samples), engine })
    }

    /// Tells how a text will be said by espeak-ng, in the International Phonetic Alphabet.
    pub async fn phonemes(&self, text: &str, language: &str) -> Result<String, SpeechError> {
        let unknown = || SpeechError::UnknownLanguage(language.to_owned());
        let fits = self.engines.fits(language);
        let espeak = fits.iter().find(|fit| fit.engine() == Engine::Espeak).ok_or_else(unknown)?;
        let Fit::Worker { name, voice, .. } = espeak else { return Err(unknown()) };
        let clean = sanitise::clean(&spoken_text::spoken(text, language), voice)
            .map_err(|Unreadable| SpeechError::Unspeakable)?;
        let mut worker = Worker::start(&self.settings, worker::PHONEMES).await?;
        let request = self.request(name, clean, Pace::Usual, false);
        match worker.ask(&request, self.settings.patience).await {
            Ok(WorkerResponse::Phonemes(phonemes)) => Ok(phonemes),
            Ok(WorkerResponse::NoVoice) => Err(unknown()),
            Ok(_) | Err(_) => Err(SpeechError::GivenUp),
        }
    }

    async fn render(&self, utterance: &Utterance, wide: bool) -> Result<Arc<[i16]>, SpeechError> {
        self.render_by(utterance, wide, None).await.map(|(samples, _)| samples)
    }

    /// Asks one engine after the other, until one speaks.
    async fn render_by(
        &self,
        utterance: &Utterance,
        wide: bool,
        only: Option<Engine>,
    ) -> Result<(Arc<[i16]>, Engine), SpeechError> {
        let language = &utterance.language;
        let mut fits = self.engines.fits(language);
        let mut why = match only {
            Some(engine) => SpeechError::NotThisEngine { engine, language: language.clone() },
            None => SpeechError::UnknownLanguage(language.clone()),
        };
        // espeak-ng, which takes a tenth of the time, helps out where more texts wait than can be ready before
        // somebody answers.
        let crowded = self.waiting.load(Ordering::Relaxed) > self.settings.workers * WAITING_MAX;
        let has_espeak = fits.iter().any(|fit| fit.engine() == Engine::Espeak);
        fits.retain(|fit| match only {
            Some(only) => fit.engine() == only,
            None => !(crowded && has_espeak && fit.engine() == Engine::Hibari),
        });
        for fit in fits {
            match self.render_with(&fit, utterance, wide).await {
                Ok(samples) => return Ok((samples, fit.engine())),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    async fn render_with(
        &self,
        fit: &Fit,
        utterance: &Utterance,
        wide: bool,
    ) -> Result<Arc<[i16]>, SpeechError> {
        let (language, pace) = (&utterance.language, utterance.pace);
        let spoken = spoken_text::spoken(&utterance.text, language);
        let unspeakable = |Unreadable| SpeechError::Unspeakable;
        let (name, voice) = match fit {
            Fit::Worker { name, voice, .. } => (name, voice),
            Fit::Program(program) => {
                let line = sanitise::one_line(&spoken).map_err(unspeakable)?;
                // Closed by nobody while a speaker is there.
                let _turn = self.programs.acquire().await.map_err(|_| SpeechError::GivenUp)?;
                let said = program.speak(&line, pace, wide, &self.settings).await;
                return said.map(Arc::from).map_err(|fault| {
                    warn!(language, %fault, "a voice that is a program gave no speech");
                    SpeechError::GivenUp
                });
            }
        };
        let clean = sanitise::clean(&spoken, voice).map_err(unspeakable)?;
        // A text that kills a worker is tried once more in small pieces: the engine's errors need a long stretch at once.
        for chars_max in [sanitise::PIECE_CHARS_MAX, CRUMB_CHARS_MAX] {
            let text = sanitise::pieces(&clean, chars_max).join("\n");
            match self.ask(self.request(name, text, pace, wide)).await {
                Ok(WorkerResponse::Samples(samples)) if samples.is_empty() => {
                    return Err(SpeechError::Unspeakable);
                }
                Ok(WorkerResponse::Samples(samples)) => return Ok(samples.into()),
                Ok(WorkerResponse::NoVoice) => {
                    return Err(SpeechError::UnknownLanguage(language.clone()));
                }
                Ok(_) | Err(Lost::Died) => {}
                Err(Lost::TooSlow) => break,
            }
        }
        Err(SpeechError::GivenUp)
    }

    fn request(&self, voice: &str, text: String, pace: Pace, wide: bool) -> SynthesisRequest {
        let SpeechSettings { rate_wpm, word_gap, .. } = *self.settings;
        let rate_wpm = pace.rate_wpm(rate_wpm);
        SynthesisRequest { rate_wpm, word_gap, wide, voice: voice.to_owned(), text }
    }

    async fn ask(&self, order: SynthesisRequest) -> Result<WorkerResponse, Lost> {
        let (answer, answered) = oneshot::channel();
        let _waits = Waiting::begun(&self.waiting);
        self.jobs.send(SpeechJob { order, answer }).await.map_err(|_| Lost::Died)?;
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

/// What was said, and by what.
#[derive(Debug)]
pub struct Spoken {
    /// As the telephone carries it.
    pub clip: Clip,
    /// What spoke.
    pub engine: Engine,
}

/// Counts a text that is being rendered, until it is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begun(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct SpeechJob {
    order: SynthesisRequest,
    answer: oneshot::Sender<Result<WorkerResponse, Lost>>,
}

/// What the tasks that keep workers share.
struct Crew {
    queue: Mutex<mpsc::Receiver<SpeechJob>>,
    spares: Mutex<mpsc::Receiver<Worker>>,
    settings: Arc<SpeechSettings>,
}

/// Serves one text after the other, with one worker as long as it lives, until no [`Speaker`] is left.
async fn serve(crew: Arc<Crew>, mut worker: Option<Worker>) {
    loop {
        let Some(SpeechJob { order, answer }) = crew.queue.lock().await.recv().await else {
            return;
        };
        if answer.is_closed() {
            continue;
        }
        let answered = match crew.ready(worker.take()).await {
            Some(mut ready) => {
                let answered = ready.ask(&order, patience(&crew.settings, &order.text)).await;
                worker = (answered.is_ok() && ready.orders_left > 0).then_some(ready);
                answered
            }
            None => Err(Lost::TooSlow),
        };
        drop(answer.send(answered)); // The caller may have stopped waiting.
    }
}

/// How long a worker may take for a text: so long, and longer for longer ones.
fn patience(settings: &SpeechSettings, text: &str) -> Duration {
    settings.patience + PATIENCE_PER_CHAR * u32::try_from(text.len()).unwrap_or(u32::MAX)
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

/// Keeps one worker ready for a task whose worker dies.
async fn raise(spare: mpsc::Sender<Worker>, settings: Arc<SpeechSettings>) {
    let mut failures = 0;
    while let Ok(place) = spare.reserve().await {
        match Worker::start(&settings, worker::SPEAK).await {
            Ok(worker) => {
                place.send(worker);
                failures = 0;
            }
            Err(error) => {
                warn!(%error, "no spare speech worker");
                drop(place);
                sleep(BACKOFF.after(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

/// Texts that wait for a worker; further callers wait to be let in.
const QUEUE_MAX: usize = 64;
/// Length of a piece at the second try.
const CRUMB_CHARS_MAX: usize = 60;
/// Texts for each worker, beyond which the quicker voice speaks: what two new calls have rendered ahead.
const WAITING_MAX: usize = 48;
/// Ten times what the slowest voice takes on an idle core.
const PATIENCE_PER_CHAR: Duration = Duration::from_millis(20);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_may_take_longer_for_a_longer_text() {
        let settings = SpeechSettings::default();
        let lengths = [0, 100, 400, 2000].map(|chars| patience(&settings, &"a".repeat(chars)));
        assert_eq!(lengths, [3, 5, 11, 43].map(Duration::from_secs));
    }
}
