//! Ctrl-C, and the signal to terminate: the first one asks for an end in order, a second one for an end now.

use tokio::sync::watch;

/// How often an end was asked for.
#[derive(Clone)]
pub(crate) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Listens from now on; the process no longer ends by itself.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (count, counted) = watch::channel(0);
        let mut signals = Signals::new()?;
        tokio::spawn(async move {
            loop {
                signals.next().await;
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Interrupts(counted))
    }

    /// Returns when an end was asked for.
    pub(crate) async fn asked(&self) {
        self.asked_times(1).await;
    }

    /// Returns when an end was asked for again.
    pub(crate) async fn asked_twice(&self) {
        self.asked_times(2).await;
    }

    /// Whether an end was asked for.
    #[cfg(feature = "aws")]
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow() > 0
    }

    async fn asked_times(&self, times: u32) {
        let mut counted = self.0.clone();
        if counted.wait_for(|count| *count >= times).await.is_err() {
            // Nobody listens: nobody will ask.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
