//! `modstream policy suggest`: thresholds that keep a promised precision, by what moderators said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use modstream_feedback::{NoSuggestion, Suggestion, Verdict, suggest};
use serde_json::{Value, json};

use super::live::judged;
use crate::display::{one_line, print};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream policy suggest --decisions decisions.jsonl --precision 0.8")]
pub(crate) struct SuggestArgs {
    /// Moderators' decisions: a file of `modstream decisions pull`
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: PathBuf,
    /// The precision to keep, at the lower end of its 95 % interval
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    pub(crate) precision: f64,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

fn precision(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a precision is above 0 and below 1, for example 0.8".to_owned())
}

type Found<'a> = (Option<&'a str>, Result<Suggestion, NoSuggestion>);

pub(crate) fn run(args: &SuggestArgs) -> anyhow::Result<ExitCode> {
    let verdicts: Vec<Verdict> = judged(&args.decisions)?.into_iter().map(|judged| judged.decision).collect();
    let mut subreddits: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in &verdicts {
        if let Some(name) = &verdict.subreddit {
            subreddits.entry(name).or_default().push(verdict);
        }
    }
    let mut found: Vec<Found<'_>> = vec![(None, suggest(&verdicts, args.precision))];
    if subreddits.len() > 1 {
        found.extend(subreddits.into_iter().map(|(name, verdicts)| (Some(name), suggest(verdicts, args.precision))));
    }
    let text = if args.json {
        format!(
            "{}\n",
            json!({ "precision": args.precision, "default": in_json(&found[0].1), "subreddits": found[1..].iter().map(|(name, found)| (name.unwrap_or_default().to_owned(), in_json(found))).collect::<serde_json::Map<_, _>>() })
        )
    } else {
        toml(&found, args.precision)
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn in_json(found: &Result<Suggestion, NoSuggestion>) -> Value {
    match found {
        Ok(Suggestion { probability, observed, kept, at_the_end }) => json!({
            "probability": probability,
            "decided": observed.of,
            "removed": observed.part,
            "interval": observed.wilson().map(|interval| [interval.low, interval.high]),
            "kept": kept,
            "at_the_end": at_the_end,
        }),
        Err(none) => json!({ "none": none.to_string() }),
    }
}

/// The part of a policies document, with what it follows from.
fn toml(found: &[Found<'_>], precision: f64) -> String {
    let mut text =
        format!("# Thresholds that kept a precision of {precision} so far, at the lower end of a 95 % interval.\n");
    for (subreddit, found) in found {
        let section = subreddit.map_or_else(|| "default".to_owned(), |name| format!("subreddits.{}", key(name)));
        // Writing into a String can't fail.
        let _ = match found {
            Ok(Suggestion { probability, observed, kept, at_the_end }) => {
                let interval =
                    observed.wilson().map_or_else(String::new, |it| format!(" ({:.2} to {:.2})", it.low, it.high));
                let end = if *at_the_end {
                    "# Even the least probable alert keeps it: a lower threshold might too, and nothing below was asked about.\n"
                } else {
                    ""
                };
                // Rounded up: rounded down it would alert where nobody looked.
                let least = (probability * 1e4).ceil() / 1e4;
                writeln!(
                    text,
                    "\n[{section}]\n# {} of {} decided from here up were removed: {:.2}{interval}. It keeps {:.0} % of the alerts.\n{end}threshold = \"probability>={least}\"",
                    observed.part,
                    observed.of,
                    observed.share(),
                    kept * 100.0
                )
            }
            Err(none) => writeln!(text, "\n# [{section}]: {none}"),
        };
    }
    text
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { json!(one_line(name)).to_string() }
}
