//! `modstream decisions pull`: what moderators decided, in a file.

use plain_text::{agree, counted};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use modstream_feedback::{Pulled, pull};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::json;

use crate::common::aws_args::{BucketArgs, TableArgs, time};
use crate::common::display::{one_line, print};
use crate::common::output::OutputFile;
use crate::common::reached::{HERE, Kind, ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::decisions::waiting::WaitingArgs;

/// `modstream decisions`.
#[derive(Debug, Subcommand)]
pub(crate) enum DecisionsCommand {
    /// Write what moderators decided about which comment into a file, to train on and to look at
    Pull(PullArgs),
    /// List the alerts that nobody decided
    Waiting(WaitingArgs),
}

impl DecisionsCommand {
    /// Runs `modstream decisions`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            DecisionsCommand::Pull(args) => args.run(),
            DecisionsCommand::Waiting(args) => args.run(),
        }
    }

    pub(crate) fn wants_json(&self) -> bool {
        match self {
            DecisionsCommand::Pull(args) => args.json,
            DecisionsCommand::Waiting(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decisions pull --output decisions.jsonl
  modstream evaluate --live decisions.jsonl
  modstream policy suggest --decisions decisions.jsonl --precision 0.8
  modstream train --input removals.csv --decisions decisions.jsonl --output models/ours

A line a comment: its text, the verdict that stands, and the decision with what the model had claimed. Texts come from the
ledger, or from the archive where they are cut there. Only alerts were judged, and the comments that a policy's exploration_share
picked; `propensity` says how probable it was to be asked about. Probes are left out.")]
pub(crate) struct PullArgs {
    /// The file to write; one there is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Decisions since this time: a time, or a time ago such as `7d` [default: all]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Decisions before this time [default: now]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// The comments' stream, as the archive names it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) comments_stream: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How many damaged objects are named.
const NAMED_OBJECTS: usize = 5;

impl PullArgs {
    /// Runs `modstream decisions pull`.
    fn run(self) -> anyhow::Result<ExitCode> {
        // Before the work, not after.
        let output = OutputFile::new(&self.output, [])?;
        let (from, to) = (self.from.unwrap_or(Timestamp::MIN), self.to.unwrap_or_else(|| SystemClock.now()));
        let pulled = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let (table, bucket) = (system.table(&self.table.table), system.bucket(&self.bucket.bucket));
            let comments = system.here().map_or(self.comments_stream.as_str(), |_| Kind::Comments.name());
            Ok(Box::pin(pull((&table, &bucket), &SystemClock, comments, from, to)).await?)
        })?;
        let mut lines = String::new();
        for judged in &pulled.judged {
            lines += &serde_json::to_string(judged)?;
            lines.push('\n');
        }
        output.write(&lines)?;
        print(&if self.json { in_json(&pulled, &self) } else { in_words(&pulled, &self) })?;
        Ok(if pulled.unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn in_json(pulled: &Pulled, args: &PullArgs) -> String {
    let line = json!({
        "output": args.output,
        "decisions": pulled.judged.len(),
        "removed": pulled.judged.iter().filter(|judged| judged.removed).count(),
        "undone": pulled.undone,
        "probes": pulled.probes,
        "waiting": pulled.waiting,
        "without_text": pulled.without_text,
        "from_archive": pulled.from_archive,
        "unreadable": pulled.unreadable.iter().map(|(key, why)| json!({ "key": key, "why": why })).collect::<Vec<_>>(),
    });
    format!("{line}\n")
}

fn in_words(pulled: &Pulled, args: &PullArgs) -> String {
    let Pulled { judged, undone, probes, waiting, without_text, from_archive, unreadable } = pulled;
    let removed = judged.iter().filter(|judged| judged.removed).count();
    let mut text = format!(
        "{} with a decision, {removed} of them to remove, written to {}\n",
        counted(judged.len(), "comment"),
        args.output.display()
    );
    // Writing into a String can't fail.
    let mut line = |count: usize, one: &str, many: &str| {
        if count > 0 {
            let _ = writeln!(text, "{count:>7} {}", agree(count, one, many));
        }
    };
    line(
        *from_archive,
        "has its text from the archive: the ledger's is cut",
        "have their text from the archive: the ledger's is cut",
    );
    line(
        *without_text,
        "left out: the comment is deleted, or its text is gone, or was cut in the ledger and is in no archive",
        "left out: the comments are deleted, or their text is gone, or was cut in the ledger and is in no archive",
    );
    line(*undone, "left out: every decision was undone", "left out: every decision was undone");
    line(*probes, "left out: a probe, which counts nowhere", "left out: probes, which count nowhere");
    line(
        *waiting,
        "explored comment waits for a decision: a recall is of those that are decided",
        "explored comments wait for a decision: a recall is of those that are decided",
    );
    line(unreadable.len(), "item or object can't be read:", "items or objects can't be read:");
    for (key, why) in unreadable.iter().take(NAMED_OBJECTS) {
        let _ = writeln!(text, "        {}: {}", one_line(key), one_line(why));
    }
    text
}
