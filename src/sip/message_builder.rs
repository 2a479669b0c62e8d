//! SIP messages as they are written.

use std::fmt::{Arguments, Write as _};

use ezk_sip_types::StatusCode;

use super::message::{Message, Method, VERSION};
use super::{ALLOW, PRODUCT};

/// A message being written, line by line.
#[derive(Debug)]
pub struct MessageBuilder(String);

impl MessageBuilder {
    /// Begins a request; the caller adds Via, From, To, Call-ID and CSeq.
    pub fn request(method: &Method, uri: &str) -> Self {
        Self(String::with_capacity(USUAL_BYTES))
            .line(format_args!("{} {uri} {VERSION}", method.as_str()))
    }

    /// Begins a response.
    pub(super) fn response(status: u16) -> Self {
        let reason = StatusCode::from(status).text().unwrap_or("Unknown");
        Self(String::new()).line(format_args!("{VERSION} {status} {reason}"))
    }

    /// Adds a header. A control character in the value is left out, so that a value stays one line.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.line(format_args!("{name}: {value}"))
    }

    /// Adds what each of our messages says about us.
    pub fn about_us(self, product_header: &str) -> Self {
        self.header("Allow", ALLOW).header("Supported", "timer").header(product_header, PRODUCT)
    }

    /// Ends the message without a body.
    pub fn end(self) -> Vec<u8> {
        self.body("", "")
    }

    /// Ends the message with a body.
    pub fn body(mut self, kind: &str, body: &str) -> Vec<u8> {
        if !body.is_empty() {
            self = self.header("Content-Type", kind);
        }
        self.header("Content-Length", &body.len().to_string()).raw_body(body.as_bytes())
    }

    /// Ends the message with a body whose length is already written.
    pub(super) fn raw_body(self, body: &[u8]) -> Vec<u8> {
        let mut message = self.0.into_bytes();
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body);
        // Some are kept as long as the call.
        message.shrink_to_fit();
        message
    }

    fn line(mut self, text: Arguments<'_>) -> Self {
        let begin = self.0.len();
        let Ok(()) = self.0.write_fmt(text) else { unreachable!("a String takes any text") };
        if self.0.get(begin..).is_some_and(|line| line.contains(char::is_control)) {
            let clean: String = self.0.drain(begin..).filter(|c| !c.is_control()).collect();
            self.0.push_str(&clean);
        }
        self.0.push_str("\r\n");
        self
    }
}

/// Of an INVITE.
const USUAL_BYTES: usize = 1024;

impl Message {
    /// Begins the response to this request.
    ///
    /// Contract: `to_tag` is used only if the request has none; a 100 needs none.
    /// Source:   RFC 3261 §8.2.6.
    pub fn respond(&self, status: u16, to_tag: &str) -> MessageBuilder {
        let mut builder = MessageBuilder::response(status);
        for via in self.all("Via") {
            builder = builder.header("Via", via);
        }
        builder = builder.header("From", &self.from.text);
        builder = match &self.to.tag {
            None if status > 100 => builder.header("To", &format!("{};tag={to_tag}", self.to.text)),
            None | Some(_) => builder.header("To", &self.to.text),
        };
        builder
            .header("Call-ID", &self.call_id)
            .header("CSeq", &format!("{} {}", self.cseq, self.method.as_str()))
    }
}
