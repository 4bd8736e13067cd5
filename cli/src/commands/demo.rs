use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use console::style;
use futures_util::future::try_join;
use modstream_classifier::{BaseRate, LogOdds, Model, Score};
use modstream_corpus::Reader;
use modstream_events::{Alert, Event};
use modstream_platform::memory::Notification;
use modstream_platform::{Clock, Objects};
use publish_alerts::{Condition, Policy};
use serde_json::{Value, json};

use crate::args::{DemoArgs, MOST_COMMENTS};
use crate::audit::{Audit, Received};
use crate::display;
use crate::embedded::{self, SAMPLE_COMMENTS};
use crate::pipeline::{Pipeline, Ran};
use crate::progress::{Live, Progress};

/// How often the line of counts changes.
const REFRESH: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    // A panic's message may quote a comment.
    kinesis_batch::install_panic_hook();
    let files = embedded::model_files(args.model.model.as_deref())?;
    let (model, _) = embedded::load(&args.model)?;
    let Corpus { bytes, rows } = corpus(args.input.as_deref(), args.comments.unwrap_or(MOST_COMMENTS))?;
    let comments = args.comments.unwrap_or(if args.input.is_some() { rows } else { SAMPLE_RUN });
    let plan = Plan { comments, rows, out_of_reach: out_of_reach(&args.policy, &model) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let pipeline = Pipeline::start(&files, bytes, args.model.base_rate, &args.policy).await?;
        demo(args, &pipeline, &plan).await
    })
}

/// How many sample comments a demo sends that is not told otherwise.
const SAMPLE_RUN: u64 = 300;

/// What a demo is going to do.
struct Plan {
    comments: u64,
    /// How many rows there are to send.
    rows: u64,
    /// What to say where no comment can meet the policy.
    out_of_reach: Option<String>,
}

struct Corpus {
    bytes: Vec<u8>,
    rows: u64,
}

/// The rows to send, as the object that the generator reads: no more of the file than is sent is held.
fn corpus(input: Option<&Path>, comments: u64) -> anyhow::Result<Corpus> {
    let (name, reader) = match input {
        Some(path) => (path.display().to_string(), Reader::open(path)?),
        None => ("the sample comments".to_owned(), Reader::from_read("the sample comments", SAMPLE_COMMENTS)?),
    };
    let mut bytes = Vec::new();
    let mut rows = 0;
    let progress = Progress::new("reading comments", None);
    for row in reader.take(usize::try_from(comments).unwrap_or(usize::MAX)) {
        let row = row.map_err(|error| anyhow::anyhow!("{name}, line {}: {error}", error.line))?;
        serde_json::to_writer(&mut bytes, &row.comment)?;
        rows += 1;
        bytes.push(b'\n');
        progress.step();
    }
    progress.finish();
    anyhow::ensure!(rows > 0, "{name}: there are no comments in it");
    Ok(Corpus { bytes, rows })
}

/// What to say where no comment can meet the policy.
fn out_of_reach(policy: &Policy, model: &Model) -> Option<String> {
    let surest = model.operating_point(Score { log_odds: LogOdds(f64::INFINITY) });
    let found = match policy.condition {
        Condition::Precision(least) if surest.precision < least => {
            format!("a precision of {:.2} at most", surest.precision)
        }
        Condition::Share(most) if surest.share > most => format!("a share of {:.4} at least", surest.share),
        Condition::Precision(_) | Condition::Share(_) | Condition::Probability(_) => return None,
    };
    let rate = surest.base_rate * 100.0;
    Some(format!(
        "no comment can meet {}: where {rate:.1} % are removed, this model promises {found}",
        policy.condition
    ))
}

async fn demo(args: &DemoArgs, pipeline: &Pipeline, plan: &Plan) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let screen = Screen { live: Live::new(), json: args.json };
    if !args.json {
        screen.heading(args, pipeline, plan)?;
    }
    let mut received = Vec::new();
    let generate = async {
        let rate = (!args.fast).then_some(args.rate);
        tokio::select! {
            biased;
            // What is on the stream by then is still taken all the way.
            _ = tokio::signal::ctrl_c() => {
                tokio::spawn(async {
                    // Twice means now.
                    let _ = tokio::signal::ctrl_c().await;
                    std::process::exit(130);
                });
                Ok(Stop::Interrupted)
            }
            generated = pipeline.generate(plan.comments, rate) => generated.map(|_| Stop::Done),
        }
    };
    let (done, is_done) = tokio::sync::watch::channel(false);
    // Where the screen is gone, nobody waits for the rest.
    let ended = try_join(
        async {
            let ran = pipeline.run(generate).await;
            done.send_replace(true);
            ran
        },
        watch(pipeline, &screen, is_done, &mut received),
    )
    .await;
    screen.live.finish();
    let ((stop, ran), ()) = ended?;
    let sent = (stop == Stop::Done).then_some(plan.comments);
    let audit = Audit::of(&pipeline.world, &args.policy, &received, sent).await?;
    if args.json {
        let mut summary = summary_json(args, pipeline, &audit, &ran, stop, started.elapsed());
        if let Some(note) = &plan.out_of_reach {
            summary["note"] = note.as_str().into();
        }
        display::print(&format!("{summary}\n"))?;
    } else {
        screen.summary(args, &audit, stop, started.elapsed())?;
    }
    Ok(if audit.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the generator ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Done,
    Interrupted,
}

/// The subscriber: takes alerts as they come, and shows them.
async fn watch(
    pipeline: &Pipeline,
    screen: &Screen,
    mut is_done: tokio::sync::watch::Receiver<bool>,
    received: &mut Vec<Received>,
) -> anyhow::Result<()> {
    let mut refreshed = Instant::now();
    loop {
        tokio::select! {
            biased;
            notification = pipeline.inbox.receive() => received.push(screen.alert(pipeline, &notification)?),
            _ = is_done.wait_for(|done| *done) => break,
            () = tokio::time::sleep(REFRESH) => {}
        }
        if refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            screen.counts(pipeline, received.len()).await?;
        }
    }
    while let Some(notification) = pipeline.inbox.try_receive() {
        received.push(screen.alert(pipeline, &notification)?);
    }
    Ok(())
}

struct Screen {
    live: Live,
    json: bool,
}

impl Screen {
    fn heading(&self, args: &DemoArgs, pipeline: &Pipeline, plan: &Plan) -> std::io::Result<()> {
        let rate = if args.fast { "as fast as it goes".to_owned() } else { format!("{} a second", args.rate) };
        let model = &pipeline.manifest;
        let text = format!(
            "{} comments, {rate}; model {} version {}; alerts where {}\n",
            plan.comments,
            model.name,
            &model.version[..12],
            args.policy.condition
        );
        self.live.print(&text)?;
        let training = model.training.removed as f64 / model.training.comments as f64;
        let share = args.model.base_rate.map_or(training, BaseRate::share) * 100.0;
        let hint = if args.model.base_rate.is_none() { ", as in training; say yours with --base-rate" } else { "" };
        let note = format!("assuming that {share:.0} % of comments are removed{hint}\n");
        self.live.print(&style(note).dim().to_string())?;
        if plan.rows < plan.comments {
            self.live
                .print(&style(format!("there are {} different ones: rows repeat\n", plan.rows)).dim().to_string())?;
        }
        if let Some(note) = &plan.out_of_reach {
            self.live.print(&style(format!("{note}\n")).yellow().to_string())?;
        }
        self.live.print("\n")
    }

    fn alert(&self, pipeline: &Pipeline, notification: &Notification) -> anyhow::Result<Received> {
        let at = pipeline.world.clock.now();
        let event: Event<'_, Alert<'_>> = Event::decode(notification.body.as_bytes()).context("an alert")?;
        if !self.json {
            self.live.print(&display::alert(&event))?;
        }
        let of = &event.data.comment_event;
        Ok(Received { alert_id: event.id.to_string(), comment_event: (of.source.to_string(), of.id.to_string()), at })
    }

    async fn counts(&self, pipeline: &Pipeline, alerts: usize) -> anyhow::Result<()> {
        let world = &pipeline.world;
        let quarantined = world.objects.list("quarantine/").await?.len();
        self.live.show(&format!(
            "{} comments  {} predictions  {quarantined} quarantined  {alerts} alerts",
            world.comments.len(),
            world.predictions.len()
        ));
        Ok(())
    }

    fn summary(&self, args: &DemoArgs, audit: &Audit, stop: Stop, took: Duration) -> std::io::Result<()> {
        let seconds = took.as_secs_f64();
        let mut text = String::new();
        if stop == Stop::Interrupted {
            text += "stopped early; what was on the stream by then was taken all the way\n";
        }
        text += &format!(
            "{:>7} comments in {seconds:.1} s, {:.0} a second\n",
            audit.comments,
            audit.comments as f64 / seconds
        );
        text += &format!("{:>7} predictions\n{:>7} quarantined\n", audit.predictions, audit.quarantined);
        let share = audit.alerts as f64 / audit.comments.max(1) as f64 * 100.0;
        text += &format!("{:>7} alerts, {share:.1} % of comments, {}\n", audit.alerts, args.policy.condition);
        if let (0, Some(highest)) = (audit.alerts, audit.highest) {
            text += &format!("no alert: the highest probability was {highest:.2}\n");
        }
        if let (Some(p50), Some(p99)) = (audit.latency_ms(0.5), audit.latency_ms(0.99)) {
            text += &format!("from comment to alert: p50 {p50:.1} ms, p99 {p99:.1} ms\n");
        }
        if audit.broken.is_empty() {
            let repeats =
                if audit.duplicates > 0 { format!(" ({} repeats, same ids)", audit.duplicates) } else { String::new() };
            text += &format!("{}{repeats}\n", style("nothing lost, nothing doubled").green());
        }
        for promise in &audit.broken {
            text += &format!("{} {promise}\n", style("broken promise:").red().bold());
        }
        self.live.print(&text)
    }
}

fn summary_json(args: &DemoArgs, pipeline: &Pipeline, audit: &Audit, ran: &Ran, stop: Stop, took: Duration) -> Value {
    let mut line = json!({
        "comments": audit.comments,
        "predictions": audit.predictions,
        "quarantined": audit.quarantined,
        "alerts": audit.alerts,
        "duplicates": audit.duplicates,
        "latency_ms": { "p50": audit.latency_ms(0.5), "p99": audit.latency_ms(0.99) },
        "seconds": took.as_secs_f64(),
        "batches": { "score-comments": ran.scoring.batches, "publish-alerts": ran.publishing.batches },
        "policy": args.policy.condition.to_string(),
        "model": { "name": pipeline.manifest.name, "version": pipeline.manifest.version },
        "interrupted": stop == Stop::Interrupted,
    });
    if !audit.broken.is_empty() {
        line["error"] = audit.broken.join("; ").into();
    }
    line
}
