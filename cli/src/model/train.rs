//! `modstream train`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use modstream_classifier::artifact::{Counts, HeadEntry, check_output};
use modstream_feedback::{Judged, newest};
use modstream_trainer::{
    CurvePoint, LabelSettings, LabelledComments, Settings, Step, TrainError, default_settings, learning_curve, train,
    train_labels,
};
use plain_text::counted;
use serde_json::{Value, json};

use super::findings;
use super::label_rows::{self, Input, Kind};
use super::labelled::{Labelled, labelled, quality};
use super::live;
use crate::common::args::name;
use crate::common::display::{print, short_version};
use crate::common::input;
use crate::common::output::check_folder;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;
use crate::common::usage::Usage;

const DEFAULT_MEMORY_GB: f64 = (modstream_trainer::DEFAULT_MEMORY >> 30) as f64;

fn gigabytes(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|it: &f64| *it > 0.0 && it.is_finite())
        .ok_or_else(|| "a number above 0, such as 4".to_owned())
}

/// Features that a model may do without; words are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeatureGroup {
    /// The pieces of words
    Subwords,
    /// Pairs of words
    Pairs,
    /// Length, questions, layout
    Measures,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream train --input removals.csv --output models/ours
  modstream train --input dump.jsonl.zst --output models/ours --about 'r/ours, 2024, moderators' removals'
  modstream train --input labelled.jsonl --output models/harm-of-ours --label toxic --label threat")]
pub(crate) struct TrainArgs {
    /// Comments with verdicts: CSV or JSON Lines with `body` and `removed` (0, 1, true or false); plain, gzip or zstd. Or texts
    /// with labels: JSON Lines with `text` and `labels`, such as {"toxic":1,"threat":0}
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The label to learn, of texts with labels; may be repeated [default: all that the rows name]
    #[arg(long, value_name = "NAME")]
    pub(crate) label: Vec<String>,
    /// The folder to write the model to; a model there is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// The model's name [default: the folder's]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,
    /// Also learn from moderators' decisions about alerts: a file of `modstream decisions pull`; may be repeated
    ///
    /// Decisions are in the fits and in no measurement, since alerts are no sample of all comments. Verdicts of --input stay as they
    /// are. Of a comment the newest decision counts.
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: Vec<PathBuf>,
    /// What the model's card says of where the comments come from
    #[arg(long, value_name = "TEXT")]
    pub(crate) about: Option<String>,
    /// Decides which comment is in which fold of the cross-validation
    #[arg(long, value_name = "N", default_value_t = modstream_trainer::default_settings().seed)]
    pub(crate) seed: u64,
    /// The most words, pairs of words and subwords in the vocabulary, together
    #[arg(long, value_name = "N", default_value_t = modstream_trainer::default_settings().max_features)]
    pub(crate) features: usize,
    /// Do without these features, which scores faster, and less well; may be repeated, or a list with commas
    #[arg(long, value_name = "GROUP", value_enum, value_delimiter = ',')]
    pub(crate) without: Vec<FeatureGroup>,
    /// The memory that the last fit's matrix may take, in GB; where it has no room, that fit is over sparse rows, as all others are
    #[arg(long, value_name = "GB", default_value_t = DEFAULT_MEMORY_GB, value_parser = gigabytes)]
    pub(crate) memory: f64,
    /// Also say what more comments would bring: models of an eighth, a quarter, half and all of them, each measured on what it has not
    /// seen; of comments with verdicts
    #[arg(long)]
    pub(crate) learning_curve: bool,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) labelled: LabelledArgs,
}

/// With fewer comments of a kind, metrics and calibration are mostly chance.
const FEW_COMMENTS: usize = 100;

impl TrainArgs {
    /// The model's name: the one given, or the output folder's as far as it can be one.
    pub(crate) fn model_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let folder = self.output.file_name().and_then(|folder| folder.to_str());
            folder.and_then(|folder| name(folder).ok()).unwrap_or_else(|| "model".to_owned())
        })
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings { seed: self.seed, max_features: self.features, ..default_settings() };
        for group in &self.without {
            match group {
                FeatureGroup::Subwords => settings.subword_min_documents = None,
                FeatureGroup::Pairs => settings.longest_ngram = 1,
                FeatureGroup::Measures => settings.measure_scale = 0.0,
            }
        }
        settings
    }

    /// Trains a model with a head a label.
    fn run_labels(&self, input: Input<'_>) -> anyhow::Result<ExitCode> {
        if self.learning_curve {
            return Err(Usage::error(
                "--learning-curve is of comments with verdicts, and the input holds texts with labels",
            ));
        }
        if !self.decisions.is_empty() {
            return Err(Usage::error(
                "decisions are verdicts, and the input holds texts with labels: leave --decisions out",
            ));
        }
        let texts = input.texts(&self.labelled)?;
        let labels = if self.label.is_empty() { texts.labels() } else { &self.label };
        let labels: Vec<LabelSettings> = labels.iter().map(|label| LabelSettings::of(label)).collect();
        let trained = shown(|step| train_labels(&texts, &self.model_name(), self.settings(), &labels, step))?;
        let manifest = trained.write(&self.output, self.about.as_deref())?;
        if self.json {
            let line = json!({
                "output": self.output,
                "name": manifest.name,
                "version": manifest.version,
                "texts": manifest.training.comments,
                "without_text": manifest.training.without_text,
                "placeholders": texts.left_out(),
                "terms": manifest.fit.terms,
                "subwords": manifest.fit.subwords,
                "solver": manifest.fit.solver,
                "labels": manifest.heads.iter().map(head_as_json).collect::<Vec<_>>(),
                "findings": findings::as_json(trained.findings()),
            });
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = format!("{}\n", counted(manifest.training.comments, "text"));
        let folds = manifest.settings.folds;
        text += &format!("\non texts the model had not seen ({folds} folds), of the source with most of them:\n");
        text += &label_rows::heads(&manifest.heads);
        text += &findings::as_text(trained.findings());
        text += &format!("\nmodel {} version {}\n", manifest.name, short_version(&manifest.version));
        text += &format!("written to {}: card.md there has each source apart\n", self.output.display());
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Runs `modstream train`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        input::check_read_once([&self.input].into_iter().chain(&self.decisions).map(PathBuf::as_path))?;
        // Before minutes of work, not after.
        check_output(&self.output)?;
        check_folder(&self.output)?;
        let input = Input::open(&self.input)?;
        if let Kind::Labels = input.kind {
            return self.run_labels(input);
        }
        if !self.label.is_empty() {
            return Err(Usage::error("--label is of texts with labels, and the input holds comments with verdicts"));
        }
        let (path, held) = input.into_parts();
        let Labelled { mut comments, without_verdict } = labelled(path, held, &self.labelled)?;
        let mut judged = Vec::new();
        for path in &self.decisions {
            judged.extend(live::judged(path)?);
        }
        let mut decided = LabelledComments::new(self.labelled.placeholders());
        for Judged { body, removed, .. } in newest(judged) {
            decided.push_text(&body, removed);
        }
        comments.add_decided(&decided);
        let memory = (self.memory * f64::from(1 << 30)) as u64;
        let trained = shown(|step| train(&comments, &self.model_name(), self.settings(), memory, step))?;
        let curve =
            self.learning_curve.then(|| shown(|step| learning_curve(&comments, &self.settings(), step))).transpose()?;
        let manifest = trained.write(&self.output, self.about.as_deref())?;
        let (head, training) = (manifest.first_head(), &manifest.training);
        let (metrics, Counts { positives: removed, .. }) = (&head.metrics, head.training);
        if self.json {
            let mut line = json!({
                "output": self.output,
                "name": manifest.name,
                "version": manifest.version,
                "comments": training.comments,
                "removed": removed,
                "without_text": training.without_text,
                "placeholders": comments.left_out(),
                "without_verdict": without_verdict,
                "decided": training.decided,
                "terms": manifest.fit.terms,
                "subwords": manifest.fit.subwords,
                "solver": manifest.fit.solver,
                "roc_auc": metrics.roc_auc,
                "pr_auc": metrics.pr_auc,
                "accuracy": metrics.accuracy,
                "f1": metrics.f1,
                "log_loss": metrics.log_loss,
                "brier": metrics.brier,
                "ece": metrics.ece,
                "ece_floor": metrics.ece_floor,
                "findings": findings::as_json(trained.findings()),
            });
            if let Some(curve) = &curve {
                line["learning_curve"] = curve.iter().map(point_in_json).collect();
            }
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = format!("{}, {} of them removed\n", counted(training.comments, "comment"), removed);
        if removed.min(head.training.negatives()) < FEW_COMMENTS {
            text += &format!("fewer than {FEW_COMMENTS} of one kind: take the numbers below for a guess\n");
        }
        if training.decided > 0 {
            text += &format!(
                "and {} about alerts, {} of them to remove\n",
                counted(training.decided, "decision"),
                training.decided_removed
            );
        }
        text += &format!("\non comments the model had not seen ({} folds):\n", manifest.settings.folds);
        let numbers = [
            metrics.roc_auc,
            metrics.pr_auc,
            metrics.accuracy,
            metrics.f1,
            metrics.log_loss,
            metrics.brier,
            metrics.ece,
        ];
        text += &quality(numbers, metrics.ece_floor);
        if let Some(curve) = &curve {
            text += &curve_as_text(curve);
        }
        text += &findings::as_text(trained.findings());
        text += &format!("\nmodel {} version {}\n", manifest.name, short_version(&manifest.version));
        text += &format!("written to {}: read card.md there\n", self.output.display());
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What more comments brought so far, and so may bring.
fn curve_as_text(curve: &[CurvePoint]) -> String {
    let mut text = format!(
        "\nmodels of so many comments, on what they had not seen:\n  {:>8}  ROC-AUC  gained by twice as many\n",
        "comments"
    );
    for CurvePoint { comments, roc_auc, gain } in curve {
        let gain = gain.map_or_else(String::new, |(gain, interval)| {
            format!("  {gain:+.3} ({:+.3} to {:+.3})", interval.low, interval.high)
        });
        text += &format!("  {comments:>8}  {roc_auc:>7.3}{gain}\n");
    }
    let last = curve.last().and_then(|point| point.gain);
    text += match last {
        Some((_, interval)) if interval.low > 0.0 => {
            "the last doubling gained clearly: more comments would help still\n"
        }
        Some(_) => "the last doubling gained nothing beyond chance: other features or cleaner verdicts may help more\n",
        None => "too few comments for a curve\n",
    };
    text
}

fn point_in_json(CurvePoint { comments, roc_auc, gain }: &CurvePoint) -> Value {
    json!({
        "comments": comments,
        "roc_auc": roc_auc,
        "gain": gain.map(|(gain, _)| gain),
        "gain_interval": gain.map(|(_, interval)| [interval.low, interval.high]),
    })
}

/// Trains, and shows how far it is.
fn shown<T>(train: impl FnOnce(&(dyn Fn(Step) + Sync)) -> Result<T, TrainError>) -> Result<T, TrainError> {
    let stage = Mutex::new(None);
    let trained = train(&|step| {
        let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut begin = |name, times: usize| stage.insert(Progress::new(name, Some(times as u64))).show();
        match step {
            Step::Choosing(times) => begin("choosing features", times),
            Step::Fitting(times) => begin("fitting", times),
            Step::Done => stage.iter().for_each(Progress::step),
        }
    })?;
    if let Some(progress) = stage.into_inner().unwrap_or_else(PoisonError::into_inner) {
        progress.finish();
    }
    Ok(trained)
}

fn head_as_json(head: &HeadEntry) -> Value {
    json!({
        "label": head.label,
        "texts": head.training.texts,
        "positives": head.training.positives,
        "measured_on": head.measured.source,
        "roc_auc": head.metrics.roc_auc,
        "pr_auc": head.metrics.pr_auc,
        "log_loss": head.metrics.log_loss,
        "brier": head.metrics.brier,
        "ece": head.metrics.ece,
        "ece_floor": head.metrics.ece_floor,
        "thresholds": head.thresholds,
        "sources": head.sources,
    })
}
