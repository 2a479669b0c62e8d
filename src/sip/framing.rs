//! Where one message ends and the next begins on a connection.

/// Cuts what a connection brings into messages.
///
/// Contract: [`Framer::push`], then [`Framer::cut`] until it gives nothing. After an error the
///           connection is of no use, because it is not known where the next message begins.
/// Source:   RFC 3261 §18.3 (Content-Length), §7.5 (lines before the first); RFC 5626 §4.4.1 (ping).
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// No end of a head lies before.
    looked: usize,
}

/// A piece of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// One whole message.
    Message(Vec<u8>),
    /// The far end asks whether we are there; the answer is [`PONG`].
    Ping,
}

impl Framer {
    /// Takes what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Gives the next piece once it is whole.
    ///
    /// Errors: [`FramingError`]; close the connection.
    pub fn cut(&mut self) -> Result<Option<Piece>, FramingError> {
        while self.buffer.starts_with(PONG) {
            if self.buffer.starts_with(PING) {
                self.take(PING.len());
                return Ok(Some(Piece::Ping));
            }
            if PING.starts_with(&self.buffer) {
                return Ok(None);
            }
            self.take(PONG.len());
        }
        let from = self.looked.saturating_sub(PING.len() - 1);
        let rest = self.buffer.get(from..).unwrap_or_default();
        let Some(end) = rest.windows(PING.len()).position(|four| four == PING) else {
            self.looked = self.buffer.len();
            let fits = self.buffer.len() <= HEAD_BYTES_MAX;
            return if fits { Ok(None) } else { Err(FramingError::Head) };
        };
        let head = from + end + PING.len();
        if head > HEAD_BYTES_MAX {
            return Err(FramingError::Head);
        }
        let whole = head + length(self.buffer.get(..head).unwrap_or_default())?;
        if self.buffer.len() < whole {
            self.looked = head - PING.len();
            return Ok(None);
        }
        Ok(Some(Piece::Message(self.take(whole))))
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(bytes);
        self.looked = 0;
        std::mem::replace(&mut self.buffer, rest)
    }
}

/// The length of the body, as its head tells.
fn length(head: &[u8]) -> Result<usize, FramingError> {
    let mut told = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii();
        if !name.eq_ignore_ascii_case(b"Content-Length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = std::str::from_utf8(value.get(1..).unwrap_or_default()).unwrap_or_default();
        let value = value.trim();
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let value: usize = value.parse().ok().filter(|_| digits).ok_or(FramingError::Length)?;
        if value > BODY_BYTES_MAX || told.is_some_and(|told| told != value) {
            return Err(FramingError::Length);
        }
        told = Some(value);
    }
    told.ok_or(FramingError::Length)
}

/// Why a connection cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// The head of a message does not end.
    #[error("a message's head has more than {HEAD_BYTES_MAX} octets")]
    Head,
    /// There is no telling where the message ends.
    #[error("a message does not tell its length, or too great a one")]
    Length,
}

/// What asks the far end of a connection whether it is there.
pub const PING: &[u8] = b"\r\n\r\n";
/// What answers that.
pub const PONG: &[u8] = b"\r\n";
const HEAD_BYTES_MAX: usize = 65_536;
const BODY_BYTES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_wherever_the_pieces_break() {
        let options = "OPTIONS a\r\nl : 6\r\n\r\nhe\r\n\r\n";
        let bye = "BYE b\r\nCONTENT-LENGTH: 0\r\n\r\n";
        let other = "X c\r\nContent-Length: 4\r\n\r\n\r\n\r\n";
        let stream = format!("\r\n\r\n{options}\r\n\r\n{bye}\r\n{other}BYE");
        let stream = stream.as_bytes();
        let whole = pieces(stream, stream.len());
        assert_eq!(whole, ["ping", options, "ping", bye, other]);
        for size in 1..stream.len() {
            assert_eq!(pieces(stream, size), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn what_has_no_end_is_an_error() {
        let long = format!("A: {}", "x".repeat(70_000));
        let cases = [
            ("no length", "BYE b\r\nX: y\r\n\r\n".to_owned(), FramingError::Length),
            ("two lengths", "BYE b\r\nl: 1\r\nl: 2\r\n\r\n".to_owned(), FramingError::Length),
            ("a negative length", "BYE b\r\nl: -1\r\n\r\n".to_owned(), FramingError::Length),
            (
                "a huge length",
                "BYE b\r\nl: 99999999999999999999\r\n\r\n".to_owned(),
                FramingError::Length,
            ),
            ("an empty length", "BYE b\r\nl:\r\n\r\n".to_owned(), FramingError::Length),
            ("a head without end", long.clone(), FramingError::Head),
            ("a long head", long + "\r\n\r\n", FramingError::Head),
        ];
        for (situation, stream, expected) in cases {
            let mut framer = Framer::default();
            framer.push(stream.as_bytes());
            assert_eq!(framer.cut(), Err(expected), "{situation}");
        }
    }

    fn pieces(stream: &[u8], size: usize) -> Vec<String> {
        let (mut framer, mut told) = (Framer::default(), vec![]);
        for bytes in stream.chunks(size) {
            framer.push(bytes);
            while let Ok(Some(piece)) = framer.cut() {
                told.push(match piece {
                    Piece::Message(message) => String::from_utf8(message).unwrap(),
                    Piece::Ping => "ping".to_owned(),
                });
            }
        }
        told
    }
}
