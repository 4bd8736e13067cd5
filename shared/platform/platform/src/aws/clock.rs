use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// The system's clock. It may be set while it runs; [`sleep`](Clock::sleep) does not notice.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
