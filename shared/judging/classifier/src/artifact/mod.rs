//! A model as files: `manifest.json`, `model.safetensors` and `card.md`.
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
mod tensors;

pub use error::ArtifactError;
pub use files::{CARD, MANIFEST, ModelFiles, TENSORS, check_output, open, write};
pub use manifest::{FileEntry, Fit, FoldMetrics, Golden, Manifest, Metrics, Regression, Settings, TrainingData};
pub use tensors::Vocabulary;
