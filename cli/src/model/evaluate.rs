//! `modstream evaluate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use modstream_classifier::artifact::{Format, Manifest};
use modstream_classifier::{Explanation, Model, Scratch, SeenTexts};
use modstream_corpus::PlaceholderCounts;
use modstream_report::{Comment, GroupBias, Quality, Reason, Report, Subgroup, Terms};
use modstream_trainer::bias::{Bias, bias, subgroups, subgroups_of_labels};
use modstream_trainer::checks::Finding;
use modstream_trainer::{Evaluation, LabelledComments, evaluate_labels};
use plain_text::counted;
use publish_alerts::{Condition, Policy};
use serde_json::json;

use super::bias::Shown;
use super::findings;
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
  modstream evaluate --model harm --bias             what it makes of groups of people
  modstream evaluate --live decisions.jsonl          what was claimed, and what moderators said")]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments with verdicts: CSV or JSON Lines with `body` and `removed` (0, 1, true or false); plain, gzip or zstd. For a model
    /// with labels: JSON Lines with `text` and `labels`
    #[arg(long, value_name = "FILE", required_unless_present_any = ["live", "bias"])]
    pub(crate) input: Option<PathBuf>,
    /// Compare what was claimed about alerts with what moderators decided: a file of `modstream decisions pull`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "model", "base_rate", "report"])]
    pub(crate) live: Option<PathBuf>,
    /// Write a page to look at: curves, calibration, terms, errors, subgroups; a file there is replaced
    ///
    /// One HTML file that needs nothing else. It quotes up to twenty comments.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Say what the model makes of groups of people: by sentences of our own, and with --input also by texts about them
    ///
    /// 55 groups in 10 neutral and 4 hostile sentences each, a label at a time: how much higher a group's neutral sentences score than
    /// the median group's, and how many of both kinds are flagged. With --input: the ROC-AUC within texts about a group, and beside
    /// all others.
    #[arg(long, conflicts_with_all = ["live", "report"])]
    pub(crate) bias: bool,
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
        let findings: Vec<Finding> = self.seen_texts()?.and_then(|seen| texts.check_seen(&seen)).into_iter().collect();
        let text = if self.json {
            let labels = found.iter().map(|it| json!({ "label": it.label, "sources": it.sources }));
            let line = json!({
                "texts": texts.len(),
                "without_text": texts.left_out().count(),
                "placeholders": texts.left_out(),
                "labels": labels.collect::<Vec<_>>(),
                "findings": findings::as_json(&findings),
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
            if !findings.is_empty() {
                text += &findings::as_text(&findings);
            }
            text
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The texts that the model was trained on, where it says so.
    fn seen_texts(&self) -> anyhow::Result<Option<SeenTexts>> {
        let model = self.model.model.as_deref();
        embedded::model_files(model)?.seen_texts().with_context(|| embedded::name(model))
    }

    /// Says what the model makes of groups of people.
    fn run_bias(&self) -> anyhow::Result<ExitCode> {
        let (model, manifest) = embedded::load_any(&self.model)?;
        let subgroups = match &self.input {
            None => None,
            Some(input) => {
                let rows = Input::open(input)?;
                self.check_kind(&rows, &manifest, input)?;
                Some(match rows.kind {
                    Kind::Labels => subgroups_of_labels(&model, &manifest.heads, &rows.texts(&self.labelled)?),
                    Kind::Verdicts => {
                        let (input, held) = rows.into_parts();
                        vec![subgroups(&model, &labelled(input, held, &self.labelled)?.comments)]
                    }
                })
            }
        };
        let labels = bias(&model, &manifest.heads);
        let shown = Shown { manifest: &manifest, labels: &labels, subgroups: subgroups.as_deref() };
        print(&if self.json { shown.as_json() } else { shown.as_text() })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Refuses rows of another kind than the model is.
    fn check_kind(&self, rows: &Input<'_>, manifest: &Manifest, input: &Path) -> anyhow::Result<()> {
        match (&rows.kind, manifest.format) {
            (Kind::Verdicts, Format::Removal) | (Kind::Labels, Format::Labels) => Ok(()),
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
    }

    /// Runs `modstream evaluate`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.bias {
            return self.run_bias();
        }
        let input = match (&self.input, &self.live) {
            (Some(input), _) => input,
            (None, Some(decisions)) => return live::run(decisions, self.json),
            (None, None) => return Err(Usage::error("say --input FILE or --live FILE")),
        };
        // Before the work, not after.
        let output = self.report.as_deref().map(|path| OutputFile::new(path, [input.as_path()])).transpose()?;
        let (model, manifest) = embedded::load_any(&self.model)?;
        let rows = Input::open(input)?;
        self.check_kind(&rows, &manifest, input)?;
        if let Kind::Labels = rows.kind {
            return self.run_labels(rows, &model, &manifest);
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
        let scored = score(&self, &model, &comments, done);
        progress.finish();
        let log_odds: Vec<f64> = scored.comments.iter().map(|comment| comment.log_odds).collect();
        let found =
            Evaluation::of(&log_odds, &scored.comments.iter().map(|comment| comment.removed).collect::<Vec<_>>());
        let findings = comments.check(&log_odds, self.seen_texts()?.as_ref());
        if let Some(output) = &output {
            output.write(&report(&self, &model, &manifest, &scored, &found, &findings))?;
        }
        let outcome = Evaluated {
            found,
            findings: &findings,
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
    findings: &'a [Finding],
    removed: usize,
    left_out: &'a PlaceholderCounts,
    without_verdict: usize,
    base_rate: f64,
    manifest: &'a Manifest,
    report: Option<&'a Path>,
}

impl Evaluated<'_> {
    fn as_json(&self) -> String {
        let Evaluated { found, findings, removed, left_out, without_verdict, base_rate, manifest, report } = self;
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
            "ece_floor": found.ece_floor,
            "removed": removed,
            "without_text": left_out.count(),
            "placeholders": left_out,
            "without_verdict": without_verdict,
            "base_rate": base_rate,
            "findings": findings::as_json(findings),
            "model_version": manifest.version,
        });
        if let Some(report) = report {
            line["report"] = report.to_string_lossy().into();
        }
        format!("{line}\n")
    }

    fn as_text(&self) -> String {
        let Evaluated { found, findings, removed, base_rate, manifest, report, .. } = self;
        let mut text = format!(
            "{}, {removed} of them removed; model {} version {}\nat a base rate of {base_rate:.3}:\n",
            counted(found.comments, "comment"),
            manifest.name,
            short_version(&manifest.version),
        );
        let metrics = [found.roc_auc, found.pr_auc, found.accuracy, found.f1, found.log_loss, found.brier, found.ece];
        text += &quality(metrics, found.ece_floor);
        text += &findings::as_text(findings);
        if let Some(report) = report {
            text += &format!("report written to {}\n", report.display());
        }
        text
    }
}

/// Scored comments, and what their terms contributed, where a page is to show that.
struct Scored<'a> {
    comments: Vec<Comment<'a>>,
    terms: Terms,
}

/// Scores every comment, and explains it where there is to be a page.
fn score<'a>(args: &EvaluateArgs, model: &Model, comments: &'a LabelledComments, done: impl Fn(usize)) -> Scored<'a> {
    let condition = args.condition();
    let is_explained = args.report.is_some();
    let mut scratch = Scratch::default();
    let mut terms = Terms::default();
    let mut scored = Vec::with_capacity(comments.len());
    for ((text, removed), count) in comments.iter().zip(1..) {
        let (score, outside) = if is_explained {
            let Explanation { score, terms: found, outside, .. } = model.explain(text, usize::MAX, &mut scratch);
            terms.add(found.iter().map(|term| (term.term.as_ref(), term.contribution)));
            (score, outside)
        } else {
            let score = model.score(text, &mut scratch);
            (score, model.outside(&scratch))
        };
        let (log_odds, probability) = (score.log_odds.0, score.probability());
        // A policy leaves alone what is unlike all that the model learned from.
        let alerts = outside.is_none() && condition.is_met_by(probability, &model.operating_point(score));
        scored.push(Comment { text, removed, log_odds, probability, alerts });
        done(count);
    }
    Scored { comments: scored, terms }
}

/// A page about scored comments.
fn report(
    args: &EvaluateArgs,
    model: &Model,
    manifest: &Manifest,
    Scored { comments, terms }: &Scored<'_>,
    found: &Evaluation,
    findings: &[Finding],
) -> String {
    let condition = args.condition();
    Report {
        model: &manifest.name,
        version: &manifest.version,
        base_rate: model.base_rate().share(),
        quality: page_quality(found),
        policy: modstream_report::Policy {
            condition: &condition.to_string(),
            threshold: match condition {
                Condition::Probability(least) => Some(least),
                Condition::Precision(_) | Condition::Share(_) => None,
            },
        },
        comments,
        terms,
        subgroups: &args.subgroups,
        bias: bias(model, &manifest.heads).first().map(bias_of_page).as_ref(),
        findings: &findings::of_page(findings),
        explain: &|text| reasons(model, text),
    }
    .html()
}

fn page_quality(found: &Evaluation) -> Quality {
    Quality {
        roc_auc: found.roc_auc,
        average_precision: found.pr_auc,
        log_loss: found.log_loss,
        brier: found.brier,
        ece: found.ece,
        ece_floor: found.ece_floor.map(|floor| [floor.mean, floor.high]),
        accuracy: found.accuracy,
        f1: found.f1,
    }
}

fn bias_of_page(found: &Bias) -> modstream_report::Bias {
    let groups = found.groups.iter().map(|it| GroupBias {
        group: it.group.to_owned(),
        beside_median: it.beside_median,
        interval: it.interval,
        neutral: it.neutral,
        hostile: it.hostile,
    });
    modstream_report::Bias {
        neutral: (found.neutral.count, found.neutral.interval),
        hostile: (found.hostile.count, found.hostile.interval),
        groups: groups.collect(),
        detectable: found.detectable,
        outside: found.outside,
    }
}

fn reasons(model: &Model, text: &str) -> Vec<Reason> {
    let mut scratch = Scratch::default();
    let terms = model.explain(text, REASONS_PER_ERROR, &mut scratch).terms;
    terms.iter().map(|term| Reason { term: term.in_words().into_owned(), contribution: term.contribution }).collect()
}
