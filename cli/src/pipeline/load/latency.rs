//! Latencies, and the share of all that stays within one.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// A day in microseconds: what takes longer counts as a day.
const MAX_LATENCY_MICROSECONDS: u64 = 24 * 3600 * 1_000_000;

/// Latencies, kept to three digits.
pub(crate) struct Latency(Histogram<u64>);

/// The share of all that stays within a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    Half,
    NineteenOfTwenty,
    NinetyNineOfAHundred,
    All,
}

impl Share {
    pub(crate) const ALL: [Share; 4] = [Share::Half, Share::NineteenOfTwenty, Share::NinetyNineOfAHundred, Share::All];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Share::Half => "p50",
            Share::NineteenOfTwenty => "p95",
            Share::NinetyNineOfAHundred => "p99",
            Share::All => "max",
        }
    }

    fn quantile(self) -> f64 {
        match self {
            Share::Half => 0.5,
            Share::NineteenOfTwenty => 0.95,
            Share::NinetyNineOfAHundred => 0.99,
            Share::All => 1.0,
        }
    }
}

impl Latency {
    pub(crate) fn new() -> Self {
        Latency(Histogram::new_with_bounds(1, MAX_LATENCY_MICROSECONDS, 3).expect("three digits of these are allowed"))
    }

    pub(crate) fn note(&mut self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(microseconds);
    }

    /// The latency that a share of all stays within; none without any.
    pub(crate) fn at(&self, share: Share) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share.quantile())))
    }

    /// The latencies by share, in milliseconds.
    pub(crate) fn json(&self) -> Value {
        let all = Share::ALL.map(|share| {
            let at = self.at(share).map(|latency| (latency.as_secs_f64() * 1e6).round() / 1e3);
            (share.name().to_owned(), json!(at))
        });
        Value::Object(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_that_was_noted() {
        let mut latency = Latency::new();
        assert_eq!(latency.at(Share::Half), None);
        (1..=1_000).for_each(|milliseconds| latency.note(Duration::from_millis(milliseconds)));
        for (share, milliseconds) in Share::ALL.into_iter().zip([500.0, 950.0, 990.0, 1_000.0]) {
            let found = latency.at(share).expect("some").as_secs_f64() * 1e3;
            assert!((found / milliseconds - 1.0).abs() < 0.002, "{share:?}: {found}");
        }
        latency.note(Duration::MAX);
        assert!(latency.at(Share::All).expect("some") >= Duration::from_secs(24 * 3600));
    }
}
