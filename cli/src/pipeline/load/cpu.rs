//! The CPU time that this process takes.

use std::time::Duration;

/// The CPU time of this process so far, user and system; none where the system does not tell.
#[cfg(unix)]
pub(crate) fn time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(unix))]
pub(crate) fn time() -> Option<Duration> {
    None
}
