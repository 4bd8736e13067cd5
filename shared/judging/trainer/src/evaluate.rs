use modstream_classifier::artifact::CalibrationFloor;
use modstream_classifier::{Model, Scratch};

use crate::data::LabelledComments;
use crate::metrics;

/// How good a model is on comments with verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The number of comments.
    pub comments: usize,
    /// The area under the ROC curve; NaN with one class only.
    pub roc_auc: f64,
    /// The average precision; NaN where nothing is removed.
    pub pr_auc: f64,
    /// The accuracy at probability 0.5.
    pub accuracy: f64,
    /// The F1 score at probability 0.5.
    pub f1: f64,
    /// The log loss, in nats.
    pub log_loss: f64,
    /// The mean squared error of the probability.
    pub brier: f64,
    /// The expected calibration error, over ten bins of equal width.
    pub ece: f64,
    /// What a perfect model with the same probabilities measures; none of no comments.
    pub ece_floor: Option<CalibrationFloor>,
}

impl Evaluation {
    /// Measures scores, given as log-odds, against verdicts.
    pub fn of(log_odds: &[f64], removed: &[bool]) -> Self {
        let probabilities = metrics::probabilities(log_odds);
        Evaluation {
            comments: removed.len(),
            roc_auc: metrics::roc_auc(log_odds, removed),
            pr_auc: metrics::pr_auc(log_odds, removed),
            accuracy: metrics::accuracy(&probabilities, removed),
            f1: metrics::f1(&probabilities, removed),
            log_loss: metrics::log_loss(log_odds, removed),
            brier: metrics::brier(&probabilities, removed),
            ece: metrics::expected_calibration_error(&probabilities, removed),
            ece_floor: metrics::calibration_error_floor(&probabilities),
        }
    }
}

/// Scores every comment and compares the score with the verdict; `done` is told how many are scored.
pub fn evaluate(model: &Model, comments: &LabelledComments, mut done: impl FnMut(usize)) -> Evaluation {
    let mut scratch = Scratch::default();
    let log_odds: Vec<f64> = comments
        .texts
        .iter()
        .zip(1..)
        .map(|(text, count)| {
            done(count);
            model.score(text, &mut scratch).log_odds.0
        })
        .collect();
    Evaluation::of(&log_odds, &comments.removed)
}
