//! The media thread: owns every RTP socket and each 20 ms tick.
