//! `modstream breaker`: alerts that are held back because there were too many.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modstream_ledger::limits::Breakers;
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use plain_text::counted;
use serde_json::json;

use crate::common::aws_args::InTableArgs;
use crate::common::cause::{CauseArgs, in_json, in_words};
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::reached::{ReachArgs, Reached, place_of};
use crate::common::runtime::block_on;

/// `modstream breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Publish alerts again, before the breaker closes by itself
    Close(CloseArgs),
    /// Show the breakers of today and yesterday
    Show(InTableArgs),
}

#[derive(Debug, Args)]
#[command(mut_arg("table", |table| table.required_unless_present("data")), after_help = "Example:
  modstream breaker close --reason 'the raid is over' --by maja

Who closes a breaker and why is kept with it, and shown by `modstream breaker show`.")]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    pub(crate) cause: CauseArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

impl BreakerCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            BreakerCommand::Close(args) => args.json,
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
    let CloseArgs { cause: by, json: as_json, reach } = args;
    let system = Reached::open(reach).await?;
    let name = by.table.as_deref().unwrap_or_default();
    let table = system.table(name);
    let breakers = Breakers::new(&table, &SystemClock, deadline());
    let cause = by.cause(&system).await;
    let closing = Box::pin(breakers.closing(&cause)).await;
    let closing = closing.with_context(|| format!("the breakers in {}", place_of("the table", name)))?;
    for one in &closing {
        let close = Box::pin(breakers.close_one(one));
        let closed = Box::pin(by.make(&system, one.event(), close)).await;
        closed.with_context(|| format!("the breakers in {}", place_of("the table", name)))?;
    }
    let closed = closing.len();
    if *as_json {
        let line = json!({ "table": name, "closed": closed, "cause": in_json(&cause) });
        return Ok(print(&format!("{line}\n"))?);
    }
    let text = match closed {
        0 => "no breaker was open\n",
        _ => "closed; alerts are published again within seconds, and the breaker counts anew\n",
    };
    Ok(print(text)?)
}

async fn show(args: &InTableArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.reach).await?;
    let name = args.table.table.as_str();
    let table = system.table(name);
    let known = Box::pin(Breakers::new(&table, &SystemClock, deadline()).all()).await;
    let all = known.with_context(|| format!("the breakers in {}", place_of("the table", name)))?;
    let now = SystemClock.now();
    if args.json {
        let rows: Vec<_> = all
            .iter()
            .map(|known| {
                let cause = known.cause.as_ref().map(in_json);
                json!({ "opened": known.opened, "open": known.is_open(now), "closed": known.closed, "cause": cause })
            })
            .collect();
        return Ok(print(&format!("{}\n", json!({ "table": name, "breakers": rows })))?);
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
            "{}  {} of {} alerted, {:.1} %  {end}\n",
            opened.time.strftime("%Y-%m-%d %H:%M UTC"),
            opened.alerts,
            counted(opened.predictions, "comment"),
            opened.share() * 100.0
        );
        if let Some(cause) = &known.cause {
            text += &format!("                      closed {}\n", in_words(cause));
        }
    }
    Ok(print(&text)?)
}
