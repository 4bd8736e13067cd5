//! `modstream load`.

use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::args::LoadArgs;
use super::measured::{LoadOutcome, Measured, received};
use super::{cpu, scale, table};
use crate::common::display;
use crate::common::interrupt::Interrupts;
use crate::common::progress::Progress;
use crate::common::runtime::block_on;
#[cfg(feature = "aws")]
use crate::common::usage::Usage;
use crate::pipeline::audit::Audit;
#[cfg(feature = "aws")]
use crate::pipeline::deployed::Ready;
use crate::pipeline::in_memory::{Batches, Pipeline};
use crate::pipeline::prepared::Prepared;
use crate::pipeline::screen::Plan;
use crate::pipeline::system::{Counts, Schedule, Stop, System};
use modstream_platform::memory::MemoryClock;

/// How often progress is shown.
const REFRESH: Duration = Duration::from_millis(500);
/// How long the system may go on when no more comments come, besides half of the time that they came for.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);

impl LoadArgs {
    /// Runs `modstream load`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        let comments = self.scale.map_or_else(|| self.comments(), Ok)?;
        let demo = self.demo(comments);
        let prepared = Prepared::new(&demo)?;
        block_on(async {
            let interrupts = Interrupts::listen()?;
            #[cfg(feature = "aws")]
            if let Some(file) = self.deployed.deployment.as_deref() {
                if self.scale.is_some() {
                    return Err(Usage::error("--scale is measured in this process: leave out --deployment"));
                }
                let ready = Box::pin(Ready::new(&demo, file, prepared, &interrupts)).await?;
                let system = ready.system();
                return Box::pin(ready.during(load(&self, &ready.plan, &system, &interrupts), &interrupts)).await;
            }
            #[cfg(feature = "aws")]
            self.deployed.needs_no_deployment()?;
            let plan = prepared.plan(&demo, demo.policies(&prepared.models)?, self.model.base_rate, "", "load")?;
            if let Some(comments) = self.scale {
                return scale::run(comments, &self, &plan, &prepared, &interrupts).await;
            }
            let Prepared { models, corpus, .. } = prepared;
            let pipeline = Pipeline::start(
                &models,
                corpus.bytes,
                self.model.base_rate,
                &plan.policies,
                Batches::AsDeployed,
                MemoryClock::system(),
            )
            .await?;
            load(&self, &plan, &pipeline, &interrupts).await
        })
    }
}

/// Sends comments at a constant rate, measures, and judges.
async fn load<S: System>(
    args: &LoadArgs,
    plan: &Plan,
    system: &S,
    interrupts: &Interrupts,
) -> anyhow::Result<ExitCode> {
    if !args.json {
        display::print(&table::heading(args, plan))?;
    }
    let sending = Duration::from_secs(args.seconds.into());
    let progress = (!args.json).then(|| Progress::new("predictions", Some(plan.schedule.comments)));
    let mut alerts = Vec::new();
    let (start, started, cpu_before) = (Timestamp::now(), Instant::now(), cpu::time());
    // An event's time is when it is due.
    let schedule = Schedule { time: Some(start), ..plan.schedule.clone() };
    let ran = {
        let mut run =
            pin!(tokio::time::timeout(sending + sending / 2 + SETTLE_TIMEOUT, system.run(&schedule, interrupts)));
        let mut refresh = tokio::time::interval(REFRESH);
        loop {
            tokio::select! {
                biased;
                alert = system.next_alert() => alerts.push(received(&alert?)?),
                // Where the wait is over before all is done, there is no result.
                ran = &mut run => break ran.ok().transpose()?,
                _ = refresh.tick() => if let Some(progress) = &progress {
                    progress.at(system.counts().await?.predictions as u64);
                },
            }
        }
    };
    let took = started.elapsed();
    let cpu = cpu_before.and_then(|before| cpu::time()?.checked_sub(before));
    while let Some(alert) = system.waiting_alert() {
        alerts.push(received(&alert)?);
    }
    if let Some(progress) = progress {
        progress.finish();
    }

    let measured = Measured::of(system, start, &alerts).await?;
    let Counts { comments, quarantined, .. } = system.counts().await?;
    let is_interrupted = ran.as_ref().is_some_and(|ran| ran.stop == Stop::Interrupted);
    let asked = if is_interrupted { comments as u64 } else { plan.schedule.comments };
    let is_sustained = ran.is_some() && measured.is_sustained(asked.saturating_sub(quarantined as u64), sending);
    let mut outcome = LoadOutcome {
        comments,
        quarantined,
        alerts: alerts.len(),
        measured,
        took,
        cpu,
        is_sustained,
        is_interrupted,
        wrong: Vec::new(),
    };
    if !is_sustained {
        outcome.wrong.push(table::not_sustained(args, asked, &outcome));
    }
    let Measured { to_prediction, to_alert, .. } = &outcome.measured;
    outcome.wrong.extend(args.slo.iter().filter_map(|slo| slo.missed(to_prediction, to_alert)));
    if let Some(ran) = &ran {
        let sent = (!is_interrupted).then_some(plan.schedule.comments);
        let audit = Audit::of(system, &plan.policies, &alerts, sent).await?;
        outcome.alerts = audit.alerts;
        if !audit.broken.is_empty() {
            outcome.wrong.extend(audit.broken.into_iter().chain(ran.hint.clone()));
        }
    }
    let invocations = system.invocations();
    display::print(&if args.json {
        format!("{}\n", table::json(args, plan, &outcome, &invocations))
    } else {
        table::text(&outcome, &invocations)
    })?;
    Ok(if outcome.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
