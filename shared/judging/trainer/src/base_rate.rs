//! The share of comments to be removed, read off scores without a verdict.

use modstream_classifier::artifact::Counts;
use modstream_classifier::{BaseRate, LogOdds, Rate};
use proportions::Interval;

/// The fewest comments that a share is read off.
pub const FEWEST_COMMENTS: usize = 100;
/// The least and the most share that is looked for.
const SHARES: [f64; 2] = [1e-4, 1.0 - 1e-4];
/// How often the share is halved into place, and how often it is refined by the algorithm's step.
const STEPS: usize = 60;
/// Half the 95 % quantile of chi-squared with one degree of freedom: how much less likely a share at an interval's end may be.
const LESS_LIKELY: f64 = 1.920_729;
/// The 99 % quantile of Kolmogorov's distribution.
const KOLMOGOROV: f64 = 1.628;
/// How far two spreads may lie apart that count as one, whatever the number of comments: a model's promises hold no better.
const TOLERATED: f64 = 0.02;

/// A base rate that was read off scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The share of comments to be removed.
    pub base_rate: f64,
    /// Its confidence interval, by the likelihood.
    pub interval: Interval,
    /// The comments.
    pub comments: usize,
    /// How well the scores fit.
    pub fit: ShapeFit,
}

/// How the spread of scores lies to that of the model's own community with this share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapeFit {
    /// The largest distance of the share of comments above a threshold from the share that is expected there.
    pub distance: f64,
    /// The distance that chance explains, in 99 of 100 cases.
    pub explained: f64,
    /// The threshold with that distance: log-odds at the training base rate.
    pub at: LogOdds,
    /// The share of comments above it.
    pub seen: f64,
    /// The share that is expected.
    pub expected: f64,
}

impl ShapeFit {
    /// Whether these can be scores of the model's own community. If not, no share explains them, and the estimate says nothing.
    pub fn holds(&self) -> bool {
        self.distance <= self.explained
    }
}

/// Reads the base rate off scores (log-odds at the training base rate) by the algorithm of M. Saerens, P. Latinne and C. Decaestecker,
/// "Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002: the share under which they are likeliest, if nothing
/// but the share is another than in training. `rates` and `held_out` are what the model was measured by. None of fewer than a hundred
/// comments.
pub fn estimate_base_rate(log_odds: &[f64], trained: BaseRate, rates: &[Rate], held_out: Counts) -> Option<Estimate> {
    if log_odds.len() < FEWEST_COMMENTS || rates.is_empty() {
        return None;
    }
    // How much likelier each score is of a comment to be removed than of another one.
    let ratios: Vec<f64> = log_odds.iter().map(|z| (z - trained.log_odds()).clamp(-30.0, 30.0).exp()).collect();
    let likelihood = |share: f64| -> f64 { ratios.iter().map(|ratio| (share * ratio + 1.0 - share).ln()).sum() };
    // It is concave, so that its slope falls: above 0 the likeliest share lies higher.
    let slope = |share: f64| -> f64 { ratios.iter().map(|ratio| (ratio - 1.0) / (share * ratio + 1.0 - share)).sum() };
    let base_rate = between(SHARES[0], SHARES[1], |share| slope(share) > 0.0);
    let most = likelihood(base_rate);
    let is_likely = |share: f64| most - likelihood(share) <= LESS_LIKELY;
    let low = if is_likely(0.0) { 0.0 } else { between(0.0, base_rate, |share| !is_likely(share)) };
    let high = if is_likely(1.0) { 1.0 } else { between(base_rate, 1.0, is_likely) };
    let interval = Interval { low: low.min(base_rate), high: high.max(base_rate) };
    let fit = fit(log_odds, base_rate, rates, held_out);
    Some(Estimate { base_rate, interval, comments: log_odds.len(), fit })
}

/// Where something that holds from `low` up to some place ceases to hold.
fn between(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..STEPS {
        let middle = (low + high) / 2.0;
        *(if holds(middle) { &mut low } else { &mut high }) = middle;
    }
    (low + high) / 2.0
}

fn fit(log_odds: &[f64], base_rate: f64, rates: &[Rate], held_out: Counts) -> ShapeFit {
    let mut sorted = log_odds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rate: &Rate| {
        let below = sorted.partition_point(|z| *z < rate.log_odds);
        let seen = (sorted.len() - below) as f64 / sorted.len() as f64;
        let expected = base_rate * rate.true_positive_rate + (1.0 - base_rate) * rate.false_positive_rate;
        (LogOdds(rate.log_odds), seen, expected)
    };
    let farthest = rates.iter().map(at).max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()));
    let (at, seen, expected) = farthest.unwrap_or((LogOdds(0.0), 0.0, 0.0));
    // The comments here are a sample, and so are those that the rates were measured on.
    let part = |share: f64, count: usize| share * share / count.max(1) as f64;
    let variance =
        1.0 / log_odds.len() as f64 + part(base_rate, held_out.positives) + part(1.0 - base_rate, held_out.negatives());
    ShapeFit {
        distance: (seen - expected).abs(),
        explained: KOLMOGOROV * variance.sqrt() + TOLERATED,
        at,
        seen,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates;

    const TRAINED: f64 = 0.3;

    /// Scores that are calibrated at the training base rate: log-odds of comments to be removed and of others are normal, of variance
    /// 4, two apart from 0 each way.
    fn scores(random: &mut fastrand::Rng, count: usize, share: f64) -> (Vec<f64>, Vec<bool>) {
        let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let prior = (TRAINED / (1.0_f64 - TRAINED)).ln();
        (0..count)
            .map(|row| {
                let removed = (row as f64 + 0.5) / (count as f64) < share;
                (prior + if removed { 2.0 } else { -2.0 } + 2.0 * normal(), removed)
            })
            .unzip()
    }

    fn of(log_odds: &[f64]) -> Option<Estimate> {
        let mut random = fastrand::Rng::with_seed(2);
        let (measured, removed) = scores(&mut random, 5_000, TRAINED);
        let held_out = Counts { texts: 5_000, positives: 1_500 };
        estimate_base_rate(
            log_odds,
            BaseRate::new(TRAINED).expect("a share"),
            &rates::table(&measured, &removed),
            held_out,
        )
    }

    #[test]
    fn the_share_that_made_the_scores_is_found() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut inside = 0;
        for share in [0.02, 0.05, 0.2, 0.5, 0.8] {
            for _ in 0..10 {
                let found = of(&scores(&mut random, 2_000, share).0).expect("enough");
                assert!((found.base_rate - share).abs() < 0.05, "{share}: {found:?}");
                assert!(found.fit.holds(), "{share}: {found:?}");
                inside += usize::from(found.interval.low <= share && share <= found.interval.high);
            }
        }
        // Scores are drawn with exactly that share, so the interval, which allows for chance in it, holds it more often than 95 %.
        assert!(inside >= 46, "{inside} of 50");
    }

    /// As Saerens writes it: the mean of the probabilities under the share that they gave, until it stays.
    #[test]
    fn the_likeliest_share_is_where_the_algorithm_ends() {
        let mut random = fastrand::Rng::with_seed(9);
        let (log_odds, _) = scores(&mut random, 500, 0.12);
        let mut share = TRAINED;
        for _ in 0..5_000 {
            let odds = (share / (1.0 - share)) / (TRAINED / (1.0 - TRAINED));
            let posterior = |z: &f64| z.exp() * odds / (1.0 + z.exp() * odds);
            share = log_odds.iter().map(posterior).sum::<f64>() / 500.0;
        }
        let found = of(&log_odds).expect("enough");
        assert!((found.base_rate - share).abs() < 1e-6, "{} and {share}", found.base_rate);
    }

    #[test]
    fn scores_that_no_share_explains_do_not_fit_and_few_say_nothing() {
        // All in the middle, where both kinds are rare.
        let mut random = fastrand::Rng::with_seed(6);
        let middle: Vec<f64> = (0..1_000).map(|_| random.f64() - 1.3).collect();
        let found = of(&middle).expect("enough");
        assert!(!found.fit.holds() && found.fit.distance > 0.1, "{found:?}");
        assert_eq!(of(&middle[..99]), None);
        // None is to be removed.
        let found = of(&scores(&mut random, 1_000, 0.0).0).expect("enough");
        assert!(found.interval.low == 0.0 && found.interval.high < 0.03 && found.fit.holds(), "{found:?}");
    }
}
