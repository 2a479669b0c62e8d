//! What `--log sip` shows: each message of a trunk, and of ours to it.

use std::net::SocketAddr;

use tracing::{Level, enabled, trace};

use crate::sip::readable::readable;
use crate::sip::trunk::Transport;

/// Which way a message goes.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Sent,
    Received,
}

/// Shows a message, where that is wanted.
pub(super) fn show(way: Way, peer: SocketAddr, by: Transport, message: &[u8]) {
    if !enabled!(target: TARGET, Level::TRACE) || message.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let (by, message) = (by.name(), readable(message));
    match way {
        Way::Sent => trace!(target: TARGET, "sent to {peer} over {by}:\n{message}"),
        Way::Received => trace!(target: TARGET, "received from {peer} over {by}:\n{message}"),
    }
}

/// The level `sip` of the command line lets this target through, and else the usual lines.
const TARGET: &str = "sip";
