use modstream_classifier::{Model, Scratch};

use crate::data::LabelledComments;
use crate::metrics;

/// How good a model is on comments with verdicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Comments.
    pub comments: usize,
    /// The area under the ROC curve; NaN with one class only.
    pub roc_auc: f64,
    /// Average precision; NaN where nothing is removed.
    pub pr_auc: f64,
    /// At probability 0.5.
    pub accuracy: f64,
    /// At probability 0.5.
    pub f1: f64,
    /// In nats.
    pub log_loss: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Expected calibration error, ten bins of equal width.
    pub ece: f64,
}

impl Evaluation {
    /// Of scores, as log-odds, and verdicts.
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
        }
    }
}

/// Scores every comment and compares with its verdict; `done` hears how many are.
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
