//! Our SIP user agent: pure machines, one file per RFC role; `transport` alone touches sockets.

pub mod caller;
pub mod client_transaction;
pub mod dialog;
pub mod digest;
pub mod framing;
pub mod header_value;
pub mod invite;
pub mod message;
pub mod message_builder;
pub mod next_hop;
pub mod offer_answer;
pub mod out_of_dialog;
pub mod probe;
pub mod readable;
pub mod registration;
mod sdes;
pub mod server_transaction;
pub mod targets;
pub mod transport;
pub mod trunk;
pub mod via;

use std::time::Duration;

/// How long a round trip is thought to take; the first wait before a request is sent again.
///
/// Source: RFC 3261 §17.1.1.1.
pub const T1: Duration = Duration::from_millis(500);

/// The longest wait between two copies of a request other than INVITE, or of a 2xx.
pub const T2: Duration = Duration::from_secs(4);

/// How long a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);

/// How long anything is waited for, and how long it is remembered: 64 times [`T1`].
pub const PATIENCE: Duration = Duration::from_secs(32);

/// The name by which we go in User-Agent and Server.
pub const PRODUCT: &str = concat!("Offhook/", env!("CARGO_PKG_VERSION"));

/// The methods that we answer.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK";
