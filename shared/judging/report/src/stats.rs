//! Curves, intervals and densities.

pub(crate) use proportions::Interval;
use proportions::Proportion;

use crate::Comment;

/// How many of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) part: usize,
    pub(crate) of: usize,
}

impl Rate {
    /// Counts all, and those of them that `is` says yes to.
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a Comment<'a>>, is: impl Fn(&Comment<'_>) -> bool) -> Self {
        all.into_iter().fold(Rate { part: 0, of: 0 }, |rate, comment| Rate {
            part: rate.part + usize::from(is(comment)),
            of: rate.of + 1,
        })
    }

    /// The share; NaN of none.
    pub(crate) fn share(self) -> f64 {
        self.part as f64 / self.of as f64
    }

    /// The 95 % interval; none of none.
    pub(crate) fn wilson(self) -> Option<Interval> {
        Proportion { part: self.part as u64, of: self.of as u64 }.wilson()
    }
}

/// The area under the ROC curve of comments, and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) area: f64,
    /// The 95 % interval; none where there are too few comments, or no error at all, which hides how sure one can be.
    pub(crate) interval: Option<Interval>,
}

/// How often a removed comment scores above a kept one, ties half; none with one class only.
pub(crate) fn roc_auc<'a>(comments: impl IntoIterator<Item = &'a Comment<'a>>) -> Option<Area> {
    let (removed, kept): (Vec<&Comment<'_>>, Vec<&Comment<'_>>) =
        comments.into_iter().partition(|comment| comment.removed);
    let scores = |class: &[&Comment<'_>]| class.iter().map(|comment| comment.log_odds).collect::<Vec<_>>();
    let (removed, kept) = (scores(&removed), scores(&kept));
    let area = proportions::roc_auc(&removed, &kept)?;
    Some(Area { area, interval: proportions::roc_auc_interval(&removed, &kept) })
}

/// The variance of what the values are a sample of.
fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (count - 1.0).max(1.0)
}

/// How many comments alert from a score up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How many of them were removed.
    pub(crate) hits: usize,
    /// How many of them were kept.
    pub(crate) false_alarms: usize,
}

/// The steps from no alert to all, one a distinct score.
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
    /// The density of sorted values, with B. W. Silverman's bandwidth ("Density Estimation for Statistics and Data Analysis", 1986, 3.31).
    pub(crate) fn of(values: &'a [f64]) -> Self {
        let deviation = variance(values).sqrt();
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
