//! The rates that alerting from a threshold up gives, for any base rate.
//!
//! A model's manifest has them, so that what a model promises is known without the model.

mod log_odds;
mod promised_share;

use modstream_events::OperatingPoint;
use proportions::Z;
use serde::{Deserialize, Serialize};

pub use log_odds::LogOdds;
pub use promised_share::{Held, PromisedShare, PromisedShares};

/// The share of comments that moderators remove: above 0, below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BaseRate(f64);

/// A number that is no base rate.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a base rate is a share above 0 and below 1, such as 0.05, not {0}")]
pub struct BaseRateError(f64);

impl BaseRate {
    /// Makes a base rate of a share.
    ///
    /// # Errors
    /// [`BaseRateError`] where the share is not between 0 and 1, both excluded.
    pub fn new(share: f64) -> Result<Self, BaseRateError> {
        if share > 0.0 && share < 1.0 { Ok(BaseRate(share)) } else { Err(BaseRateError(share)) }
    }

    /// The base rate as a share.
    pub fn share(self) -> f64 {
        self.0
    }

    /// The base rate as log-odds.
    pub fn log_odds(self) -> f64 {
        LogOdds::of(self.0).0
    }
}

/// The shares of removed and of kept comments that alerting from `log_odds` up catches. Neither depends on how many
/// comments are removed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The threshold: calibrated log-odds at the training base rate.
    pub log_odds: f64,
    /// The share of removed comments at or above the threshold, above 0.
    pub true_positive_rate: f64,
    /// The share of kept comments at or above the threshold, above 0.
    pub false_positive_rate: f64,
}

impl Rate {
    /// How much likelier a removed comment is to reach the threshold than a kept one.
    fn likelihood_ratio(&self) -> f64 {
        self.true_positive_rate / self.false_positive_rate
    }
}

/// A table of rates: thresholds rise, true and false positive rates fall, and their ratio rises, so precision does too.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates(Vec<Rate>);

/// Rates that make no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table of rates is empty, or not monotone at row {row}")]
pub struct RatesError {
    row: usize,
}

/// The smallest rate. Nobody counts comments by the million million, and above it ratios and products of rates are
/// numbers.
const MIN_RATE: f64 = 1e-12;

/// The largest log-odds, of which a difference is finite.
const MAX_LOG_ODDS: f64 = 1e9;

impl Rates {
    /// Makes a table of rates.
    ///
    /// # Errors
    /// [`RatesError`] where the table is empty, not monotone, or holds what is no rate.
    pub fn new(rates: Vec<Rate>) -> Result<Self, RatesError> {
        let is_rate = |rate: f64| (MIN_RATE..=1.0).contains(&rate);
        // Both are computed from numbers that were written and read again.
        let slack = 1.0 - 1e-9;
        let bad = (0..rates.len().max(1)).find(|&row| match rates.get(row) {
            None => true,
            Some(rate) => {
                let ordered = row == 0 || {
                    let before = &rates[row - 1];
                    rate.log_odds > before.log_odds
                        && rate.true_positive_rate <= before.true_positive_rate
                        && rate.false_positive_rate <= before.false_positive_rate
                        && rate.likelihood_ratio() >= before.likelihood_ratio() * slack
                };
                !(rate.log_odds.abs() <= MAX_LOG_ODDS
                    && is_rate(rate.true_positive_rate)
                    && is_rate(rate.false_positive_rate)
                    && ordered)
            }
        });
        bad.map_or(Ok(Rates(rates)), |row| Err(RatesError { row }))
    }

    /// The rows of the table.
    pub fn rows(&self) -> &[Rate] {
        &self.0
    }

    /// The rates at a threshold, on straight lines between rows (of the logarithm of the ratio, and of the true
    /// positive rate); the outermost row beyond them.
    fn at(&self, log_odds: f64) -> Rate {
        let rows = &self.0;
        let above = rows.partition_point(|row| row.log_odds <= log_odds);
        if above == 0 {
            return rows[0];
        }
        let (low, Some(high)) = (rows[above - 1], rows.get(above)) else {
            return rows[above - 1];
        };
        let share = (log_odds - low.log_odds) / (high.log_odds - low.log_odds);
        let between = |from: f64, to: f64| from + share * (to - from);
        let true_positive_rate = between(low.true_positive_rate, high.true_positive_rate);
        let ratio = between(low.likelihood_ratio().ln(), high.likelihood_ratio().ln()).exp();
        Rate { log_odds, true_positive_rate, false_positive_rate: true_positive_rate / ratio }
    }

    /// The operating point of alerting from `log_odds` (calibrated, at the training base rate) up, where `base_rate` of
    /// all comments are to be removed.
    pub fn operating_point(&self, log_odds: LogOdds, base_rate: BaseRate) -> OperatingPoint {
        let rate = self.at(log_odds.0);
        let caught = base_rate.share() * rate.true_positive_rate;
        let share = caught + (1.0 - base_rate.share()) * rate.false_positive_rate;
        OperatingPoint {
            precision: caught / share,
            recall: rate.true_positive_rate,
            share,
            base_rate: base_rate.share(),
        }
    }

    /// The share of kept comments that alert from `log_odds` (calibrated, at the training base rate) up.
    pub fn false_alarms(&self, log_odds: LogOdds) -> f64 {
        self.at(log_odds.0).false_positive_rate
    }

    /// The lowest threshold whose operating point is good enough, where what is good enough stays so above; `None` where the
    /// highest one is not.
    pub fn lowest(&self, base_rate: BaseRate, is_good: impl Fn(&OperatingPoint) -> bool) -> Option<LogOdds> {
        let good = |log_odds: f64| is_good(&self.operating_point(LogOdds(log_odds), base_rate));
        let (mut low, mut high) = (self.0[0].log_odds, self.highest().0);
        if good(low) || !good(high) {
            return good(low).then_some(LogOdds(low));
        }
        while high - low > THRESHOLD_STEP {
            let middle = (low + high) / 2.0;
            if good(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(LogOdds(high))
    }

    /// The threshold above which nothing is known.
    pub fn highest(&self) -> LogOdds {
        self.0.last().map_or(LogOdds(f64::INFINITY), |row| LogOdds(row.log_odds))
    }

    /// How sure precision and recall at a threshold are.
    pub fn intervals(&self, log_odds: LogOdds, base_rate: BaseRate, held_out: HeldOut) -> Intervals {
        let rate = self.at(log_odds.0);
        let (hits, alarms) = (rate.true_positive_rate, rate.false_positive_rate);
        let variance = |rate: f64, count: usize| (1.0 - rate) / (rate * count.max(1) as f64);
        let spread = Z * (variance(hits, held_out.removed) + variance(alarms, held_out.kept)).sqrt();
        let middle = base_rate.log_odds() + rate.likelihood_ratio().ln();
        // As many alerts as would say as much of a precision, by the deviation of its log-odds.
        let precision = LogOdds(middle).probability();
        let trials = (Z / spread.max(1e-6)).powi(2) / (precision * (1.0 - precision)).max(1e-12);
        let right_of_next = proportions::next(precision * trials, (1.0 - precision) * trials, NEXT_ALERTS);
        Intervals {
            right_of_next,
            precision: [middle - spread, middle + spread].map(|log_odds| LogOdds(log_odds).probability()),
            recall: wilson(hits, held_out.removed),
        }
    }
}

/// How exactly thresholds are found.
const THRESHOLD_STEP: f64 = 1e-9;

/// How many comments rates were measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// The number of comments that moderators removed.
    pub removed: usize,
    /// The number of the other comments.
    pub kept: usize,
}

/// Intervals of 95 %, the lower bound first: confidence intervals of what was measured, and a prediction interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intervals {
    /// The precision's interval, from that of the likelihood ratio (D. Simel et al., "Likelihood ratios with
    /// confidence", 1991): as wide in log-odds at any base rate.
    pub precision: [f64; 2],
    /// The recall's interval (E. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927).
    pub recall: [f64; 2],
    /// How many of the next [`NEXT_ALERTS`] alerts will be right: wider than the precision's share of them, since chance comes in
    /// twice, in what was measured and in what comes. A prediction interval.
    pub right_of_next: [u64; 2],
}

/// The number of alerts that [`Intervals::right_of_next`] is of.
pub const NEXT_ALERTS: u64 = 100;

/// As `Proportion::wilson`, for a share that lies between rows of the table and so is of no whole number of trials.
fn wilson(share: f64, count: usize) -> [f64; 2] {
    let count = count.max(1) as f64;
    let squared = Z * Z / count;
    let middle = (share + squared / 2.0) / (1.0 + squared);
    let half = Z / (1.0 + squared) * (share * (1.0 - share) / count + squared / (4.0 * count)).sqrt();
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(log_odds: f64, true_positive_rate: f64, false_positive_rate: f64) -> Rate {
        Rate { log_odds, true_positive_rate, false_positive_rate }
    }

    fn table() -> Rates {
        Rates::new(vec![rate(-3.0, 1.0, 1.0), rate(0.0, 0.6, 0.2), rate(2.0, 0.3, 0.02)]).expect("monotone")
    }

    #[test]
    fn precision_follows_from_the_base_rate() {
        let at = |base_rate| table().operating_point(LogOdds(2.0), BaseRate::new(base_rate).expect("a share"));
        let half = at(0.5);
        assert!((half.precision - 0.3 / 0.32).abs() < 1e-12 && (half.share - 0.16).abs() < 1e-12);
        assert!(at(0.05).precision < 0.5 && at(0.05).recall == half.recall);
    }

    #[test]
    fn the_lowest_threshold_is_found_or_there_is_none() {
        let (table, base_rate) = (table(), BaseRate::new(0.2).expect("a share"));
        let precision = |log_odds| table.operating_point(log_odds, base_rate).precision;
        let at_least = |least: f64| table.lowest(base_rate, |point| point.precision >= least);
        let found = at_least(0.6).expect("it is reached");
        assert!(precision(found) >= 0.6 && precision(LogOdds(found.0 - 1e-6)) < 0.6);
        assert_eq!((at_least(0.1), at_least(0.99)), (Some(LogOdds(-3.0)), None));
        assert_eq!(precision(table.highest()), 0.3 * 0.2 / (0.3 * 0.2 + 0.02 * 0.8));
    }

    /// 30 of 100 removed and 2 of 100 kept comments: computed by hand.
    #[test]
    fn intervals_are_as_wide_as_few_comments_make_them() {
        let held_out = HeldOut { removed: 100, kept: 100 };
        let at = |base_rate| table().intervals(LogOdds(2.0), BaseRate::new(base_rate).expect("a share"), held_out);
        let [low, high] = at(0.5).recall;
        assert!((low - 0.2189).abs() < 1e-4 && (high - 0.3958).abs() < 1e-4, "{low} {high}");
        let [low, high] = at(0.5).precision;
        let spread = Z * (0.7_f64 / 30.0 + 0.98 / 2.0).sqrt();
        let expected = [15.0_f64.ln() - spread, 15.0_f64.ln() + spread].map(|log_odds| LogOdds(log_odds).probability());
        assert!((low - expected[0]).abs() < 1e-12 && (high - expected[1]).abs() < 1e-12, "{low} {high}");
        let rare = at(0.02).precision;
        assert!(rare[0] < low && rare[1] < high);
    }

    #[test]
    fn a_table_that_is_not_monotone_is_refused() {
        for rows in [
            vec![],
            vec![rate(0.0, 0.5, 0.5), rate(0.0, 0.4, 0.1)],
            vec![rate(0.0, 0.5, 0.5), rate(1.0, 0.6, 0.1)],
            vec![rate(0.0, 0.5, 0.1), rate(1.0, 0.2, 0.09)],
            vec![rate(f64::NAN, 0.5, 0.1)],
            vec![rate(0.0, 0.5, 0.0)],
            vec![rate(0.0, 1.5, 0.5)],
            // Between these rows were a NaN.
            vec![rate(-1.0, 0.5, 0.5), rate(1.0, 0.5, 5e-324)],
            vec![rate(-1e308, 0.5, 0.5), rate(1e308, 0.4, 0.1)],
        ] {
            assert!(Rates::new(rows.clone()).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn only_a_share_between_is_a_base_rate() {
        for share in [0.0, 1.0, -0.1, 5.0, f64::NAN] {
            assert!(BaseRate::new(share).is_err());
        }
    }

    proptest! {
        #[test]
        fn an_operating_point_is_monotone_in_the_probability(a in -6.0..6.0_f64, b in -6.0..6.0_f64, base_rate in 0.001..0.999_f64) {
            let base_rate = BaseRate::new(base_rate).expect("a share");
            let [low, high] = [a.min(b), a.max(b)].map(|at| table().operating_point(LogOdds(at), base_rate));
            prop_assert!(low.precision <= high.precision + 1e-12);
            prop_assert!(low.recall >= high.recall && low.share >= high.share - 1e-12);
        }
    }
}
