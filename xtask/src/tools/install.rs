use std::fs::{self, File};
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

/// Runs `install` for a folder unless it was already done from the same `inputs`. One process installs at a time; what was half
/// done is done again.
pub(crate) fn once(
    folder: &Path,
    inputs: &[Vec<u8>],
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let parent = folder.parent().context("a tool's folder has a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock().with_context(|| format!("{} can't be locked", folder.display()))?;
    let stamp = folder.join("installed-from");
    let wanted = fingerprint(inputs);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} can't be removed", folder.display()))?;
    }
    install(folder)?;
    fs::write(&stamp, wanted).with_context(|| format!("{} can't be written", stamp.display()))
}

fn fingerprint(inputs: &[Vec<u8>]) -> String {
    let mut hash = Sha256::new();
    for input in inputs {
        hash.update((input.len() as u64).to_le_bytes());
        hash.update(input);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_is_installed_from_the_same_inputs_stays_and_what_was_half_done_is_done_again() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("tools/python");
        let runs = Cell::new(0);
        let install = |inputs: &[&str], succeeds: bool| {
            let inputs: Vec<Vec<u8>> = inputs.iter().map(|input| input.as_bytes().to_vec()).collect();
            once(&folder, &inputs, |folder| {
                runs.set(runs.get() + 1);
                assert!(!folder.exists());
                fs::create_dir_all(folder)?;
                anyhow::ensure!(succeeds, "no network");
                Ok(())
            })
        };
        assert!(install(&["a", "b"], false).is_err());
        install(&["a", "b"], true).expect("installs");
        install(&["a", "b"], true).expect("is there");
        assert_eq!(runs.get(), 2);
        install(&["ab", ""], true).expect("installs");
        assert_eq!(runs.get(), 3, "other inputs");
    }
}
