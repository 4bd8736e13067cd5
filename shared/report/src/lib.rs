//! How good a model is, as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.
//!
//! A [`Replay`] is the page of what another model or policy would have done.
//!
//! A [`Report`] takes plain data, scored comments with their verdicts above all, and gives the page as text. It reads and writes
//! no file, and knows no model.

mod chart;
pub mod html;
mod numbers;
mod replay;
mod sections;
mod stats;
mod subgroup;
mod terms;

pub use replay::{Difference, Example, Judged, Replay, Score, Side};
pub use subgroup::{Subgroup, SubgroupError};
pub use terms::Terms;

/// A scored comment and its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// The text.
    pub text: &'a str,
    /// Whether moderators removed it.
    pub removed: bool,
    /// The score. Comments are put in order by it: far out, probabilities round to 0 or 1.
    pub log_odds: f64,
    /// The score as a probability.
    pub probability: f64,
    /// Whether it meets the policy. The policy goes by the score: what scores higher than a comment that alerts, alerts.
    pub alerts: bool,
}

/// Metrics of all comments. NaN where one can't be measured.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// The area under the ROC curve.
    pub roc_auc: f64,
    /// The area under the precision-recall curve, by steps.
    pub average_precision: f64,
    /// In nats.
    pub log_loss: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Expected calibration error.
    pub ece: f64,
    /// At probability 0.5.
    pub accuracy: f64,
    /// At probability 0.5.
    pub f1: f64,
}

/// Which comments alert.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// As a person writes it.
    pub condition: &'a str,
    /// The probability from which on comments alert, where the policy names one. Else it is that of the lowest that does.
    pub threshold: Option<f64>,
}

/// What moved a score, and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// As the text spells it.
    pub term: String,
    /// What it adds to the log-odds.
    pub contribution: f64,
}

/// What a page tells.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The model's name.
    pub model: &'a str,
    /// The model's version.
    pub version: &'a str,
    /// The share of comments that are removed, as the model assumes.
    pub base_rate: f64,
    /// Metrics of the comments.
    pub quality: Quality,
    /// Which comments alert.
    pub policy: Policy<'a>,
    /// The comments, in any order.
    pub comments: &'a [Comment<'a>],
    /// What terms contributed, over all comments.
    pub terms: &'a Terms,
    /// Whose words to look for.
    pub subgroups: &'a [Subgroup],
    /// The strongest reasons of a text's score. Asked for the few texts that are shown.
    pub explain: &'a dyn Fn(&str) -> Vec<Reason>,
}

impl Report<'_> {
    /// The page.
    pub fn html(&self) -> String {
        sections::page(self)
    }

    /// How many comments are such.
    fn count(&self, is: impl Fn(&Comment<'_>) -> bool) -> usize {
        self.comments.iter().filter(|comment| is(comment)).count()
    }

    fn removed(&self) -> usize {
        self.count(|comment| comment.removed)
    }

    fn kept(&self) -> usize {
        self.comments.len() - self.removed()
    }

    /// The probability from which on comments alert; none where none does.
    fn threshold(&self) -> Option<f64> {
        let alerting = self.comments.iter().filter(|comment| comment.alerts).map(|comment| comment.probability);
        self.policy.threshold.or_else(|| alerting.reduce(f64::min))
    }
}

#[cfg(test)]
mod tests;
