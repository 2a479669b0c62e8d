//! SIP messages: read with limits, written without surprises.

mod parts;
#[cfg(test)]
mod tests;

use ezk_sip_types::Name;
use ezk_sip_types::msg::PullParser;

use self::parts::{is_type, part};
use super::header_value::{list, parameter, uri};

/// A message whose indispensable headers are there and make sense.
///
/// Contract: no text in it holds a control character, so any of it may be sent back.
/// Source:   RFC 3261 §8.1.1, §20.
#[derive(Clone, Debug)]
pub struct Message {
    /// Request or response.
    pub start: Start,
    /// The method: the request's own, or that of the request a response answers.
    pub method: Method,
    /// The number of the request in its dialog.
    pub cseq: u32,
    /// Names the call.
    pub call_id: String,
    /// The caller of the request.
    pub from: Party,
    /// The callee of the request.
    pub to: Party,
    /// What follows the headers.
    pub body: Vec<u8>,
    headers: Vec<(Name, String)>,
}

impl Message {
    /// Reads one datagram.
    ///
    /// Errors: [`ParseError`]; the caller counts and drops it.
    pub fn parse(datagram: &[u8]) -> Result<Self, ParseError> {
        if datagram.len() > DATAGRAM_BYTES_MAX {
            return Err(ParseError::TooLarge);
        }
        let mut lines = PullParser::new(datagram, 0);
        let first = lines.next().ok_or(ParseError::Empty)?.map_err(|_| ParseError::CutOff)?;
        let first = unfold(first)?;
        let mut headers = Vec::new();
        for line in lines.by_ref() {
            if headers.len() == HEADERS_MAX {
                return Err(ParseError::TooManyHeaders);
            }
            let line = unfold(line.map_err(|_| ParseError::CutOff)?)?;
            let (name, value) = line.split_once(':').ok_or(ParseError::NotAHeader)?;
            let name = name.trim_end();
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(ParseError::NotAHeader);
            }
            headers.push((Name::from(name), value.trim().to_owned()));
        }
        let body = datagram.get(lines.head_end()..).unwrap_or_default();
        let length = only(&headers, "Content-Length")?.map(digits);
        let body = match length {
            None => body,
            Some(length) => {
                length.and_then(|length| body.get(..length as usize)).ok_or(ParseError::CutOff)?
            }
        };
        let required = |name| only(&headers, name)?.ok_or(ParseError::Missing(name));
        let (number, method) =
            required("CSeq")?.split_once(' ').ok_or(ParseError::Malformed("CSeq"))?;
        let cseq = digits(number).filter(|cseq| *cseq < 1 << 31);
        let method = Method::from(method.trim());
        let start = Start::parse(&first)?;
        if matches!(&start, Start::Request { method: requested, .. } if *requested != method) {
            return Err(ParseError::Malformed("CSeq"));
        }
        let call_id = required("Call-ID")?.to_owned();
        let message = Self {
            cseq: cseq.ok_or(ParseError::Malformed("CSeq"))?,
            from: Party::parse(required("From")?).ok_or(ParseError::Malformed("From"))?,
            to: Party::parse(required("To")?).ok_or(ParseError::Malformed("To"))?,
            body: body.to_vec(),
            start,
            method,
            call_id,
            headers,
        };
        if message.call_id.is_empty() || message.call_id.contains(' ') {
            return Err(ParseError::Malformed("Call-ID"));
        }
        if message.via().is_none_or(|via| !via.starts_with("SIP")) {
            return Err(ParseError::Missing("Via"));
        }
        Ok(message)
    }

    /// The first value of a header; its compact name counts too.
    pub fn header<'m>(&'m self, name: &'m str) -> Option<&'m str> {
        self.all(name).next()
    }

    /// The items of a header over all its lines, in order.
    pub fn items<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.all(name).flat_map(list)
    }

    /// The lines of a header, in order.
    pub fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All headers, in order.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.headers.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// The topmost Via: of a response, ours.
    pub fn via(&self) -> Option<&str> {
        self.items("Via").next()
    }

    /// The branch of the topmost Via, which names the transaction.
    pub fn branch(&self) -> &str {
        self.via().and_then(|via| parameter(via, "branch")).unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// Whom a request addresses; empty for a response.
    pub fn request_uri(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => uri,
            Start::Response { .. } => "",
        }
    }

    /// The session description: the body, or the part of it that is one.
    ///
    /// COMPAT(gateways): one that no Content-Type names is known by its first line.
    pub fn sdp(&self) -> Option<&str> {
        let body = self.body.as_slice();
        let description = match self.header("Content-Type") {
            Some(kind) if is_type(kind, SDP) => Some(body),
            Some(kind) => part(kind, body, SDP),
            None => Some(body).filter(|body| body.starts_with(b"v=0")),
        };
        description.filter(|it| !it.is_empty()).and_then(|it| std::str::from_utf8(it).ok())
    }

    /// Tells whether the body is to be understood and is no session description.
    ///
    /// Source: RFC 3261 §8.2.3, §20.11.
    pub fn has_foreign_body(&self) -> bool {
        let handling = self.header("Content-Disposition").and_then(|it| parameter(it, "handling"));
        let optional = handling.is_some_and(|handling| handling.eq_ignore_ascii_case("optional"));
        !self.body.is_empty() && !optional && self.sdp().is_none()
    }
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request: its method and Request-URI.
    Request {
        /// What.
        method: Method,
        /// Of whom.
        uri: String,
    },
    /// How it went.
    Response {
        /// 100 to 699.
        status: u16,
    },
}

impl Start {
    fn parse(line: &str) -> Result<Self, ParseError> {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if first == VERSION {
            let status = digits(second).and_then(|status| u16::try_from(status).ok());
            return match status {
                Some(status @ 100..=699) => Ok(Self::Response { status }),
                _ => Err(ParseError::NotSip),
            };
        }
        if words.next() != Some(VERSION) || words.next().is_some() || !first.bytes().all(is_token) {
            return Err(ParseError::NotSip);
        }
        Ok(Self::Request { method: Method::from(first), uri: second.to_owned() })
    }
}

/// The party of a From or To header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The header as it came.
    pub text: String,
    /// The tag, which names this side of the dialog.
    pub tag: Option<String>,
}

impl Party {
    fn parse(text: &str) -> Option<Self> {
        uri(text).filter(|uri| !uri.is_empty())?;
        let tag = parameter(text, "tag").filter(|tag| !tag.is_empty()).map(str::to_owned);
        Some(Self { text: text.to_owned(), tag })
    }
}

/// What a request asks for.
///
/// Contract: compared letter by letter; `Invite` is not INVITE (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the methods")]
#[rustfmt::skip]
pub enum Method { Invite, Ack, Cancel, Bye, Options, Info, Prack, Update, Register, Other(String) }

impl Method {
    /// The method as written in a message.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Cancel => "CANCEL",
            Self::Bye => "BYE",
            Self::Options => "OPTIONS",
            Self::Info => "INFO",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Register => "REGISTER",
            Self::Other(other) => other,
        }
    }
}

impl From<&str> for Method {
    fn from(text: &str) -> Self {
        use Method::*;
        let known = [Invite, Ack, Cancel, Bye, Options, Info, Prack, Update, Register];
        known
            .into_iter()
            .find(|method| method.as_str() == text)
            .unwrap_or_else(|| Other(text.to_owned()))
    }
}

/// Why a datagram is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ParseError {
    #[error("more than {DATAGRAM_BYTES_MAX} octets")]
    TooLarge,
    #[error("nothing in it")]
    Empty,
    #[error("it ends too early")]
    CutOff,
    #[error("more than {HEADERS_MAX} headers")]
    TooManyHeaders,
    #[error("a line is no header")]
    NotAHeader,
    #[error("the first line is not SIP/2.0")]
    NotSip,
    #[error("no {0}")]
    Missing(&'static str),
    #[error("{0} makes no sense")]
    Malformed(&'static str),
}

/// A number of digits only: no sign, no space.
pub fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Joins a folded line; refuses what no text may hold.
fn unfold(line: &[u8]) -> Result<String, ParseError> {
    let text = String::from_utf8_lossy(line).replace(['\r', '\n', '\t'], " ");
    if text.contains(char::is_control) { Err(ParseError::NotAHeader) } else { Ok(text) }
}

/// The value of a header that may stand there once.
fn only<'h>(
    headers: &'h [(Name, String)],
    name: &'static str,
) -> Result<Option<&'h str>, ParseError> {
    let mut values =
        headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ParseError::Malformed(name)),
        (value, None) => Ok(value),
    }
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

/// The largest datagram that is looked at.
pub const DATAGRAM_BYTES_MAX: usize = 8192;
const HEADERS_MAX: usize = 100;
const SDP: &str = "application/sdp";
pub(super) const VERSION: &str = "SIP/2.0";
