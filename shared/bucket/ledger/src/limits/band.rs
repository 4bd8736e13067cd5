//! How many predictions and alerts there were in the last minutes.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};
use modstream_policy::Breaker;

/// Counts are kept by so many seconds.
const SLOT: i64 = 10;
/// The longest window that policies may have.
const KEPT: i64 = 60 * 60 / SLOT + 1;

/// The maximum of comments of which it is remembered that they were counted: more than a batch has, since a failed batch comes again.
const KNOWN: usize = 20_000;

/// Counts in memory.
#[derive(Debug, Default)]
pub(crate) struct Band {
    slots: VecDeque<Counts>,
    /// Hashes of comment events' ids, and the same by age.
    known: HashSet<u64>,
    by_age: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    slot: i64,
    pub(crate) predictions: u64,
    pub(crate) alerts: u64,
}

impl Band {
    /// Counts a comment, and a repeat of it not again.
    pub(crate) fn count(&mut self, now: Timestamp, comment_event: &str, is_alert: bool) {
        if !self.is_new(comment_event) {
            return;
        }
        let slot = now.as_second().div_euclid(SLOT);
        if self.slots.back().is_none_or(|last| last.slot < slot) {
            self.slots.push_back(Counts { slot, ..Counts::default() });
            self.slots.retain(|counts| counts.slot > slot - KEPT);
        }
        // A clock that goes back counts where it was.
        if let Some(last) = self.slots.back_mut() {
            last.predictions += 1;
            last.alerts += u64::from(is_alert);
        }
    }

    fn is_new(&mut self, comment_event: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        comment_event.hash(&mut hasher);
        let hash = hasher.finish();
        if !self.known.insert(hash) {
            return false;
        }
        self.by_age.push_back(hash);
        if self.by_age.len() > KNOWN
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// What was counted in the breaker's window, and after `since`, where that is over the band.
    pub(crate) fn over(&self, breaker: &Breaker, now: Timestamp, since: Option<Timestamp>) -> Option<Counts> {
        let from = now.checked_sub(breaker.window).unwrap_or(Timestamp::MIN);
        let from = since.map_or(from, |since| since.max(from));
        // Whole slots only.
        let first = (from + SignedDuration::from_secs(SLOT - 1)).as_second().div_euclid(SLOT);
        let mut sum = Counts::default();
        for counts in self.slots.iter().filter(|counts| counts.slot >= first) {
            sum.predictions += counts.predictions;
            sum.alerts += counts.alerts;
        }
        let share = sum.alerts as f64 / sum.predictions.max(1) as f64;
        (sum.alerts >= breaker.min_alerts && share > breaker.max_share).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKER: Breaker = Breaker {
        max_share: 0.2,
        window: SignedDuration::from_mins(5),
        min_alerts: 10,
        open_for: SignedDuration::from_mins(60),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_607_200 + seconds).expect("a time")
    }

    fn counted(from: i64, predictions: u64, alerts: u64) -> Band {
        let mut band = Band::default();
        for number in 0..predictions {
            band.count(at(from), &number.to_string(), number < alerts);
        }
        band
    }

    #[test]
    fn over_is_more_than_the_share_and_enough_alerts() {
        for (predictions, alerts, is_over) in
            [(100, 20, false), (100, 21, true), (10, 9, false), (10, 10, true), (0, 0, false)]
        {
            let over = counted(0, predictions, alerts).over(&BREAKER, at(60), None);
            assert_eq!(over.is_some(), is_over, "{alerts} of {predictions}");
        }
    }

    #[test]
    fn what_is_older_than_the_window_or_than_the_last_breaker_does_not_count() {
        let band = counted(0, 100, 100);
        assert!(band.over(&BREAKER, at(299), None).is_some() && band.over(&BREAKER, at(310), None).is_none());
        assert!(
            band.over(&BREAKER, at(60), Some(at(0))).is_some() && band.over(&BREAKER, at(60), Some(at(1))).is_none()
        );
    }

    #[test]
    fn a_batch_that_comes_again_and_again_counts_once() {
        let mut band = Band::default();
        for attempt in 0..100 {
            for id in ["alert", "another", "pass"] {
                band.count(at(attempt), id, id != "pass");
            }
        }
        let breaker = Breaker { min_alerts: 1, ..BREAKER };
        let counts = band.over(&breaker, at(100), None).expect("two of three");
        assert_eq!((counts.alerts, counts.predictions), (2, 3));
    }

    #[test]
    fn memory_is_an_hour_long_and_knows_so_many() {
        let mut band = Band::default();
        (0..30_000).for_each(|number| band.count(at(number * SLOT), &number.to_string(), true));
        assert!(band.slots.len() <= KEPT as usize);
        assert_eq!((band.known.len(), band.by_age.len()), (KNOWN, KNOWN));
    }
}
