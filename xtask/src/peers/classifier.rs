//! How a classifier is trained and asked, and what it takes on disk.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::size;
use crate::checkout;
use crate::tools::Venv;

/// The script that trains, asks and compares, a subcommand a step.
pub(super) fn script() -> PathBuf {
    checkout::root().join("bench/peers/bench.py")
}

/// A classifier that is compared.
pub(super) struct Classifier {
    /// The name that files are called after.
    pub(super) name: &'static str,
    /// What people call the classifier.
    pub(super) title: &'static str,
    program: Program,
}

enum Program {
    Modstream(PathBuf),
    Python { python: PathBuf, packages: PathBuf },
}

impl Classifier {
    pub(super) fn modstream(program: PathBuf) -> Self {
        Self { name: "modstream", title: "modstream", program: Program::Modstream(program) }
    }

    pub(super) fn peer(name: &'static str, title: &'static str, venv: &Venv) -> anyhow::Result<Self> {
        let program = Program::Python { python: venv.program("python"), packages: venv.packages()? };
        Ok(Self { name, title, program })
    }

    /// The Python that measures inside, where there is one.
    pub(super) fn python(&self) -> Option<&Path> {
        match &self.program {
            Program::Modstream(_) => None,
            Program::Python { python, .. } => Some(python),
        }
    }

    /// Where the classifier's model of a fold is.
    pub(super) fn model(&self, folder: &Path, fold: usize) -> PathBuf {
        folder.join(fold.to_string()).join("models").join(self.name)
    }

    pub(super) fn train(&self, model: &Path, input: &Path) -> Vec<OsString> {
        match &self.program {
            Program::Modstream(program) => {
                line(program, &["train".as_ref(), "--output".as_ref(), model.as_os_str()], input)
            }
            Program::Python { python, .. } => self.step(python, "train", model, input),
        }
    }

    /// The command line that scores comments: it prints a line of JSON a comment.
    pub(super) fn score(&self, model: &Path, input: &Path) -> Vec<OsString> {
        match &self.program {
            Program::Modstream(program) => {
                line(program, &["score".as_ref(), "--model".as_ref(), model.as_os_str()], input)
            }
            Program::Python { python, .. } => self.step(python, "score", model, input),
        }
    }

    fn step(&self, python: &Path, step: &str, model: &Path, input: &Path) -> Vec<OsString> {
        let script = script();
        let flags = [
            script.as_os_str(),
            step.as_ref(),
            "--peer".as_ref(),
            self.name.as_ref(),
            "--model".as_ref(),
            model.as_os_str(),
        ];
        line(python, &flags, input)
    }

    /// The bytes of the program, or of the packages beside Python's own.
    pub(super) fn installed_bytes(&self) -> anyhow::Result<u64> {
        match &self.program {
            Program::Modstream(program) => size::of(program),
            Program::Python { packages, .. } => size::packages(packages),
        }
    }
}

fn line(program: &Path, flags: &[&std::ffi::OsStr], input: &Path) -> Vec<OsString> {
    let words = std::iter::once(program.as_os_str()).chain(flags.iter().copied());
    words.chain(["--input".as_ref(), input.as_os_str()]).map(OsString::from).collect()
}
