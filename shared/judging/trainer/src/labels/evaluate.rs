use modstream_classifier::artifact::{Caught, Counts, HeadEntry, SourceMetrics, Threshold};
use modstream_classifier::{Model, Scratch};

use super::texts::{LabelledTexts, counts, members};
use crate::metrics;

/// How good one of a model's labels is on texts that it is known of.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelEvaluation {
    /// The label.
    pub label: String,
    /// The quality on each source's texts, apart: sources differ in who wrote and in who judged, so that one number over all of
    /// them says little of any.
    pub sources: Vec<SourceMetrics>,
}

/// Scores every text and compares the scores of each of the model's labels with what is known; `done` is told how many texts are
/// scored. A label of which nothing is known is left out.
pub fn evaluate_labels(
    model: &Model,
    heads: &[HeadEntry],
    texts: &LabelledTexts,
    mut done: impl FnMut(usize),
) -> Vec<LabelEvaluation> {
    let mut scratch = Scratch::default();
    let mut log_odds = vec![Vec::with_capacity(texts.len()); heads.len()];
    for (text, count) in texts.texts.iter().zip(1..) {
        for (column, score) in log_odds.iter_mut().zip(model.scores(text, &mut scratch)) {
            column.push(score.log_odds.0);
        }
        done(count);
    }
    // Thresholds are given at the training base rate.
    for (column, label) in log_odds.iter_mut().zip(model.labels()) {
        column.iter_mut().for_each(|score| *score -= label.shift());
    }
    let evaluations = heads.iter().zip(&log_odds).map(|(head, log_odds)| LabelEvaluation {
        label: head.label.clone(),
        sources: by_source(log_odds, &texts.column(&head.label), texts, &head.thresholds),
    });
    evaluations.filter(|found| !found.sources.is_empty()).collect()
}

/// The quality of scores on each source's texts.
pub(super) fn by_source(
    log_odds: &[f64],
    verdicts: &[Option<bool>],
    texts: &LabelledTexts,
    thresholds: &[Threshold],
) -> Vec<SourceMetrics> {
    let names = texts.source_names();
    let rows = members(&texts.source_indices(), names.len());
    let sources = names.into_iter().zip(rows).map(|(name, rows)| {
        let (scores, known) = known(&rows, log_odds, verdicts);
        let number = |value: f64| value.is_finite().then_some(value);
        SourceMetrics {
            source: name.map(str::to_owned),
            counts: counts(known.iter().copied().map(Some)),
            roc_auc: number(metrics::roc_auc(&scores, &known)),
            pr_auc: number(metrics::pr_auc(&scores, &known)),
            at_thresholds: thresholds.iter().map(|threshold| caught(&scores, &known, threshold.log_odds)).collect(),
        }
    });
    sources.filter(|found| found.counts.texts > 0).collect()
}

/// The scores and verdicts of those of some rows whose verdict is known.
pub(super) fn known(rows: &[usize], log_odds: &[f64], verdicts: &[Option<bool>]) -> (Vec<f64>, Vec<bool>) {
    rows.iter().filter_map(|&row| Some((log_odds[row], verdicts[row]?))).unzip()
}

/// What alerting from these log-odds up does.
fn caught(log_odds: &[f64], verdicts: &[bool], least: f64) -> Caught {
    let alerting = |class: bool| {
        let of_class = log_odds.iter().zip(verdicts).filter(|(_, verdict)| **verdict == class);
        let (all, alerts) =
            of_class.fold((0_u32, 0), |(all, alerts), (score, _)| (all + 1, alerts + u32::from(*score >= least)));
        (all > 0).then(|| f64::from(alerts) / f64::from(all))
    };
    Caught { caught: alerting(true), false_alarms: alerting(false) }
}

/// The shares of false alarms that thresholds are given for.
const FALSE_ALARMS: [f64; 2] = [0.01, 0.05];

/// The lowest threshold at which at most so many of the texts without the label alert, for each share of false alarms.
pub(super) fn thresholds(log_odds: &[f64], verdicts: &[bool]) -> Vec<Threshold> {
    let steps = metrics::cumulative(log_odds, verdicts);
    let Counts { texts, positives } = counts(verdicts.iter().copied().map(Some));
    let negatives = (texts - positives) as f64;
    let lowest = FALSE_ALARMS.iter().filter_map(|&false_alarms| {
        let within = steps.iter().take_while(|(_, _, alarms)| *alarms as f64 <= false_alarms * negatives);
        within.last().map(|&(log_odds, hits, _)| Threshold {
            false_alarms,
            log_odds,
            caught: hits as f64 / positives as f64,
        })
    });
    lowest.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_lets_no_more_false_alarms_through_than_it_says() {
        // 200 texts without the label, one score each, and 20 with it, between them.
        let scores: Vec<f64> = (0..200).map(f64::from).chain((0..20).map(|it| 185.5 + f64::from(it))).collect();
        let scores: Vec<f64> = scores.into_iter().map(|score| score / 40.0).collect();
        let verdicts: Vec<bool> = (0..220).map(|row| row >= 200).collect();
        let found = thresholds(&scores, &verdicts);
        assert_eq!(found.iter().map(|it| it.false_alarms).collect::<Vec<_>>(), [0.01, 0.05]);
        for threshold in found {
            let Caught { caught, false_alarms } = caught(&scores, &verdicts, threshold.log_odds);
            assert!(false_alarms.expect("negatives") <= threshold.false_alarms, "{threshold:?}");
            assert_eq!(caught, Some(threshold.caught));
        }
    }
}
