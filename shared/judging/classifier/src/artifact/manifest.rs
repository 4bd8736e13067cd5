use modstream_rates::Rate;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ArtifactError;
use super::stored::Stored;
use crate::calibration::Calibration;
use crate::model::ByDefault;
use crate::support::Support;

/// What there is to know about a model. Nothing in it depends on when or where it was trained: the same comments and settings
/// give the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The form in which manifest and arrays are written.
    pub format: Format,
    /// The SHA-256 of the manifest's bytes with this field blank, in hex.
    pub version: String,
    /// The name that the model was trained under.
    pub name: String,
    /// Every other file of the model.
    pub files: Vec<FileEntry>,
    /// How the model was trained.
    pub settings: Settings,
    /// What the model was trained on.
    pub training: TrainingData,
    /// How the weights were found.
    pub fit: Fit,
    /// The labels with what belongs to each, at least one, in the order of the arrays.
    pub heads: Vec<HeadEntry>,
    /// What the training texts were like; none in the manifest of an older model.
    pub support: Option<Support>,
    /// The texts whose probabilities must agree within 1e-6.
    pub golden: Vec<Golden>,
}

/// The form in which a manifest and its arrays are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A model with one head, of what moderators remove.
    Removal,
    /// A model with a head a label.
    Labels,
}

impl Format {
    const ALL: [Format; 2] = [Format::Removal, Format::Labels];

    /// The format's name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Removal => REMOVAL_FORMAT,
            Format::Labels => LABELS_FORMAT,
        }
    }
}

const REMOVAL_FORMAT: &str = "modstream-model/2";
const LABELS_FORMAT: &str = "modstream-model/3";

/// A label of the model, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadEntry {
    /// The label's name.
    pub label: String,
    /// Whether the label counts where nobody chose labels.
    pub by_default: ByDefault,
    /// The texts that the head was trained on: those of which it is known whether they have the label.
    pub training: Counts,
    /// The inverse of the regularisation's strength, C, of this head; that of the settings where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse_regularisation: Option<f64>,
    /// The texts that calibration, rates, thresholds and metrics are of, each scored by a model that had not seen it.
    pub measured: Measured,
    /// The share of texts with the label that is assumed where nobody says another.
    pub base_rate: f64,
    /// How good the head is on the texts that it was measured on.
    pub metrics: Metrics,
    /// How good the head is on the texts of each source, apart.
    pub sources: Vec<SourceMetrics>,
    /// Where alerting begins at some shares of false alarms.
    pub thresholds: Vec<Threshold>,
    /// The part of the regression that is no array; the arrays are in the tensors.
    pub regression: Regression,
    /// The calibration, from the regression's log-odds to calibrated ones.
    pub calibration: Calibration,
    /// The rates that thresholds give, from held-out texts.
    pub rates: Vec<Rate>,
}

/// Texts, and how many of them have a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// The number of texts of which it is known whether they have the label.
    pub texts: usize,
    /// The number of those that have it.
    pub positives: usize,
}

impl Counts {
    /// The share of texts that have the label; NaN where there are none.
    pub fn share(&self) -> f64 {
        self.positives as f64 / self.texts as f64
    }

    /// The number of texts that do not have the label.
    pub fn negatives(&self) -> usize {
        self.texts.saturating_sub(self.positives)
    }
}

/// The texts that a head was measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The source that the texts are of; none where no row named one.
    pub source: Option<String>,
    /// The texts.
    pub counts: Counts,
}

/// Quality on the texts of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMetrics {
    /// The source's name; none where a row named none.
    pub source: Option<String>,
    /// The texts.
    pub counts: Counts,
    /// The area under the ROC curve; none where all texts have the label, or none has.
    pub roc_auc: Option<f64>,
    /// The average precision; none where no text has the label.
    pub pr_auc: Option<f64>,
    /// What each of the head's thresholds does there, in their order.
    pub at_thresholds: Vec<Caught>,
}

/// What alerting from a threshold up does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caught {
    /// The share of texts with the label that alert; none where there are no such texts.
    pub caught: Option<f64>,
    /// The share of texts without the label that alert; none where there are no such texts.
    pub false_alarms: Option<f64>,
}

/// Where alerting begins at a share of false alarms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The most that alert of the texts without the label, as a share.
    pub false_alarms: f64,
    /// The lowest calibrated log-odds at which no more do, at the base rate of the texts that the head was measured on.
    pub log_odds: f64,
    /// The share of texts with the label that alert.
    pub caught: f64,
}

/// A file of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The file's name, without folders.
    pub path: String,
    /// The file's length.
    pub bytes: u64,
    /// The file's SHA-256, in hex.
    pub sha256: String,
}

/// The settings that whoever trains can choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The most terms and subwords in the vocabulary, together.
    pub max_features: usize,
    /// The fewest comments that a term stands in.
    pub min_documents: usize,
    /// The longest n-gram, in tokens.
    pub longest_ngram: usize,
    /// The fewest comments that a subword stands in; no subword is used where it is not set.
    pub subword_min_documents: Option<usize>,
    /// The weight of a vector of subwords beside a vector of terms, whose length is 1.
    pub subword_scale: f64,
    /// The inverse of the regularisation's strength, C.
    pub inverse_regularisation: f64,
    /// The weight of a measure one standard deviation off beside a vector of terms, whose length is 1; no measure is
    /// used where it is 0.
    pub measure_scale: f64,
    /// The number of folds of the cross-validation that metrics, calibration and rates come from.
    pub folds: usize,
    /// The seed that decides which comment is in which fold.
    pub seed: u64,
    /// What becomes of terms and subwords with a digit.
    #[serde(default, skip_serializing_if = "Digits::are_kept")]
    pub digits: Digits,
    /// The power to which a feature's log-count ratio scales its column in the fit; nothing is scaled where it is 0.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub ratio_exponent: f64,
}

/// What becomes of terms and subwords with a digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digits {
    /// They are features as all others are.
    #[default]
    Kept,
    /// They are left out: in texts that hold names and addresses, a number may name a person.
    LeftOut,
}

impl Digits {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn are_kept(&self) -> bool {
        *self == Digits::Kept
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_nothing(number: &f64) -> bool {
    *number == 0.0
}

/// The comments that a model was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// The number of comments with a verdict, or of texts with labels.
    pub comments: usize,
    /// The number of comments that were left out, because a placeholder such as `[removed]` stands in place of their text.
    pub without_text: usize,
    /// The number of moderators' decisions about alerts, which are learned from besides and measured on nowhere.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub decided: usize,
    /// The number of those decisions that say to remove the comment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub decided_removed: usize,
    /// The bytes of all texts.
    pub bytes: u64,
    /// The SHA-256 of texts with their verdicts or labels, in hex.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How the weights were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// The optimiser's name.
    pub solver: String,
    /// The number of terms in the vocabulary.
    pub terms: usize,
    /// The number of subwords in the vocabulary.
    pub subwords: usize,
    /// The largest entry of the gradient at the end, per comment, of the head where it is largest.
    pub gradient: f64,
}

/// Quality, pooled over the folds except where said; every comment was scored by a model that had not seen it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The area under the ROC curve, in the mean of the folds.
    pub roc_auc: f64,
    /// The quality on each fold.
    pub folds: Vec<FoldMetrics>,
    /// The average precision.
    pub pr_auc: f64,
    /// The accuracy at probability 0.5.
    pub accuracy: f64,
    /// The F1 score at probability 0.5.
    pub f1: f64,
    /// The log loss, in nats.
    pub log_loss: f64,
    /// The mean squared error of the probability.
    pub brier: f64,
    /// The expected calibration error, over ten bins of equal width.
    pub ece: f64,
    /// What a perfect model with the same probabilities measures; none in an older manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ece_floor: Option<CalibrationFloor>,
}

/// What the calibration error of a perfect model is, by chance alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationFloor {
    /// The mean.
    pub mean: f64,
    /// What it stays below in 95 of 100 cases.
    pub high: f64,
}

/// Quality on one fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldMetrics {
    /// The number of comments in the fold.
    pub comments: usize,
    /// The area under the ROC curve.
    pub roc_auc: f64,
}

/// The part of the regression that is no array.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The intercept, in log-odds.
    pub intercept: f64,
}

/// A text and the probabilities it must get, at the base rates that the heads assume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The text.
    pub text: String,
    /// The probability that the text must get by each head, in their order.
    pub probabilities: Vec<f64>,
}

#[derive(Deserialize)]
struct NamedFormat {
    format: String,
}

/// The text before the version in the file; the first such text is the field's, since only `format` comes before it.
const VERSION_FIELD: &str = "\n  \"version\": \"";

/// No log-odds come near this, and below it their sums and products are finite: two infinities would make a NaN.
const MAX_LOG_ODDS: f64 = 1e9;

impl Manifest {
    /// Sets the version, and returns the file's bytes.
    pub(super) fn seal(&mut self) -> Result<Vec<u8>, ArtifactError> {
        self.version.clear();
        let blank = self.to_bytes()?;
        self.version = hex::encode(Sha256::digest(&blank));
        self.to_bytes()
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        let stored = Stored::of(self).map_err(ArtifactError::Manifest)?;
        let mut bytes =
            serde_json::to_vec_pretty(&stored).map_err(|error| ArtifactError::Manifest(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Whether these bytes are a manifest of this or another release, sound or not.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        serde_json::from_slice::<NamedFormat>(bytes).is_ok_and(|it| it.format.starts_with("modstream-model/"))
    }

    /// Reads and checks a manifest's bytes: its checksum, then its format, then the rest.
    ///
    /// # Errors
    /// [`ArtifactError`] says what is wrong and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let found = memchr::memmem::find(bytes, VERSION_FIELD.as_bytes()).ok_or(ArtifactError::Version)?;
        let (before, rest) = bytes.split_at(found + VERSION_FIELD.len());
        let (version, after) = rest.split_at_checked(64).ok_or(ArtifactError::Version)?;
        if hex::encode(Sha256::digest([before, after].concat())).as_bytes() != version {
            return Err(ArtifactError::Version);
        }
        let unreadable = |error: serde_json::Error| ArtifactError::Manifest(error.to_string());
        let NamedFormat { format: found } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if !Format::ALL.iter().any(|format| format.name() == found) {
            return Err(ArtifactError::Format { found });
        }
        let manifest = Stored::read(bytes).map_err(unreadable)?;
        // The field may be longer than a checksum, or another than the first text that looks like it.
        if manifest.version.as_bytes() != version {
            return Err(ArtifactError::Version);
        }
        manifest.check().map_err(ArtifactError::Manifest)?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        for FileEntry { path, .. } in &self.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if path.is_empty() || path.starts_with('.') || !path.chars().all(plain) {
                return Err(format!("{path:?} is not a file name"));
            }
        }
        if !(1..=MAX_HEADS).contains(&self.heads.len()) {
            return Err(format!("it has {} labels, not 1 to {MAX_HEADS}", self.heads.len()));
        }
        for (index, head) in self.heads.iter().enumerate() {
            let label = &head.label;
            if !is_label(label) {
                return Err(format!("{label:?} is no label: a label has {LABEL_RULE}"));
            }
            if self.heads[..index].iter().any(|other| other.label == *label) {
                return Err(format!("the label {label} stands there twice"));
            }
            head.check().map_err(|what| format!("{label}: {what}"))?;
        }
        self.support.as_ref().map_or(Ok(()), Support::check)?;
        if !(1..=8).contains(&self.settings.longest_ngram) {
            return Err("n-grams have 1 to 8 tokens".to_owned());
        }
        if self.golden.is_empty() {
            return Err("it has no golden texts".to_owned());
        }
        if self.golden.iter().any(|golden| golden.probabilities.len() != self.heads.len()) {
            return Err("a golden text has not one probability a label".to_owned());
        }
        Ok(())
    }

    /// The head of a model of removals, which has no other; of a model with labels, that of the first one.
    ///
    /// # Panics
    /// Where the manifest was made by hand, without a head.
    pub fn first_head(&self) -> &HeadEntry {
        &self.heads[0]
    }
}

impl HeadEntry {
    fn check(&self) -> Result<(), String> {
        let Calibration { slope, intercept } = self.calibration;
        let is_sane = |number: &f64| (-MAX_LOG_ODDS..=MAX_LOG_ODDS).contains(number);
        if !(slope > 0.0 && is_sane(&slope) && is_sane(&intercept)) {
            return Err(format!("the calibration is not a rising line, or beyond {MAX_LOG_ODDS}"));
        }
        if !is_sane(&self.regression.intercept) {
            return Err(format!("the intercept is beyond {MAX_LOG_ODDS}"));
        }
        Ok(())
    }
}

/// The most labels of a model; more is damage.
const MAX_HEADS: usize = 64;

/// What [`is_label`] asks for, in words.
pub const LABEL_RULE: &str = "1 to 64 letters, digits, dashes or underscores";

/// Whether a text can be a label's name.
pub fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}
