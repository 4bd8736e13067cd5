use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{Window, Windowing};

/// Values folded into windows, by key.
///
/// They hold the values of windows that are open, and the counts of late values until those are taken.
#[derive(Clone, Debug)]
pub struct Windows<K, A, W> {
    windowing: W,
    allowed_lateness: SignedDuration,
    watermark: Option<Timestamp>,
    open: BTreeMap<(Window, K), A>,
    late: BTreeMap<Window, u64>,
}

/// A closed window's value of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed<K, A> {
    /// The window that closed.
    pub window: Window,
    /// The key that the value is of.
    pub key: K,
    /// The values of the window and key, folded.
    pub value: A,
}

/// What became of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// How many windows hold the value.
    pub folded: usize,
    /// For how many windows it came late.
    pub late: usize,
}

impl<K: Ord + Clone, A: Default, W: Windowing> Windows<K, A, W> {
    /// Makes windows of which none is closed and none holds a value.
    pub fn new(windowing: W, allowed_lateness: SignedDuration) -> Self {
        Windows { windowing, allowed_lateness, watermark: None, open: BTreeMap::new(), late: BTreeMap::new() }
    }

    /// The time up to which event time is held to be complete; none before a time was seen.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// Folds what happened at `time` into its windows that are open, and counts it as late for those that are closed.
    pub fn add(&mut self, key: &K, time: Timestamp, mut fold: impl FnMut(&mut A)) -> Added {
        let mut added = Added::default();
        for window in self.windowing.windows(time) {
            if self.watermark.is_some_and(|watermark| window.end <= watermark) {
                *self.late.entry(window).or_default() += 1;
                added.late += 1;
            } else {
                fold(self.open.entry((window, key.clone())).or_default());
                added.folded += 1;
            }
        }
        added
    }

    /// Notes that `time` was seen, in an event or on a clock. Returns what closes by that, in order of window and key.
    pub fn advance(&mut self, time: Timestamp) -> Vec<Closed<K, A>> {
        let reached = time.checked_sub(self.allowed_lateness).unwrap_or(Timestamp::MIN);
        let watermark = self.watermark.map_or(reached, |watermark| watermark.max(reached));
        self.watermark = Some(watermark);
        let mut closed = Vec::new();
        while let Some(entry) = self.open.first_entry() {
            if entry.key().0.end > watermark {
                break;
            }
            let ((window, key), value) = entry.remove_entry();
            closed.push(Closed { window, key, value });
        }
        closed
    }

    /// Takes the number of values that came late for each window since this was last called.
    pub fn take_late(&mut self) -> BTreeMap<Window, u64> {
        std::mem::take(&mut self.late)
    }
}
