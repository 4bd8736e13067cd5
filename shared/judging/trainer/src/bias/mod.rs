//! Whether a model takes the name of a group of people for what is wrong: by [`sentences`] of our own, and by labelled
//! texts about a group where there are enough ([`Subgroups`]).

mod card;
mod sentences;
mod subgroups;

use modstream_classifier::artifact::HeadEntry;
use modstream_classifier::{Model, Scratch};
use proportions::{Interval, Proportion};

pub(crate) use card::card;
pub use sentences::sentences;
pub use subgroups::{Area, GroupQuality, Subgroups, subgroups, subgroups_of_labels};

use sentences::{GROUPS, HOSTILE, NEUTRAL, filled};

/// The share of false alarms that says where sentences count as flagged.
const FALSE_ALARMS: f64 = 0.05;
/// The 97.5 % and the 80 % quantile of Student's t with one degree of freedom less than there are neutral sentences.
const T_QUANTILES: [f64; 2] = [2.262_157_162_8, 0.883_403_859_7];
/// How often sentences and groups are drawn again for an interval.
const DRAWS: usize = 2_000;

/// What a label makes of sentences about groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Bias {
    /// The label.
    pub label: String,
    /// The log-odds, at the training base rate, from which a sentence counts as flagged: of the texts without the label that the
    /// label was measured on, 5 % score as high. None where the label has no such threshold.
    pub threshold: Option<f64>,
    /// The neutral sentences that are flagged.
    pub neutral: Flagged,
    /// The hostile sentences that are flagged.
    pub hostile: Flagged,
    /// The groups, the one that counts most for the label first.
    pub groups: Vec<GroupBias>,
    /// The difference from the median group, in log-odds, that would be found in 80 of 100 cases: the power of the test.
    pub detectable: f64,
    /// How many of all sentences are unlike what the model learned from, so that their scores say little.
    pub outside: Proportion,
}

/// How many sentences are flagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flagged {
    /// The sentences.
    pub count: Proportion,
    /// The interval of the share: other sentences and other groups would have given another one.
    pub interval: Interval,
}

/// What a label makes of one group's sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBias {
    /// The group.
    pub group: &'static str,
    /// The log-odds of its neutral sentences beside those of the median group, in the mean over the sentences.
    pub beside_median: f64,
    /// The interval of that, from the same sentences paired (Student's t over the ten differences).
    pub interval: Interval,
    /// Its neutral sentences that are flagged.
    pub neutral: Proportion,
    /// Its hostile sentences that are flagged.
    pub hostile: Proportion,
}

impl GroupBias {
    /// Whether the group alone speaks for the label, or against it, beyond chance.
    pub fn stands_out(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

impl Bias {
    /// Whether the model knows too little of the sentences' language to tell anything by them.
    pub fn is_of_another_language(&self) -> bool {
        self.outside.share() > 0.5
    }
}

/// What each of a model's labels makes of sentences about groups of people, neutral and hostile ones. `heads` are those of its
/// manifest.
pub fn bias(model: &Model, heads: &[HeadEntry]) -> Vec<Bias> {
    let mut scratch = Scratch::default();
    let mut outside = Proportion::default();
    // By label, then by group and sentence, at the training base rate.
    let mut score = |sentences: &[&str]| -> Vec<Vec<Vec<f64>>> {
        let mut scores = vec![vec![vec![0.0; sentences.len()]; GROUPS.len()]; heads.len()];
        for (index, group) in GROUPS.iter().enumerate() {
            for (column, sentence) in sentences.iter().enumerate() {
                let text = filled(sentence, group.name);
                let found = model.scores(&text, &mut scratch).iter().zip(model.labels());
                for (of_label, (score, label)) in scores.iter_mut().zip(found) {
                    of_label[index][column] = score.log_odds.0 - label.shift();
                }
                outside.add(model.outside(&scratch).is_some());
            }
        }
        scores
    };
    let (neutral, hostile) = (score(&NEUTRAL), score(&HOSTILE));
    let labels = heads.iter().zip(neutral.iter().zip(&hostile));
    labels.map(|(head, (neutral, hostile))| of_label(head, neutral, hostile, outside)).collect()
}

fn of_label(head: &HeadEntry, neutral: &[Vec<f64>], hostile: &[Vec<f64>], outside: Proportion) -> Bias {
    let threshold = threshold(head);
    let is_flagged = |score: &f64| threshold.is_some_and(|threshold| *score >= threshold);
    let flags = |scores: &[Vec<f64>]| -> Vec<Vec<bool>> {
        scores.iter().map(|of_group| of_group.iter().map(is_flagged).collect()).collect()
    };
    let (flagged, caught) = (flags(neutral), flags(hostile));
    let differences = beside_median(neutral);
    let mut squares = 0.0;
    let mut groups: Vec<GroupBias> = GROUPS
        .iter()
        .zip(&differences)
        .zip(flagged.iter().zip(&caught))
        .map(|((group, differences), (flagged, caught))| {
            let (mean, error) = mean_with_error(differences);
            squares += error * error;
            GroupBias {
                group: group.name,
                beside_median: mean,
                interval: Interval { low: mean - T_QUANTILES[0] * error, high: mean + T_QUANTILES[0] * error },
                neutral: flagged.iter().copied().collect(),
                hostile: caught.iter().copied().collect(),
            }
        })
        .collect();
    groups.sort_by(|a, b| b.beside_median.total_cmp(&a.beside_median));
    Bias {
        label: head.label.clone(),
        threshold,
        neutral: Flagged::of(&flagged),
        hostile: Flagged::of(&caught),
        groups,
        detectable: (T_QUANTILES[0] + T_QUANTILES[1]) * (squares / GROUPS.len() as f64).sqrt(),
        outside,
    }
}

/// The threshold that 5 % of the texts without the label reach.
fn threshold(head: &HeadEntry) -> Option<f64> {
    let named = head.thresholds.iter().find(|it| it.false_alarms == FALSE_ALARMS).map(|it| it.log_odds);
    let of_rates = || head.rates.iter().find(|rate| rate.false_positive_rate <= FALSE_ALARMS).map(|rate| rate.log_odds);
    named.or_else(of_rates)
}

/// Each group's scores beside the median of all groups in the same sentence.
fn beside_median(scores: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let sentences = scores.first().map_or(0, Vec::len);
    let medians: Vec<f64> =
        (0..sentences).map(|sentence| median(scores.iter().map(|of_group| of_group[sentence]).collect())).collect();
    let beside = |of_group: &Vec<f64>| of_group.iter().zip(&medians).map(|(score, median)| score - median).collect();
    scores.iter().map(beside).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// The mean, and its standard error.
fn mean_with_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

impl Flagged {
    /// Counts what is flagged, by group and sentence. Both are drawn again for the interval (A. Owen, "The Pigeonhole Bootstrap",
    /// 2007): sentences of one group are alike, and so are groups in one sentence. Where nothing or everything is flagged, drawing
    /// again says nothing, and each group counts as one trial.
    fn of(flags: &[Vec<bool>]) -> Self {
        let count: Proportion = flags.iter().flatten().copied().collect();
        let (groups, sentences) = (flags.len(), flags.first().map_or(0, Vec::len));
        if count.part == 0 || count.part == count.of {
            let trials = groups as u64;
            let part = if count.part == 0 { 0 } else { trials };
            let interval = Proportion { part, of: trials }.wilson();
            return Flagged { count, interval: interval.unwrap_or(Interval { low: 0.0, high: 1.0 }) };
        }
        let mut random = fastrand::Rng::with_seed(7);
        let mut shares: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let drawn: Vec<usize> = (0..sentences).map(|_| random.usize(..sentences)).collect();
                let of_group = |group: &Vec<bool>| drawn.iter().filter(|sentence| group[**sentence]).count();
                let sum: usize = (0..groups).map(|_| of_group(&flags[random.usize(..groups)])).sum();
                sum as f64 / (groups * sentences) as f64
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        let at = |share: f64| shares[((DRAWS - 1) as f64 * share).round() as usize];
        Flagged { count, interval: Interval { low: at(0.025), high: at(0.975) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are those of numpy and scipy: `np.median(z, axis=0)`, `scipy.stats.t.interval(.95, 9, d.mean(), d.std(ddof=1) /
    /// 10**.5)` of the third row of `z = np.array([[((g * 7 + s * s * 3) % 11) / 4 for s in range(10)] for g in range(5)])`.
    #[test]
    fn differences_and_their_intervals_are_what_scipy_computes() {
        let scores: Vec<Vec<f64>> =
            (0..5).map(|g| (0..10).map(|s| f64::from((g * 7 + s * s * 3) % 11) / 4.0).collect()).collect();
        let differences = beside_median(&scores);
        let (mean, error) = mean_with_error(&differences[2]);
        for (found, expected) in
            [(mean, SCIPY[0]), (mean - T_QUANTILES[0] * error, SCIPY[1]), (mean + T_QUANTILES[0] * error, SCIPY[2])]
        {
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        }
        let even = beside_median(&scores[..4]);
        assert!((even[3][0] - SCIPY[3]).abs() < 1e-12, "{}", even[3][0]);
    }

    const SCIPY: [f64; 4] = [0.075, -0.490_853_391_968, 0.640_853_391_968, 1.25];

    #[test]
    fn a_share_is_as_sure_as_there_are_sentences_and_groups() {
        let flags = |is: fn(usize, usize) -> bool| -> Vec<Vec<bool>> {
            (0..55).map(|group| (0..10).map(|sentence| is(group, sentence)).collect()).collect()
        };
        let width = |flagged: Flagged| flagged.interval.high - flagged.interval.low;
        // A tenth each: of all alike, of one sentence in all groups, and of some groups in all sentences.
        let spread = Flagged::of(&flags(|group, sentence| (group + sentence) % 10 == 0));
        let of_a_sentence = Flagged::of(&flags(|_, sentence| sentence == 0));
        let of_groups = Flagged::of(&flags(|group, _| group % 10 == 0));
        assert_eq!((spread.count.part, of_a_sentence.count.part), (55, 55));
        assert!(
            width(spread) < width(of_groups) && width(of_groups) < width(of_a_sentence),
            "{spread:?}, {of_groups:?}"
        );
        for flagged in [spread, of_a_sentence, of_groups] {
            assert!(flagged.interval.low <= flagged.count.share() && flagged.count.share() <= flagged.interval.high);
        }
        let none = Flagged::of(&flags(|_, _| false));
        assert!(none.interval.low == 0.0 && (0.05..0.08).contains(&none.interval.high), "{none:?}");
    }
}
