//! Ten times the comments: what they cost.

use plain_text::counted;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use super::args::LoadArgs;
use super::cpu;
use crate::common::display;
use crate::common::interrupt::Interrupts;
use crate::pipeline::in_memory::{Batches, Pipeline};
use crate::pipeline::prepared::Prepared;
use crate::pipeline::screen::Plan;
use crate::pipeline::system::{Schedule, Stop, System as _};
use modstream_platform::memory::MemoryClock;

/// The most that ten times the comments may cost, as a multiple of one time's cost.
const MAX_COST_RATIO: f64 = 10.5;
/// How many runs of each size count, by their median. Sizes take turns, so that whatever else the machine does falls on
/// both.
const COUNTED_RUNS: usize = 3;
/// How many comments come a second: as fast as it goes, more of them would wait at once for a longer run, and caches
/// hold only so many.
const COMMENTS_PER_SECOND: f64 = 5_000.0;

pub(crate) async fn run(
    comments: u64,
    args: &LoadArgs,
    plan: &Plan,
    prepared: &Prepared,
    interrupts: &Interrupts,
) -> anyhow::Result<ExitCode> {
    let mut times = [Vec::new(), Vec::new()];
    // The first is not counted: it pages everything in.
    once(comments, args, plan, prepared, interrupts).await?;
    for _ in 0..COUNTED_RUNS {
        for (times, comments) in times.iter_mut().zip([comments, comments * 10]) {
            times.push(once(comments, args, plan, prepared, interrupts).await?);
        }
    }
    let [one, ten] = times.map(median);
    let ratio = ten.as_secs_f64() / one.as_secs_f64().max(f64::MIN_POSITIVE);
    let is_linear = ratio <= MAX_COST_RATIO;
    let a_second = |comments: u64, time: Duration| (comments as f64 / time.as_secs_f64()).round();
    let of = |comments: u64, time: Duration| json!({ "comments": comments, "seconds": time.as_secs_f64(), "comments_a_second": a_second(comments, time) });
    let kind = if cpu::time().is_some() { "CPU-second" } else { "second" };
    let wrong = || format!("ten times the comments cost {ratio:.2} times the time, more than {MAX_COST_RATIO}");
    display::print(&if args.json {
        let mut line =
            json!({ "runs": [of(comments, one), of(comments * 10, ten)], "ratio": ratio, "most": MAX_COST_RATIO });
        if !is_linear {
            line["error"] = wrong().into();
        }
        format!("{line}\n")
    } else {
        let line = |comments: u64, time: Duration| {
            let (seconds, a_second) = (time.as_secs_f64(), a_second(comments, time));
            format!("{comments:>9} comments  {seconds:>8.3} {kind}s  {a_second:>7} a {kind}\n")
        };
        let verdict = if is_linear {
            format!("ten times the comments cost {ratio:.2} times the time, at most {MAX_COST_RATIO} are allowed")
        } else {
            format!("failed: {}", wrong())
        };
        format!("{}{}{verdict}\n", line(comments, one), line(comments * 10, ten))
    })?;
    Ok(if is_linear { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes comments through a world of their own, and returns the CPU time that this took.
async fn once(
    comments: u64,
    args: &LoadArgs,
    plan: &Plan,
    prepared: &Prepared,
    interrupts: &Interrupts,
) -> anyhow::Result<Duration> {
    let (models, corpus) = (&prepared.models, prepared.corpus.bytes.clone());
    let pipeline = Pipeline::start(
        models,
        corpus,
        args.model.base_rate,
        &plan.policies,
        Batches::AsDeployed,
        MemoryClock::system(),
    )
    .await?;
    let schedule = Schedule { comments, rate: Some(COMMENTS_PER_SECOND), ..plan.schedule.clone() };
    let (started, before) = (Instant::now(), cpu::time());
    let ran = pipeline.run(&schedule, interrupts).await?;
    let took = before.and_then(|before| cpu::time()?.checked_sub(before)).unwrap_or_else(|| started.elapsed());
    anyhow::ensure!(ran.stop == Stop::Done, "stopped before the end");
    let predictions = pipeline.counts().await?.predictions as u64;
    anyhow::ensure!(
        predictions == comments,
        "{} for {}",
        counted(predictions, "prediction"),
        counted(comments, "comment")
    );
    Ok(took)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
