//! Panics: caught at the record, the digest or the page that they are about, known by their place only. A panic's message may quote the record.

use std::cell::Cell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use futures_util::FutureExt;

thread_local! {
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// What is known of a panic that was caught: `file:line:column`, where the hook is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// Where.
    pub place: Option<String>,
}

impl Panicked {
    /// The place in words.
    pub fn place(&self) -> &str {
        self.place.as_deref().unwrap_or("an unknown place")
    }
}

/// Replaces the process's panic hook by one that prints the panic's place as one JSON line on standard error, and never
/// its message: that may quote a record. [`handle`](crate::handle) then knows the place too.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(note));
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let line = serde_json::json!({ "level": "ERROR", "event": "panic", "place": place });
    // A hook must not panic itself, and a closed standard error is no reason to.
    let _ = writeln!(std::io::stderr(), "{line}");
    PLACE.set(place);
}

/// Does the work, and survives its panic.
///
/// # Errors
/// Where it panicked.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // What another panic left here is not this one's place.
    PLACE.take();
    // What `work` touches is dropped with the record, or rewritten for the next.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked { place: PLACE.take() })
}

/// Does the work, and survives its panic.
///
/// # Errors
/// Where it panicked.
pub async fn catch_future<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    // The poll that panics is this one's, so the hook ran on this thread just now.
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked { place: PLACE.take() })
}
