//! What more comments would bring.

use proportions::Interval;
use rayon::prelude::*;

use crate::data::LabelledComments;
use crate::fit::Solver;
use crate::metrics;
use crate::settings::Settings;
use crate::tokens::Tokens;
use crate::train::{CONCURRENT_FITS, Dealt, Fitted, NEVER_HELD_OUT, Step, TrainError, check, choose, dealt};

/// The parts of the comments of all folds but one that a model is trained on: each twice the one before.
const PARTS: [f64; 4] = [0.125, 0.25, 0.5, 1.0];
/// The 97.5 % quantile of Student's t with 1 to 9 degrees of freedom, and above.
const T_975_BY_DEGREES: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/// How good models of so many comments are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The comments that each model was trained on, in the mean over the folds.
    pub comments: usize,
    /// The ROC-AUC on the fold that is held out, in the mean.
    pub roc_auc: f64,
    /// What twice the comments gained, with its interval over the folds; none at the first point.
    pub gain: Option<(f64, Interval)>,
}

/// Trains models on an eighth, a quarter, half and all of the comments of all folds but one, and measures each on that one. Weights are
/// found over sparse rows. A part in which a verdict is missing, or no term comes again, is left out.
///
/// # Errors
/// [`TrainError`] where no model can be trained on all.
pub fn learning_curve(
    comments: &LabelledComments,
    settings: &Settings,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Vec<CurvePoint>, TrainError> {
    check(settings)?;
    if comments.is_empty() {
        return Err(TrainError::NoComments);
    }
    let Dealt { fold, .. } = dealt(comments, settings)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(CONCURRENT_FITS).build();
    let threads = threads.map_err(|error| TrainError::Setting(error.to_string()))?;
    let mut order: Vec<usize> = (0..comments.len()).collect();
    fastrand::Rng::with_seed(settings.seed).shuffle(&mut order);
    let tasks: Vec<(usize, usize)> =
        (0..PARTS.len()).flat_map(|part| (0..settings.folds).map(move |held_out| (part, held_out))).collect();
    progress(Step::Fitting(tasks.len()));
    let measured = |&(part, held_out): &(usize, usize)| -> Result<(usize, f64), TrainError> {
        // The same share of each verdict, and each part within the next.
        let mut rows: Vec<usize> = [true, false]
            .into_iter()
            .flat_map(|class| {
                let of_class: Vec<usize> = order
                    .iter()
                    .copied()
                    .filter(|&row| fold[row] != held_out && comments.removed[row] == class)
                    .collect();
                let count = (of_class.len() as f64 * PARTS[part]).round() as usize;
                of_class.into_iter().take(count).collect::<Vec<_>>()
            })
            .collect();
        let learned = rows.len();
        rows.extend((0..comments.len()).filter(|&row| fold[row] == held_out));
        let texts = rows.iter().map(|&row| comments.texts[row].as_str()).collect();
        let removed: Vec<bool> = rows.iter().map(|&row| comments.removed[row]).collect();
        // A part has features of its own, so its texts are read by themselves, with those that are held out as the one fold.
        let fold_of_texts = (0..rows.len()).map(|text| if text < learned { NEVER_HELD_OUT } else { 0 }).collect();
        let tokens = Tokens::of(texts, fold_of_texts, &Settings { folds: 1, ..settings.clone() });
        let (chosen, start) = choose(&tokens, &removed, 0, settings)?;
        let fitted = Fitted::over(&tokens, &removed, 0, chosen, start.as_ref(), Solver::Sparse, settings)?;
        let scores = fitted.log_odds(&tokens, tokens.held_out(0), settings).into_iter();
        let (scores, verdicts): (Vec<f64>, Vec<bool>) = scores.map(|(text, score)| (score, removed[text])).unzip();
        progress(Step::Done);
        Ok((learned, metrics::roc_auc(&scores, &verdicts)))
    };
    let found: Vec<Result<(usize, f64), TrainError>> = threads.install(|| tasks.par_iter().map(measured).collect());
    let mut points: Vec<CurvePoint> = Vec::new();
    let mut before: Option<Vec<f64>> = None;
    let mut of_parts = found.into_iter();
    for part in 0..PARTS.len() {
        let of_folds: Result<Vec<(usize, f64)>, TrainError> = of_parts.by_ref().take(settings.folds).collect();
        let of_folds = match of_folds {
            Ok(of_folds) => of_folds,
            Err(error) if part + 1 == PARTS.len() => return Err(error),
            Err(_) => continue,
        };
        let areas: Vec<f64> = of_folds.iter().map(|(_, area)| *area).collect();
        if areas.iter().any(|area| !area.is_finite()) {
            continue;
        }
        points.push(CurvePoint {
            comments: of_folds.iter().map(|(count, _)| count).sum::<usize>() / settings.folds,
            roc_auc: areas.iter().sum::<f64>() / settings.folds as f64,
            gain: before.as_ref().map(|before| gain(before, &areas)),
        });
        before = Some(areas);
    }
    Ok(points)
}

/// The mean gain over folds, with its interval.
fn gain(before: &[f64], after: &[f64]) -> (f64, Interval) {
    let gains: Vec<f64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    let count = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / count;
    let squares: f64 = gains.iter().map(|gain| (gain - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let half = T_975_BY_DEGREES[(gains.len() - 2).min(T_975_BY_DEGREES.len() - 1)] * error;
    (mean, Interval { low: mean - half, high: mean + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_the_mean_over_folds_with_students_interval() {
        // scipy.stats.t.interval(.95, 4, .02, scipy.stats.sem([.01, .03, .02, .04, 0])) is (.000367, .039633).
        let (mean, interval) = gain(&[0.7; 5], &[0.71, 0.73, 0.72, 0.74, 0.7]);
        assert!((mean - 0.02).abs() < 1e-12);
        assert!((interval.low - 0.000_367).abs() < 1e-5 && (interval.high - 0.039_633).abs() < 1e-5, "{interval:?}");
    }
}
