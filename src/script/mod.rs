//! What the callee hears and can do in one call. Knows nothing of SIP, RTP or stores.

mod agenda;
mod call_flow;
mod caller_login;
mod digits;
mod events;
mod frame;
pub mod gather;
pub mod keys;
pub mod machine_detection;
pub mod menu;
mod message_step;
mod messages;
mod notice;
mod pin_gate;
pub mod prompt;
mod question;
pub mod speakable;
#[cfg(test)]
mod tests;
mod verification_call;
mod voice_answer;

pub use call_flow::CallFlow;
pub use events::{Input, Opening, Output, Request, ScriptSettings, SpokenMessage};
pub use verification_call::words_version;
pub use voice_answer::VOICE_MIN;
