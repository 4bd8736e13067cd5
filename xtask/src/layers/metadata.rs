//! What `cargo metadata --no-deps` says of the workspace's crates.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

/// The workspace and its crates.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) workspace_root: PathBuf,
    pub(super) packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

/// What a crate names in its manifest: for running, building or testing, optional or not.
#[derive(Debug, Deserialize)]
struct Dependency {
    /// The folder of a crate of this checkout.
    path: Option<PathBuf>,
}

impl Metadata {
    pub(super) fn read(json: &str) -> anyhow::Result<Self> {
        serde_json::from_str(json).context("cargo metadata can't be read")
    }
}

impl Package {
    /// The crate's folder, from the workspace's root.
    pub(super) fn folder<'a>(&'a self, root: &Path) -> &'a Path {
        let folder = self.manifest_path.parent().unwrap_or(&self.manifest_path);
        folder.strip_prefix(root).unwrap_or(folder)
    }

    /// The folders of the checkout's crates that this one uses.
    pub(super) fn uses(&self) -> impl Iterator<Item = &Path> {
        self.dependencies.iter().filter_map(|dependency| dependency.path.as_deref())
    }
}
