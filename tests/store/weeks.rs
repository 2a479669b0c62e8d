//! Random weeks.
