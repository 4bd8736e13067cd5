//! What the code of a test logs.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::OnceLock;

use tracing::dispatcher::{Dispatch, set_global_default};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Every field of every event that this thread logs from [`Logged::start`] on.
///
/// One subscriber serves the whole program and writes to a buffer of the thread that logs. A subscriber of a thread's own
/// (`set_default`) would not do: the tests run on threads side by side, a callsite's interest is cached for all of them, and
/// with one dispatcher tracing-core asks that of the thread which comes by first. Where it has no subscriber, the callsite is
/// off for good, also for the thread that has one.
pub(crate) struct Logged(());

thread_local! {
    static LINES: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Logged {
    /// Begins to write down.
    pub(crate) fn start() -> Self {
        static SILENT: OnceLock<Dispatch> = OnceLock::new();
        SILENT.get_or_init(|| {
            // With two dispatchers tracing-core asks both of them, whichever thread comes by. The first turns no level on, so
            // no callsite is asked for before the second is there.
            let silent = Dispatch::new(Silent);
            set_global_default(Dispatch::new(ByThread)).expect("no other test sets a subscriber for the program");
            silent
        });
        LINES.set(Some(String::new()));
        Logged(())
    }

    /// What was logged so far, an event a line.
    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(Option::clone).unwrap_or_default()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing into a String never fails.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

/// Gives this thread's buffer to `write`, where it has one.
fn line(write: impl FnOnce(&mut Line<'_>)) {
    LINES.with_borrow_mut(|lines| {
        if let Some(text) = lines {
            write(&mut Line(text));
            text.push('\n');
        }
    });
}

struct ByThread;

impl Subscriber for ByThread {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        line(|line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        line(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        line(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Silent;

impl Subscriber for Silent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
