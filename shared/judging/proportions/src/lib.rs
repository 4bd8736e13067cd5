//! A share of a number of trials, and how sure one can be of it; and the area under a ROC curve.
//!
//! ```
//! use proportions::Proportion;
//!
//! let removed = Proportion { part: 9, of: 10 };
//! let interval = removed.wilson().expect("there are trials");
//! assert_eq!((removed.share(), (interval.low * 100.0).round()), (0.9, 60.0));
//! ```

mod roc;

pub use roc::{roc_auc, roc_auc_interval};

/// The 97.5 % quantile of the standard normal distribution: 95 % lie within so many standard deviations of the mean.
pub const Z: f64 = 1.959_963_984_540_054;

/// How many of a number of trials were successes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proportion {
    /// The number of successes.
    pub part: u64,
    /// The number of trials.
    pub of: u64,
}

/// An interval that holds the true share in 95 of 100 cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Proportion {
    /// Adds one trial.
    pub fn add(&mut self, success: bool) {
        self.part += u64::from(success);
        self.of += 1;
    }

    /// The share of successes; NaN without trials.
    pub fn share(self) -> f64 {
        self.part as f64 / self.of as f64
    }

    /// The 95 % interval of the share, none without trials (E. B. Wilson, "Probable Inference, the Law of Succession,
    /// and Statistical Inference", 1927).
    pub fn wilson(self) -> Option<Interval> {
        if self.of == 0 { None } else { Some(wilson(self.share(), self.of as f64)) }
    }
}

fn wilson(share: f64, n: f64) -> Interval {
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not exclude the share itself.
    Interval { low: (centre - half).clamp(0.0, share), high: (centre + half).clamp(share, 1.0) }
}

/// The 95 % prediction interval of the number of successes in the next trials, after so many successes and failures: beta-binomial,
/// from Jeffreys' prior.
pub fn next(successes: f64, failures: f64, trials: u64) -> [u64; 2] {
    let (a, b) = (successes.max(0.0) + 0.5, failures.max(0.0) + 0.5);
    let count = trials as f64;
    // In logarithms: the chance of no success is next to none where there are many trials.
    let mut log: Vec<f64> = vec![(0..trials).map(|trial| ((b + trial as f64) / (a + b + trial as f64)).ln()).sum()];
    for done in 0..trials {
        let (k, before) = (done as f64, log[log.len() - 1]);
        log.push(before + ((count - k) / (k + 1.0) * (a + k) / (b + count - k - 1.0)).ln());
    }
    let quantile = |share: f64| {
        let mut sum = 0.0;
        let reaches = |log: &f64| {
            sum += log.exp();
            sum >= share
        };
        log.iter().position(reaches).map_or(trials, |place| place as u64)
    };
    [quantile(0.025), quantile(0.975)]
}

/// A share of trials of which each stands for a number of others: its weight, above 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weighted {
    part: f64,
    of: f64,
    squares: f64,
}

impl Weighted {
    /// Adds one trial.
    pub fn add(&mut self, success: bool, weight: f64) {
        self.part += if success { weight } else { 0.0 };
        self.of += weight;
        self.squares += weight * weight;
    }

    /// The weight of the successes.
    pub fn part(self) -> f64 {
        self.part
    }

    /// The weight of all trials.
    pub fn of(self) -> f64 {
        self.of
    }

    /// The effective number of trials, which is how many of equal weight would say as much: the squared sum of the
    /// weights by the sum of their squares (L. Kish, "Survey Sampling", 1965); NaN without trials.
    pub fn effective(self) -> f64 {
        self.of * self.of / self.squares
    }

    /// Wilson's 95 % interval of the share, over the effective number of trials; none without trials.
    pub fn wilson(self) -> Option<Interval> {
        (self.of > 0.0).then(|| wilson((self.part / self.of).min(1.0), self.effective()))
    }
}

impl FromIterator<bool> for Proportion {
    fn from_iter<I: IntoIterator<Item = bool>>(all: I) -> Self {
        let mut proportion = Proportion::default();
        all.into_iter().for_each(|success| proportion.add(success));
        proportion
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The numbers are scipy's: `binomtest(part, of).proportion_ci(method="wilson")`.
    #[test]
    fn intervals_are_wilsons() {
        for (part, of, low, high) in [
            (0, 10, 0.0, 0.277_532),
            (1, 10, 0.017_876, 0.404_150),
            (5, 10, 0.236_593, 0.763_407),
            (10, 10, 0.722_468, 1.0),
            (10, 100, 0.055_229, 0.174_367),
        ] {
            let found = Proportion { part, of }.wilson().expect("some");
            assert!((found.low - low).abs() < 1e-5 && (found.high - high).abs() < 1e-5, "{part}/{of}: {found:?}");
        }
        assert_eq!(Proportion { part: 0, of: 0 }.wilson(), None);
    }

    /// The numbers are scipy's: `betabinom(trials, successes + .5, failures + .5).ppf([.025, .975])`.
    #[test]
    fn what_comes_next_is_beta_binomial() {
        for (successes, failures, trials, expected) in [
            (8.0, 2.0, 100, SCIPY[0]),
            (80.0, 20.0, 100, SCIPY[1]),
            (0.0, 10.0, 20, SCIPY[2]),
            (12.5, 40.25, 100, SCIPY[3]),
            (1e9, 1e9, 100, SCIPY[4]),
        ] {
            assert_eq!(next(successes, failures, trials), expected, "{successes} {failures}");
        }
        assert_eq!(next(3.0, 3.0, 0), [0, 0]);
    }

    const SCIPY: [[u64; 2]; 5] = [[48, 97], [68, 90], [0, 5], [11, 39], [40, 60]];

    #[test]
    fn unequal_weights_say_less() {
        let mut weighted = Weighted::default();
        assert_eq!(weighted.wilson(), None);
        for (is, weight) in [(true, 1.0), (false, 1.0), (true, 4.0), (false, 2.0)] {
            weighted.add(is, weight);
        }
        assert_eq!((weighted.part(), weighted.of()), (5.0, 8.0));
        assert!((weighted.effective() - 64.0 / 22.0).abs() < 1e-12, "{}", weighted.effective());
    }

    proptest! {
        #[test]
        fn equal_weights_change_nothing(all in prop::collection::vec(any::<bool>(), 1..100), weight in 0.01..1_000.0_f64) {
            let mut weighted = Weighted::default();
            all.iter().for_each(|is| weighted.add(*is, weight));
            let (found, plain) = (weighted.wilson().expect("some"), all.into_iter().collect::<Proportion>().wilson().expect("some"));
            prop_assert!((found.low - plain.low).abs() < 1e-9 && (found.high - plain.high).abs() < 1e-9);
        }

        #[test]
        fn an_interval_holds_the_share_and_narrows_as_there_are_more(part in 0..1_000_u64, rest in 0..1_000_u64) {
            let of = part + rest;
            if let Some(interval) = (Proportion { part, of }).wilson() {
                let share = Proportion { part, of }.share();
                prop_assert!(0.0 <= interval.low && interval.low <= share && share <= interval.high && interval.high <= 1.0);
                let more = (Proportion { part: part * 4, of: of * 4 }).wilson().expect("some");
                prop_assert!(more.high - more.low < interval.high - interval.low);
            }
        }
    }
}
