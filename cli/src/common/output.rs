//! A file that is written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::input::is_standard_input;

/// A file that can't be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// What stands there is no file: a folder, a device, a link. It would be replaced.
    #[error("{0} can't be written: what is there is no plain file")]
    NoFile(PathBuf),
    /// The file would replace what is read.
    #[error("{0} is the input: name another file to write to")]
    Input(PathBuf),
    /// The system refuses to write there.
    #[error("{path} can't be written: {error}")]
    Write { path: PathBuf, error: io::Error },
}

/// A file to write. It can be written, as far as one can tell beforehand.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    /// Where it is written before it takes its place: beside it, under a name of our own.
    part: PathBuf,
}

impl OutputFile {
    /// Checks that `path` can be written, and is none of the `inputs`.
    ///
    /// # Errors
    /// Where it can't.
    pub(crate) fn new<'a>(path: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<Self, OutputError> {
        let failed = |error| OutputError::Write { path: path.to_owned(), error };
        let name = path.file_name().ok_or_else(|| OutputError::NoFile(path.to_owned()))?;
        // Not what a link leads to: `/dev/stdout` is one.
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(OutputError::NoFile(path.to_owned()));
        }
        if let Ok(there) = fs::canonicalize(path) {
            let is_there =
                |input: &Path| !is_standard_input(input) && fs::canonicalize(input).is_ok_and(|input| input == there);
            if inputs.into_iter().any(is_there) {
                return Err(OutputError::Input(path.to_owned()));
            }
        }
        let part = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        File::create_new(&part).and_then(|_| fs::remove_file(&part)).map_err(failed)?;
        Ok(OutputFile { path: path.to_owned(), part })
    }

    /// Has the file written by `write`, which is told where. What stood there before stands until all is written.
    ///
    /// # Errors
    /// Where `write` fails, or the file can't take its place.
    #[cfg(feature = "aws")]
    pub(crate) fn write_by(&self, write: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let failed = |error| anyhow::Error::from(OutputError::Write { path: self.path.clone(), error });
        let written = write(&self.part).and_then(|()| fs::rename(&self.part, &self.path).map_err(failed));
        written.inspect_err(|_| {
            // Best effort: the error that is returned says more than one about this.
            let _ = fs::remove_file(&self.part);
        })
    }

    /// Writes the file. What stood there before stands until all is written.
    ///
    /// # Errors
    /// Where it can't be.
    pub(crate) fn write(&self, content: &str) -> Result<(), OutputError> {
        let written = File::create_new(&self.part)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .and_then(|()| fs::rename(&self.part, &self.path));
        written.map_err(|error| {
            // Best effort: the error that is returned says more than one about this.
            let _ = fs::remove_file(&self.part);
            OutputError::Write { path: self.path.clone(), error }
        })
    }
}

/// Checks that files can be written into a folder, which may not be there yet.
///
/// # Errors
/// Where they can't, as far as one can tell beforehand.
pub(crate) fn check_folder(folder: &Path) -> Result<(), OutputError> {
    let failed = |error| OutputError::Write { path: folder.to_owned(), error };
    // What is not there yet is made in the first folder above it that is.
    let there = folder.ancestors().find(|above| above.exists()).filter(|above| !above.as_os_str().is_empty());
    let part = there.unwrap_or(Path::new(".")).join(format!(".modstream.{}", std::process::id()));
    File::create_new(&part).and_then(|_| fs::remove_file(&part)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("reads")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_stood_there_stands_until_the_new_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.html");
        fs::write(&path, "old").expect("writes");
        let output = OutputFile::new(&path, [Path::new("nowhere")]).expect("can be written");
        assert_eq!(
            (fs::read_to_string(&path).expect("reads").as_str(), names(folder.path())),
            ("old", vec!["page.html".to_owned()])
        );
        output.write("new").expect("writes");
        assert_eq!(
            (fs::read_to_string(&path).expect("reads").as_str(), names(folder.path())),
            ("new", vec!["page.html".to_owned()])
        );
    }

    #[test]
    fn what_cant_be_written_is_refused_beforehand() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("input.csv");
        fs::write(&input, "body,removed\n").expect("writes");
        let at = |path: &Path| OutputFile::new(path, [Path::new("-"), Path::new("nowhere"), input.as_path()]);
        assert!(matches!(at(folder.path()), Err(OutputError::NoFile(_))));
        assert!(matches!(at(Path::new("/")), Err(OutputError::NoFile(_))));
        assert!(matches!(at(&folder.path().join("none/page.html")), Err(OutputError::Write { .. })));
        assert!(matches!(at(&folder.path().join(".").join("input.csv")), Err(OutputError::Input(_))));
        assert_eq!(names(folder.path()), ["input.csv"]);
    }

    #[test]
    fn a_folder_that_cant_be_made_or_written_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "").expect("writes");
        for good in ["", "new", "new/deep"] {
            assert!(check_folder(&folder.path().join(good)).is_ok(), "{good}");
        }
        assert!(matches!(check_folder(&folder.path().join("file/new")), Err(OutputError::Write { .. })));
        assert_eq!(names(folder.path()), ["file"]);
    }
}
