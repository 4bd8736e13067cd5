//! How well a label is told apart among texts about a group, and beside all others (D. Borkan et al., "Nuanced Metrics for Measuring
//! Unintended Bias with Real Data for Text Classification", 2019).

use std::collections::HashMap;

use modstream_classifier::artifact::HeadEntry;
use modstream_classifier::{Model, Scratch};
use proportions::{Interval, roc_auc, roc_auc_interval};

use super::sentences::GROUPS;
use crate::data::LabelledComments;
use crate::labels::{LabelledTexts, MIN_TEXTS_A_CLASS, measured_on};

/// The power of the mean over groups: the worse a group is, the more it counts.
const POWER: f64 = -5.0;

/// An area under a ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The area.
    pub area: f64,
    /// The interval; none where no pair is in the wrong order.
    pub interval: Option<Interval>,
}

/// How well a label is told apart in texts about one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupQuality {
    /// The group.
    pub group: &'static str,
    /// The texts about it with the label.
    pub positives: usize,
    /// The texts about it without the label.
    pub negatives: usize,
    /// The texts about the group with the label against those about it without.
    pub within: Option<Area>,
    /// The other texts with the label against those about the group without (BPSN: background positive, subgroup negative). Low
    /// where the group's name is taken for the label.
    pub bpsn: Option<Area>,
    /// The texts about the group with the label against the others without (BNSP). Low where the group's name hides the label.
    pub bnsp: Option<Area>,
}

/// A label's quality in texts about groups of people.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgroups {
    /// The label.
    pub label: String,
    /// The source of the texts; none where no row names one.
    pub source: Option<String>,
    /// The texts.
    pub texts: usize,
    /// The groups that any text is about, the one with most texts first. What too few texts tell is none.
    pub groups: Vec<GroupQuality>,
    /// The generalised means over groups, with power -5, of `within`, `bpsn` and `bnsp`; none where no group has it.
    pub means: [Option<f64>; 3],
}

impl Subgroups {
    fn of(label: &str, source: Option<String>, rows: &[(&str, f64, bool)]) -> Self {
        let about: Vec<Vec<usize>> = by_group(rows.iter().map(|(text, ..)| *text));
        let class = |wanted: bool| -> Vec<(usize, f64)> {
            rows.iter().enumerate().filter(|(_, row)| row.2 == wanted).map(|(index, row)| (index, row.1)).collect()
        };
        let (positives, negatives) = (class(true), class(false));
        let mut groups: Vec<GroupQuality> = about
            .iter()
            .zip(GROUPS)
            .filter(|(rows, _)| !rows.is_empty())
            .map(|(members, group)| {
                let split = |class: &[(usize, f64)]| -> (Vec<f64>, Vec<f64>) {
                    let (inside, outside): (Vec<_>, Vec<_>) =
                        class.iter().partition(|(index, _)| members.binary_search(index).is_ok());
                    let scores = |rows: Vec<(usize, f64)>| rows.into_iter().map(|(_, score)| score).collect();
                    (scores(inside), scores(outside))
                };
                let ((sp, bp), (sn, bn)) = (split(&positives), split(&negatives));
                GroupQuality {
                    group: group.name,
                    positives: sp.len(),
                    negatives: sn.len(),
                    within: area(&sp, &sn),
                    bpsn: area(&bp, &sn),
                    bnsp: area(&sp, &bn),
                }
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.positives + group.negatives));
        let mean = |part: fn(&GroupQuality) -> Option<Area>| {
            generalised_mean(&groups.iter().filter_map(part).map(|area| area.area).collect::<Vec<_>>())
        };
        let means = [mean(|it| it.within), mean(|it| it.bpsn), mean(|it| it.bnsp)];
        Subgroups { label: label.to_owned(), source, texts: rows.len(), groups, means }
    }
}

fn area(positives: &[f64], negatives: &[f64]) -> Option<Area> {
    if positives.len().min(negatives.len()) < MIN_TEXTS_A_CLASS {
        return None;
    }
    Some(Area { area: roc_auc(positives, negatives)?, interval: roc_auc_interval(positives, negatives) })
}

fn generalised_mean(areas: &[f64]) -> Option<f64> {
    let sum: f64 = areas.iter().map(|area| area.powf(POWER)).sum();
    (!areas.is_empty()).then(|| (sum / areas.len() as f64).powf(1.0 / POWER))
}

/// The rows that are about each group, rising.
fn by_group<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<Vec<usize>> {
    let mut of_word: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, group) in GROUPS.iter().enumerate() {
        group.words.iter().for_each(|word| of_word.entry(word).or_default().push(index));
    }
    let mut about = vec![Vec::new(); GROUPS.len()];
    for (row, text) in texts.enumerate() {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let pairs = words.windows(2).map(|pair| pair.join(" ")).collect::<Vec<_>>();
        let found = words.iter().copied().chain(pairs.iter().map(String::as_str));
        for &group in found.filter_map(|word| of_word.get(word)).flatten() {
            if about[group].last() != Some(&row) {
                about[group].push(row);
            }
        }
    }
    about
}

/// How well removed comments are told from kept ones in comments about groups of people.
pub fn subgroups(model: &Model, comments: &LabelledComments) -> Subgroups {
    let mut scratch = Scratch::default();
    let scored = comments.iter().map(|(text, removed)| (text, model.score(text, &mut scratch).log_odds.0, removed));
    let rows: Vec<(&str, f64, bool)> = scored.collect();
    Subgroups::of(model.labels()[0].name(), None, &rows)
}

/// How well each of a model's labels is told apart in texts about groups of people: each in the source that has most texts of which it
/// is known. `heads` are those of the model's manifest. A label of which nothing is known is left out.
pub fn subgroups_of_labels(model: &Model, heads: &[HeadEntry], texts: &LabelledTexts) -> Vec<Subgroups> {
    let mut scratch = Scratch::default();
    let scores: Vec<Vec<f64>> = texts
        .texts
        .iter()
        .map(|text| model.scores(text, &mut scratch).iter().map(|score| score.log_odds.0).collect())
        .collect();
    let of_labels = heads.iter().enumerate().filter_map(|(label, head)| {
        let column = texts.column(&head.label);
        let (source, rows) = measured_on(texts, &column);
        let known =
            rows.into_iter().filter_map(|row| Some((texts.texts[row].as_str(), scores[row][label], column[row]?)));
        let rows: Vec<(&str, f64, bool)> = known.collect();
        (!rows.is_empty()).then(|| Subgroups::of(&head.label, source, &rows))
    });
    of_labels.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are those of a dozen lines of Python over all pairs: `sum((a > b) + .5 * (a == b) for a in p for b in n)` by the
    /// number of pairs, where every third row is about the group; and `(sum(v ** -5) / 3) ** (-1 / 5)`.
    #[test]
    fn areas_are_those_over_all_pairs() {
        let scored =
            (0..300_u32).map(|row| (row, f64::from(row * 37 % 101) / 10.0, row * 37 % 101 + row * 53 % 61 > 80));
        let text = |row: u32| if row.is_multiple_of(3) { "Some GAY people, say." } else { "Some gayish persons, say." };
        let rows: Vec<(&str, f64, bool)> = scored.map(|(row, score, is)| (text(row), score, is)).collect();
        let found = Subgroups::of("toxic", None, &rows);
        assert_eq!((found.texts, found.groups.len()), (300, 1));
        let group = found.groups[0];
        assert_eq!((group.group, group.positives, group.negatives), ("gay people", 50, 50));
        for ((area, expected), mean) in [group.within, group.bpsn, group.bnsp]
            .iter()
            .zip([0.9416, 0.950_306_122_449, 0.933_333_333_333])
            .zip(found.means)
        {
            let area = area.expect("enough");
            let Interval { low, high } = area.interval.expect("an interval");
            assert!((area.area - expected).abs() < 1e-9 && low < expected && expected < high, "{area:?}, {expected}");
            // The mean of one is that one.
            assert!((mean.expect("a group") - expected).abs() < 1e-9);
        }
        let mean = generalised_mean(&[0.9, 0.8, 0.5]).expect("some");
        assert!((mean - 0.605_876_308_154).abs() < 1e-9, "{mean}");
        assert_eq!(generalised_mean(&[]), None);
    }

    #[test]
    fn what_too_few_texts_tell_is_not_said() {
        let count = MIN_TEXTS_A_CLASS as u32;
        let rows = |about: u32| -> Vec<(&'static str, f64, bool)> {
            let about = (0..2 * about - 1).map(|row| ("a trans woman", f64::from(row % 7), row % 2 == 1));
            let others = (0..200).map(|row| ("a word", f64::from(row % 7), row % 2 == 0));
            about.chain(others).collect()
        };
        let found = Subgroups::of("toxic", None, &rows(count));
        let group = found.groups.iter().find(|group| group.group == "trans women").expect("it is there");
        assert_eq!((group.positives, group.negatives), (19, 20));
        assert!(group.within.is_none() && group.bnsp.is_none() && group.bpsn.is_some(), "{group:?}");
        assert_eq!(found.groups.iter().filter(|group| group.positives == 19).count(), 3, "trans people and women, too");
    }
}
