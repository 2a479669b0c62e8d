//! Real-time priority for the thread that must not be late.

#![allow(unsafe_code)] // One call into libc that no safe crate of ours offers.

use std::io;

/// Asks the kernel to run the calling thread before all ordinary ones.
///
/// Errors: without CAP_SYS_NICE or a real-time limit the kernel refuses; the thread then runs as any other.
/// Source: sched(7), SCHED_FIFO.
pub(super) fn request() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `parameters` lives through the call, and 0 names the calling thread.
    let refused = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) };
    if refused == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Above every ordinary thread, below the kernel's own.
const PRIORITY: libc::c_int = 25;
