use std::io;
use std::path::PathBuf;

/// Why a model is refused. No reason is cured by trying again, except [`ArtifactError::Read`] and
/// [`ArtifactError::Write`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// A file can't be read.
    #[error("can't read {}: {error}; a model folder holds manifest.json, model.safetensors and card.md (`modstream train` makes one)", path.display())]
    Read {
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A file or folder can't be written.
    #[error("can't write {}: {error}; name a folder that can be written, or that does not exist yet", path.display())]
    Write {
        /// The path of the file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The folder to write to holds something else.
    #[error("{} is not empty and holds no model, so nothing was written; name a new folder", path.display())]
    Occupied {
        /// The path of the file or folder.
        path: PathBuf,
    },
    /// The manifest's version is not its checksum.
    #[error(
        "manifest.json is damaged or was edited: its version is not its SHA-256; get the model again, or train it anew"
    )]
    Version,
    /// The model has another release's format.
    #[error(
        "the model's format is `{found}`, this release reads `{}` and `{}`; update modstream or train the model with this release",
        Format::Removal.name(),
        Format::Labels.name()
    )]
    Format {
        /// The format that the manifest names.
        found: String,
    },
    /// The manifest passes its checksum and is not valid.
    #[error("manifest.json can't be used: {0}; train the model anew")]
    Manifest(String),
    /// A file is not the one that the manifest names.
    #[error("{path} is not the file that manifest.json names ({detail}); get the model again, or train it anew")]
    File {
        /// The file's name.
        path: String,
        /// What differs between the file and what the manifest says.
        detail: String,
    },
    /// The arrays pass their checksum and are not valid.
    #[error("model.safetensors can't be used: {0}; train the model anew")]
    Tensors(String),
    /// This release computes other probabilities than the one that trained it.
    #[error(
        "the model gives golden text {index} the probability {found} of {label}, not {expected}: this release reads texts in another way than the one that trained it; train it anew"
    )]
    Golden {
        /// The text's index, from 0.
        index: usize,
        /// The label's index, from 0.
        head: usize,
        /// The label.
        label: String,
        /// The probability that the text should get.
        expected: f64,
        /// The probability that the text gets.
        found: f64,
    },
}

use super::manifest::Format;
