//! The operator's trunks as calls see them: which one carries the next call, and how each of them is.

mod pool;
pub mod selector;

pub use pool::{NoTrunk, TrunkChange, TrunkPool, TrunkSlot};
pub use selector::TrunkNews;
