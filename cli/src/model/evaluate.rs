//! `modstream evaluate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use modstream_classifier::artifact::{Format, Manifest};
use modstream_classifier::{Explanation, Model, Scratch};
use modstream_corpus::PlaceholderCounts;
use modstream_report::{Comment, Quality, Reason, Report, Subgroup, Terms};
use modstream_trainer::{Evaluation, LabelledComments, evaluate, evaluate_labels};
use plain_text::counted;
use publish_alerts::{Condition, Policy};
use serde_json::json;

use super::label_rows::{self, Input, Kind};
use super::labelled::{Labelled, labelled, quality};
use super::live;
use crate::common::args::{DEFAULT_CONDITION, ModelArgs};
use crate::common::display::{print, short_version};
use crate::common::input;
use crate::common::output::OutputFile;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;
use crate::common::usage::Usage;
use crate::model::embedded;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream evaluate --model models/ours --input later-removals.csv
  modstream evaluate --input later-removals.csv --report report.html --subgroup gender=woman,man
  modstream evaluate --live decisions.jsonl          what was claimed, and what moderators said")]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments with verdicts: CSV or JSON Lines with `body` and `removed` (0, 1, true or false); plain, gzip or zstd. For a model
    /// with labels: JSON Lines with `text` and `labels`
    #[arg(long, value_name = "FILE", required_unless_present = "live")]
    pub(crate) input: Option<PathBuf>,
    /// Compare what was claimed about alerts with what moderators decided: a file of `modstream decisions pull`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "model", "base_rate", "report"])]
    pub(crate) live: Option<PathBuf>,
    /// Write a page to look at: curves, calibration, terms, errors, subgroups; a file there is replaced
    ///
    /// One HTML file that needs nothing else. It quotes up to twenty comments.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Which comments alert, in the report: `0.8`, `precision>=0.9` or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse, requires = "report")]
    pub(crate) policy: Option<Policy>,
    /// Words whose comments the report looks at apart, such as `gender=woman,man`; may be repeated
    #[arg(long = "subgroup", value_name = "NAME=WORD,WORD", requires = "report")]
    pub(crate) subgroups: Vec<Subgroup>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) labelled: LabelledArgs,
}

/// How many reasons a report gives for an error.
const REASONS_PER_ERROR: usize = 5;

impl EvaluateArgs {
    /// The condition that decides which comments alert.
    pub(crate) fn condition(&self) -> Condition {
        self.policy.as_ref().map_or(DEFAULT_CONDITION, |policy| policy.condition)
    }

    /// Measures a model with labels, a label and a source.
    fn run_labels(&self, rows: Input<'_>, model: &Model, manifest: &Manifest) -> anyhow::Result<ExitCode> {
        if self.report.is_some() {
            return Err(Usage::error("the report is of removals: leave --report out where rows have labels"));
        }
        let texts = rows.texts(&self.labelled)?;
        let progress = Progress::new("scoring", Some(texts.len() as u64));
        let found = evaluate_labels(model, &manifest.heads, &texts, |done| progress.at(done as u64));
        progress.finish();
        anyhow::ensure!(
            !found.is_empty(),
            "the rows say nothing of the model's labels: they name {}, and the model has {}",
            texts.labels().join(", "),
            manifest.heads.iter().map(|head| head.label.as_str()).collect::<Vec<_>>().join(", ")
        );
        let text = if self.json {
            let labels = found.iter().map(|it| json!({ "label": it.label, "sources": it.sources }));
            let line = json!({
                "texts": texts.len(),
                "without_text": texts.left_out().count(),
                "placeholders": texts.left_out(),
                "labels": labels.collect::<Vec<_>>(),
                "model_version": manifest.version,
            });
            format!("{line}\n")
        } else {
            let version = short_version(&manifest.version);
            let mut text = format!("{}; model {} version {version}\n", counted(texts.len(), "text"), manifest.name);
            for it in &found {
                text.push('\n');
                text += &label_rows::sources(&it.label, &it.sources);
            }
            text
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Runs `modstream evaluate`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let input = match (&self.input, &self.live) {
            (Some(input), _) => input,
            (None, Some(decisions)) => return live::run(decisions, self.json),
            (None, None) => return Err(Usage::error("say --input FILE or --live FILE")),
        };
        // Before the work, not after.
        let output = self.report.as_deref().map(|path| OutputFile::new(path, [input.as_path()])).transpose()?;
        let (model, manifest) = embedded::load_any(&self.model)?;
        let rows = Input::open(input)?;
        match (&rows.kind, manifest.format) {
            (Kind::Verdicts, Format::Removal) => {}
            (Kind::Labels, Format::Labels) => return self.run_labels(rows, &model, &manifest),
            (Kind::Labels, Format::Removal) => anyhow::bail!(
                "{}: these are texts with labels, and {} has none: say a model that has, with --model",
                input::name(input),
                embedded::name(self.model.model.as_deref())
            ),
            (Kind::Verdicts, Format::Labels) => anyhow::bail!(
                "{}: {} has labels, and no row has any: a row is such as {{\"text\":\"...\",\"labels\":{{\"toxic\":1}}}}",
                input::name(input),
                embedded::name(self.model.model.as_deref())
            ),
        }
        let (input, held) = rows.into_parts();
        let Labelled { comments, without_verdict } = labelled(input, held, &self.labelled)?;
        anyhow::ensure!(
            !comments.is_empty(),
            "{}: there are no comments with a text to evaluate on",
            input::name(input)
        );
        let progress = Progress::new("scoring", Some(comments.len() as u64));
        let done = |done: usize| progress.at(done as u64);
        let found = match &output {
            None => evaluate(&model, &comments, done),
            Some(output) => {
                let (found, html) = report(&self, &model, &manifest, &comments, done);
                output.write(&html)?;
                found
            }
        };
        progress.finish();
        let outcome = Evaluated {
            found,
            removed: comments.removed(),
            left_out: comments.left_out(),
            without_verdict,
            base_rate: model.base_rate().share(),
            manifest: &manifest,
            report: self.report.as_deref(),
        };
        print(&if self.json { outcome.as_json() } else { outcome.as_text() })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What was found, to be shown.
struct Evaluated<'a> {
    found: Evaluation,
    removed: usize,
    left_out: &'a PlaceholderCounts,
    without_verdict: usize,
    base_rate: f64,
    manifest: &'a Manifest,
    report: Option<&'a Path>,
}

impl Evaluated<'_> {
    fn as_json(&self) -> String {
        let Evaluated { found, removed, left_out, without_verdict, base_rate, manifest, report } = self;
        // A NaN, which JSON has not, becomes null.
        let mut line = json!({
            "comments": found.comments,
            "roc_auc": found.roc_auc,
            "pr_auc": found.pr_auc,
            "accuracy": found.accuracy,
            "f1": found.f1,
            "log_loss": found.log_loss,
            "brier": found.brier,
            "ece": found.ece,
            "removed": removed,
            "without_text": left_out.count(),
            "placeholders": left_out,
            "without_verdict": without_verdict,
            "base_rate": base_rate,
            "model_version": manifest.version,
        });
        if let Some(report) = report {
            line["report"] = report.to_string_lossy().into();
        }
        format!("{line}\n")
    }

    fn as_text(&self) -> String {
        let Evaluated { found, removed, base_rate, manifest, report, .. } = self;
        let mut text = format!(
            "{}, {removed} of them removed; model {} version {}\nat a base rate of {base_rate:.3}:\n",
            counted(found.comments, "comment"),
            manifest.name,
            short_version(&manifest.version),
        );
        let metrics = [found.roc_auc, found.pr_auc, found.accuracy, found.f1, found.log_loss, found.brier, found.ece];
        text += &quality(metrics);
        if let Some(report) = report {
            text += &format!("report written to {}\n", report.display());
        }
        text
    }
}

/// Scores and explains every comment: the metrics, and a page about them.
fn report(
    args: &EvaluateArgs,
    model: &Model,
    manifest: &Manifest,
    comments: &LabelledComments,
    done: impl Fn(usize),
) -> (Evaluation, String) {
    let condition = args.condition();
    let mut scratch = Scratch::default();
    let mut terms = Terms::default();
    let mut scored = Vec::with_capacity(comments.len());
    for ((text, removed), count) in comments.iter().zip(1..) {
        let Explanation { score, terms: found, outside, .. } = model.explain(text, usize::MAX, &mut scratch);
        terms.add(found.iter().map(|term| (term.term.as_ref(), term.contribution)));
        let (log_odds, probability) = (score.log_odds.0, score.probability());
        // A policy leaves alone what is unlike all that the model learned from.
        let alerts = outside.is_none() && condition.is_met_by(probability, &model.operating_point(score));
        scored.push(Comment { text, removed, log_odds, probability, alerts });
        done(count);
    }
    let verdicts: Vec<bool> = scored.iter().map(|comment| comment.removed).collect();
    let found = Evaluation::of(&scored.iter().map(|comment| comment.log_odds).collect::<Vec<_>>(), &verdicts);
    let html = Report {
        model: &manifest.name,
        version: &manifest.version,
        base_rate: model.base_rate().share(),
        quality: page_quality(&found),
        policy: modstream_report::Policy {
            condition: &condition.to_string(),
            threshold: match condition {
                Condition::Probability(least) => Some(least),
                Condition::Precision(_) | Condition::Share(_) => None,
            },
        },
        comments: &scored,
        terms: &terms,
        subgroups: &args.subgroups,
        explain: &|text| reasons(model, text),
    }
    .html();
    (found, html)
}

fn page_quality(found: &Evaluation) -> Quality {
    Quality {
        roc_auc: found.roc_auc,
        average_precision: found.pr_auc,
        log_loss: found.log_loss,
        brier: found.brier,
        ece: found.ece,
        accuracy: found.accuracy,
        f1: found.f1,
    }
}

fn reasons(model: &Model, text: &str) -> Vec<Reason> {
    let mut scratch = Scratch::default();
    let terms = model.explain(text, REASONS_PER_ERROR, &mut scratch).terms;
    terms.iter().map(|term| Reason { term: term.in_words().into_owned(), contribution: term.contribution }).collect()
}
