//! `modstream demo`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::try_join;
use jiff::Timestamp;

use crate::common::interrupt::Interrupts;
use crate::common::runtime::block_on;
use crate::pipeline::audit::{Audit, Received};
#[cfg(feature = "aws")]
use crate::pipeline::deployed::Ready;
use crate::pipeline::in_memory::{Batches, Pipeline};
use crate::pipeline::prepared::{DemoArgs, Prepared};
use crate::pipeline::screen::{Plan, Screen};
use crate::pipeline::system::{Stop, System};
use modstream_platform::memory::MemoryClock;

/// How often the line of counts changes.
const REFRESH: Duration = Duration::from_millis(200);

impl DemoArgs {
    /// Runs `modstream demo`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        let prepared = Prepared::new(&self)?;
        block_on(async {
            let interrupts = Interrupts::listen()?;
            #[cfg(feature = "aws")]
            if let Some(file) = self.deployed.deployment.as_deref() {
                let ready = Box::pin(Ready::new(&self, file, prepared, &interrupts)).await?;
                let system = ready.system();
                return Box::pin(ready.during(demo(&ready.plan, &system, &interrupts), &interrupts)).await;
            }
            #[cfg(feature = "aws")]
            self.deployed.needs_no_deployment()?;
            let note = ", as in training; say yours with --base-rate";
            let plan = prepared.plan(&self, self.policies(&prepared.models)?, self.model.base_rate, note, "demo")?;
            let Prepared { models, corpus, .. } = prepared;
            // The comments arrive when the schedule says that they are written.
            let clock = self.schedule_time.map_or_else(MemoryClock::system, MemoryClock::starting_at);
            let pipeline =
                Pipeline::start(&models, corpus.bytes, self.model.base_rate, &plan.policies, Batches::AtOnce, clock)
                    .await?;
            demo(&plan, &pipeline, &interrupts).await
        })
    }
}

/// Runs a plan on a system, shows what happens, and checks what is left behind.
async fn demo<S: System>(plan: &Plan, system: &S, interrupts: &Interrupts) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(plan);
    screen.heading()?;
    let mut received = Vec::new();
    let (done, is_done) = tokio::sync::watch::channel(false);
    // Where the screen is gone, nobody waits for the rest.
    let ended = try_join(
        async {
            let ran = system.run(&plan.schedule, interrupts).await;
            done.send_replace(true);
            ran
        },
        watch(system, &screen, is_done, &mut received),
    )
    .await;
    screen.finish();
    let (ran, ()) = ended?;
    let sent = (ran.stop == Stop::Done).then_some(plan.schedule.comments);
    let audit = Audit::of(system, &plan.policies, &received, sent).await?;
    screen.summary(&audit, &ran)?;
    if !plan.json
        && let Some((subreddit, first, last)) = busiest(&received)
        && let Some(digest) = system.digest(subreddit, first, last).await?
    {
        screen.digest(&digest)?;
    }
    Ok(if audit.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The subreddit with most alerts, and the times of the first and the last comment they are about.
fn busiest(received: &[Received]) -> Option<(&str, Timestamp, Timestamp)> {
    let mut all: BTreeMap<&str, (usize, Timestamp, Timestamp)> = BTreeMap::new();
    for Received { subreddit, time, .. } in received {
        let (count, first, last) = all.entry(subreddit).or_insert((0, *time, *time));
        *count += 1;
        *first = (*first).min(*time);
        *last = (*last).max(*time);
    }
    let (subreddit, (_, first, last)) = all.into_iter().max_by_key(|(_, (count, ..))| *count)?;
    Some((subreddit, first, last))
}

/// The subscriber: takes alerts as they come, and shows them.
async fn watch<S: System>(
    system: &S,
    screen: &Screen<'_>,
    mut is_done: tokio::sync::watch::Receiver<bool>,
    received: &mut Vec<Received>,
) -> anyhow::Result<()> {
    let mut refreshed = Instant::now();
    loop {
        tokio::select! {
            biased;
            alert = system.next_alert() => received.push(screen.alert(&alert?)?),
            _ = is_done.wait_for(|done| *done) => break,
            () = tokio::time::sleep(REFRESH) => {}
        }
        if refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            screen.counts(system.counts().await?, received.len());
        }
    }
    while let Some(alert) = system.waiting_alert() {
        received.push(screen.alert(&alert)?);
    }
    Ok(())
}
