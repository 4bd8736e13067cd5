//! `modstream redrive`.

use plain_text::{agree, noun_of};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use jiff::Timestamp;
use modstream_events::Reason;
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use modstream_quarantine::redrive::{Left, Options, Redriven, Streams, Why, redrive};
use serde_json::{Value, json};

use crate::common::aws_args::{InBucketArgs, TableArgs, time};
use crate::common::display::{one_line, print};
use crate::common::reached::{HERE, Kind, Reached};
use crate::common::runtime::block_on;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream redrive --dry-run                        what would come back
  modstream redrive --given-up --since 2h
  modstream redrive --quarantine --reason panicked

Each record comes back once: a mark in the table says so. Stopped between a record and its mark, the next run repeats the
record, with the same ids: consumers drop it. Records come behind what was sent meanwhile.
The status is 1 where something failed or an object is not ours; records that are still bad are named and stay.")]
pub(crate) struct RedriveArgs {
    /// Only quarantined records [default: these and batches]
    #[arg(long)]
    pub(crate) quarantine: bool,
    /// Only batches that Lambda gave up [default: these and quarantined records]
    #[arg(long)]
    pub(crate) given_up: bool,
    /// Only this object
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Only records quarantined for this reason, such as `panicked`
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "given_up")]
    pub(crate) reason: Option<Reason>,
    /// Only what was set aside since this time: a time, or a time ago such as `2h`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Say what would be put back, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put back also records that are still bad
    #[arg(long)]
    pub(crate) force: bool,
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) comments_stream: String,
    /// The predictions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_PREDICTIONS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) predictions_stream: String,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

fn reason(text: &str) -> Result<Reason, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        "a reason stands in the quarantined object at `data.reason`, such as `not_json`, `missing_body` or `panicked`"
            .to_owned()
    })
}

/// How long a run goes on; the next run goes on where it ended.
const MAX_RUN_TIME: Duration = Duration::from_secs(15 * 60);
/// How many records or objects of each kind a terminal names.
const NAMED_OF_A_KIND: usize = 10;

impl RedriveArgs {
    /// Runs `modstream redrive`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let is_both = self.quarantine == self.given_up;
        let options = Options {
            quarantine: is_both || self.quarantine,
            given_up: is_both || self.given_up,
            key: self.key.clone(),
            reason: self.reason,
            since: self.since,
            dry_run: self.dry_run,
            force: self.force,
        };
        let bucket = self.system.bucket.bucket.as_str();
        let redriven = block_on(async {
            let system = Reached::open(&self.system.reach).await?;
            let streams = Streams {
                comments: system.stream(Kind::Comments, &self.comments_stream),
                predictions: system.stream(Kind::Predictions, &self.predictions_stream),
            };
            let (table, objects) = (system.table(&self.table.table), system.objects(bucket));
            let deadline = SystemClock.now() + MAX_RUN_TIME;
            let redriven = Box::pin(redrive((&table, &objects), &streams, &SystemClock, deadline, &options)).await;
            redriven.with_context(|| format!("the bucket {bucket} and the table {}", self.table.table))
        })?;
        print(&if self.system.json { line(&self, &redriven) } else { text(&self, &redriven) })?;
        let is_done = redriven.count(Why::Failed) + redriven.count(Why::NotOurs) + redriven.not_reached == 0;
        Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(args: &RedriveArgs, redriven: &Redriven) -> String {
    let left = |why: Why| -> Value {
        let of = redriven.left.iter().filter(|left| left.why == why);
        of.map(|Left { key, sequence_number, detail, .. }| {
            json!({ "key": key, "sequence_number": sequence_number, "detail": detail })
        })
        .collect()
    };
    let mut line = json!({
        "bucket": args.system.bucket.bucket,
        "dry_run": args.dry_run,
        "put_back": redriven.put_back,
        "before": redriven.before,
        "still_bad": left(Why::StillBad),
        "not_ours": left(Why::NotOurs),
        "forgotten": left(Why::Forgotten),
        "invocations": left(Why::Invocation),
        "failed": left(Why::Failed),
        "not_reached": redriven.not_reached,
    });
    if let Some(failed) = redriven.left.iter().find(|left| left.why == Why::Failed) {
        line["error"] = format!("{}: {}; another run goes on from there", failed.key, failed.detail).into();
    }
    format!("{line}\n")
}

fn text(args: &RedriveArgs, redriven: &Redriven) -> String {
    let Redriven { put_back, before, left, not_reached } = redriven;
    let done = if args.dry_run { "would be put back on their streams" } else { "put back on their streams" };
    let mut text = format!("{put_back:>7} {} {done}\n", noun_of(*put_back, "record"));
    if *before > 0 {
        text += &format!("{before:>7} {} put back before\n", agree(*before, "was", "were"));
    }
    let kinds = [
        (
            Why::StillBad,
            "is still bad and stays; --force puts it back all the same",
            "are still bad and stay; --force puts them back all the same",
        ),
        (Why::NotOurs, "object is not ours and stays", "objects are not ours and stay"),
        (Why::Forgotten, "was a person's who was forgotten", "were a person's who was forgotten"),
        (
            Why::Invocation,
            "invocation of the generator came from no stream",
            "invocations of the generator came from no stream",
        ),
        (Why::Failed, "failed; run this again", "failed; run this again"),
    ];
    for (why, one, many) in kinds {
        let count = redriven.count(why);
        if count == 0 {
            continue;
        }
        text += &format!("{count:>7} {}\n", agree(count, one, many));
        for Left { key, sequence_number, detail, .. } in
            left.iter().filter(|left| left.why == why).take(NAMED_OF_A_KIND)
        {
            // A quarantined record's key ends in its number.
            let number = sequence_number.as_deref().filter(|number| !key.contains(*number));
            let number = number.map_or_else(String::new, |number| format!(", record {number}"));
            text += &format!("        {}{number}: {}\n", one_line(key), one_line(detail));
        }
        if count > NAMED_OF_A_KIND {
            text += &format!("        and {} more: see --json\n", count - NAMED_OF_A_KIND);
        }
    }
    if let Some(invocation) = left.iter().find(|left| left.why == Why::Invocation) {
        text += &format!(
            "invoke the generator with each one's event again:\n\
             \x20 aws s3 cp 's3://{}/{}' - | jq -c .requestPayload > event.json\n\
             \x20 aws lambda invoke --function-name modstream-generate-comments --cli-read-timeout 120 \
             --payload fileb://event.json answer.json\n",
            args.system.bucket.bucket,
            one_line(&invocation.key)
        );
    }
    if *not_reached > 0 {
        text += &format!(
            "{not_reached:>7} {} not reached; run this again\n",
            agree(*not_reached, "object was", "objects were")
        );
    }
    text
}
