//! Steps that run beside others, in a process of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::table::Row;
use crate::checkout;
use crate::command::{self, Running};

/// Steps on their way.
pub(super) struct Beside {
    steps: Vec<&'static str>,
    process: Running,
    started: Instant,
    rows: PathBuf,
    log: PathBuf,
}

impl Beside {
    /// Starts the steps, with the options of this run.
    pub(super) fn start(steps: Vec<&'static str>, options: &[&str]) -> anyhow::Result<Self> {
        let logs = checkout::local().join("logs");
        let (rows, log) = (logs.join("beside.json"), logs.join("beside.log"));
        // Those of an earlier run are not of this one.
        let _ = fs::remove_file(&rows);
        let mut this = Command::new(std::env::current_exe().context("this program's own path")?);
        this.arg("test").args(&steps).args(options).arg("--rows").arg(&rows);
        let process = command::started(&mut this, &log)?;
        println!("== {}: beside the others, said in {}\n", steps.join(" and "), log.display());
        Ok(Beside { steps, process, started: Instant::now(), rows, log })
    }

    /// Fails where the steps have failed already.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        let failed = self.process.ended()?.is_some_and(|status| !status.success());
        ensure!(!failed, "{} failed; all of it is in {}", self.steps.join(" and "), self.log.display());
        Ok(())
    }

    /// Waits for the steps and prints what they said.
    pub(super) fn finish(self) -> (Vec<Row>, anyhow::Result<()>) {
        println!("== {}", self.steps.join(" and "));
        let ended = self.process.wait();
        print!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        let ended = ended.and_then(|status| {
            ensure!(status.success(), "{} failed ({status})", self.steps.join(" and "));
            Ok(())
        });
        println!("== {}: ended after {:.0} s\n", self.steps.join(" and "), self.started.elapsed().as_secs_f64());
        (rows(&self.rows), ended)
    }

    /// Ends the steps, since another has failed.
    pub(super) fn interrupt(self) -> Vec<Row> {
        // What matters is why the other has failed.
        let _ = self.process.interrupt();
        rows(&self.rows)
    }
}

/// What the process wrote of its steps: nothing, if it came to no end.
fn rows(file: &PathBuf) -> Vec<Row> {
    let rows = fs::read(file).ok().and_then(|rows| serde_json::from_slice::<Vec<Row>>(&rows).ok());
    rows.unwrap_or_default().into_iter().map(|row| Row { beside: true, ..row }).collect()
}
