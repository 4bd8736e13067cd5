use std::sync::Arc;

use tokio::sync::Notify;

/// One execution environment: what dies when it is killed.
#[derive(Clone, Default)]
pub(crate) struct Process {
    death: Arc<Notify>,
}

/// The process was killed while it worked.
pub(crate) struct Killed;

impl Process {
    /// Ends whatever [`live`](Self::live) runs, at the await the caller stands at.
    pub(super) async fn die(&self) {
        self.death.notify_one();
        std::future::pending::<()>().await;
    }

    /// Does the work, unless the process is killed over it: then the work is dropped where it stands.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> Result<T, Killed> {
        tokio::select! {
            biased;
            () = self.death.notified() => Err(Killed),
            done = work => Ok(done),
        }
    }
}
