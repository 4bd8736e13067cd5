//! Sizes on disk.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// What installs packages is not counted with them, nor what Python caches of those that have run.
const NOT_COUNTED: [&str; 5] = ["pip", "setuptools", "pkg_resources", "_distutils_hack", "__pycache__"];

/// The bytes of a file, or of all files in a folder.
pub(super) fn of(path: &Path) -> anyhow::Result<u64> {
    sum(path, &|_| true)
}

/// The bytes of Python packages.
pub(super) fn packages(folder: &Path) -> anyhow::Result<u64> {
    sum(folder, &|name| {
        let package = name.split('-').next().unwrap_or(name);
        !NOT_COUNTED.contains(&package)
    })
}

fn sum(path: &Path, counts: &dyn Fn(&str) -> bool) -> anyhow::Result<u64> {
    let unread = || format!("{} can't be read", path.display());
    let metadata = fs::symlink_metadata(path).with_context(unread)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path).with_context(unread)? {
        let entry = entry.with_context(unread)?;
        if counts(&entry.file_name().to_string_lossy()) {
            bytes += sum(&entry.path(), counts)?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_counted_without_what_installs_them() {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, bytes) in [("spacy/a.py", 10), ("spacy/__pycache__/a.pyc", 100), ("pip-24.0.dist-info/b", 1000)] {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().expect("in a folder")).expect("made");
            fs::write(file, vec![0; bytes]).expect("written");
        }
        assert_eq!(packages(folder.path()).expect("read"), 10);
        assert_eq!(of(folder.path()).expect("read"), 1110);
        assert_eq!(of(&folder.path().join("spacy/a.py")).expect("read"), 10);
    }
}
