use modstream_classifier::{Calibration, LogOdds};

/// Platt's calibration: the line through the log-odds under which the verdicts are likeliest, with his smoothed targets, by
/// Newton's method (H.-T. Lin et al., "A note on Platt's probabilistic outputs for support vector machines", 2007).
///
/// There is none where higher scores don't mean more removals.
pub(crate) fn platt(log_odds: &[f64], removed: &[bool]) -> Option<Calibration> {
    let positives = removed.iter().filter(|removed| **removed).count() as f64;
    let negatives = removed.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let target = |removed: bool| if removed { high } else { low };
    // ln(1 + e^z) - t z, without overflow.
    let loss = |slope: f64, intercept: f64| -> f64 {
        log_odds
            .iter()
            .zip(removed)
            .map(|(x, &removed)| {
                let z = slope * x + intercept;
                z.max(0.0) + (-z.abs()).exp().ln_1p() - target(removed) * z
            })
            .sum()
    };
    let (mut slope, mut intercept) = (1.0, 0.0);
    let mut current = loss(slope, intercept);
    for _ in 0..100 {
        let (mut gs, mut gi, mut hss, mut hsi, mut hii) = (0.0, 0.0, 1e-12, 0.0, 1e-12);
        for (x, &removed) in log_odds.iter().zip(removed) {
            let p = LogOdds(slope * x + intercept).probability();
            let (residual, weight) = (p - target(removed), p * (1.0 - p));
            gs += residual * x;
            gi += residual;
            hss += weight * x * x;
            hsi += weight * x;
            hii += weight;
        }
        if gs.abs().max(gi.abs()) < 1e-9 * removed.len() as f64 {
            break;
        }
        let determinant = hss * hii - hsi * hsi;
        let (ds, di) = ((hii * gs - hsi * gi) / determinant, (hss * gi - hsi * gs) / determinant);
        let step = (0..40)
            .map(|halvings| 0.5_f64.powi(halvings))
            .find(|step| loss(slope - step * ds, intercept - step * di) < current);
        let Some(step) = step else { break };
        slope -= step * ds;
        intercept -= step * di;
        current = loss(slope, intercept);
    }
    (slope > 0.0 && slope.is_finite() && intercept.is_finite()).then_some(Calibration { slope, intercept })
}

/// The calibration of a model of all comments, from that of the models of the folds. The more comments a model learns from, the wider
/// its scores are spread, so that the promises of the folds' models would be met too often by it. Neither kind has left anything out
/// that could be compared; so the scores of comments that both have seen are, `[of a fold's model, of the model of all]` each: the
/// line brings these to the mean and the spread of those.
pub(crate) fn for_all(of_folds: Calibration, seen: &[[f64; 2]]) -> Calibration {
    let count = seen.len() as f64;
    let mean = |side: usize| seen.iter().map(|scores| scores[side]).sum::<f64>() / count;
    let means = [mean(0), mean(1)];
    let spread = |side: usize| seen.iter().map(|scores| (scores[side] - means[side]).powi(2)).sum::<f64>().sqrt();
    let ratio = spread(0) / spread(1);
    if !(ratio.is_finite() && ratio > 0.0) {
        return of_folds;
    }
    let Calibration { slope, intercept } = of_folds;
    Calibration { slope: slope * ratio, intercept: intercept + slope * (means[0] - ratio * means[1]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verdicts drawn so that the true log-odds are `slope * x + intercept`.
    fn drawn(slope: f64, intercept: f64) -> (Vec<f64>, Vec<bool>) {
        let mut random = fastrand::Rng::with_seed(7);
        (0..20_000)
            .map(|_| {
                let x = random.f64() * 6.0 - 3.0;
                (x, random.f64() < LogOdds(slope * x + intercept).probability())
            })
            .unzip()
    }

    #[test]
    fn the_line_that_made_the_verdicts_is_found() {
        let (x, removed) = drawn(1.7, -0.8);
        let line = platt(&x, &removed).expect("a rising line");
        assert!((line.slope - 1.7).abs() < 0.06 && (line.intercept + 0.8).abs() < 0.06, "{line:?}");
    }

    #[test]
    fn a_wider_model_is_calibrated_as_the_narrower_ones_are() {
        let of_folds = Calibration { slope: 1.3, intercept: -0.4 };
        let seen: Vec<[f64; 2]> =
            (0..50).map(|row| f64::from(row * 17 % 50) / 10.0).map(|z| [z, 1.06 * z - 0.2]).collect();
        let found = for_all(of_folds, &seen);
        for [narrow, wide] in &seen {
            let (one, other) = (1.3 * narrow - 0.4, found.slope * wide + found.intercept);
            assert!((one - other).abs() < 1e-9, "{one} {other}");
        }
        assert_eq!(for_all(of_folds, &[[0.0, 1.0]; 3]), of_folds);
    }

    #[test]
    fn scores_that_say_the_opposite_give_no_line() {
        let (x, removed) = drawn(-1.0, 0.0);
        assert_eq!(platt(&x, &removed), None);
    }
}
