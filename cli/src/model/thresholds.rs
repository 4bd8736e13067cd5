//! `modstream model thresholds`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use modstream_classifier::artifact::Manifest;
use modstream_classifier::{HeldOut, NEXT_ALERTS};
use publish_alerts::{Condition, Policy};
use serde_json::{Value, json};

use crate::common::args::ModelArgs;
use crate::common::display::{print, short_version};
use crate::model::embedded;
use crate::model::promises::{Promises, Threshold};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model thresholds --base-rate 0.05
  modstream model thresholds --model models/ours --base-rate 0.05 --policy 'precision>=0.8' --policy 'share<=0.02'")]
pub(crate) struct ThresholdsArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// A policy to show; may be given again [default: some of each kind]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Vec<Policy>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// The policies that are shown where nobody asks for others.
const DEFAULT_CONDITIONS: [Condition; 14] = [
    Condition::Probability(0.5),
    Condition::Probability(0.6),
    Condition::Probability(0.7),
    Condition::Probability(0.8),
    Condition::Probability(0.9),
    Condition::Precision(0.5),
    Condition::Precision(0.6),
    Condition::Precision(0.7),
    Condition::Precision(0.8),
    Condition::Precision(0.9),
    Condition::Share(0.01),
    Condition::Share(0.02),
    Condition::Share(0.05),
    Condition::Share(0.1),
];

impl ThresholdsArgs {
    /// Runs `modstream model thresholds`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (model, manifest) = embedded::load(&self.model)?;
        let promises = Promises::of(&manifest, Some(model.base_rate()))?;
        let asked: Vec<Condition> = self.policy.iter().map(|policy| policy.condition).collect();
        let conditions = if asked.is_empty() { &DEFAULT_CONDITIONS[..] } else { &asked[..] };
        let found: Vec<_> = conditions.iter().map(|condition| (*condition, promises.from(*condition))).collect();
        let best = promises.best();
        let text = if self.json {
            let line = json!({
                "model": { "name": manifest.name, "version": manifest.version },
                "base_rate": promises.assumed.share(),
                "thresholds": found.iter().map(|(condition, found)| in_json(*condition, found.as_ref())).collect::<Vec<_>>(),
                "best": in_json(Condition::Probability(best.probability), Some(&best)),
            });
            format!("{line}\n")
        } else {
            table(&manifest, &promises, &found, &best, self.model.base_rate.is_none())
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn in_json(condition: Condition, found: Option<&Threshold>) -> Value {
    let Some(Threshold { probability, point, intervals }) = found else {
        return json!({ "policy": condition.to_string(), "reached": false });
    };
    json!({
        "policy": condition.to_string(),
        "reached": true,
        "probability": probability,
        "precision": point.precision,
        "precision_interval": intervals.precision,
        "right_of_next": intervals.right_of_next,
        "next": NEXT_ALERTS,
        "recall": point.recall,
        "recall_interval": intervals.recall,
        "share": point.share,
    })
}

fn table(
    manifest: &Manifest,
    promises: &Promises,
    found: &[(Condition, Option<Threshold>)],
    best: &Threshold,
    is_trained_rate: bool,
) -> String {
    let HeldOut { removed, kept } = promises.held_out;
    let mut text = format!(
        "model {} version {}, where {:.1} % of comments are removed\n",
        manifest.name,
        short_version(&manifest.version),
        promises.assumed.share() * 100.0
    );
    if is_trained_rate {
        text += "That share is the training data's; say yours with --base-rate: precision follows it.\n";
    }
    // Writing into a String can't fail.
    let mut line = |cells: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{cells}");
    };
    line(format_args!(""));
    line(format_args!(
        "  {:<18} {:>6}  {:^20}  {:^8}  {:^20}  {:>7}",
        "policy", "from", "precision", "next 100", "recall", "share"
    ));
    let mut is_reached = true;
    for (condition, found) in found {
        let policy = condition.to_string();
        let Some(Threshold { probability, point, intervals }) = found else {
            is_reached = false;
            line(format_args!("  {policy:<18} out of reach"));
            continue;
        };
        if *probability > best.probability {
            line(format_args!(
                "  {policy:<18} {probability:>6.3}  as from {:.3}: too few comments beyond, to tell",
                best.probability
            ));
            continue;
        }
        let [right, most] = intervals.right_of_next;
        let with = |share: f64, [low, high]: [f64; 2]| format!("{share:.2} ({low:.2} to {high:.2})");
        line(format_args!(
            "  {policy:<18} {probability:>6.3}  {:<20}  {:<8}  {:<20}  {:>5.1} %",
            with(point.precision, intervals.precision),
            format!("{right} to {most}"),
            with(point.recall, intervals.recall),
            point.share * 100.0
        ));
    }
    line(format_args!(""));
    if !is_reached {
        line(format_args!(
            "Out of reach: the best this model can promise there is a precision of {:.2}, from {:.3} up, {:.1} % of\ncomments; above that too few of the comments it was measured on are left to tell.",
            best.point.precision,
            best.probability,
            best.point.share * 100.0
        ));
    }
    line(format_args!(
        "Alerting from `from` up: precision is the share of alerts that are right, recall the share of what is to be\nremoved that is caught, share that of all comments that alert. Measured on {removed} removed and {kept} kept\ncomments the model had not seen; in brackets, confidence intervals of 95 %: how sure the\nmeasurement is. Of the next {NEXT_ALERTS} alerts so many will be right in 95 of 100 cases (a prediction interval)."
    ));
    text
}
