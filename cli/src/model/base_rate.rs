//! `modstream model base-rate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::Args;
use modstream_classifier::artifact::Manifest;
use modstream_classifier::{Model, Scratch, not_judged};
use modstream_trainer::{Estimate, FEWEST_COMMENTS, estimate_base_rate};
use plain_text::{agree, counted};
use serde_json::json;

use crate::common::args::ModelArgs;
use crate::common::display::{print, short_version};
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::FormatArgs;
use crate::common::usage::Usage;
use crate::model::embedded;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model base-rate --model models/ours --input last-week.jsonl
  modstream model base-rate --input all-comments-of-march.csv --json")]
pub(crate) struct BaseRateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments of the community that the model was trained on, a sample of all: verdicts are not looked at
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl BaseRateArgs {
    /// Runs `modstream model base-rate`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.model.base_rate.is_some() {
            return Err(Usage::error("this finds the base rate: leave --base-rate out"));
        }
        let (model, manifest) = embedded::load(&self.model)?;
        let (log_odds, left_out) = self.scores(&model)?;
        let head = manifest.first_head();
        let name = input::name(&self.input);
        let estimate = estimate_base_rate(&log_odds, model.training_base_rate(), &head.rates, head.measured.counts);
        let Some(estimate) = estimate else {
            bail!(
                "{name}: {} with a text that the model knows something of {} too few to read a base rate off: {FEWEST_COMMENTS} are \
                 needed, and a thousand are better",
                counted(log_odds.len(), "comment"),
                agree(log_odds.len(), "is", "are")
            );
        };
        ensure!(estimate.fit.holds(), "{name}: {}", refusal(&estimate, &manifest));
        print(&if self.json {
            as_json(&estimate, &manifest, left_out)
        } else {
            as_text(&estimate, &manifest, left_out)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The comments' log-odds, and how many are left out: those without a text to judge, and those of which the model knows nothing.
    fn scores(&self, model: &Model) -> anyhow::Result<(Vec<f64>, u64)> {
        let options = self.format.options();
        let mut scratch = Scratch::default();
        let (mut log_odds, mut left_out) = (Vec::new(), 0);
        let progress = Progress::new("scoring", None);
        for row in input::comments(&self.input, options.clone())? {
            let at = |line: u64, error: &dyn std::error::Error| {
                anyhow::anyhow!("{}: line {line}: {error}", input::name(&self.input))
            };
            let row = row.map_err(|error| at(error.line, &error))?;
            let text = options.text(&row).map_err(|error| at(row.line, &error))?;
            let score = model.score(text, &mut scratch).log_odds.0;
            if not_judged(text).is_none() && model.outside(&scratch).is_none() {
                log_odds.push(score);
            } else {
                left_out += 1;
            }
            progress.at(log_odds.len() as u64);
        }
        progress.finish();
        Ok((log_odds, left_out))
    }
}

/// Why no base rate is said.
fn refusal(Estimate { comments, fit, .. }: &Estimate, manifest: &Manifest) -> String {
    format!(
        "no base rate can be read off these {}: no share of comments to be removed explains how {} scores them. {:.1} % score {:.2} or \
         more, where {:.1} % would (chance explains a difference of {:.1} %). They are not of the community that it learned from, or that \
         has changed: take a sample, let moderators decide, and train on it",
        counted(*comments, "comment"),
        manifest.name,
        fit.seen * 100.0,
        fit.at.probability(),
        fit.expected * 100.0,
        fit.explained * 100.0
    )
}

fn as_text(estimate: &Estimate, manifest: &Manifest, left_out: u64) -> String {
    let Estimate { base_rate, interval, comments, fit } = estimate;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut text = format!(
        "model {} version {}\n\n{} of {} are to be removed ({} to {})\n",
        manifest.name,
        short_version(&manifest.version),
        percent(*base_rate),
        counted(*comments, "comment"),
        percent(interval.low),
        percent(interval.high)
    );
    if left_out > 0 {
        text += &format!(
            "{left_out} more {} left out: without a text to judge, or unlike all that the model learned from\n",
            agree(left_out, "is", "are")
        );
    }
    text += &format!(
        "\nRead off the scores, without a verdict: the share under which they are likeliest, if nothing but the share is another than in\n\
         training. In brackets, a confidence interval of 95 % that knows of no other difference. The scores are spread as they would\n\
         be then: {} apart at most, where chance explains {}.\n\nUse it: --base-rate {:.3}\n",
        percent(fit.distance),
        percent(fit.explained),
        base_rate
    );
    text
}

fn as_json(estimate: &Estimate, manifest: &Manifest, left_out: u64) -> String {
    let Estimate { base_rate, interval, comments, fit } = estimate;
    let line = json!({
        "model": { "name": manifest.name, "version": manifest.version },
        "base_rate": base_rate,
        "interval": [interval.low, interval.high],
        "comments": comments,
        "left_out": left_out,
        "fit": { "distance": fit.distance, "explained": fit.explained },
    });
    format!("{line}\n")
}
