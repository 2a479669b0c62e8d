//! What is said in one call: rendered ahead, played in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::media::Command;
use crate::media::codec::{Clip, Codec};
use crate::media::engine;
use crate::notification::MessageId;
use crate::script::prompt::{Kind, Line};
use crate::speech::{Speaker, Utterance};

/// Turns lines into clips, ahead of time where they are known, and plays them one after the other.
///
/// Contract: dropping it drops the renderings that nobody waits for any more.
pub(super) struct Voice {
    speaker: Speaker,
    codec: Codec,
    rendering: JoinSet<(Line, Codec, Option<Arc<Clip>>)>,
    asked: HashSet<Line>,
    ready: HashMap<Line, Option<Arc<Clip>>>,
    speaking: VecDeque<Line>,
    tag: u32,
    /// What is said in place of a message that cannot be said.
    unspeakable: Line,
    /// What the callee has recorded.
    own: Option<Arc<Clip>>,
}

impl Voice {
    pub(super) fn new(speaker: Speaker, codec: Codec, unspeakable: Line) -> Self {
        Self {
            speaker,
            codec,
            rendering: JoinSet::new(),
            asked: HashSet::new(),
            ready: HashMap::new(),
            speaking: VecDeque::new(),
            tag: 0,
            unspeakable,
            own: None,
        }
    }

    /// Renders these now, so that they are ready when they are wanted.
    pub(super) fn prepare(&mut self, lines: impl IntoIterator<Item = Line>) {
        for line in lines {
            if line.kind == Kind::Recording {
                continue;
            }
            if line.kind == Kind::Tone {
                let tone = Arc::new(Clip::encode(self.codec, &tone()));
                self.ready.insert(line, Some(tone));
                continue;
            }
            if self.asked.insert(line.clone()) {
                let (speaker, codec) = (self.speaker.clone(), self.codec);
                self.rendering.spawn(async move {
                    let utterance = Utterance {
                        language: line.language.clone(),
                        text: line.text.clone(),
                        keep: line.kind == Kind::Prompt,
                    };
                    let clip = match speaker.say(&utterance, codec).await {
                        Ok(clip) => Some(clip),
                        Err(error) => {
                            warn!(%error, "a line could not be rendered");
                            None
                        }
                    };
                    (line, codec, clip)
                });
            }
        }
    }

    /// The codec of the line.
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// What the callee has recorded, ready to be played to him.
    pub(super) fn has_recorded(&mut self, samples: &[i16]) {
        self.own = Some(Arc::new(Clip::encode(self.codec, samples)));
    }

    /// The codec that both ends have agreed on. What was rendered for another is rendered again.
    pub(super) fn agree(&mut self, codec: Codec) {
        if codec != self.codec {
            self.codec = codec;
            self.ready.clear();
            let lines: Vec<Line> = self.asked.drain().collect();
            self.prepare(lines);
        }
    }

    /// Plays these after what is being said; the last one bears the tag.
    pub(super) fn speak(&mut self, lines: Vec<Line>, tag: u32) {
        self.prepare(lines.iter().cloned());
        self.speaking.extend(lines);
        self.tag = tag;
    }

    /// Says nothing more of what was asked for.
    pub(super) fn hush(&mut self) {
        self.speaking.clear();
    }

    /// Waits for the next rendering; `None` while there is none.
    pub(super) async fn rendered(&mut self) -> Option<()> {
        let (line, codec, clip) = self.rendering.join_next().await?.ok()?;
        if codec == self.codec {
            self.ready.insert(line, clip);
        }
        Some(())
    }

    /// Sends what is ready to the line, in order. Tells messages that cannot be said, and a tag that will not be
    /// played because nothing of it can be.
    pub(super) fn play(&mut self, line: &engine::Line) -> Vec<Told> {
        let mut told = vec![];
        while let Some(next) = self.speaking.front().cloned() {
            let ready = match next.kind {
                Kind::Recording => Some(self.own.clone()),
                Kind::Tone | Kind::Prompt | Kind::Announcement | Kind::Body(_) => {
                    self.ready.get(&next).cloned()
                }
            };
            let Some(clip) = ready else { break };
            self.speaking.pop_front();
            let clip = match (clip, next.kind) {
                (Some(clip), _) => clip,
                (None, Kind::Body(id)) => {
                    debug!(message_id = id.0, "said that a message cannot be read aloud");
                    told.push(Told::Unspeakable(id));
                    let instead = self.unspeakable.clone();
                    self.prepare([instead.clone()]);
                    self.speaking.push_front(instead);
                    continue;
                }
                (None, Kind::Prompt | Kind::Announcement | Kind::Tone | Kind::Recording) => {
                    if self.speaking.is_empty() {
                        told.push(Told::Skipped(self.tag));
                    }
                    continue;
                }
            };
            let tag = if self.speaking.is_empty() { self.tag } else { NOT_LAST };
            line.command(Command::Play { clip, tag });
        }
        told
    }
}

/// A short tone that no keypad makes.
fn tone() -> Vec<i16> {
    let at = |n: u32| f64::from(n) / f64::from(RATE_HZ);
    let level = |n: u32| (f64::from(n.min(TONE_SAMPLES - n)) / 80.0).min(1.0) * 6000.0;
    let sample = |n: u32| ((at(n) * TONE_HZ * std::f64::consts::TAU).sin() * level(n)) as i16;
    (0..TONE_SAMPLES).map(sample).collect()
}

const RATE_HZ: u32 = 8000;
const TONE_HZ: f64 = 1000.0;
const TONE_SAMPLES: u32 = RATE_HZ / 4;

/// What did not go as asked.
pub(super) enum Told {
    /// This message cannot be said; something else is.
    Unspeakable(MessageId),
    /// The speech with this tag ends without its last line.
    Skipped(u32),
}

const NOT_LAST: u32 = 0;
