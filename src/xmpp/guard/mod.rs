//! Limits on stanzas before they reach the XML parser: those beyond them are dropped whole and counted.
//!
//! The parser loses the stream over a name of 8,193 bytes, and its trees overflow the stack at some
//! thousand levels. Any user of a chat server can send both. Here the bytes between two stanzas are
//! known before the parser sees them, so that a hostile stanza costs that stanza and nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream whose reading side has been [`Splitter`]-checked.
#[derive(Debug)]
pub struct Guard<Io> {
    io: Io,
    splitter: Splitter,
    passed: Vec<u8>,
    read: usize,
    taken: u64,
    chunk: Box<[u8]>,
}

impl<Io> Guard<Io> {
    /// Guards the reading side of `io`.
    pub fn new(io: Io) -> Self {
        let chunk = vec![0; CHUNK_BYTES].into_boxed_slice();
        Self { io, splitter: Splitter::default(), passed: Vec::new(), read: 0, taken: 0, chunk }
    }

    /// How many bytes the parser has been handed so far.
    pub fn passed(&self) -> u64 {
        self.taken
    }

    /// How many stanzas have been dropped so far.
    pub fn dropped(&self) -> u64 {
        self.splitter.dropped
    }
}

impl<Io: AsyncRead + Unpin> AsyncBufRead for Guard<Io> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.read == this.passed.len() {
            this.passed.clear();
            this.passed.shrink_to(CHUNK_BYTES);
            this.read = 0;
            let mut chunk = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(&[]));
            }
            this.splitter.feed(chunk.filled(), &mut this.passed);
        }
        Poll::Ready(Ok(&this.passed[this.read..]))
    }

    fn consume(self: Pin<&mut Self>, bytes: usize) {
        let this = self.get_mut();
        let bytes = bytes.min(this.passed.len() - this.read);
        this.read += bytes;
        this.taken += bytes as u64;
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Guard<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let passed = ready!(self.as_mut().poll_fill_buf(cx))?;
        let taken = passed.len().min(into.remaining());
        into.put_slice(&passed[..taken]);
        self.consume(taken);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Guard<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Splits the bytes of an XML stream into stanzas and passes only those within the limits.
///
/// Contract: what goes in may be cut anywhere. What comes out is what went in, less whole stanzas:
///           of well-formed XML it leaves well-formed XML. It holds at most one stanza within the limits.
/// Source:   RFC 6120 §11.1 (no comments, instructions, declarations), XML 1.0 §2 and §3.1.
#[derive(Debug, Default)]
pub struct Splitter {
    place: XmlPosition,
    /// Elements open around the next byte; the stream itself is the first.
    depth: usize,
    /// The stanza so far; empty once it is to be dropped.
    held: Vec<u8>,
    /// Bytes of the name, value or reference so far.
    token: usize,
    elements: usize,
    attributes: usize,
    within_limits: Within,
    dropped: u64,
}

impl Splitter {
    /// Reads bytes, and appends to `passed` those that may go on to the parser.
    pub fn feed(&mut self, bytes: &[u8], passed: &mut Vec<u8>) {
        for &byte in bytes {
            let between_stanzas = self.depth <= 1 && self.place == XmlPosition::Text;
            if self.depth == 0 || (between_stanzas && byte != b'<') {
                // The declaration and header of the stream, and the blanks that keep it alive.
                passed.push(byte);
            } else {
                self.hold(byte);
            }
            self.step(byte);
            let stanza_is_over = self.place == XmlPosition::Text && self.depth <= 1;
            if stanza_is_over && !between_stanzas {
                self.release(passed);
            }
        }
    }

    fn hold(&mut self, byte: u8) {
        if self.within_limits.0 {
            self.held.push(byte);
            if self.held.len() > STANZA_BYTES_MAX {
                self.refuse();
            }
        }
    }

    fn refuse(&mut self) {
        // Nothing is refused outside the stream: there, nothing is held that could be dropped.
        if self.depth > 0 {
            self.within_limits = Within(false);
            self.held = Vec::new();
        }
    }

    fn release(&mut self, passed: &mut Vec<u8>) {
        if self.within_limits.0 {
            passed.append(&mut self.held);
        } else {
            self.dropped += 1;
        }
        self.held.shrink_to(CHUNK_BYTES);
        self.elements = 0;
        self.within_limits = Within(true);
    }

    /// Takes one byte.
    // Long: one table of all transitions between positions in XML, which is checked as a whole.
    fn step(&mut self, byte: u8) {
        use XmlPosition::*;
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.place = match (self.place, byte) {
            (Text, b'<') => Open,
            (Text, b'&') => self.begin(Reference),
            (Text, _) => Text,
            (Reference, b';') => Text,
            // An ampersand that begins nothing: the parser will say so.
            (Reference, b'<') => Open,

            (Open, b'/') => self.begin(EndName),
            (Open, b'!') => self.begin(Declaration { matched: 0 }),
            (Open, b'?') => {
                self.refuse();
                Instruction { ending: false }
            }
            (Open, _) => {
                self.start_element();
                self.begin(StartName)
            }

            (StartName | AttributeName | Tag, b'>') => self.open_element(),
            (StartName | AttributeName | Tag, b'/') => Slash,
            (StartName | AttributeName | Tag, b'"' | b'\'') => {
                self.attributes += 1;
                if self.attributes > ATTRIBUTES_MAX {
                    self.refuse();
                }
                self.begin(Value { quote: byte })
            }
            (StartName | AttributeName, _) if blank || byte == b'=' => Tag,
            (Tag, _) if blank || byte == b'=' => Tag,
            (Tag, _) => self.begin(AttributeName),
            (Value { quote }, _) if byte == quote => Tag,
            (Slash, b'>') => Text,
            (Slash, _) => Tag,

            (EndName, b'>') => {
                self.depth = self.depth.saturating_sub(1);
                Text
            }

            // What begins with `<!` is a character section, or forbidden.
            (Declaration { matched }, _) if CDATA.get(matched) == Some(&byte) => {
                let matched = matched + 1;
                if matched == CDATA.len() {
                    Section { brackets: 0 }
                } else {
                    Declaration { matched }
                }
            }
            (Declaration { matched: 0 }, b'-') => {
                self.refuse();
                Comment { dashes: 0 }
            }
            (Declaration { .. }, _) => {
                self.refuse();
                if byte == b'>' { Text } else { Forbidden }
            }
            (Forbidden, b'>') => Text,
            (Forbidden, _) => Forbidden,
            (Comment { dashes: 3.. }, b'>') => Text,
            (Comment { dashes }, b'-') => Comment { dashes: dashes.saturating_add(1) },
            // The opening has a second dash of its own.
            (Comment { dashes }, _) => Comment { dashes: u8::from(dashes > 0) },
            (Section { brackets: 2.. }, b'>') => Text,
            (Section { brackets }, b']') => Section { brackets: brackets.saturating_add(1) },
            (Section { .. }, _) => Section { brackets: 0 },
            (Instruction { ending: true }, b'>') => Text,
            (Instruction { .. }, _) => Instruction { ending: byte == b'?' },

            (within @ (Reference | StartName | AttributeName | Value { .. } | EndName), _) => {
                self.token += 1;
                if self.token > TOKEN_BYTES_MAX {
                    self.refuse();
                }
                within
            }
        };
    }

    fn begin(&mut self, place: XmlPosition) -> XmlPosition {
        self.token = 1;
        place
    }

    fn start_element(&mut self) {
        self.attributes = 0;
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            self.refuse();
        }
    }

    fn open_element(&mut self) -> XmlPosition {
        self.depth += 1;
        // The stream counts as one.
        if self.depth > DEPTH_MAX + 1 {
            self.refuse();
        }
        XmlPosition::Text
    }
}

/// Where in the XML the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum XmlPosition {
    #[default]
    Text,
    Reference,
    /// After `<`.
    Open,
    StartName,
    /// Within a start tag, between its names and values.
    Tag,
    AttributeName,
    Value {
        quote: u8,
    },
    /// After `/` in a start tag.
    Slash,
    EndName,
    /// After `<!`, and so much of `[CDATA[`.
    Declaration {
        matched: usize,
    },
    Section {
        brackets: u8,
    },
    Comment {
        dashes: u8,
    },
    /// In `<!…>` of another kind.
    Forbidden,
    Instruction {
        ending: bool,
    },
}

/// Whether the stanza has kept the limits so far.
#[derive(Debug)]
struct Within(bool);

impl Default for Within {
    fn default() -> Self {
        Self(true)
    }
}

/// Levels of elements in a stanza, itself included. Real ones have fewer than 20.
const DEPTH_MAX: usize = 100;
/// Bytes of a name or attribute value; the parser gives up at 8,192.
const TOKEN_BYTES_MAX: usize = 8000;
/// Elements in a stanza.
const ELEMENTS_MAX: usize = 10_000;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 256;
/// Bytes of a stanza: twice what Prosody lets a server send.
const STANZA_BYTES_MAX: usize = 1024 * 1024;
const CHUNK_BYTES: usize = 16 * 1024;
const CDATA: &[u8] = b"[CDATA[";

#[cfg(test)]
mod tests;
