//! Calls with a scripted trunk, as timelines.

mod calls;
mod refusals;
mod srtp;
mod trunk;
