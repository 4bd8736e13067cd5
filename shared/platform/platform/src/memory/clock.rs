use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::Clock;

/// A clock that runs as tokio's does: in real time under a normal runtime, and in virtual time where the runtime's is
/// paused.
#[derive(Clone, Copy, Debug)]
pub struct MemoryClock {
    start: Timestamp,
    origin: Instant,
}

impl MemoryClock {
    /// Makes a clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        MemoryClock { start, origin: Instant::now() }
    }

    /// Makes a clock that shows the system's time now.
    pub fn system() -> Self {
        Self::starting_at(Timestamp::now())
    }
}

impl Clock for MemoryClock {
    fn now(&self) -> Timestamp {
        self.start.checked_add(self.origin.elapsed()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
