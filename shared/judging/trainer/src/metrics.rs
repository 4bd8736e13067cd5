//! Measures the quality of scores against verdicts, by the formulas of scikit-learn's `metrics`
//! ([user guide](https://scikit-learn.org/stable/modules/model_evaluation.html)).

use modstream_classifier::LogOdds;
use modstream_classifier::artifact::CalibrationFloor;

/// The number of bins of [`expected_calibration_error`].
const BINS: usize = 10;

/// Each distinct score as a threshold, falling, with the number of removed and of kept comments at or above it.
pub(crate) fn cumulative(scores: &[f64], removed: &[bool]) -> Vec<(f64, usize, usize)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut hits, mut alarms) = (0, 0);
    let mut steps: Vec<(f64, usize, usize)> = Vec::new();
    for index in order {
        hits += usize::from(removed[index]);
        alarms += usize::from(!removed[index]);
        match steps.last_mut() {
            Some(last) if last.0 == scores[index] => (last.1, last.2) = (hits, alarms),
            _ => steps.push((scores[index], hits, alarms)),
        }
    }
    steps
}

/// The area under the ROC curve: how often a removed comment scores above a kept one, ties half. NaN with one class only.
pub fn roc_auc(scores: &[f64], removed: &[bool]) -> f64 {
    let class = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(removed).filter(|(_, removed)| **removed == wanted).map(|(score, _)| *score).collect()
    };
    proportions::roc_auc(&class(true), &class(false)).unwrap_or(f64::NAN)
}

/// The average precision, which is the area under the precision-recall curve by steps. NaN where nothing is removed.
pub fn pr_auc(scores: &[f64], removed: &[bool]) -> f64 {
    let steps = cumulative(scores, removed);
    let all = steps.last().map_or(0, |last| last.1) as f64;
    let (mut area, mut before) = (0.0, 0);
    for (_, hits, alarms) in steps {
        area += (hits - before) as f64 / all * hits as f64 / (hits + alarms) as f64;
        before = hits;
    }
    if all > 0.0 { area.min(1.0) } else { f64::NAN }
}

/// The share of right verdicts at probability 0.5, which counts as removed.
pub fn accuracy(probabilities: &[f64], removed: &[bool]) -> f64 {
    mean(probabilities.iter().zip(removed).map(|(p, removed)| f64::from(u8::from((*p >= 0.5) == *removed))))
}

/// The harmonic mean of precision and recall at probability 0.5; 0 where nothing is hit.
pub fn f1(probabilities: &[f64], removed: &[bool]) -> f64 {
    let count = |wanted: fn(bool, bool) -> bool| {
        probabilities.iter().zip(removed).filter(|(p, removed)| wanted(**p >= 0.5, **removed)).count() as f64
    };
    let hits = count(|alarm, removed| alarm && removed);
    let wrong = count(|alarm, removed| alarm != removed);
    if hits > 0.0 { 2.0 * hits / (2.0 * hits + wrong) } else { 0.0 }
}

/// The mean negative log-likelihood of the verdicts, in nats. It takes log-odds, since probabilities round to 0 or 1.
pub fn log_loss(log_odds: &[f64], removed: &[bool]) -> f64 {
    mean(log_odds.iter().zip(removed).map(|(z, &removed)| {
        let z = if removed { -z } else { *z };
        z.max(0.0) + (-z.abs()).exp().ln_1p()
    }))
}

/// The mean squared error of the probabilities.
pub fn brier(probabilities: &[f64], removed: &[bool]) -> f64 {
    mean(probabilities.iter().zip(removed).map(|(p, &removed)| (p - f64::from(u8::from(removed))).powi(2)))
}

/// The expected calibration error: over ten bins of equal width, the mean distance of the mean probability from the
/// share that is removed, weighted by comments (M. P. Naeini et al., "Obtaining Well Calibrated Probabilities Using
/// Bayesian Binning", 2015).
pub fn expected_calibration_error(probabilities: &[f64], removed: &[bool]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (p, &removed) in probabilities.iter().zip(removed) {
        let (claimed, happened) = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        *claimed += p;
        *happened += f64::from(u8::from(removed));
    }
    bins.iter().map(|(claimed, happened)| (claimed - happened).abs()).sum::<f64>() / probabilities.len() as f64
}

/// What [`expected_calibration_error`] measures of a perfect model with these probabilities, by chance alone: the fewer comments, the
/// more. Verdicts are drawn by the probabilities, always the same ones.
pub fn calibration_error_floor(probabilities: &[f64]) -> Option<CalibrationFloor> {
    const MOST_VERDICTS: usize = 4_000_000;
    if probabilities.is_empty() {
        return None;
    }
    let draws = (MOST_VERDICTS / probabilities.len()).clamp(40, 400);
    let mut random = fastrand::Rng::with_seed(7);
    let mut errors: Vec<f64> = (0..draws)
        .map(|_| {
            let verdicts: Vec<bool> = probabilities.iter().map(|p| random.f64() < *p).collect();
            expected_calibration_error(probabilities, &verdicts)
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    let high = errors[((draws - 1) as f64 * 0.95).round() as usize];
    Some(CalibrationFloor { mean: errors.iter().sum::<f64>() / draws as f64, high })
}

/// The probabilities of log-odds.
pub fn probabilities(log_odds: &[f64]) -> Vec<f64> {
    log_odds.iter().map(|z| LogOdds(*z).probability()).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: [f64; 8] = [0.1, 0.4, 0.35, 0.8, 0.65, 0.35, 0.9, 0.05];
    const REMOVED: [bool; 8] = [false, false, true, true, false, false, true, false];

    /// The numbers are scikit-learn's for the same eight comments (`roc_auc_score`, `average_precision_score`, ...).
    #[test]
    fn metrics_are_what_scikit_learn_computes() {
        let log_odds = P.map(|p| LogOdds::of(p).0);
        for (name, found, expected) in [
            ("roc_auc", roc_auc(&P, &REMOVED), SKLEARN[0]),
            ("pr_auc", pr_auc(&P, &REMOVED), SKLEARN[1]),
            ("accuracy", accuracy(&P, &REMOVED), SKLEARN[2]),
            ("f1", f1(&P, &REMOVED), SKLEARN[3]),
            ("log_loss", log_loss(&log_odds, &REMOVED), SKLEARN[4]),
            ("brier", brier(&P, &REMOVED), SKLEARN[5]),
        ] {
            assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}");
        }
    }

    const SKLEARN: [f64; 6] =
        [0.833333333333, 0.833333333333, 0.750000000000, 0.666666666667, 0.440801333234, 0.148750000000];

    #[test]
    fn a_calibration_error_is_the_gap_in_each_bin() {
        let removed = [true, false, false, false];
        assert!((expected_calibration_error(&[0.25; 4], &removed) - 0.0).abs() < 1e-12);
        assert!((expected_calibration_error(&[0.75; 4], &removed) - 0.5).abs() < 1e-12);
        assert!((expected_calibration_error(&[1.0, 0.0, 0.0, 0.0], &removed)).abs() < 1e-12);
    }

    /// 1,423 probabilities of a uniform spread over log-odds: numpy, drawing verdicts 4,000 times, has a mean of .0240 and a 95th
    /// percentile of .0348.
    #[test]
    fn a_perfect_model_measures_what_chance_makes() {
        let spread = |count: usize| -> Vec<f64> {
            (0..count).map(|row| LogOdds(-4.0 + 6.0 * (row as f64 + 0.5) / count as f64).probability()).collect()
        };
        let floor = calibration_error_floor(&spread(1_423)).expect("some");
        assert!((floor.mean - NUMPY[0]).abs() < 0.001 && (floor.high - NUMPY[1]).abs() < 0.003, "{floor:?}");
        let more = calibration_error_floor(&spread(14_230)).expect("some");
        assert!(more.mean < floor.mean / 2.5 && more.high < floor.high / 2.5, "{more:?}");
        assert_eq!(calibration_error_floor(&[]), None);
        assert_eq!(calibration_error_floor(&[0.0, 1.0]), Some(CalibrationFloor { mean: 0.0, high: 0.0 }));
    }

    const NUMPY: [f64; 2] = [0.0240, 0.0348];

    #[test]
    fn what_cant_be_measured_is_nan() {
        assert!(roc_auc(&[0.1, 0.2], &[true, true]).is_nan() && roc_auc(&[], &[]).is_nan());
        assert!(pr_auc(&[0.1], &[false]).is_nan());
    }
}
