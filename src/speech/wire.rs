//! What the program and its speech worker say to each other over two pipes.

use std::io::{self, Read, Write};

/// One thing the worker is asked to do.
///
/// Shape: length (4), words a minute (2), word gap (1), wide (1), length of voice (1), voice, text. Little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SynthesisRequest {
    pub(crate) rate_wpm: u16,
    pub(crate) word_gap: u8,
    /// Whether 16,000 samples a second are wanted, not 8,000.
    pub(crate) wide: bool,
    /// The engine's name of the voice.
    pub(crate) voice: String,
    /// Clean text, one piece a line.
    pub(crate) text: String,
}

/// What the worker says: first that it is ready or why it cannot be, then one answer per order.
///
/// Shape: tag (1), length (4), content. Samples are 16 bits each. Little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WorkerResponse {
    /// Started and locked in; whether the kernel could also take the file system away.
    Ready {
        landlock: bool,
        /// Whether the English voice of its own is loaded beside espeak-ng.
        hibari: bool,
    },
    /// No usable voice data.
    NoData,
    /// The kernel would not lock it in.
    NoSandbox,
    /// Speech, with as many samples a second as were asked for.
    Samples(Vec<i16>),
    Phonemes(String),
    /// No such voice in the data.
    NoVoice,
    /// The engine refused the text.
    Refused,
}

impl SynthesisRequest {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut body = self.rate_wpm.to_le_bytes().to_vec();
        body.extend([self.word_gap, u8::from(self.wide)]);
        let voice = &self.voice.as_bytes()[..self.voice.len().min(VOICE_BYTES_MAX)];
        body.push(voice.len() as u8);
        body.extend(voice);
        body.extend(self.text.as_bytes());
        let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes
    }

    /// Waits for the next order. An error is the end: the program has closed the pipe.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        let len = u32::from_le_bytes(len) as usize;
        if len > ORDER_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; len];
        from.read_exact(&mut body)?;
        Self::parse(&body).ok_or(io::ErrorKind::InvalidData.into())
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let (&[rate_low, rate_high, word_gap, wide, voice_len], rest) = body.split_first_chunk()?;
        let (voice, text) = rest.split_at_checked(voice_len.into())?;
        Some(Self {
            rate_wpm: u16::from_le_bytes([rate_low, rate_high]),
            word_gap,
            wide: wide == 1,
            voice: str::from_utf8(voice).ok()?.to_owned(),
            text: str::from_utf8(text).ok()?.to_owned(),
        })
    }
}

impl WorkerResponse {
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let (tag, content) = match self {
            Self::Ready { landlock, hibari } => {
                (b'R', vec![u8::from(*landlock), u8::from(*hibari)])
            }
            Self::NoData => (b'D', vec![]),
            Self::NoSandbox => (b'X', vec![]),
            Self::Samples(samples) => {
                (b'S', samples.iter().flat_map(|s| s.to_le_bytes()).collect())
            }
            Self::Phonemes(phonemes) => (b'P', phonemes.clone().into_bytes()),
            Self::NoVoice => (b'V', vec![]),
            Self::Refused => (b'F', vec![]),
        };
        let mut bytes = vec![tag];
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend(content);
        to.write_all(&bytes)?;
        to.flush()
    }

    /// Splits the first five octets into tag and length of the content, unless the content would be too long.
    pub(crate) fn head(head: [u8; HEAD_BYTES]) -> Option<(u8, usize)> {
        let [tag, len @ ..] = head;
        let len = u32::from_le_bytes(len) as usize;
        (len <= ANSWER_BYTES_MAX).then_some((tag, len))
    }

    /// Puts tag and content together again; `None` if the worker does not keep to the shape.
    pub(crate) fn parse(tag: u8, content: Vec<u8>) -> Option<Self> {
        Some(match tag {
            b'R' => {
                let [landlock, hibari] = content.try_into().ok()?;
                Self::Ready { landlock: landlock == 1, hibari: hibari == 1 }
            }
            b'D' => Self::NoData,
            b'X' => Self::NoSandbox,
            b'S' => {
                let pairs = content.chunks_exact(2);
                Self::Samples(pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
            }
            b'P' => Self::Phonemes(String::from_utf8(content).ok()?),
            b'V' => Self::NoVoice,
            b'F' => Self::Refused,
            _ => return None,
        })
    }
}

/// Length of what comes before the content of an [`WorkerResponse`].
pub(crate) const HEAD_BYTES: usize = 5;

const ORDER_BYTES_MAX: usize = 64 * 1024;
/// Two minutes of speech in wide band; the worker itself stops earlier.
const ANSWER_BYTES_MAX: usize = 2 * 16_000 * 120;
const VOICE_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_answers_arrive_as_they_were_sent() {
        let order = SynthesisRequest {
            rate_wpm: 150,
            word_gap: 2,
            wide: true,
            voice: "de".into(),
            text: "Grüße.\nBis bald".into(),
        };
        assert_eq!(SynthesisRequest::read(&mut &*order.to_bytes()).unwrap(), order);
        let answers = [
            WorkerResponse::Ready { landlock: true, hibari: false },
            WorkerResponse::NoData,
            WorkerResponse::NoSandbox,
            WorkerResponse::Samples(vec![-32768, 0, 32767]),
            WorkerResponse::Phonemes("ɡʁˈyːsə".into()),
            WorkerResponse::NoVoice,
            WorkerResponse::Refused,
        ];
        for answer in answers {
            let mut bytes = vec![];
            answer.write(&mut bytes).unwrap();
            let (head, content) = bytes.split_first_chunk().unwrap();
            let (tag, len) = WorkerResponse::head(*head).unwrap();
            assert_eq!(len, content.len());
            assert_eq!(WorkerResponse::parse(tag, content.to_vec()), Some(answer));
        }
    }

    #[test]
    fn a_worker_taken_over_by_a_text_cannot_make_the_program_read_without_end() {
        assert_eq!(WorkerResponse::head([b'S', 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(WorkerResponse::parse(b'?', vec![]), None);
        assert_eq!(WorkerResponse::parse(b'P', vec![0xff]), None);
        assert_eq!(
            WorkerResponse::parse(b'S', vec![1, 0, 9]),
            Some(WorkerResponse::Samples(vec![1]))
        );
    }
}
