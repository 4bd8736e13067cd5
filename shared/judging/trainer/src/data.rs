use modstream_classifier::artifact::TrainingData;
use modstream_corpus::{PlaceholderCounts, Placeholders};
use sha2::{Digest, Sha256};

use crate::hindsight::cut_edits;

/// Comments with moderators' verdicts.
#[derive(Clone, Debug, Default)]
pub struct LabelledComments {
    pub(crate) texts: Vec<String>,
    pub(crate) removed: Vec<bool>,
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
        if let Some(form) = self.placeholders.form(body) {
            self.left_out.add(form);
            return;
        }
        self.texts.push(cut_edits(body).to_owned());
        self.removed.push(removed);
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
