//! What is said in one call: rendered ahead, played in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::media::Command;
use crate::media::codec::{Clip, Codec};
use crate::media::engine;
use crate::media::resample::{TELEPHONE_HZ, WIDE_HZ, resampled};
use crate::notification::MessageId;
use crate::script::prompt::{Kind, Line};
use crate::speech::{Rendered, Speaker, Utterance};

/// Turns lines into clips, ahead of time where they are known, and plays them one after the other.
///
/// Contract: dropping it drops the renderings that nobody waits for any more.
pub(super) struct Voice {
    speaker: Speaker,
    /// The codec of the line, and before it is agreed on those that it may be.
    codecs: Vec<Codec>,
    rendering: JoinSet<(Line, Rendered)>,
    asked: HashSet<Line>,
    ready: HashMap<Line, Rendered>,
    speaking: VecDeque<Line>,
    tag: u32,
    /// What is said in place of a message that cannot be said.
    unspeakable: Line,
    /// What the callee has recorded.
    own: Option<Arc<Clip>>,
}

impl Voice {
    /// What is said is rendered in each of these codecs, until one is agreed on.
    pub(super) fn new(speaker: Speaker, codecs: Vec<Codec>, unspeakable: Line) -> Self {
        Self {
            speaker,
            codecs,
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
                let clips = self.codecs.iter().map(|codec| tone(*codec)).collect();
                self.ready.insert(line, Rendered { clips, wide: None });
                continue;
            }
            if self.asked.insert(line.clone()) {
                let utterance = Utterance {
                    language: line.language.clone(),
                    text: line.text.clone(),
                    keep: line.kind == Kind::Prompt,
                };
                let at_hand = |codec: &Codec| self.speaker.at_hand(&utterance, *codec);
                if utterance.keep
                    && let Some(clips) = self.codecs.iter().map(at_hand).collect()
                {
                    self.ready.insert(line, Rendered { clips, wide: None });
                    continue;
                }
                let (speaker, codecs) = (self.speaker.clone(), self.codecs.clone());
                self.rendering.spawn(async move {
                    let rendered = speaker.say_in(&utterance, &codecs).await;
                    let rendered = rendered.unwrap_or_else(|error| {
                        warn!(%error, "a line could not be rendered");
                        Rendered::default()
                    });
                    (line, rendered)
                });
            }
        }
    }

    /// The codec of the line.
    pub(super) fn codec(&self) -> Codec {
        self.codecs.first().copied().unwrap_or(Codec::Pcmu)
    }

    /// What the callee has recorded, ready to be played to him.
    pub(super) fn has_recorded(&mut self, samples: &[i16]) {
        let codec = self.codec();
        let samples = match codec.is_wide() {
            true => resampled(samples, TELEPHONE_HZ, WIDE_HZ).unwrap_or_default(),
            false => samples.iter().map(|sample| f32::from(*sample)).collect(),
        };
        let samples: Vec<i16> = samples.into_iter().map(|sample| sample as i16).collect();
        self.own = Some(Arc::new(Clip::encode(codec, &samples)));
    }

    /// The codec that both ends have agreed on. What was rendered only for others is rendered again.
    pub(super) fn agree(&mut self, codec: Codec) {
        let known = self.codecs.contains(&codec);
        self.codecs = vec![codec];
        if known {
            for (line, rendered) in std::mem::take(&mut self.ready) {
                self.keep(line, rendered);
            }
        } else {
            self.rendering.abort_all();
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
        if let Ok((line, rendered)) = self.rendering.join_next().await? {
            self.keep(line, rendered);
        }
        Some(())
    }

    /// Keeps what is ready. What is still to be encoded in the codec of the line is not: it comes back encoded.
    fn keep(&mut self, line: Line, mut rendered: Rendered) {
        if let [codec] = self.codecs[..] {
            let can_be_said = !rendered.clips.is_empty() || rendered.wide.is_some();
            rendered.clips.retain(|clip| clip.codec() == codec);
            if can_be_said && rendered.clips.is_empty() {
                // Else it was meant for an earlier codec and is being rendered again.
                if let Some(samples) = rendered.wide.filter(|_| codec.is_wide()) {
                    self.rendering.spawn_blocking(move || {
                        let clips = vec![Arc::new(Clip::encode(codec, &samples))];
                        (line, Rendered { clips, wide: None })
                    });
                }
                return;
            }
        }
        self.ready.insert(line, rendered);
    }

    /// Sends what is ready to the line, in order. Tells messages that cannot be said, and a tag that will not be
    /// played because nothing of it can be.
    pub(super) fn play(&mut self, line: &engine::Line) -> Vec<Told> {
        let mut told = vec![];
        while let Some(next) = self.speaking.front().cloned() {
            let codec = self.codec();
            let fitting =
                |it: &Rendered| it.clips.iter().find(|clip| clip.codec() == codec).cloned();
            let ready = match next.kind {
                Kind::Recording => Some(self.own.clone()),
                Kind::Tone | Kind::Prompt | Kind::Announcement | Kind::Body(_) => {
                    self.ready.get(&next).map(fitting)
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

/// A short tone that no keypad makes, encoded once for all calls.
fn tone(codec: Codec) -> Arc<Clip> {
    static TONES: [OnceLock<Arc<Clip>>; 4] = [const { OnceLock::new() }; 4];
    let place = match codec {
        Codec::Pcmu => &TONES[0],
        Codec::Pcma => &TONES[1],
        Codec::G722 => &TONES[2],
        Codec::Opus => &TONES[3],
    };
    place.get_or_init(|| Arc::new(Clip::encode(codec, &beep(codec.speech_hz() as u32)))).clone()
}

fn beep(rate_hz: u32) -> Vec<i16> {
    let samples = rate_hz / 4;
    let at = |n: u32| f64::from(n) / f64::from(rate_hz);
    let edge = f64::from(rate_hz) / 100.0;
    let level = |n: u32| (f64::from(n.min(samples - n)) / edge).min(1.0) * 6000.0;
    let sample = |n: u32| ((at(n) * TONE_HZ * std::f64::consts::TAU).sin() * level(n)) as i16;
    (0..samples).map(sample).collect()
}

const TONE_HZ: f64 = 1000.0;

/// What did not go as asked.
pub(super) enum Told {
    /// This message cannot be said; something else is.
    Unspeakable(MessageId),
    /// The speech with this tag ends without its last line.
    Skipped(u32),
}

const NOT_LAST: u32 = 0;
