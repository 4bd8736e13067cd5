//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cargo;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Everything that is installed, cached or running for this checkout; git ignores it.
pub(crate) fn local() -> PathBuf {
    root().join(".local")
}

/// Where cargo builds to: `CARGO_TARGET_DIR`, a configuration's, or `target`.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let metadata = cargo::output(&["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).context("cargo metadata can't be read")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(target.into())
}
