//! `modstream feedback pull`: what others say that comments should have got, in a file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use modstream_events::Feedback;
use modstream_gateway::{FEEDBACK_PREFIX, read_feedback};
use modstream_platform::deliver::{get, list};
use modstream_platform::{Fetched, SystemClock};
use plain_text::counted;
use serde_json::json;

use crate::common::aws_args::InBucketArgs;
use crate::common::connection::deadline;
use crate::common::display::{one_line, print};
use crate::common::output::OutputFile;
use crate::common::reached::Reached;
use crate::common::runtime::block_on;

/// How many damaged objects are named.
const NAMED_OBJECTS: usize = 5;

/// `modstream feedback`.
#[derive(Debug, Subcommand)]
pub(crate) enum FeedbackCommand {
    /// Write what others say that comments should have got into a file, to look at and to train on
    Pull(PullArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream feedback pull --data /var/lib/modstream --output feedback.jsonl
  modstream feedback pull --output feedback.jsonl

A line a comment and attribute: its text, whether it is to be removed by what was suggested (a score from 0.5 on), and the
suggestion. It came over HTTP with a key of the role feedback: by `comments:suggestscore`, such as the decisions of Coral's
moderators. What moderators decided here is in `modstream decisions pull`, and never in this file.")]
pub(crate) struct PullArgs {
    /// The file to write; one there is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) of: InBucketArgs,
}

impl FeedbackCommand {
    /// Runs `modstream feedback`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let FeedbackCommand::Pull(args) = self;
        args.run()
    }

    pub(crate) fn wants_json(&self) -> bool {
        let FeedbackCommand::Pull(args) = self;
        args.of.json
    }
}

impl PullArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        // Before the work, not after.
        let output = OutputFile::new(&self.output, [])?;
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        block_on(async {
            let objects = Box::pin(Reached::open(&self.of.reach)).await?.bucket(&self.of.bucket.bucket);
            for key in list(&objects, &SystemClock, deadline(), FEEDBACK_PREFIX).await? {
                // What is gone meanwhile was replaced or forgotten.
                let Fetched::Object { bytes, .. } = get(&objects, &SystemClock, deadline(), &key, None).await? else {
                    continue;
                };
                match read_feedback(&bytes) {
                    Ok(Some(said)) => rows.push(said),
                    Ok(None) => {}
                    Err(problem) => unreadable.push((key, problem)),
                }
            }
            anyhow::Ok(())
        })?;
        rows.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.body.cmp(&other.body)));
        let mut lines = String::new();
        for (time, Feedback { subreddit, id, body, attribute, score, removed }) in &rows {
            let suggested = json!({ "attribute": attribute, "score": score, "time": time });
            let mut row = json!({ "body": body, "removed": removed, "feedback": suggested });
            for (name, value) in [("id", id), ("subreddit", subreddit)] {
                if let Some(value) = value {
                    row[name] = value.clone().into();
                }
            }
            lines += &format!("{row}\n");
        }
        output.write(&lines)?;
        let removed = rows.iter().filter(|(_, said)| said.removed).count();
        print(&if self.of.json {
            let unreadable: Vec<_> = unreadable.iter().map(|(key, why)| json!({ "key": key, "why": why })).collect();
            let line = json!({
                "output": self.output, "feedback": rows.len(), "removed": removed, "unreadable": unreadable,
            });
            format!("{line}\n")
        } else {
            let mut text = format!(
                "{}, {removed} of them to remove, written to {}\n",
                counted(rows.len(), "suggestion"),
                self.output.display()
            );
            for (key, why) in unreadable.iter().take(NAMED_OBJECTS) {
                text += &format!("        {}: {}\n", one_line(key), one_line(why));
            }
            text
        })?;
        Ok(if unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
