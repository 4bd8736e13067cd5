//! `modstream backup`: a copy of a data folder's file, while it is served.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use modstream_platform::sqlite::{Database, Role};
use serde_json::json;

use crate::common::display::print;
use crate::common::output::OutputFile;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream backup --data /var/lib/modstream --to /backup/modstream.db

The copy is of one moment, whole, and holds what people wrote and the key that signs links: keep it as you keep the original. To
restore it, end `modstream serve`, put the copy into an empty folder as `modstream.db`, and serve that folder.")]
pub(crate) struct BackupArgs {
    /// The folder of the data
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The file to write; one there is replaced once the copy is whole
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

impl BackupArgs {
    /// Runs `modstream backup`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let started = Instant::now();
        let database = Database::open(&self.data, Role::Beside)?;
        // Before the work, not after.
        check_apart(&database, &self.to)?;
        let output = OutputFile::new(&self.to, [database.path()])?;
        output.write_by(|part| copy(&database, part))?;
        let bytes = fs::metadata(&self.to).map_or(0, |file| file.len());
        let seconds = started.elapsed().as_secs_f64();
        print(&if self.json {
            format!("{}\n", json!({ "to": self.to, "bytes": bytes, "seconds": seconds }))
        } else {
            format!("{} bytes written to {} in {seconds:.1} s\n", bytes, self.to.display())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Refuses a file in the data folder: beside the database lie its log and the lock of who serves it.
fn check_apart(database: &Database, to: &Path) -> anyhow::Result<()> {
    let folder = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_inside = match (fs::canonicalize(folder), fs::canonicalize(database.folder())) {
        (Ok(folder), Ok(data)) => folder == data,
        // What can't be reached can't be written either, which is said next.
        _ => false,
    };
    if is_inside {
        bail!("{} lies in the data folder: name a file in another one, on another disk at best", to.display());
    }
    Ok(())
}

fn copy(database: &Database, part: &Path) -> anyhow::Result<()> {
    database.copy_to(part).with_context(|| format!("{} can't be written", part.display()))?;
    Ok(())
}
