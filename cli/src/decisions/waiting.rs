//! `modstream decisions waiting`: alerts that nobody decided, also those that the desk no longer lists.

use std::collections::HashMap;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use modstream_decisions::{AlertKey, PREFIX};
use modstream_ledger::{Entry, Hour, Reader};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::list;
use serde_json::{Value, json};

use crate::common::aws_args::{BucketArgs, time};
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

A line an alert, its hour and id as `modstream decide` takes them, the oldest first; how many there are, and of which time, on
standard error. The desk lists three days, and leads to those before by seven.")]
pub(crate) struct WaitingArgs {
    /// Alerts since this time: a time, or a time ago such as `7d` [default: 30d]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Alerts before this time [default: now]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How far back it is looked where nobody says it.
const DEFAULT_DAYS: i64 = 30;
/// The longest time that is looked at: a listing an hour.
const MAX_DAYS: i64 = 366;
const CONCURRENT_LISTINGS: usize = 16;

impl WaitingArgs {
    /// Runs `modstream decisions waiting`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let now = SystemClock.now();
        let to = self.to.unwrap_or_else(|| now + SignedDuration::from_hours(1));
        let from = self.from.unwrap_or_else(|| now - SignedDuration::from_hours(24 * DEFAULT_DAYS));
        if from >= to {
            return Err(Usage::error(format!("--from {from} is not before {to}: no alert can lie between them")));
        }
        if to.duration_since(from) > SignedDuration::from_hours(24 * MAX_DAYS) {
            return Err(Usage::error(format!(
                "from {from} to {to} is too long to look at: say --from and --to, at most {MAX_DAYS} days apart"
            )));
        }
        let waiting = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let bucket = system.bucket(&self.bucket.bucket);
            let reader = Reader::new(&bucket, &SystemClock, deadline());
            let listings = Hour::between(from, to).map(|hour| Box::pin(reader.hour(hour)));
            let hours: Vec<Vec<Entry>> =
                stream::iter(listings).buffered(CONCURRENT_LISTINGS).try_collect().await.context("the ledger")?;
            let days = Hour::days(Hour::of(from), Hour::of(to)).map(|day| format!("{PREFIX}{day}"));
            let listings = days.map(async |day| Box::pin(list(&bucket, &SystemClock, deadline(), &day)).await);
            let keys: Vec<Vec<String>> =
                stream::iter(listings).buffered(CONCURRENT_LISTINGS).try_collect().await.context("the decisions")?;
            let mut last_numbers: HashMap<&str, u32> = HashMap::new();
            for (place, number) in keys.iter().flatten().filter_map(|key| AlertKey::of_key(key)) {
                let last = last_numbers.entry(place.alert_id).or_default();
                *last = number.max(*last);
            }
            let number = |entry: &Entry| last_numbers.get(entry.id.as_str()).copied().unwrap_or_default();
            let open = |entry: &Entry| entry.since.is_open() && !AlertKey::is_decided(number(entry));
            anyhow::Ok(hours.into_iter().flatten().filter(open).collect::<Vec<Entry>>())
        })?;
        if self.json {
            let alerts: Vec<Value> =
                waiting.iter().map(|entry| json!({ "hour": entry.hour.to_string(), "id": entry.id })).collect();
            print(&format!("{}\n", json!({ "from": from, "to": to, "count": waiting.len(), "alerts": alerts })))?;
            return Ok(ExitCode::SUCCESS);
        }
        let lines: String = waiting.iter().map(|entry| format!("{}/{}\n", entry.hour, entry.id)).collect();
        print(&lines)?;
        let alerts = if waiting.len() == 1 { "alert" } else { "alerts" };
        eprintln!("{} undecided {alerts} from {from} to {to}; what lies before was not looked at", waiting.len());
        Ok(ExitCode::SUCCESS)
    }
}
