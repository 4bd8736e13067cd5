//! `cargo xtask layers`: the floors with their crates, and every arrow that breaks a rule.
//!
//! A crate's floor is said by its folder, so a new crate is under the rules without being listed. Why the floors are as they
//! are is said in `docs/decisions/0009-floors.md`.

mod bans;
mod floors;
mod metadata;

use anyhow::ensure;

use crate::cargo;
use floors::Workspace;
use metadata::Metadata;

/// Prints the floors and what breaks their rules, and fails where something does.
pub(crate) fn check() -> anyhow::Result<()> {
    let broken = broken()?;
    ensure!(broken == 0, "{broken} arrows between crates break a rule (docs/decisions/0009-floors.md)");
    Ok(())
}

/// Prints everything; the number of arrows that break a rule.
fn broken() -> anyhow::Result<usize> {
    let metadata = Metadata::read(&cargo::output(&["metadata", "--no-deps", "--format-version", "1"])?)?;
    let workspace = Workspace::of(&metadata);
    let mut broken = workspace.broken();
    print!("{}", workspace.picture());
    // Who stands on no floor is under no ban.
    if broken.is_empty() {
        broken = bans::broken(&workspace, |package| {
            let tree = ["tree", "--package", package, "--no-default-features", "--edges", "normal"];
            cargo::output(&[&tree[..], &["--prefix", "none", "--format", "{p}"]].concat())
        })?;
    }
    for broken in &broken {
        println!("broken: {broken}");
    }
    Ok(broken.len())
}
