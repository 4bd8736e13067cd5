use hashbrown::HashMap;
use modstream_classifier::SeenTexts;
use modstream_classifier::artifact::{Counts, TrainingData};
use modstream_corpus::{PlaceholderCounts, Placeholders};
use sha2::{Digest as _, Sha256};

use crate::checks::{Finding, Rows};
use crate::hindsight::cut_edits;
use crate::metrics;

/// Texts of which it is known, for each of some labels, whether they have it, do not have it, or whether nobody said.
#[derive(Clone, Debug, Default)]
pub struct LabelledTexts {
    labels: Vec<String>,
    pub(crate) texts: Vec<String>,
    /// The line of each in its file, for who is to look at it.
    lines: Vec<u64>,
    /// What is known of each text, a column a label; a column may be shorter than the texts: of the rest nothing is known.
    columns: Vec<Vec<Option<bool>>>,
    sources: Vec<String>,
    /// The index of each text's source.
    source_of: Vec<Option<usize>>,
    placeholders: Placeholders,
    left_out: PlaceholderCounts,
}

/// The texts of one source of which a label is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfSource<'a> {
    /// The source; none of the texts without one.
    pub source: Option<&'a str>,
    /// The texts, at least one.
    pub texts: Vec<KnownText<'a>>,
}

/// A text of which a label is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownText<'a> {
    /// Its place among all texts.
    pub row: usize,
    /// The text.
    pub text: &'a str,
    /// Whether it has the label.
    pub verdict: bool,
}

impl LabelledTexts {
    /// No texts yet; these stand in place of a text that is gone.
    pub fn new(placeholders: Placeholders) -> Self {
        LabelledTexts { placeholders, ..LabelledTexts::default() }
    }

    /// Adds a text with what is known of its labels, and where it comes from. A label that is not named is not known. A text that
    /// is gone is left out and counted.
    pub fn push<'a>(
        &mut self,
        text: &str,
        labels: impl IntoIterator<Item = (&'a str, Option<bool>)>,
        source: Option<&str>,
    ) {
        self.push_line(self.texts.len() as u64 + 1, text, labels, source);
    }

    /// Adds a text of this line of a file, as [`LabelledTexts::push`] does.
    pub fn push_line<'a>(
        &mut self,
        line: u64,
        text: &str,
        labels: impl IntoIterator<Item = (&'a str, Option<bool>)>,
        source: Option<&str>,
    ) {
        if let Some(form) = self.placeholders.form(text) {
            self.left_out.add(form);
            return;
        }
        let row = self.texts.len();
        self.texts.push(cut_edits(text).to_owned());
        self.lines.push(line);
        for (label, value) in labels {
            let index = index_of(&mut self.labels, label);
            self.columns.resize_with(self.labels.len(), Vec::new);
            let column = &mut self.columns[index];
            column.resize(row, None);
            column.push(value);
        }
        self.source_of.push(source.map(|source| index_of(&mut self.sources, source)));
    }

    /// The labels that were named, in the order in which they first were.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The texts, in the order in which they were added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// The texts of which a label is known, a source at a time.
    pub fn known(&self, label: &str) -> Vec<OfSource<'_>> {
        let column = self.column(label);
        let names = self.source_names();
        let rows = members(&self.source_indices(), names.len());
        let of_source = names.into_iter().zip(rows).map(|(name, rows)| {
            let known = rows.into_iter().filter_map(|row| {
                let verdict = column[row]?;
                Some(KnownText { row, text: self.texts[row].as_str(), verdict })
            });
            OfSource { source: name, texts: known.collect() }
        });
        of_source.filter(|of_source| !of_source.texts.is_empty()).collect()
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts that were left out because they are gone.
    pub fn left_out(&self) -> &PlaceholderCounts {
        &self.left_out
    }

    /// What is known of each text's label; nothing of one that was never named.
    pub(crate) fn column(&self, label: &str) -> Vec<Option<bool>> {
        let found = self.labels.iter().position(|found| found == label);
        let mut column = found.map(|index| self.columns[index].clone()).unwrap_or_default();
        column.resize(self.len(), None);
        column
    }

    /// How many texts are known to have a label, or not to have it.
    pub fn counts(&self, label: &str) -> Counts {
        counts(self.column(label))
    }

    /// What is found in the texts of which a label is known, scored by a model that had not seen them: all texts' scores, in log-odds.
    pub(crate) fn check(&self, label: &str, column: &[Option<bool>], rows: &[usize], log_odds: &[f64]) -> Vec<Finding> {
        let known: Vec<(usize, bool)> = rows.iter().filter_map(|&row| Some((row, column[row]?))).collect();
        let texts: Vec<&str> = known.iter().map(|(row, _)| self.texts[*row].as_str()).collect();
        let lines: Vec<u64> = known.iter().map(|(row, _)| self.lines[*row]).collect();
        let verdicts: Vec<bool> = known.iter().map(|(_, verdict)| *verdict).collect();
        let scores: Vec<f64> = known.iter().map(|(row, _)| log_odds[*row]).collect();
        let rows = Rows { label: Some(label), texts: &texts, lines: &lines, verdicts: &verdicts };
        rows.check(&scores, metrics::roc_auc(&scores, &verdicts))
    }

    /// What is said of groups of near-duplicates, given by the first of each text's.
    pub(crate) fn near_duplicates(&self, first: &[usize]) -> Option<Finding> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let verdicts = vec![false; self.len()];
        Rows { label: None, texts: &texts, lines: &self.lines, verdicts: &verdicts }.near_duplicates(first)
    }

    /// What is said where a model was trained on some of the texts.
    pub fn check_seen(&self, seen: &SeenTexts) -> Option<Finding> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let verdicts = vec![false; self.len()];
        Rows { label: None, texts: &texts, lines: &self.lines, verdicts: &verdicts }.seen(|text| seen.holds(text))
    }

    /// The index of each text's source among [`LabelledTexts::source_names`]; the last one where it has none.
    pub(crate) fn source_indices(&self) -> Vec<usize> {
        self.source_of.iter().map(|source| source.unwrap_or(self.sources.len())).collect()
    }

    /// The names of the sources, and none for the texts without one.
    pub(crate) fn source_names(&self) -> Vec<Option<&str>> {
        self.sources.iter().map(|name| Some(name.as_str())).chain([None]).collect()
    }

    pub(crate) fn describe(&self, labels: &[&str]) -> TrainingData {
        let columns: Vec<Vec<Option<bool>>> = labels.iter().map(|label| self.column(label)).collect();
        let mut hash = Sha256::new();
        for (row, text) in self.texts.iter().enumerate() {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
            for column in &columns {
                hash.update([column[row].map_or(2, u8::from)]);
            }
        }
        TrainingData {
            comments: self.len(),
            without_text: usize::try_from(self.left_out.count()).unwrap_or(usize::MAX),
            decided: 0,
            decided_removed: 0,
            bytes: self.texts.iter().map(|text| text.len() as u64).sum(),
            sha256: hex::encode(hash.finalize()),
        }
    }
}

/// Counts what is known.
pub(crate) fn counts(verdicts: impl IntoIterator<Item = Option<bool>>) -> Counts {
    let mut counts = Counts { texts: 0, positives: 0 };
    for verdict in verdicts.into_iter().flatten() {
        counts.texts += 1;
        counts.positives += usize::from(verdict);
    }
    counts
}

/// The index of a name, which is added where it is new.
fn index_of(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|found| found == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// Each index of a class, in a map from class to members.
pub(crate) fn members(classes: &[usize], count: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); count];
    classes.iter().enumerate().for_each(|(row, &class)| members[class].push(row));
    members
}

/// Numbers pairs of numbers as they come, for [`crate::folds::deal_classes`].
pub(crate) fn numbered(pairs: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut numbers: HashMap<(usize, usize), usize> = HashMap::new();
    let mut number = |pair| {
        let next = numbers.len();
        *numbers.entry(pair).or_insert(next)
    };
    pairs.map(&mut number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_said_is_not_known() {
        let mut texts = LabelledTexts::default();
        texts.push("a", [("toxic", Some(true))], Some("here"));
        texts.push("b", [("threat", Some(false)), ("toxic", None)], None);
        texts.push("c", [("threat", Some(true))], Some("there"));
        texts.push("[removed]", [("threat", Some(true))], Some("there"));
        texts.push("d", [], Some("here"));
        assert_eq!((texts.len(), texts.left_out().count()), (4, 1));
        assert_eq!(texts.labels(), ["toxic", "threat"]);
        assert_eq!(texts.column("toxic"), [Some(true), None, None, None]);
        assert_eq!(texts.column("threat"), [None, Some(false), Some(true), None]);
        assert_eq!(texts.counts("threat"), Counts { texts: 2, positives: 1 });
        assert_eq!(texts.counts("spam"), Counts { texts: 0, positives: 0 });
        assert_eq!(texts.source_indices(), [0, 2, 1, 0]);
        assert_eq!(texts.source_names(), [Some("here"), Some("there"), None]);
    }
}
