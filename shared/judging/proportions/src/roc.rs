use crate::{Interval, Z};

/// With fewer of a class, the normal approximation behind [`roc_auc_interval`] doesn't hold.
const FEWEST_OF_A_CLASS: usize = 10;

/// The area under the ROC curve: of all pairs of a positive and a negative, the share in which the positive has the higher
/// score, ties half. None where a class is empty.
pub fn roc_auc(positives: &[f64], negatives: &[f64]) -> Option<f64> {
    let pairs = positives.len() as f64 * negatives.len() as f64;
    let negatives = sorted(negatives);
    let half_wins: u64 = positives.iter().map(|score| half_wins(*score, &negatives)).sum();
    (pairs > 0.0).then(|| half_wins as f64 / 2.0 / pairs)
}

/// The 95 % interval of [`roc_auc`] (E. R. DeLong et al., "Comparing the Areas under Two or More Correlated Receiver Operating
/// Characteristic Curves", 1988, by ranks: X. Sun, W. Xu, "Fast Implementation of DeLong's Algorithm", 2014). None where a
/// class has fewer than ten, or where no pair is in the wrong order, which hides how sure one can be.
pub fn roc_auc_interval(positives: &[f64], negatives: &[f64]) -> Option<Interval> {
    if positives.len().min(negatives.len()) < FEWEST_OF_A_CLASS {
        return None;
    }
    let area = roc_auc(positives, negatives)?;
    // The variance does not depend on which class is said to win.
    let part = |class: &[f64], other: &[f64]| {
        let other = sorted(other);
        let shares: Vec<f64> =
            class.iter().map(|score| half_wins(*score, &other) as f64 / 2.0 / other.len() as f64).collect();
        let (count, mean) = (shares.len() as f64, shares.iter().sum::<f64>() / shares.len() as f64);
        shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (count - 1.0) / count
    };
    let deviation = (part(positives, negatives) + part(negatives, positives)).sqrt();
    (deviation > 0.0).then(|| Interval { low: (area - Z * deviation).max(0.0), high: (area + Z * deviation).min(1.0) })
}

fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut scores = scores.to_vec();
    scores.sort_by(f64::total_cmp);
    scores
}

/// Twice the number of `others` below the score, where an equal one is half below. The others are sorted.
fn half_wins(score: f64, others: &[f64]) -> u64 {
    let below = others.partition_point(|other| *other < score);
    let not_above = others.partition_point(|other| *other <= score);
    (below + not_above) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_area_needs_both_classes_and_its_interval_some_of_each() {
        assert_eq!((roc_auc(&[1.0], &[]), roc_auc(&[], &[1.0])), (None, None));
        assert_eq!((roc_auc(&[1.0], &[0.0, 2.0]), roc_auc_interval(&[1.0], &[0.0, 2.0])), (Some(0.5), None));
        let (high, low): (Vec<f64>, Vec<f64>) =
            (0..20).map(|number| (f64::from(number) + 20.0, f64::from(number))).unzip();
        assert_eq!((roc_auc(&high, &low), roc_auc_interval(&high, &low)), (Some(1.0), None));
    }

    /// The estimate as DeLong writes it, over all pairs.
    #[test]
    fn the_interval_is_delongs() {
        let scored = |number: u32| (f64::from(number * 37 % 60 / 2), number * 37 % 60 + number * 17 % 41 > 55);
        let of = |class: bool| (0..60).map(scored).filter(|one| one.1 == class).map(|one| one.0).collect::<Vec<_>>();
        let (positives, negatives) = (of(true), of(false));
        let win = |positive: f64, negative: f64| match positive.total_cmp(&negative) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let of_positives: Vec<f64> = positives
            .iter()
            .map(|one| mean(&negatives.iter().map(|other| win(*one, *other)).collect::<Vec<_>>()))
            .collect();
        let of_negatives: Vec<f64> = negatives
            .iter()
            .map(|one| mean(&positives.iter().map(|other| win(*other, *one)).collect::<Vec<_>>()))
            .collect();
        let area = mean(&of_positives);
        let part = |values: &[f64]| {
            let squares: f64 = values.iter().map(|value| (value - area).powi(2)).sum();
            squares / (values.len() - 1) as f64 / values.len() as f64
        };
        let half = 1.96 * (part(&of_positives) + part(&of_negatives)).sqrt();
        let interval = roc_auc_interval(&positives, &negatives).expect("enough");
        assert!((roc_auc(&positives, &negatives).expect("both classes") - area).abs() < 1e-12);
        assert!((interval.low - (area - half)).abs() < 1e-4 && (interval.high - (area + half)).abs() < 1e-4);
    }

    proptest! {
        #[test]
        fn the_area_counts_pairs(
            positives in prop::collection::vec((0..6_u8).prop_map(f64::from), 1..30),
            negatives in prop::collection::vec((0..6_u8).prop_map(f64::from), 1..30),
        ) {
            let pairs = positives.iter().flat_map(|one| negatives.iter().map(move |other| one.total_cmp(other) as i8));
            let wins: f64 = pairs.map(|order| (f64::from(order) + 1.0) / 2.0).sum();
            let area = roc_auc(&positives, &negatives).expect("both classes");
            prop_assert_eq!(area, wins / (positives.len() * negatives.len()) as f64);
        }
    }
}
