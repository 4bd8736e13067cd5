use modstream_classifier::SeenTexts;
use modstream_classifier::artifact::TrainingData;
use modstream_corpus::{PlaceholderCounts, Placeholders};
use sha2::{Digest, Sha256};

use crate::checks::{Finding, Rows};
use crate::hindsight::cut_edits;
use crate::metrics;

/// Comments with moderators' verdicts.
#[derive(Clone, Debug, Default)]
pub struct LabelledComments {
    pub(crate) texts: Vec<String>,
    pub(crate) removed: Vec<bool>,
    /// The line of each in its file, for who is to look at it.
    pub(crate) lines: Vec<u64>,
    /// The decisions, which are learned from and not measured on.
    pub(crate) decided: Vec<(String, bool)>,
    placeholders: Placeholders,
    left_out: PlaceholderCounts,
}

impl LabelledComments {
    /// No comments yet; these stand in place of a text that is gone.
    pub fn new(placeholders: Placeholders) -> Self {
        LabelledComments { placeholders, ..LabelledComments::default() }
    }

    /// Adds a text with its verdict. A comment whose text is gone is left out and counted.
    pub fn push_text(&mut self, body: &str, removed: bool) {
        self.push_line(self.texts.len() as u64 + 1, body, removed);
    }

    /// Adds a text of this line of a file, as [`LabelledComments::push_text`] does.
    pub fn push_line(&mut self, line: u64, body: &str, removed: bool) {
        if let Some(form) = self.placeholders.form(body) {
            self.left_out.add(form);
            return;
        }
        self.texts.push(cut_edits(body).to_owned());
        self.removed.push(removed);
        self.lines.push(line);
    }

    /// What is found in these comments, scored by a model that had not seen them, in log-odds. Where it had seen many of them, after
    /// all, that is the first finding: `seen` are the texts it was trained on, where they are known.
    pub fn check(&self, log_odds: &[f64], seen: Option<&SeenTexts>) -> Vec<Finding> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let rows = self.rows(&texts);
        let is_seen = seen.and_then(|seen| rows.seen(|text| seen.holds(text)));
        // What a model has seen it tells too well.
        let roc_auc = if is_seen.is_some() { f64::NAN } else { metrics::roc_auc(log_odds, &self.removed) };
        is_seen.into_iter().chain(rows.check(log_odds, roc_auc)).collect()
    }

    /// The comments, whose texts are these, as rows to check.
    pub(crate) fn rows<'a>(&'a self, texts: &'a [&'a str]) -> Rows<'a> {
        Rows { label: None, texts, lines: &self.lines, verdicts: &self.removed }
    }

    /// Adds what moderators decided about alerts. Decisions are learned from and not measured on: alerts are no sample
    /// of all comments, so neither the share that is removed nor precision at a threshold may follow from them. The
    /// verdicts that are here already stay as they are, also of equal texts: those are of other comments.
    pub fn add_decided(&mut self, decided: &LabelledComments) {
        self.decided.extend(decided.iter().map(|(text, removed)| (text.to_owned(), removed)));
        // Sorted, so that the same decisions make the same model, in whatever order their files come.
        self.decided.sort();
    }

    /// The number of decisions, which are learned from and not measured on.
    pub fn decided(&self) -> usize {
        self.decided.len()
    }

    /// The texts and verdicts, in the order in which they were added, without decisions.
    pub fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.texts.iter().map(String::as_str).zip(self.removed.iter().copied())
    }

    /// The number of comments.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no comment.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The comments that were left out because their text is gone.
    pub fn left_out(&self) -> &PlaceholderCounts {
        &self.left_out
    }

    /// The number of comments that moderators removed.
    pub fn removed(&self) -> usize {
        self.removed.iter().filter(|removed| **removed).count()
    }

    pub(crate) fn describe(&self) -> TrainingData {
        let mut hash = Sha256::new();
        let decided = self.decided.iter().map(|(text, removed)| (text, removed));
        for (text, removed) in self.texts.iter().zip(&self.removed).chain(decided) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
            hash.update([u8::from(*removed)]);
        }
        TrainingData {
            comments: self.len(),
            without_text: usize::try_from(self.left_out.count()).unwrap_or(usize::MAX),
            decided: self.decided.len(),
            decided_removed: self.decided.iter().filter(|(_, removed)| *removed).count(),
            bytes: self.texts.iter().map(|text| text.len() as u64).sum(),
            sha256: hex::encode(hash.finalize()),
        }
    }
}
