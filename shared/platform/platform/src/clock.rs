use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// A random number of this process: the standard library seeds its hashes from the system.
static JITTER: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("jitter"));

/// The system's clock. It may be set while it runs; [`sleep`](Clock::sleep) does not notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn jitter(&self) -> u64 {
        *JITTER
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
