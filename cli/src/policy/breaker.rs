//! `modstream breaker`: alerts that are held back because there were too many.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use modstream_ledger::limits::Breakers;
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::json;

use crate::common::aws_args::InBucketArgs;
use crate::common::connection::{Connection, deadline};
use crate::common::display::print;
use crate::common::runtime::block_on;

/// `modstream breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Publish alerts again, before the breaker closes by itself
    Close(InBucketArgs),
    /// Show the breakers of today and yesterday
    Show(InBucketArgs),
}

impl BreakerCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            BreakerCommand::Close(args) | BreakerCommand::Show(args) => args.json,
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

async fn close(args: &InBucketArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.connection).await?;
    let bucket = args.bucket.bucket.as_str();
    let objects = connection.clients().objects(bucket);
    let closed = Box::pin(Breakers::new(&objects, &SystemClock, deadline()).close()).await;
    let closed = closed.with_context(|| format!("breakers/ of the bucket {bucket}"))?;
    if args.json {
        return Ok(print(&format!("{}\n", json!({ "bucket": bucket, "closed": closed })))?);
    }
    let text = match closed {
        0 => "no breaker was open\n",
        _ => "closed; alerts are published again within seconds, and the breaker counts anew\n",
    };
    Ok(print(text)?)
}

async fn show(args: &InBucketArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.connection).await?;
    let bucket = args.bucket.bucket.as_str();
    let objects = connection.bucket(bucket);
    let all = Box::pin(Breakers::new(&objects, &SystemClock, deadline()).all()).await;
    let all = all.with_context(|| format!("breakers/ of the bucket {bucket}"))?;
    let now = SystemClock.now();
    if args.json {
        let rows: Vec<_> = all
            .iter()
            .map(|known| json!({ "opened": known.opened, "open": known.is_open(now), "closed": known.closed }))
            .collect();
        return Ok(print(&format!("{}\n", json!({ "bucket": bucket, "breakers": rows })))?);
    }
    if all.is_empty() {
        return Ok(print("no breaker opened today or yesterday\n")?);
    }
    let mut text = String::new();
    for known in &all {
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
    }
    Ok(print(&text)?)
}
