//! `modstream policy suggest`: thresholds that keep a promised precision, by what moderators said.

use plain_text::{agree, counted};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use modstream_feedback::{NoSuggestion, Suggestion, Verdict, of_newest_model, suggest};
use serde_json::{Value, json};

use crate::common::display::{one_line, print};
use crate::model::live::judged;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream policy suggest --decisions decisions.jsonl --precision 0.8

It goes by the decisions about alerts of one model version, that of the newest alert: probabilities of another say nothing
about it.")]
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

type Found = (Option<String>, Result<Suggestion, NoSuggestion>);

impl SuggestArgs {
    /// Runs `modstream policy suggest`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let verdicts: Vec<Verdict> = judged(&self.decisions)?.into_iter().map(|judged| judged.decision).collect();
        let (verdicts, others) = of_newest_model(verdicts);
        // A document has each once, in capitals or not.
        let mut subreddits: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
        for verdict in &verdicts {
            if let Some(name) = &verdict.subreddit {
                subreddits.entry(normal_form::name_key(name).into_owned()).or_default().push(verdict);
            }
        }
        let mut found: Vec<Found> = vec![(None, suggest(&verdicts, self.precision))];
        if subreddits.len() > 1 {
            found
                .extend(subreddits.into_iter().map(|(name, verdicts)| (Some(name), suggest(verdicts, self.precision))));
        }
        let model = verdicts.first();
        let text = if self.json {
            format!(
                "{}\n",
                json!({
                    "precision": self.precision,
                    "model": model.map(|verdict| &verdict.model),
                    "model_version": model.map(|verdict| &verdict.model_version),
                    "of_other_versions": others,
                    "default": in_json(&found[0].1),
                    "subreddits": found[1..]
                        .iter()
                        .map(|(name, found)| (name.clone().unwrap_or_default(), in_json(found)))
                        .collect::<serde_json::Map<_, _>>(),
                })
            )
        } else {
            let mut text = format!(
                "# Thresholds that kept a precision of {} so far, at the lower end of a 95 % interval.\n",
                self.precision
            );
            if let Some(Verdict { model, model_version, .. }) = model {
                let short: String = model_version.chars().take(12).collect();
                let others = match others {
                    0 => String::new(),
                    some => format!(
                        " {} about other versions {} left aside.",
                        counted(some, "decision"),
                        agree(some, "is", "are")
                    ),
                };
                text += &format!("# By decisions about model {} {}.{others}\n", one_line(model), one_line(&short));
            }
            text + &toml(&found)
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
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

/// The suggestions as parts of a policies document, with what each follows from.
fn toml(found: &[Found]) -> String {
    let mut text = String::new();
    for (subreddit, found) in found {
        let section =
            subreddit.as_deref().map_or_else(|| "default".to_owned(), |name| format!("subreddits.{}", key(name)));
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
                writeln!(
                    text,
                    "\n[{section}]\n# {} of {} decided from here up were removed: {:.2}{interval}. It keeps {:.0} % of the alerts.\n{end}threshold = \"probability>={probability}\"",
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
