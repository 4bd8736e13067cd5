use modstream_rates::Rate;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ArtifactError;
use crate::calibration::Calibration;

/// What there is to know about a model. Nothing in it depends on when or where it was trained: the same comments and settings
/// give the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format's name, [`Manifest::FORMAT`].
    pub format: String,
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
    /// How good the model is on comments that it was not trained on.
    pub metrics: Metrics,
    /// The part of the regression that is no array; the arrays are in the tensors.
    pub regression: Regression,
    /// The calibration, from the regression's log-odds to calibrated ones.
    pub calibration: Calibration,
    /// The rates that thresholds give, from held-out comments.
    pub rates: Vec<Rate>,
    /// The texts whose probabilities must agree within 1e-6.
    pub golden: Vec<Golden>,
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
}

/// The comments that a model was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// The number of comments with a verdict.
    pub comments: usize,
    /// The number of comments that moderators removed.
    pub removed: usize,
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
    /// The SHA-256 of texts and verdicts, in hex.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
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
    /// The largest entry of the gradient at the end, per comment.
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

/// A text and the probability it must get, at the training base rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The text.
    pub text: String,
    /// The probability that the text must get.
    pub probability: f64,
}

#[derive(Deserialize)]
struct Format {
    format: String,
}

/// The text before the version in the file; the first such text is the field's, since only `format` comes before it.
const VERSION_FIELD: &str = "\n  \"version\": \"";

/// No log-odds come near this, and below it their sums and products are finite: two infinities would make a NaN.
const MAX_LOG_ODDS: f64 = 1e9;

impl Manifest {
    /// The format this release writes and reads.
    pub const FORMAT: &str = "modstream-model/2";

    /// Sets the version, and returns the file's bytes.
    pub(super) fn seal(&mut self) -> Result<Vec<u8>, ArtifactError> {
        self.version.clear();
        let blank = self.to_bytes()?;
        self.version = hex::encode(Sha256::digest(&blank));
        self.to_bytes()
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| ArtifactError::Manifest(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Whether these bytes are a manifest of this or another release, sound or not.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Format>(bytes).is_ok_and(|it| it.format.starts_with("modstream-model/"))
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
        let Format { format: found } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if found != Self::FORMAT {
            return Err(ArtifactError::Format { found });
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(unreadable)?;
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
        let Calibration { slope, intercept } = self.calibration;
        let is_sane = |number: &f64| (-MAX_LOG_ODDS..=MAX_LOG_ODDS).contains(number);
        if !(slope > 0.0 && is_sane(&slope) && is_sane(&intercept)) {
            return Err(format!("the calibration is not a rising line, or beyond {MAX_LOG_ODDS}"));
        }
        if !is_sane(&self.regression.intercept) {
            return Err(format!("the intercept is beyond {MAX_LOG_ODDS}"));
        }
        if !(1..=8).contains(&self.settings.longest_ngram) {
            return Err("n-grams have 1 to 8 tokens".to_owned());
        }
        if self.golden.is_empty() {
            return Err("it has no golden texts".to_owned());
        }
        Ok(())
    }
}
