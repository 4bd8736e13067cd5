//! `modstream decisions waiting`: alerts that nobody decided.

use plain_text::counted;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use modstream_ledger::{Ledger, Waiting};
use modstream_platform::aws::SystemClock;
use serde_json::{Value, json};

use crate::common::aws_args::{TableArgs, time};
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::reached::{ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::common::usage::Usage;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decisions waiting
  modstream decisions waiting --from 90d --to 30d
  modstream decide \"$(modstream decisions waiting | head -n 1)\" keep --moderator maja

A line an alert, as `modstream decide` takes it: its comment's key and its id, the oldest first; how many there are on standard
error. The desk lists the same, the most urgent first.")]
pub(crate) struct WaitingArgs {
    /// Alerts since this time: a time, or a time ago such as `7d` [default: all]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Alerts before this time [default: all]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

impl WaitingArgs {
    /// Runs `modstream decisions waiting`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (from, to) = (self.from.unwrap_or(Timestamp::MIN), self.to.unwrap_or(Timestamp::MAX));
        if from >= to {
            return Err(Usage::error(format!("--from {from} is not before {to}: no alert can lie between them")));
        }
        let waiting = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let table = system.table(&self.table.table);
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let page = Box::pin(Ledger::new(&table, &SystemClock, deadline()).waiting(after)).await?;
                all.extend(page.found.into_iter().filter(|alert: &Waiting| from <= alert.made && alert.made < to));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            all.sort_by(|one, other| (one.made, &one.key).cmp(&(other.made, &other.key)));
            anyhow::Ok(all)
        })?;
        if self.json {
            let alerts: Vec<Value> = waiting
                .iter()
                .map(|alert| json!({ "comment": alert.key.comment, "id": alert.key.id, "made": alert.made }))
                .collect();
            let line = json!({ "from": self.from, "to": self.to, "count": waiting.len(), "alerts": alerts });
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let lines: String = waiting.iter().map(|alert| format!("{}\n", alert.key)).collect();
        print(&lines)?;
        eprintln!("{}", counted(waiting.len(), "undecided alert"));
        Ok(ExitCode::SUCCESS)
    }
}
