//! Keeps stanzas that would harm the parser away from it: they are dropped whole, unseen, and counted.
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
    chunk: Box<[u8]>,
}

impl<Io> Guard<Io> {
    /// Stands between `io` and whoever reads XML from it.
    pub fn new(io: Io) -> Self {
        let chunk = vec![0; CHUNK_BYTES].into_boxed_slice();
        Self { io, splitter: Splitter::default(), passed: Vec::new(), read: 0, chunk }
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
        this.read = (this.read + bytes).min(this.passed.len());
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
    place: Place,
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
    /// Takes bytes in, and appends to `passed` what may go on to the parser.
    pub fn feed(&mut self, bytes: &[u8], passed: &mut Vec<u8>) {
        for &byte in bytes {
            let between_stanzas = self.depth <= 1 && self.place == Place::Text;
            if self.depth == 0 || (between_stanzas && byte != b'<') {
                // The declaration and header of the stream, and the blanks that keep it alive.
                passed.push(byte);
            } else {
                self.hold(byte);
            }
            self.step(byte);
            let stanza_is_over = self.place == Place::Text && self.depth <= 1;
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

    fn step(&mut self, byte: u8) {
        use Place::*;
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

    fn begin(&mut self, place: Place) -> Place {
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

    fn open_element(&mut self) -> Place {
        self.depth += 1;
        // The stream counts as one.
        if self.depth > DEPTH_MAX + 1 {
            self.refuse();
        }
        Place::Text
    }
}

/// Where in the XML the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
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
mod tests {
    use minidom::Element;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stanza_beyond_a_limit_costs_that_stanza_only() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        let wide = |n: usize| format!("<m>{}</m>", "<a/>".repeat(n - 1));
        let named = |n: usize| format!("<m id='{}'/>", "x".repeat(n - 1));
        let attributed =
            |n: usize| format!("<m{}/>", (0..n).map(|i| format!(" a{i}=''")).collect::<String>());
        let sized = |n: usize| format!("<m>{}</m>", "x".repeat(n - 7));
        let cases = [
            ("100 deep", deep(100), true),
            ("101 deep", deep(101), false),
            ("37,000 deep", deep(37_000), false),
            ("a million deep", deep(1_000_000), false),
            ("10,000 elements", wide(10_000), true),
            ("10,001 elements", wide(10_001), false),
            ("an id of 7,999 bytes", named(8000), true),
            ("an id of 9,000 bytes", named(9001), false),
            ("a long name", format!("<m><{0}></{0}></m>", "n".repeat(8001)), false),
            ("a long attribute name", format!("<m {}='1'/>", "n".repeat(8001)), false),
            ("a long reference", format!("<m>&#{};</m>", "0".repeat(9000)), false),
            ("256 attributes", attributed(256), true),
            ("257 attributes", attributed(257), false),
            ("1 MiB", sized(STANZA_BYTES_MAX), true),
            ("1 MiB and a byte", sized(STANZA_BYTES_MAX + 1), false),
            ("a comment", "<m><!-- > -> <a> --></m>".into(), false),
            ("an instruction", "<m><?php > ? ?></m>".into(), false),
            ("a declaration", "<m><!ENTITY lol 'lol'></m>".into(), false),
            ("a character section", "<m><![CDATA[<a>]]]></m>".into(), true),
            ("brackets in quotes", "<m a='>' b=\"'/>\" ><b c = '/'/> > </m >".into(), true),
        ];
        for (what, stanza, passes) in cases {
            let mut splitter = Splitter::default();
            let mut passed = Vec::new();
            for part in [HEADER, "<first/>", &stanza, " <last a='1'>x</last>", "</s:stream>"] {
                splitter.feed(part.as_bytes(), &mut passed);
            }
            let stanza = if passes { stanza.as_str() } else { "" };
            let expected = format!("{HEADER}<first/>{stanza} <last a='1'>x</last></s:stream>");
            assert!(passed == expected.as_bytes(), "{what}");
            assert_eq!(splitter.dropped, u64::from(!passes), "{what}");
            if passes {
                parse(&passed).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
        }
    }

    #[test]
    fn an_element_that_never_ends_takes_no_memory() {
        let (mut splitter, mut passed) = (Splitter::default(), Vec::new());
        splitter.feed(HEADER.as_bytes(), &mut passed);
        splitter.feed(b"<m>", &mut passed);
        for _ in 0..100 {
            splitter.feed(&[b'x'; 100_000], &mut passed);
        }
        assert!(splitter.held.capacity() <= 2 * STANZA_BYTES_MAX);
        assert_eq!(passed.len(), HEADER.len());
    }

    proptest! {
        #[test]
        fn what_passes_parses_however_it_is_cut(
            stanzas in prop::collection::vec(tree(), 0..8),
            cuts in prop::collection::vec(1_usize..40, 1..20),
        ) {
            let (mut splitter, mut passed) = (Splitter::default(), Vec::new());
            let wire = format!("{HEADER}{}</s:stream>", stanzas.concat());
            let mut rest = wire.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, more) = rest.split_at((*cut).min(rest.len()));
                splitter.feed(part, &mut passed);
                rest = more;
            }
            let kept: Vec<_> = stanzas.iter().filter(|it| !it.contains("<!--")).cloned().collect();
            let expected = format!("{HEADER}{}</s:stream>", kept.concat());
            prop_assert_eq!(String::from_utf8(passed.clone()).unwrap(), expected);
            prop_assert!(parse(&passed).is_ok());
        }

        #[test]
        fn any_bytes_come_out_the_same_however_they_are_cut(
            bytes in prop::collection::vec(prop_oneof![
                Just(b'<'), Just(b'>'), Just(b'/'), Just(b'"'), Just(b'!'), Just(b'-'), Just(b'?'),
                Just(b'['), Just(b']'), Just(b'&'), Just(b';'), Just(b'='), Just(b' '), any::<u8>(),
            ], 0..400),
            cut in 0_usize..400,
        ) {
            let (mut whole, mut parts) = ((Splitter::default(), vec![]), (Splitter::default(), vec![]));
            whole.0.feed(&bytes, &mut whole.1);
            let (one, two) = bytes.split_at(cut.min(bytes.len()));
            parts.0.feed(one, &mut parts.1);
            parts.0.feed(two, &mut parts.1);
            prop_assert_eq!(whole.1, parts.1);
        }
    }

    fn parse(wire: &[u8]) -> Result<Element, minidom::Error> {
        String::from_utf8_lossy(wire).parse()
    }

    /// Well-formed stanzas, some with a comment in them.
    fn tree() -> impl Strategy<Value = String> {
        let text = "[a-z >/'\"=ü🙂\\]-]{0,12}";
        let leaf = prop_oneof![
            text.prop_map(|text| format!("<t>{}</t>", text.replace("]]>", ""))),
            Just("<e/>".to_owned()),
            Just("<e />".to_owned()),
            text.prop_map(|text| format!("<q a = \"{}\"/>", text.replace('"', ""))),
            Just("<r>&amp;&#x41;&lt;</r>".to_owned()),
            Just("<c><![CDATA[<x>]] ]]></c>".to_owned()),
            Just("<h><!-- <a> - -></x> --></h>".to_owned()),
        ];
        leaf.prop_recursive(6, 30, 4, |inner| {
            prop::collection::vec(inner, 0..4)
                .prop_map(|children| format!("<n:p xmlns:n='x' k='v'>{}</n:p>", children.concat()))
        })
    }

    const HEADER: &str = "<?xml version='1.0'?><s:stream xmlns:s='http://etherx.jabber.org/streams' \
        xmlns='jabber:component:accept' id='1'>";
}
