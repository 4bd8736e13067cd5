//! `modstream breaker`: alerts that are held back because there were too many.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modstream_ledger::limits::Breakers;
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::json;

use crate::common::aws_args::InBucketArgs;
use crate::common::cause::{CauseArgs, in_json, in_words};
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::reached::Reached;
use crate::common::runtime::block_on;

/// `modstream breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Publish alerts again, before the breaker closes by itself
    Close(CloseArgs),
    /// Show the breakers of today and yesterday
    Show(InBucketArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream breaker close --reason 'the raid is over' --by maja

Who closes a breaker and why is kept with it, and shown by `modstream breaker show`.")]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    pub(crate) cause: CauseArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

impl BreakerCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            BreakerCommand::Close(args) => args.system.json,
            BreakerCommand::Show(args) => args.json,
        }
    }

    /// Runs `modstream breaker`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match &self {
                BreakerCommand::Close(args) => close(args).await,
                BreakerCommand::Show(args) => show(args).await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn close(args: &CloseArgs) -> anyhow::Result<()> {
    let CloseArgs { cause: by, system: in_bucket } = args;
    let system = Reached::open(&in_bucket.reach).await?;
    let bucket = in_bucket.bucket.bucket.as_str();
    let objects = system.objects(bucket);
    let breakers = Breakers::new(&objects, &SystemClock, deadline());
    let cause = by.cause(&system).await;
    let closing = Box::pin(breakers.closing(&cause)).await;
    let closing = closing.with_context(|| format!("breakers/ of the bucket {bucket}"))?;
    for one in &closing {
        let close = Box::pin(breakers.close_one(one));
        let closed = Box::pin(by.make(&system, bucket, one.event(), close)).await;
        closed.with_context(|| format!("breakers/ of the bucket {bucket}"))?;
    }
    let closed = closing.len();
    if in_bucket.json {
        let line = json!({ "bucket": bucket, "closed": closed, "cause": in_json(&cause) });
        return Ok(print(&format!("{line}\n"))?);
    }
    let text = match closed {
        0 => "no breaker was open\n",
        _ => "closed; alerts are published again within seconds, and the breaker counts anew\n",
    };
    Ok(print(text)?)
}

async fn show(args: &InBucketArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.reach).await?;
    let bucket = args.bucket.bucket.as_str();
    let objects = system.bucket(bucket);
    let breakers = Breakers::new(&objects, &SystemClock, deadline());
    let known = Box::pin(breakers.all()).await.with_context(|| format!("breakers/ of the bucket {bucket}"))?;
    let mut all = Vec::new();
    for known in known {
        let cause = match known.closed {
            Some(_) => Box::pin(breakers.closed_by(&known.folder)).await,
            None => Ok(None),
        };
        all.push((known, cause.with_context(|| format!("breakers/ of the bucket {bucket}"))?));
    }
    let now = SystemClock.now();
    if args.json {
        let rows: Vec<_> = all
            .iter()
            .map(|(known, cause)| {
                let cause = cause.as_ref().map(in_json);
                json!({ "opened": known.opened, "open": known.is_open(now), "closed": known.closed, "cause": cause })
            })
            .collect();
        return Ok(print(&format!("{}\n", json!({ "bucket": bucket, "breakers": rows })))?);
    }
    if all.is_empty() {
        return Ok(print("no breaker opened today or yesterday\n")?);
    }
    let mut text = String::new();
    for (known, cause) in &all {
        let opened = &known.opened;
        let end = match known.ended(now) {
            None => format!("open until {}", opened.until.strftime("%Y-%m-%d %H:%M UTC")),
            Some(end) => format!("ended {}", end.strftime("%Y-%m-%d %H:%M UTC")),
        };
        text += &format!(
            "{}  {} of {} comments alerted, {:.1} %  {end}\n",
            opened.time.strftime("%Y-%m-%d %H:%M UTC"),
            opened.alerts,
            opened.predictions,
            opened.share() * 100.0
        );
        if let Some(cause) = cause {
            text += &format!("                      closed {}\n", in_words(cause));
        }
    }
    Ok(print(&text)?)
}
