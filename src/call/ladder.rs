//! The course of one call, a line for each message and key, as `offhook trace` shows it.

use std::time::Instant;

use crate::sip::message::{Message, Start};

/// What went to and fro in a call.
///
/// Shape:    seconds since the first INVITE, an arrow (`->` ours, `<-` theirs), and what it was: at most 80 columns.
/// Contract: holds no number, name or text, and of a key only that it was pressed. Bounded.
#[derive(Debug)]
pub(super) struct Ladder {
    start: Instant,
    lines: Vec<String>,
}

impl Ladder {
    pub(super) fn new(now: Instant) -> Self {
        Self { start: now, lines: vec![] }
    }

    /// We have sent this.
    pub(super) fn sent(&mut self, message: &[u8], now: Instant) {
        self.message("->", message, now);
    }

    /// The far end has sent this.
    pub(super) fn received(&mut self, message: &[u8], now: Instant) {
        self.message("<-", message, now);
    }

    /// A key was pressed, as an event or a tone; one by INFO shows as that.
    pub(super) fn key(&mut self, now: Instant) {
        self.line("<-", "key", now);
    }

    /// All lines.
    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }

    fn message(&mut self, arrow: &str, message: &[u8], now: Instant) {
        let Ok(message) = Message::parse(message) else {
            return self.line(arrow, "unreadable", now);
        };
        let mut what = match message.start {
            Start::Request { .. } => message.method.as_str().to_owned(),
            Start::Response { status } => format!("{status} to {}", message.method.as_str()),
        };
        if message.sdp().is_some() {
            what += ", session description";
        }
        if let Some(reason) = message.header("Reason").or(message.header("Warning")) {
            // Its text is the far end's, and may name somebody.
            what = what + ", " + reason.split(";text").next().unwrap_or_default();
        }
        self.line(arrow, &what, now);
    }

    fn line(&mut self, arrow: &str, what: &str, now: Instant) {
        if self.lines.len() == LINES_MAX {
            self.lines.push("…".to_owned());
        }
        if self.lines.len() > LINES_MAX {
            return;
        }
        let seconds = now.saturating_duration_since(self.start).as_secs_f64();
        let line = format!("{seconds:>8.3} {arrow} {what}");
        self.lines.push(line.chars().take(COLUMNS_MAX).collect());
    }
}

const COLUMNS_MAX: usize = 80;
/// A call with more is broken.
const LINES_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    #[test]
    fn each_message_and_key_has_a_line_of_eighty_columns_at_most() {
        let start = clock::now();
        let mut ladder = Ladder::new(start);
        let head = "Via: SIP/2.0/UDP us;branch=z9hG4bKa\r\nFrom: <sip:us@a>;tag=1\r\nTo: <sip:+81312345678@c>;tag=2\r\nCall-ID: c\r\n";
        let sdp = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
        let invite =
            format!("INVITE sip:+81312345678@pbx SIP/2.0\r\n{head}CSeq: 1 INVITE\r\n{sdp}");
        ladder.sent(invite.as_bytes(), start);
        let ok = format!("SIP/2.0 200 OK\r\n{head}CSeq: 1 INVITE\r\n{sdp}");
        ladder.received(ok.as_bytes(), start + Duration::from_millis(1234));
        ladder.key(start + Duration::from_secs(20));
        ladder.received(b"rubbish", start + Duration::from_secs(21));
        let long = "x".repeat(200);
        let bye = format!(
            "BYE sip:us@a SIP/2.0\r\n{head}CSeq: 2 BYE\r\nReason: Q.850;cause=16;text=\"{long}\"\r\n\r\n"
        );
        ladder.received(bye.as_bytes(), start + Duration::from_secs(100));
        let text = ladder.text();
        let expected = [
            "   0.000 -> INVITE, session description",
            "   1.234 <- 200 to INVITE, session description",
            "  20.000 <- key",
            "  21.000 <- unreadable",
        ];
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], expected);
        assert_eq!(lines[4], " 100.000 <- BYE, Q.850;cause=16");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        (0..1000).for_each(|_| ladder.key(start));
        assert_eq!(ladder.text().lines().count(), LINES_MAX + 1);
        assert!(!ladder.text().contains("8131234"));
    }
}
