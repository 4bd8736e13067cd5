//! How good a model is, as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.
//!
//! A [`Replay`] is the page of what another model or policy would have done.
//!
//! A [`Report`] takes plain data, scored comments with their verdicts above all, and gives the page as text. It reads and writes
//! no file, and knows no model.

mod bias;
mod chart;
mod checks;
pub mod html;
mod numbers;
mod replay;
mod sections;
mod stats;
mod subgroup;
mod terms;

pub use bias::{Bias, GroupBias};
pub use checks::Finding;
pub use replay::{Difference, Example, Judged, Replay, Score, Side};
pub use subgroup::{Subgroup, SubgroupError};
pub use terms::Terms;

/// A scored comment and its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Comment<'a> {
    /// The comment's text.
    pub text: &'a str,
    /// Whether moderators removed it.
    pub removed: bool,
    /// The score. Comments are put in order by it: far out, probabilities round to 0 or 1.
    pub log_odds: f64,
    /// The score as a probability.
    pub probability: f64,
    /// Whether the comment meets the policy. The policy goes by the score: what scores higher than a comment that alerts, alerts.
    pub alerts: bool,
}

/// The metrics of all comments. One that can't be measured is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Quality {
    /// The area under the ROC curve.
    pub roc_auc: f64,
    /// The area under the precision-recall curve, by steps.
    pub average_precision: f64,
    /// The mean negative log-likelihood of the verdicts, in nats.
    pub log_loss: f64,
    /// The mean squared error of the probability.
    pub brier: f64,
    /// The expected calibration error.
    pub ece: f64,
    /// The calibration error of a perfect model with the same probabilities: its mean, and what it stays below in 95 of 100 cases.
    pub ece_floor: Option<[f64; 2]>,
    /// The share of right verdicts, where comments are removed from probability 0.5 up.
    pub accuracy: f64,
    /// The harmonic mean of precision and recall, where comments are removed from probability 0.5 up.
    pub f1: f64,
}

/// Which comments alert.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The condition as a person writes it.
    pub condition: &'a str,
    /// The probability from which on comments alert, where the policy names one. Else it is that of the lowest that does.
    pub threshold: Option<f64>,
}

/// What moved a score, and by how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The term as the text spells it.
    pub term: String,
    /// What the term adds to the log-odds.
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
    /// The subgroups whose words to look for.
    pub subgroups: &'a [Subgroup],
    /// What the model makes of sentences about groups of people; none where that is not asked.
    pub bias: Option<&'a Bias>,
    /// What is to be said of the comments themselves, before any number of theirs is believed.
    pub findings: &'a [Finding],
    /// Gives the strongest reasons of a text's score. The page asks for the few texts that it shows.
    pub explain: &'a dyn Fn(&str) -> Vec<Reason>,
}

impl Report<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        sections::page(self)
    }

    /// How many comments `is` says yes to.
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
