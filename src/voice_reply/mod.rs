//! Delivery of voice replies: recordings are encoded, uploaded or served, and transcribed.

pub(crate) mod delivery;
pub mod file;
pub mod http_put;
pub(crate) mod transcribe;
pub(crate) mod upload_service;
