use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use modstream_classifier::artifact::check_output;
use modstream_feedback::Judged;
use modstream_trainer::{LabelledComments, Settings, Step, default_settings, train};
use serde_json::json;

use super::{labelled, live, quality};
use crate::args::{Group, TrainArgs};
use crate::display::print;
use crate::progress::Progress;

/// With fewer comments of a kind, metrics and calibration are mostly chance.
const FEW: usize = 100;

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    // Before minutes of work, not after.
    check_output(&args.output)?;
    let mut comments = labelled(&args.input)?;
    let mut decided = LabelledComments::default();
    for path in &args.decisions {
        for Judged { body, removed, .. } in live::judged(path)? {
            decided.push_text(&body, removed);
        }
    }
    comments.add_decided(&decided);
    let mut settings = Settings { seed: args.seed, max_features: args.features, ..default_settings() };
    for group in &args.without {
        match group {
            Group::Subwords => settings.subword_min_documents = None,
            Group::Pairs => settings.longest_ngram = 1,
            Group::Measures => settings.measure_scale = 0.0,
        }
    }
    let memory = (args.memory * f64::from(1 << 30)) as u64;
    let stage = Mutex::new(None);
    let trained = train(&comments, &args.model_name(), settings, memory, &|step| {
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
    let manifest = trained.write(&args.output, args.about.as_deref())?;
    let (metrics, training) = (&manifest.metrics, &manifest.training);
    if args.json {
        let line = json!({
            "output": args.output,
            "name": manifest.name,
            "version": manifest.version,
            "comments": training.comments,
            "removed": training.removed,
            "without_text": training.without_text,
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
        });
        print(&format!("{line}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = format!("{} comments, {} of them removed\n", training.comments, training.removed);
    if training.removed.min(training.comments - training.removed) < FEW {
        text += &format!("fewer than {FEW} of one kind: take the numbers below for a guess\n");
    }
    if training.decided > 0 {
        text += &format!(
            "and {} decisions about alerts, {} of them to remove\n",
            training.decided, training.decided_removed
        );
    }
    text += &format!("\non comments the model had not seen ({} folds):\n", manifest.settings.folds);
    text += &quality([
        metrics.roc_auc,
        metrics.pr_auc,
        metrics.accuracy,
        metrics.f1,
        metrics.log_loss,
        metrics.brier,
        metrics.ece,
    ]);
    text += &format!("\nmodel {} version {}\n", manifest.name, &manifest.version[..12]);
    text += &format!("written to {}: read card.md there\n", args.output.display());
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
