//! A model as files: `manifest.json`, `model.safetensors` and `card.md`.
//!
//! There are two [formats](Format). `modstream-model/2` holds a model with one head, of what moderators remove;
//! `modstream-model/3` one with a head a label, whose `weights`, `subword_weights` and `measure_weights` have a column a head.
//!
//! The manifest names every other file with its SHA-256 and length, and its own version is the SHA-256 over itself with that
//! field blank. So whoever knows the version knows every byte, and a damaged artifact is refused before it is parsed. What
//! passes is then checked for sense (shapes, finite numbers, order), and the model must give the golden texts their
//! probabilities.
//!
//! ```
//! # use modstream_classifier::artifact::{self, ArtifactError};
//! match artifact::open("no/such/model") {
//!     Err(error @ ArtifactError::Read { .. }) => assert!(error.to_string().contains("manifest.json")),
//!     other => panic!("{other:?}"),
//! }
//! ```

mod error;
mod files;
mod manifest;
mod stored;
mod tensors;

pub use error::ArtifactError;
pub use files::{CARD, MANIFEST, ModelFiles, TENSORS, check_output, open, write};
pub use manifest::{
    CalibrationFloor, Caught, Counts, Digits, FileEntry, Fit, FoldMetrics, Format, Golden, HeadEntry, LABEL_RULE,
    Manifest, Measured, Metrics, Regression, Settings, SourceMetrics, Threshold, TrainingData, is_label,
};
pub use tensors::Vocabulary;
