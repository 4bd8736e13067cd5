//! Progress on standard error: a bar on a terminal, a plain line now and then elsewhere.

use std::cell::Cell;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often at most a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
const TICK_EVERY: Duration = Duration::from_millis(500);

/// The progress of one stage.
pub(crate) struct Progress {
    bar: ProgressBar,
    stage: &'static str,
    of: Option<u64>,
    plain: Option<Mutex<Instant>>,
}

impl Progress {
    /// A stage of `of` steps; of unknown length without.
    pub(crate) fn new(stage: &'static str, of: Option<u64>) -> Self {
        let (bar, template) = match of {
            Some(of) => (ProgressBar::new(of), "{prefix:20} {bar:30} {pos}/{len} {elapsed}"),
            None => (ProgressBar::new_spinner(), "{prefix:20} {spinner} {pos} {elapsed}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_prefix(stage);
        let plain = bar.is_hidden().then(|| Mutex::new(Instant::now()));
        Progress { bar, stage, of, plain }
    }

    /// Shows the bar before its first step is done, and lets its clock run: for steps that take seconds.
    pub(crate) fn show(&self) {
        self.bar.enable_steady_tick(TICK_EVERY);
    }

    /// Shows that `done` steps are done.
    pub(crate) fn at(&self, done: u64) {
        self.bar.set_position(done);
        self.line(done);
    }

    /// Shows that one more step is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        self.line(self.bar.position());
    }

    fn line(&self, done: u64) {
        let Some(last) = &self.plain else { return };
        let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            match self.of {
                Some(of) => eprintln!("{}: {done} of {of}", self.stage),
                None => eprintln!("{}: {done}", self.stage),
            }
        }
    }

    /// Ends the stage.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A line of counts that stays at the bottom of a terminal.
pub(crate) struct Live {
    bar: ProgressBar,
    last: Cell<Instant>,
}

impl Live {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Live { bar, last: Cell::new(Instant::now()) }
    }

    /// Shows the counts.
    pub(crate) fn show(&self, counts: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(counts.to_owned());
            self.bar.tick();
        } else if self.last.get().elapsed() >= LINE_EVERY {
            self.last.set(Instant::now());
            eprintln!("{counts}");
        }
    }

    /// Prints to standard output, above the line.
    pub(crate) fn print(&self, text: &str) -> std::io::Result<()> {
        use std::io::Write as _;
        self.bar.suspend(|| std::io::stdout().write_all(text.as_bytes()))
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
