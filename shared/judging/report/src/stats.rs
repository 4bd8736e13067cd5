//! Curves, intervals and densities.

pub(crate) use proportions::Interval;
use proportions::{Proportion, Z};

use crate::Comment;

/// With fewer of a class, the normal approximation behind [`roc_auc`]'s interval doesn't hold.
const FEWEST_OF_A_CLASS: usize = 10;

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) part: usize,
    pub(crate) of: usize,
}

impl Rate {
    /// Those that are such, of all these.
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a Comment<'a>>, is: impl Fn(&Comment<'_>) -> bool) -> Self {
        all.into_iter().fold(Rate { part: 0, of: 0 }, |rate, comment| Rate {
            part: rate.part + usize::from(is(comment)),
            of: rate.of + 1,
        })
    }

    /// NaN of none.
    pub(crate) fn share(self) -> f64 {
        self.part as f64 / self.of as f64
    }

    /// The 95 % interval; none of none.
    pub(crate) fn wilson(self) -> Option<Interval> {
        Proportion { part: self.part as u64, of: self.of as u64 }.wilson()
    }
}

/// The area under the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) area: f64,
    /// None where there are too few comments, or no error at all, which hides how sure one can be.
    pub(crate) interval: Option<Interval>,
}

/// How often a removed comment scores above a kept one, ties half; none with one class only. The interval is that of E. R.
/// DeLong et al., "Comparing the Areas under Two or More Correlated Receiver Operating Characteristic Curves", 1988, by ranks
/// (X. Sun, W. Xu, "Fast Implementation of DeLong's Algorithm", 2014).
pub(crate) fn roc_auc<'a>(comments: impl IntoIterator<Item = &'a Comment<'a>>) -> Option<Area> {
    let (removed, kept): (Vec<&Comment<'_>>, Vec<&Comment<'_>>) =
        comments.into_iter().partition(|comment| comment.removed);
    let scores = |class: &[&Comment<'_>]| class.iter().map(|comment| comment.log_odds).collect::<Vec<_>>();
    let (removed, kept) = (scores(&removed), scores(&kept));
    if removed.is_empty() || kept.is_empty() {
        return None;
    }
    // Of each comment, the share of the other class that it's told apart from.
    let above = shares_below(&removed, &kept);
    let below: Vec<f64> = shares_below(&kept, &removed).iter().map(|share| 1.0 - share).collect();
    let (area, of_removed) = mean_and_variance(&above);
    let (_, of_kept) = mean_and_variance(&below);
    let deviation = (of_removed / removed.len() as f64 + of_kept / kept.len() as f64).sqrt();
    let measurable = removed.len().min(kept.len()) >= FEWEST_OF_A_CLASS && deviation > 0.0;
    let interval =
        measurable.then(|| Interval { low: (area - Z * deviation).max(0.0), high: (area + Z * deviation).min(1.0) });
    Some(Area { area, interval })
}

/// Of each value, the share of `others` below it, ties half.
fn shares_below(values: &[f64], others: &[f64]) -> Vec<f64> {
    let mut others = others.to_vec();
    others.sort_by(f64::total_cmp);
    let share = |value: &f64| {
        let below = others.partition_point(|other| other < value);
        let not_above = others.partition_point(|other| other <= value);
        (below + not_above) as f64 / 2.0 / others.len() as f64
    };
    values.iter().map(share).collect()
}

/// The mean, and the variance of what the values are a sample of.
fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (count - 1.0).max(1.0))
}

/// How many alert from a score up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Removed comments among them.
    pub(crate) hits: usize,
    /// Kept comments among them.
    pub(crate) false_alarms: usize,
}

/// From no alert to all: a step a distinct score.
pub(crate) fn steps(comments: &[Comment<'_>]) -> Vec<Step> {
    let mut order: Vec<&Comment<'_>> = comments.iter().collect();
    order.sort_by(|a, b| b.log_odds.total_cmp(&a.log_odds));
    let mut steps = vec![Step { hits: 0, false_alarms: 0 }];
    let mut step = steps[0];
    for (place, comment) in order.iter().enumerate() {
        step.hits += usize::from(comment.removed);
        step.false_alarms += usize::from(!comment.removed);
        if order.get(place + 1).is_none_or(|next| next.log_odds != comment.log_odds) {
            steps.push(step);
        }
    }
    steps
}

/// At most `most` points of a line, its ends among them, at even distances along it: more where it moves more.
pub(crate) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let distance = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() + (a.1 - b.1).abs();
    let length: f64 = points.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
    let (every, mut gone) = (length / (most - 2) as f64, 0.0);
    let mut kept = vec![points[0]];
    for pair in points.windows(2).take(points.len() - 2) {
        gone += distance(pair[0], pair[1]);
        if gone >= every && kept.len() < most - 1 {
            gone = 0.0;
            kept.push(pair[1]);
        }
    }
    kept.extend(points.last());
    kept
}

/// A quantile of sorted values, by straight lines between them.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// A gaussian kernel density estimate.
pub(crate) struct Density<'a> {
    values: &'a [f64],
    bandwidth: f64,
}

impl<'a> Density<'a> {
    /// Of sorted values, with B. W. Silverman's bandwidth ("Density Estimation for Statistics and Data Analysis", 1986, 3.31).
    pub(crate) fn of(values: &'a [f64]) -> Self {
        let deviation = mean_and_variance(values).1.sqrt();
        let quartiles = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.34;
        let spread = if quartiles > 0.0 { deviation.min(quartiles) } else { deviation };
        let bandwidth = 0.9 * spread * (values.len() as f64).powf(-0.2);
        // Where all values are the same, a narrow bump.
        Density { values, bandwidth: if bandwidth > 0.0 { bandwidth } else { 0.1 } }
    }

    /// The density at a place.
    pub(crate) fn at(&self, place: f64) -> f64 {
        // Further away than six bandwidths, nothing adds anything.
        let near = |sign: f64| place + sign * 6.0 * self.bandwidth;
        let from = self.values.partition_point(|value| *value < near(-1.0));
        let to = self.values.partition_point(|value| *value <= near(1.0));
        let kernel = |value: &f64| (-0.5 * ((place - value) / self.bandwidth).powi(2)).exp();
        let sum: f64 = self.values[from..to].iter().map(kernel).sum();
        sum / (self.values.len() as f64 * self.bandwidth * std::f64::consts::TAU.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn comment(log_odds: f64, removed: bool) -> Comment<'static> {
        Comment { text: "", removed, log_odds, probability: 0.5, alerts: false }
    }

    #[test]
    fn the_area_needs_both_classes_and_its_interval_some_of_each() {
        assert_eq!(roc_auc(&[comment(1.0, true)]), None);
        let few = [comment(1.0, true), comment(0.0, false), comment(2.0, false)];
        assert_eq!(roc_auc(&few), Some(Area { area: 0.5, interval: None }));
        let perfect: Vec<_> = (0..40).map(|place| comment(f64::from(place), place >= 20)).collect();
        assert_eq!(roc_auc(&perfect), Some(Area { area: 1.0, interval: None }));
    }

    /// DeLong's estimate as he writes it, over all pairs.
    #[test]
    fn the_areas_interval_is_delongs() {
        let comments: Vec<_> = (0..60_u32)
            .map(|place| comment(f64::from(place * 37 % 60 / 2), place * 37 % 60 + place * 17 % 41 > 55))
            .collect();
        let class = |removed: bool| comments.iter().filter(move |comment| comment.removed == removed);
        let wins = |removed: &Comment<'_>, kept: &Comment<'_>| match removed.log_odds.total_cmp(&kept.log_odds) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let by_removed: Vec<f64> =
            class(true).map(|one| mean(&class(false).map(|other| wins(one, other)).collect::<Vec<_>>())).collect();
        let by_kept: Vec<f64> =
            class(false).map(|one| mean(&class(true).map(|other| wins(other, one)).collect::<Vec<_>>())).collect();
        let area = mean(&by_removed);
        let part = |values: &[f64]| {
            let squares: f64 = values.iter().map(|value| (value - area).powi(2)).sum();
            squares / (values.len() - 1) as f64 / values.len() as f64
        };
        let half = 1.96 * (part(&by_removed) + part(&by_kept)).sqrt();
        let found = roc_auc(&comments).expect("both classes");
        let interval = found.interval.expect("enough");
        assert!((found.area - area).abs() < 1e-12, "{found:?}, {area}");
        assert!((interval.low - (area - half)).abs() < 1e-4 && (interval.high - (area + half)).abs() < 1e-4);
    }

    #[test]
    fn equal_scores_are_one_step() {
        let found = steps(&[comment(0.0, true), comment(1.0, true), comment(0.0, false)]);
        let step = |hits, false_alarms| Step { hits, false_alarms };
        assert_eq!(found, [step(0, 0), step(1, 0), step(2, 1)]);
    }

    #[test]
    fn quantiles_lie_between() {
        assert_eq!((quantile(&[1.0, 2.0, 4.0], 0.5), quantile(&[1.0, 2.0, 4.0], 0.75)), (2.0, 3.0));
        assert!(quantile(&[], 0.5).is_nan());
    }

    proptest! {
        #[test]
        fn a_density_integrates_to_one(mut values in prop::collection::vec(0.0..9.0_f64, 1..60)) {
            values.sort_by(f64::total_cmp);
            let density = Density::of(&values);
            let (from, to) = (values[0] - 6.0 * density.bandwidth, values[values.len() - 1] + 6.0 * density.bandwidth);
            let cells = 20_000;
            let width = (to - from) / f64::from(cells);
            let area: f64 = (0..cells).map(|cell| density.at(from + (f64::from(cell) + 0.5) * width) * width).sum();
            prop_assert!((area - 1.0).abs() < 1e-3, "{}", area);
        }

        #[test]
        fn a_thinned_line_keeps_its_ends(points in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 1..900)) {
            let found = thinned(&points, 200);
            prop_assert!(found.len() <= 200 && found.len() >= points.len().min(20));
            prop_assert_eq!((found[0], found[found.len() - 1]), (points[0], points[points.len() - 1]));
        }
    }
}
