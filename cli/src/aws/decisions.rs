//! `modstream decisions pull`: what moderators decided, in a file.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use modstream_feedback::{Pulled, pull};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::json;

use super::args::PullArgs;
use super::{Connection, block_on};
use crate::display::{one_line, print};
use crate::output::OutputFile;

/// How many damaged objects are named.
const NAMED: usize = 5;

pub(crate) fn run(args: &PullArgs) -> anyhow::Result<ExitCode> {
    // Before the work, not after.
    let output = OutputFile::new(&args.output, Path::new(""))?;
    let (from, to) = (args.from.unwrap_or(Timestamp::MIN), args.to.unwrap_or_else(|| SystemClock.now()));
    let pulled = block_on(async {
        let connection = Connection::open(&args.connection).await?;
        let bucket = connection.bucket(&args.bucket.bucket);
        Ok(Box::pin(pull(&bucket, &SystemClock, &args.comments_stream, from, to)).await?)
    })?;
    let mut lines = String::new();
    for judged in &pulled.judged {
        lines += &serde_json::to_string(judged)?;
        lines.push('\n');
    }
    output.write(&lines)?;
    print(&if args.json { in_json(&pulled, args) } else { in_words(&pulled, args) })?;
    Ok(if pulled.unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_json(pulled: &Pulled, args: &PullArgs) -> String {
    let line = json!({
        "output": args.output,
        "decisions": pulled.judged.len(),
        "removed": pulled.judged.iter().filter(|judged| judged.removed).count(),
        "undone": pulled.undone,
        "without_text": pulled.without_text,
        "from_ledger": pulled.from_ledger,
        "unreadable": pulled.unreadable.iter().map(|(key, why)| json!({ "key": key, "why": why })).collect::<Vec<_>>(),
    });
    format!("{line}\n")
}

fn in_words(pulled: &Pulled, args: &PullArgs) -> String {
    let Pulled { judged, undone, without_text, from_ledger, unreadable } = pulled;
    let removed = judged.iter().filter(|judged| judged.removed).count();
    let mut text = format!(
        "{} comments with a decision, {removed} of them to remove, written to {}\n",
        judged.len(),
        args.output.display()
    );
    // Writing into a String can't fail.
    let mut line = |count: usize, what: &str| {
        if count > 0 {
            let _ = writeln!(text, "{count:>7} {what}");
        }
    };
    line(*from_ledger, "have their text from the ledger: the archive has the comment no more");
    line(*without_text, "left out: their text is gone, or was cut in the ledger and is in no archive");
    line(*undone, "left out: every decision was undone");
    line(unreadable.len(), "objects can't be read:");
    for (key, why) in unreadable.iter().take(NAMED) {
        let _ = writeln!(text, "        {}: {}", one_line(key), one_line(why));
    }
    text
}
