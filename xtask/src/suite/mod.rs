//! `cargo xtask test`.

mod beside;
mod browser;
mod clients;
pub(crate) mod documentation;
mod ended;
mod fault_counts;
mod infra;
mod local_stack;
mod peers;
mod rust;
mod settings;
mod steps;
mod table;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::{interrupt, progress, tools};
use beside::Beside;
use ended::{Ended, in_ci};
use settings::Settings;
use steps::{CLIPPY, Lane, STEPS, Step, Taken};
use table::{Row, cpu_seconds, table};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only these steps [default: all but `peers`]
    #[arg(value_name = "STEP", value_parser = STEPS.map(|step| step.name))]
    steps: Vec<String>,
    /// Only what is done in two minutes when little has changed: format, layers, Clippy, and with cargo-nextest the tests without the simulation's
    #[arg(long, conflicts_with = "steps")]
    quick: bool,
    /// More of it: 10,000 comments for each fault on the local stack instead of 1,000, and 1,000 kills of `modstream serve` instead of 100
    #[arg(long)]
    full: bool,
    /// More about time: CPU seconds, what steps are made of, and cargo's report on each crate
    #[arg(long)]
    timings: bool,
    /// Where a process that runs steps beside another's writes how they went
    #[arg(long, value_name = "FILE", hide = true)]
    rows: Option<PathBuf>,
}

/// Runs the steps, and ends with their table however they ended.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let chosen: Vec<&Step> = STEPS.iter().filter(|step| args.take(step)).collect();
    let mut rows = Vec::new();
    let result = run_steps(&chosen, args, &mut rows);
    if let Some(file) = &args.rows {
        let json = serde_json::to_vec(&rows)?;
        std::fs::write(file, json).with_context(|| format!("{} can't be written", file.display()))?;
        return result;
    }
    let row_of = |step: &&Step| rows.iter().find(|row| row.step == step.name).cloned();
    let all: Vec<Row> = chosen.iter().map(|step| row_of(step).unwrap_or_else(|| Row::not_run(step.name))).collect();
    print!("{}", table(&all, args.timings));
    let not_whole: Vec<&str> = all
        .iter()
        .filter(|row| matches!(row.ended, Ended::InPart | Ended::LeftOut))
        .map(|row| row.step.as_str())
        .collect();
    let verdict = match &not_whole[..] {
        _ if result.is_err() => "failed".to_owned(),
        [] => "all passed".to_owned(),
        some => format!("passed, but for what was left out of {}", some.join(" and ")),
    };
    println!("{verdict} in {:.0} s", started.elapsed().as_secs_f64());
    result
}

impl TestArgs {
    fn take(&self, step: &Step) -> bool {
        match step.taken {
            _ if !self.steps.is_empty() => self.steps.iter().any(|name| name == step.name),
            Taken::Always => true,
            Taken::ByDefault => !self.quick,
            Taken::WhenNamed => false,
        }
    }

    fn settings(&self) -> Settings {
        Settings { quick: self.quick, full: self.full, timings: self.timings }
    }
}

/// Runs the steps of the first lane one after another, and the others beside them. What is alone runs alone.
fn run_steps(chosen: &[&Step], args: &TestArgs, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let (first, others): (Vec<&Step>, Vec<&Step>) = chosen.iter().partition(|step| step.lane == Lane::First);
    if first.is_empty() || others.is_empty() {
        return chosen.iter().try_for_each(|step| run_step(step, args.settings(), rows));
    }
    tools::install_in_the_background();
    let begin = first.iter().position(|step| step.name == CLIPPY).map_or(0, |clippy| clippy + 1);
    let mut beside: Option<Beside> = None;
    let result = first.iter().enumerate().try_for_each(|(number, step)| {
        if number == begin {
            let names = others.iter().map(|step| step.name).collect();
            beside = Some(Beside::start(names, if args.full { &["--full"] } else { &[] })?);
        }
        if let Some(beside) = &mut beside {
            beside.check()?;
        }
        run_step(step, args.settings(), rows)
    });
    match (result, beside) {
        (Ok(()), Some(beside)) => {
            let (of_others, result) = beside.finish();
            rows.extend(of_others);
            result
        }
        (Ok(()), None) => others.iter().try_for_each(|step| run_step(step, args.settings(), rows)),
        (Err(error), beside) => {
            rows.extend(beside.map(Beside::interrupt).unwrap_or_default());
            Err(error)
        }
    }
}

fn run_step(step: &Step, settings: Settings, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    interrupt::check()?;
    println!("== {}", step.name);
    let (started, cpu_before) = (Instant::now(), cpu_seconds());
    progress::take_parts();
    let result = (step.run)(settings).and_then(|ended| {
        ensure!(ended == Ended::Passed || !in_ci(), "{ended}; with CI set, nothing may be left out");
        Ok(ended)
    });
    let ended = *result.as_ref().unwrap_or(&Ended::Failed);
    let seconds = started.elapsed().as_secs_f64();
    rows.push(Row {
        step: step.name.to_owned(),
        ended,
        seconds,
        cpu_seconds: cpu_seconds().zip(cpu_before).map(|(after, before)| after - before),
        beside: false,
        parts: progress::take_parts(),
    });
    println!("== {}: {ended} in {seconds:.0} s\n", step.name);
    result.map(drop).map_err(|error| error.context(step.name))
}
