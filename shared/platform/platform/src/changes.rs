use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wakes whoever waits for a change, in the order they came. (tokio's `watch` wakes them in an order of chance, and a simulation
/// must repeat itself.)
#[derive(Default)]
pub(crate) struct Changes(Notify);

impl Changes {
    /// Announces a change.
    pub(crate) fn announce(&self) {
        self.0.notify_waiters();
    }

    /// Returns once `is_so` is true, which is asked after each change.
    pub(crate) async fn until(&self, mut is_so: impl FnMut() -> bool) {
        loop {
            let mut next = pin!(self.0.notified());
            // From here on a change is heard.
            next.as_mut().enable();
            if is_so() {
                return;
            }
            next.await;
        }
    }
}

/// Whether an end was announced.
#[derive(Default)]
pub(crate) struct Ended {
    has_come: AtomicBool,
    changes: Changes,
}

impl Ended {
    pub(crate) fn announce(&self) {
        self.has_come.store(true, Ordering::Release);
        self.changes.announce();
    }

    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Acquire)
    }

    pub(crate) async fn wait(&self) {
        self.changes.until(|| self.has_come()).await;
    }
}
