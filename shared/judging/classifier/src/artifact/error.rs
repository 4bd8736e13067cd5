use std::io;
use std::path::PathBuf;

/// Why an artifact is refused. None is cured by trying again, except [`ArtifactError::Read`] and [`ArtifactError::Write`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// A file can't be read.
    #[error("can't read {}: {error}; a model folder holds manifest.json, model.safetensors and card.md (`modstream train` makes one)", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file or folder can't be written.
    #[error("can't write {}: {error}; name a folder that can be written, or that does not exist yet", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The folder to write to holds something else.
    #[error("{} is not empty and holds no model, so nothing was written; name a new folder", path.display())]
    Occupied {
        /// Which.
        path: PathBuf,
    },
    /// The manifest's version is not its checksum.
    #[error(
        "manifest.json is damaged or was edited: its version is not its SHA-256; get the model again, or train it anew"
    )]
    Version,
    /// Another release's format.
    #[error(
        "the model's format is `{found}`, this release reads `{}`; update modstream or train the model with this release",
        Manifest::FORMAT
    )]
    Format {
        /// What it says.
        found: String,
    },
    /// The manifest passes its checksum and makes no sense.
    #[error("manifest.json can't be used: {0}; train the model anew")]
    Manifest(String),
    /// A file is not the one that the manifest names.
    #[error("{path} is not the file that manifest.json names ({detail}); get the model again, or train it anew")]
    File {
        /// Its name.
        path: String,
        /// What differs.
        detail: String,
    },
    /// The weights pass their checksum and make no sense.
    #[error("model.safetensors can't be used: {0}; train the model anew")]
    Tensors(String),
    /// This release computes other probabilities than the one that trained it.
    #[error(
        "the model gives golden text {index} the probability {found}, not {expected}: this release reads texts in another way than the one that trained it; train it anew"
    )]
    Golden {
        /// Which text, from 0.
        index: usize,
        /// What it should get.
        expected: f64,
        /// What it gets.
        found: f64,
    },
}

use super::manifest::Manifest;
