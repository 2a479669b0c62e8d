//! What is spoken in one call: rendered ahead, played in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{Instrument, debug, warn};

use super::speech_tag;
use crate::clock;
use crate::media::MediaCommand;
use crate::media::codec::{Clip, Codec};
use crate::media::engine;
use crate::media::resample::{TELEPHONE_HZ, resampled};
use crate::notification::MessageId;
use crate::numbers::Numbers;
use crate::script::CallFlow;
use crate::script::prompt::{PAUSE, Prompt, PromptKind};
use crate::speech::{Pace, Rendered, Speaker, Utterance};

/// Turns prompts into clips, ahead of time where they are known, and plays them one after the other.
///
/// Contract: dropping it drops the renderings that are no longer waited for.
pub(super) struct PromptPlayer {
    speaker: Speaker,
    numbers: Numbers,
    /// The codec of the call, and before it is agreed on those that it may be.
    codecs: Vec<Codec>,
    rendering: JoinSet<(Prompt, Rendered)>,
    requested: HashSet<Prompt>,
    prepared: HashMap<Prompt, Rendered>,
    speaking: VecDeque<Prompt>,
    tag: u32,
    /// What is spoken in place of a message that cannot be.
    unspeakable: Prompt,
    pace: Pace,
    /// What is spoken in place of a message in a language that no voice speaks.
    other_language: Prompt,
    /// What the callee has recorded.
    recording: Option<Arc<Clip>>,
}

impl PromptPlayer {
    /// Prompts are rendered in each of these codecs, until one is agreed on.
    pub(super) fn new(
        speaker: Speaker,
        numbers: Numbers,
        codecs: Vec<Codec>,
        flow: &CallFlow,
        pace: Pace,
    ) -> Self {
        Self {
            speaker,
            numbers,
            codecs,
            rendering: JoinSet::new(),
            requested: HashSet::new(),
            prepared: HashMap::new(),
            speaking: VecDeque::new(),
            tag: 0,
            unspeakable: flow.unspeakable_prompt(),
            pace,
            other_language: flow.other_language_prompt(),
            recording: None,
        }
    }

    /// Renders these now, so that they are ready when they are to be spoken.
    pub(super) fn prepare(&mut self, prompts: impl IntoIterator<Item = Prompt>) {
        for prompt in prompts {
            if prompt.kind == PromptKind::Recording {
                continue;
            }
            if let Some(sound) = wordless(prompt.kind) {
                let clips = self.codecs.iter().map(|codec| sound(*codec)).collect();
                self.prepared.insert(prompt, Rendered { clips, wide: None });
                continue;
            }
            if self.requested.insert(prompt.clone()) {
                let utterance = Utterance {
                    language: prompt.language.clone(),
                    text: prompt.text.clone(),
                    keep: prompt.kind == PromptKind::Prompt,
                    pace: self.pace,
                };
                let at_hand = |codec: &Codec| self.speaker.at_hand(&utterance, *codec);
                if utterance.keep
                    && let Some(clips) = self.codecs.iter().map(at_hand).collect()
                {
                    self.prepared.insert(prompt, Rendered { clips, wide: None });
                    continue;
                }
                let (speaker, codecs) = (self.speaker.clone(), self.codecs.clone());
                let (numbers, begun) = (self.numbers.clone(), clock::now());
                let render = async move {
                    let rendered = speaker.say_in(&utterance, &codecs).await;
                    numbers.speech_made(clock::now().saturating_duration_since(begun));
                    let rendered = rendered.unwrap_or_else(|error| {
                        warn!(%error, "prompt was not rendered");
                        Rendered::default()
                    });
                    (prompt, rendered)
                };
                self.rendering.spawn(render.in_current_span());
            }
        }
    }

    /// The codec of the call.
    pub(super) fn codec(&self) -> Codec {
        self.codecs.first().copied().unwrap_or(Codec::Pcmu)
    }

    /// Takes what the callee has recorded, to be played to them.
    pub(super) fn has_recorded(&mut self, samples: &[i16]) {
        let codec = self.codec();
        let samples = resampled(samples, TELEPHONE_HZ, codec.speech_hz()).unwrap_or_default();
        let samples: Vec<i16> = samples.into_iter().map(|sample| sample as i16).collect();
        self.recording = Some(Arc::new(Clip::encode(codec, &samples)));
    }

    /// Takes the codec that was agreed on. What was rendered only for others is rendered again.
    pub(super) fn agree(&mut self, codec: Codec) {
        let known = self.codecs.contains(&codec);
        if self.recording.as_ref().is_some_and(|clip| clip.codec() != codec) {
            self.recording = None;
        }
        self.codecs = vec![codec];
        if known {
            for (prompt, rendered) in std::mem::take(&mut self.prepared) {
                self.keep(prompt, rendered);
            }
        } else {
            self.rendering.abort_all();
            self.prepared.clear();
            let prompts: Vec<Prompt> = self.requested.drain().collect();
            self.prepare(prompts);
        }
    }

    /// Plays these after what is being spoken; the last one bears the tag, and those before it tell how many are left.
    pub(super) fn speak(&mut self, prompts: Vec<Prompt>, tag: u32) {
        self.prepare(prompts.iter().cloned());
        self.speaking.extend(prompts);
        self.tag = tag;
    }

    /// Forgets what was still to be spoken.
    pub(super) fn stop_playback(&mut self) {
        self.speaking.clear();
    }

    /// Waits for the next rendering; `None` while there is none.
    pub(super) async fn rendered(&mut self) -> Option<()> {
        if let Ok((prompt, rendered)) = self.rendering.join_next().await? {
            self.keep(prompt, rendered);
        }
        Some(())
    }

    /// Keeps what is rendered. What is still to be encoded in the codec of the call comes back encoded.
    fn keep(&mut self, prompt: Prompt, mut rendered: Rendered) {
        if let [codec] = self.codecs[..] {
            let is_speakable = !rendered.clips.is_empty() || rendered.wide.is_some();
            rendered.clips.retain(|clip| clip.codec() == codec);
            if is_speakable && rendered.clips.is_empty() {
                // Else it was meant for an earlier codec and is being rendered again.
                if let Some(samples) = rendered.wide.filter(|_| codec.is_wide()) {
                    self.rendering.spawn_blocking(move || {
                        let clips = vec![Arc::new(Clip::encode(codec, &samples))];
                        (prompt, Rendered { clips, wide: None })
                    });
                }
                return;
            }
        }
        self.prepared.insert(prompt, rendered);
    }

    /// Sends what is ready to the RTP port, in order. Tells messages that cannot be spoken, and a tag that will not be
    /// played because nothing of it can be.
    pub(super) fn play(&mut self, port: &engine::RtpPort) -> Vec<PlayerEvent> {
        let mut events = vec![];
        while let Some(next) = self.speaking.front().cloned() {
            let codec = self.codec();
            let fitting =
                |it: &Rendered| it.clips.iter().find(|clip| clip.codec() == codec).cloned();
            let prepared = match next.kind {
                PromptKind::Recording => Some(self.recording.clone()),
                PromptKind::Tone
                | PromptKind::Mark
                | PromptKind::Pause
                | PromptKind::Prompt
                | PromptKind::Announcement
                | PromptKind::Body(_) => self.prepared.get(&next).map(fitting),
            };
            let Some(clip) = prepared else { break };
            self.speaking.pop_front();
            let clip = match (clip, next.kind) {
                (Some(clip), _) => clip,
                (None, PromptKind::Body(id)) => {
                    debug!(
                        message_id = id.0,
                        "message cannot be read aloud; the callee is told so"
                    );
                    events.push(PlayerEvent::Unspeakable(id));
                    let is_spoken = !self.speaker.engines_for(&next.language).is_empty();
                    let instead = if is_spoken { &self.unspeakable } else { &self.other_language };
                    let instead = instead.clone();
                    self.prepare([instead.clone()]);
                    self.speaking.push_front(instead);
                    continue;
                }
                (
                    None,
                    PromptKind::Prompt
                    | PromptKind::Announcement
                    | PromptKind::Tone
                    | PromptKind::Mark
                    | PromptKind::Pause
                    | PromptKind::Recording,
                ) => {
                    if self.speaking.is_empty() {
                        events.push(PlayerEvent::Skipped(self.tag));
                    }
                    continue;
                }
            };
            let tag = speech_tag::clip(self.tag, self.speaking.len());
            port.command(MediaCommand::Play { clip, tag });
        }
        events
    }
}

/// What is played for a prompt without words, if that is known beforehand.
fn wordless(kind: PromptKind) -> Option<fn(Codec) -> Arc<Clip>> {
    match kind {
        PromptKind::Tone => Some(Codec::tone),
        PromptKind::Mark => Some(Codec::mark),
        PromptKind::Pause => Some(|codec| Arc::new(Clip::silent(codec, PAUSE))),
        PromptKind::Prompt
        | PromptKind::Announcement
        | PromptKind::Recording
        | PromptKind::Body(_) => None,
    }
}

/// What cannot be played.
pub(super) enum PlayerEvent {
    /// This message cannot be spoken; another sentence is.
    Unspeakable(MessageId),
    /// The speech with this tag ends without its last prompt.
    Skipped(u32),
}
