//! The keys that SIGHUP changes, as one value.

use super::{Access, Callback, Links, Offer, Speech, VoiceReply};
use crate::log_levels::LogLevels;
use crate::notification::policy::Policy;
use crate::script::ScriptSettings;
use crate::subscriber::Subscriber;

/// What the operator may change while calls go on.
///
/// Contract: an owner reads it from the `watch` channel that carries this value when it is needed, and keeps no copy
///           beyond the call or the request in hand.
#[derive(Clone, Debug)]
pub struct Live {
    /// `[component]`: who may ask something of the component.
    pub access: Access,
    /// `[sip]`: the calls that subscribers make to us.
    pub callback: Callback,
    /// `[media]`: what new calls offer.
    pub offer: Offer,
    /// `[dial]`: what decides when which phone rings.
    pub policy: Policy,
    /// `[[key]]`, and what `[dial]`, `[speech]` and `[voice_reply]` say of the course of a call.
    pub script: ScriptSettings,
    /// `[speech]`
    pub speech: Speech,
    /// `[voice_reply]`
    pub voice_reply: VoiceReply,
    /// `[http]`: links to recordings.
    pub links: Links,
    /// `[log]`: how much is logged, unless the command line says so.
    pub log_levels: Option<LogLevels>,
    /// `[[subscriber]]`
    pub subscribers: Vec<Subscriber>,
}
