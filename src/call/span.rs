//! The spans in which every log line of a call stands: `call`, and within it `sip` with the Call-ID.

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::notification::verification::VerificationId;
use crate::notification::{AttemptId, NotificationId};

/// A call for a notification.
pub fn outgoing(notification: NotificationId, attempt: AttemptId) -> Span {
    info_span!("call", notification = notification.0, attempt = attempt.0)
}

/// A call that speaks a code.
pub fn verification(id: VerificationId) -> Span {
    info_span!("call", verification = id.0)
}

/// A call that a trunk brings. What it is about is added once the caller is identified.
pub fn incoming() -> Span {
    info_span!("call", direction = "in", notification = Empty, attempt = Empty)
}

/// Adds to the span of an [`incoming`] call what it is about.
pub(super) fn identified(call: &Span, notification: NotificationId, attempt: AttemptId) {
    call.record("notification", notification.0).record("attempt", attempt.0);
}

/// One INVITE of a call. The Call-ID finds it in the log of the PBX.
pub(super) fn sip(call_id: &str) -> Span {
    info_span!("sip", call_id)
}
