//! How what is differs from what was.

use modstream_classifier::PromisedShares;
use modstream_report::Judged;
use modstream_trainer::checks::is_many;
use proportions::Proportion;

use super::sides::{CommentOutcome, Known};

/// How many examples of a kind are kept.
const KEPT_EXAMPLES: usize = 10;

/// Alerts, and the verdicts on their comments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) alerts: usize,
    pub(crate) judged: Judged,
}

impl Tally {
    fn add(&mut self, removed: Option<bool>) {
        self.alerts += 1;
        judge(&mut self.judged, removed);
    }
}

fn judge(judged: &mut Judged, removed: Option<bool>) {
    match removed {
        Some(true) => judged.removed += 1,
        Some(false) => judged.kept += 1,
        None => {}
    }
}

/// How many comments a model was trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrainedOn(Option<Proportion>);

impl TrainedOn {
    /// Counts a comment; nothing is counted where it is not known.
    pub(crate) fn add(&mut self, is: Option<bool>) {
        if let Some(is) = is {
            self.0.get_or_insert_default().add(is);
        }
    }

    /// The number of comments; none where it is not known.
    pub(crate) fn count(self) -> Option<u64> {
        self.0.map(|seen| if is_many(seen) { seen.part } else { 0 })
    }
}

/// A comment that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) body: String,
    pub(crate) subreddit: Option<String>,
    pub(crate) removed: Option<bool>,
    pub(crate) was: Option<CommentOutcome>,
    pub(crate) now: Option<CommentOutcome>,
    /// How much the example shows; the highest is shown first.
    rank: f64,
}

/// Comments that differ in one way.
#[derive(Clone, Debug, Default)]
pub(crate) struct DifferingComments {
    pub(crate) tally: Tally,
    /// The examples of the highest rank, highest first.
    pub(crate) examples: Vec<Example>,
}

impl DifferingComments {
    fn add(&mut self, comment: &Known, was: Option<&CommentOutcome>, now: Option<&CommentOutcome>, rank: f64) {
        self.tally.add(comment.removed);
        let place = self.examples.partition_point(|example| example.rank >= rank);
        if place < KEPT_EXAMPLES {
            let example = Example {
                body: comment.body.clone(),
                subreddit: comment.subreddit.clone(),
                removed: comment.removed,
                was: was.cloned(),
                now: now.cloned(),
                rank,
            };
            self.examples.insert(place, example);
            self.examples.truncate(KEPT_EXAMPLES);
        }
    }
}

/// The counts of a replay, and a few of its comments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Difference {
    /// Comments that were compared.
    pub(crate) comments: u64,
    /// Repeats of a comment event that came before.
    pub(crate) repeats: u64,
    /// Events that say that a comment is deleted or reported.
    pub(crate) deletions_and_reports: u64,
    /// Records that are no comment event.
    pub(crate) bad_records: usize,
    /// Records that the functions quarantined, bad records among them.
    pub(crate) quarantined: usize,
    /// The comments that each side's model was trained on.
    pub(crate) was_trained_on: TrainedOn,
    pub(crate) now_trained_on: TrainedOn,
    /// The shares that the model to try promises, and how many comments reach them.
    pub(crate) shares: PromisedShares,
    /// The verdicts on all comments, as far as they are known.
    pub(crate) judged: Judged,
    pub(crate) was: Tally,
    pub(crate) now: Tally,
    /// Alerts of both sides.
    pub(crate) kept: Tally,
    pub(crate) won: DifferingComments,
    pub(crate) lost: DifferingComments,
    /// Alerts of both sides whose severity is another.
    pub(crate) changed: DifferingComments,
    /// How many of these alerts are more urgent now.
    pub(crate) more_urgent: usize,
    /// Alerts of both sides that met another condition.
    pub(crate) other_condition: usize,
}

impl Difference {
    pub(crate) fn add(&mut self, comment: &Known, was: Option<&CommentOutcome>, now: Option<&CommentOutcome>) {
        self.comments += 1;
        judge(&mut self.judged, comment.removed);
        if let Some(share) = now.and_then(|outcome| outcome.share) {
            self.shares.add(share);
        }
        let alert = |side: Option<&CommentOutcome>| side.and_then(|outcome| outcome.alert.clone());
        let probability = |side: Option<&CommentOutcome>| side.map_or(0.0, |outcome| outcome.probability);
        let (before, after) = (alert(was), alert(now));
        if before.is_some() {
            self.was.add(comment.removed);
        }
        if after.is_some() {
            self.now.add(comment.removed);
        }
        match (before, after) {
            (None, None) => {}
            (None, Some(_)) => self.won.add(comment, was, now, probability(now)),
            (Some(_), None) => self.lost.add(comment, was, now, probability(was)),
            (Some(before), Some(after)) => {
                self.kept.add(comment.removed);
                self.other_condition += usize::from(before.condition != after.condition);
                if before.severity != after.severity {
                    self.more_urgent += usize::from(after.severity > before.severity);
                    self.changed.add(comment, was, now, (probability(now) - probability(was)).abs());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sides::Raised;
    use super::*;
    use modstream_events::Severity;

    fn comment(removed: Option<bool>) -> Known {
        Known {
            key: 0,
            #[cfg(feature = "aws")]
            arrived: jiff::Timestamp::UNIX_EPOCH,
            subreddit: None,
            body: "b".to_owned(),
            removed,
        }
    }

    fn outcome(probability: f64, severity: Option<Severity>) -> CommentOutcome {
        let alert = severity.map(|severity| Raised { severity, condition: "probability>=0.7".to_owned() });
        CommentOutcome { probability, share: None, terms: Vec::new(), alert }
    }

    #[test]
    fn won_lost_changed_and_the_same_are_told_apart_with_their_verdicts() {
        let mut all = Difference::default();
        let (low, high) = (Some(Severity::Low), Some(Severity::High));
        let mut add = |removed, was: Option<CommentOutcome>, now: CommentOutcome| {
            all.add(&comment(removed), was.as_ref(), Some(&now));
        };
        add(Some(true), Some(outcome(0.2, None)), outcome(0.95, high));
        add(Some(false), None, outcome(0.9, high));
        add(Some(true), Some(outcome(0.9, high)), outcome(0.1, None));
        add(None, Some(outcome(0.7, low)), outcome(0.95, high));
        add(Some(false), Some(outcome(0.7, low)), outcome(0.71, low));
        add(Some(false), Some(outcome(0.1, None)), outcome(0.2, None));
        assert_eq!((all.comments, all.judged), (6, Judged { removed: 2, kept: 3 }));
        assert_eq!((all.was.alerts, all.now.alerts, all.kept.alerts), (3, 4, 2));
        assert_eq!(all.won.tally, Tally { alerts: 2, judged: Judged { removed: 1, kept: 1 } });
        assert_eq!(all.lost.tally, Tally { alerts: 1, judged: Judged { removed: 1, kept: 0 } });
        assert_eq!((all.changed.tally.alerts, all.more_urgent, all.other_condition), (1, 1, 0));
        assert!(all.won.examples[1].was.is_none() && all.won.examples[0].was.is_some());
    }

    #[test]
    fn the_examples_are_the_surest_and_few() {
        let mut all = Difference::default();
        for n in 0..50 {
            all.add(&comment(None), None, Some(&outcome(f64::from(n % 25) / 25.0, Some(Severity::Low))));
        }
        let shown: Vec<f64> = all.won.examples.iter().map(|example| example.rank).collect();
        assert_eq!((shown.len(), shown[0], shown[9]), (KEPT_EXAMPLES, 0.96, 0.8));
    }
}
