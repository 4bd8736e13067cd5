//! `cargo xtask costs`: what a month costs, computed from what is counted (`infra/calls.json`), prices and assumptions
//! (`docs/costs.toml`). The documents hold what it prints, between markers.

mod assumed;
mod bill;
mod blocks;
mod tables;

use std::fs;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::checkout;
use assumed::Assumed;

#[derive(Debug, Default, Args)]
pub(crate) struct CostsArgs {
    /// Fail where a document says something else
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write what is computed into the documents
    #[arg(long)]
    write: bool,
}

/// Fails where a document says something else than what is computed.
pub(crate) fn check() -> anyhow::Result<()> {
    run(&CostsArgs { check: true, write: false })
}

/// Prints what is computed, or compares the documents with it, or writes it into them.
pub(crate) fn run(args: &CostsArgs) -> anyhow::Result<()> {
    let tables = tables::all(&Assumed::read()?);
    if !args.check && !args.write {
        for table in &tables {
            println!("{}:\n\n{}", table.file, table.text);
        }
        return Ok(());
    }
    let mut differ = Vec::new();
    for table in &tables {
        let path = checkout::root().join(table.file);
        let source = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let current = blocks::with(&source, table.name, &table.text).with_context(|| table.file)?;
        if current == source {
            continue;
        }
        if args.write {
            fs::write(&path, current).with_context(|| format!("{} can't be written", path.display()))?;
            println!("{}: {} is written", table.file, table.name);
        } else {
            let what = similar::TextDiff::from_lines(&source, &current).unified_diff().context_radius(0).to_string();
            differ.push(format!("{}, {}:\n{what}", table.file, table.name));
        }
    }
    if !differ.is_empty() {
        bail!(
            "the documents say something else than what is counted, priced and assumed; `cargo xtask costs --write` writes \
             it into them\n{}",
            differ.join("\n")
        );
    }
    if args.check {
        println!("{} blocks of the documents are what is computed", tables.len());
    }
    Ok(())
}
