//! Simulates the system under faults: `cargo xtask simulate`.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser};
use console::style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use modstream_simulation::latency::{self, Settings, assumed};
use modstream_simulation::{Plan, RunOutcome, mutations, run, shrink};
use rayon::prelude::*;

/// Run the real functions over a world in memory, under faults that follow from a seed, and check what they promise
#[derive(Debug, Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate", max_term_width = 100)]
struct Arguments {
    /// How many plans, each of a seed of its own
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    plans: u64,
    /// The first seed; with --latency, the seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Make this mistake, to see the simulation find it
    #[arg(long, value_name = "NAME", value_parser = mutation)]
    mutate: Option<&'static str>,
    /// Print the names that --mutate takes, one a line
    #[arg(long, conflicts_with_all = ["plans", "seed", "mutate"])]
    list_mutations: bool,
    /// How long comments take at a rate, instead: nothing fails, and calls take their time
    #[arg(long, conflicts_with_all = ["plans", "mutate", "list_mutations"])]
    latency: bool,
    #[command(flatten)]
    at: Latency,
}

/// What `--latency` takes
#[derive(Debug, Args)]
#[command(next_help_heading = "With --latency")]
struct Latency {
    /// Comments a second, over all shards
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 1_000.0, value_parser = rate)]
    rate: f64,
    /// Shards of each of the two streams
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000))]
    shards: u64,
    /// How long comments come
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=3_600))]
    seconds: u64,
    /// The most comments of a batch of score-comments
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 500, value_parser = batch)]
    batch_size: usize,
    /// The batching window of score-comments, in seconds
    #[arg(long, value_name = "SECONDS", requires = "latency", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=300))]
    window: u64,
    /// The most predictions of a batch of publish-alerts
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 100, value_parser = batch)]
    publish_batch_size: usize,
    /// Batches of a shard that publish-alerts has under way at once
    #[arg(long, value_name = "N", requires = "latency", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=10))]
    parallelization_factor: u8,
    /// The share of comments that alert
    #[arg(long, value_name = "SHARE", requires = "latency", default_value_t = 0.05, value_parser = share)]
    alert_share: f64,
    /// Both functions read by enhanced fan-out
    #[arg(long, requires = "latency")]
    fan_out: bool,
    /// The median of a write of an item of the table, in milliseconds
    #[arg(long, value_name = "MS", requires = "latency", default_value_t = assumed::WRITE_ITEM_MEDIAN, value_parser = median)]
    write_item_ms: f64,
}

impl Latency {
    fn settings(&self, seed: u64) -> Settings {
        Settings {
            rate: self.rate,
            shards: self.shards,
            seconds: self.seconds,
            batch_size: self.batch_size,
            window: Duration::from_secs(self.window),
            publish_batch_size: self.publish_batch_size,
            parallelization_factor: self.parallelization_factor.into(),
            alert_share: self.alert_share,
            fan_out: self.fan_out,
            write_item_ms: self.write_item_ms,
            seed,
        }
    }
}

fn number(text: &str, from: f64, to: f64, what: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (from..=to).contains(number));
    number.ok_or_else(|| format!("{what} is a number from {from} to {to}"))
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.1, 1e6, "a rate")
}

fn share(text: &str) -> Result<f64, String> {
    number(text, 0.0, 1.0, "a share")
}

fn median(text: &str) -> Result<f64, String> {
    number(text, 1.0, 1e4, "a median")
}

fn batch(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| (1..=10_000).contains(size));
    size.ok_or_else(|| "Lambda's batches hold 1 to 10000 records".to_owned())
}

fn mutation(name: &str) -> Result<&'static str, String> {
    mutations::named(name).ok_or_else(|| "no such mutation; --list-mutations prints them all".to_owned())
}

/// Plans that run between two looks at what failed.
const TOGETHER: u64 = 250;
/// Comments in one simulation of latency: all of them stay in memory.
const MOST_COMMENTS: u64 = 250_000;
/// Deeper than any plan's shrinking.
const SHOWN: usize = 12;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list_mutations {
        mutations::ALL.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    #[cfg(not(feature = "mutations"))]
    if arguments.mutate.is_some() {
        eprintln!("error: this program has no mutations in it: build it with `--features mutations`");
        return ExitCode::from(2);
    }
    if arguments.latency {
        return show_latency(&arguments.at.settings(arguments.seed));
    }
    // A function's panic is caught and its place noted; here it would only tear the progress bar.
    std::panic::set_hook(Box::new(|_| {}));
    match simulate(&arguments) {
        Ok(all) => {
            print!("{}", table(&arguments, &all));
            ExitCode::SUCCESS
        }
        Err(seed) => {
            print!("{}", explain(&arguments, seed));
            ExitCode::FAILURE
        }
    }
}

fn show_latency(settings: &Settings) -> ExitCode {
    let comments = settings.simulated_comments();
    if comments > MOST_COMMENTS {
        eprintln!(
            "error: {comments} comments are to be simulated, and memory is for {MOST_COMMENTS}: give fewer --seconds, a lower \
             --rate or more --shards"
        );
        return ExitCode::from(2);
    }
    let report = latency::simulate(settings);
    print!("{report}");
    if report.keeps_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all plans: everything that happened, or the lowest seed that broke something.
fn simulate(arguments: &Arguments) -> Result<RunOutcome, u64> {
    let progress = progress(arguments.plans);
    let seeds = arguments.seed..arguments.seed.saturating_add(arguments.plans);
    let mut all = RunOutcome::default();
    let mut from = seeds.start;
    while from < seeds.end {
        let to = seeds.end.min(from.saturating_add(TOGETHER));
        let outcomes: Vec<RunOutcome> = (from..to)
            .into_par_iter()
            .map(|seed| {
                let outcome = outcome(arguments.mutate, &Plan::of_seed(seed));
                progress.inc(1);
                outcome
            })
            .collect();
        if let Some(failed) = outcomes.iter().position(|outcome| !outcome.broken.is_empty()) {
            progress.finish_and_clear();
            return Err(from + failed as u64);
        }
        all = outcomes.into_iter().fold(all, RunOutcome::plus);
        from = to;
    }
    progress.finish_and_clear();
    Ok(all)
}

/// A run's outcome; a panic breaks everything.
fn outcome(mutation: Option<&'static str>, plan: &Plan) -> RunOutcome {
    let run = AssertUnwindSafe(|| mutated(mutation, || run(plan)));
    catch_unwind(run).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&said| said.to_owned()));
        RunOutcome { broken: vec![format!("panicked: {}", said.unwrap_or_default())], ..RunOutcome::default() }
    })
}

#[cfg(feature = "mutations")]
fn mutated<T>(mutation: Option<&'static str>, work: impl FnOnce() -> T) -> T {
    named_mutations::with(mutation, work)
}

#[cfg(not(feature = "mutations"))]
fn mutated<T>(_: Option<&'static str>, work: impl FnOnce() -> T) -> T {
    work()
}

fn progress(plans: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(plans), ProgressDrawTarget::stderr());
    let template = "{bar:32} {human_pos} of {human_len} plans, {eta} left";
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What happened how often.
fn table(arguments: &Arguments, all: &RunOutcome) -> String {
    let mut text = format!(
        "{} plans: {} records, {} invocations, {} messages; no promise broken\n\n",
        arguments.plans, all.records, all.invocations, all.messages
    );
    let width = all.injected.keys().map(|what| what.len()).max().unwrap_or_default();
    for (what, times) in &all.injected {
        // Writing into a String never fails.
        let _ = writeln!(text, "  {what:width$}  {times:>9}");
    }
    text
}

/// A failing seed: what broke, and the smallest plan that breaks it.
fn explain(arguments: &Arguments, seed: u64) -> String {
    let plan = Plan::of_seed(seed);
    let smallest = shrink(&plan, |plan| !outcome(arguments.mutate, plan).broken.is_empty());
    let broken = outcome(arguments.mutate, &smallest).broken;
    let mut text = format!("{}\n", style(format!("seed {seed} breaks a promise:")).red().bold());
    for sentence in broken.iter().take(SHOWN) {
        let _ = writeln!(text, "  {sentence}");
    }
    if broken.len() > SHOWN {
        let _ = writeln!(text, "  and {} more", broken.len() - SHOWN);
    }
    let (from, to) = (plan.incidents.len(), smallest.incidents.len());
    let _ = write!(text, "\nthe smallest plan that does, {to} of its {from} incidents:\n{smallest}");
    let mutate = arguments.mutate.map_or_else(String::new, |name| format!(" --mutate {name}"));
    let _ = writeln!(text, "\nagain: cargo xtask simulate --plans 1 --seed {seed}{mutate}");
    text
}
