//! Where things are.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Everything that is installed, cached or running for this checkout; git ignores it.
pub(crate) fn local() -> PathBuf {
    root().join(".local")
}
