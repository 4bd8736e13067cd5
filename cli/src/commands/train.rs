use std::process::ExitCode;
use std::sync::OnceLock;

use modstream_trainer::{Settings, Step, default_settings, train};
use serde_json::json;

use super::labelled;
use crate::args::TrainArgs;
use crate::progress::Progress;

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let comments = labelled(&args.input)?;
    let settings = Settings { seed: args.seed, max_terms: args.terms, ..default_settings() };
    let progress = OnceLock::new();
    let trained = train(&comments, &args.model_name(), settings, &|step| match step {
        Step::Fits(fits) => drop(progress.set(Progress::new("fitting", Some(fits as u64)))),
        Step::Fitted => progress.get().iter().for_each(|progress| progress.step()),
    })?;
    if let Some(progress) = progress.into_inner() {
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
            "terms": manifest.fit.terms,
            "roc_auc": metrics.roc_auc,
            "pr_auc": metrics.pr_auc,
            "accuracy": metrics.accuracy,
            "f1": metrics.f1,
            "log_loss": metrics.log_loss,
            "brier": metrics.brier,
            "ece": metrics.ece,
        });
        println!("{line}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} comments, {} of them removed", training.comments, training.removed);
    if training.without_text > 0 {
        println!("{} more left out: their text is gone ([removed], [deleted])", training.without_text);
    }
    println!("\non comments the model had not seen ({} folds):", manifest.settings.folds);
    for (name, value) in [
        ("ROC-AUC", metrics.roc_auc),
        ("average precision", metrics.pr_auc),
        ("accuracy", metrics.accuracy),
        ("F1", metrics.f1),
        ("log loss", metrics.log_loss),
        ("Brier score", metrics.brier),
        ("calibration error", metrics.ece),
    ] {
        println!("  {name:18} {value:.3}");
    }
    println!("\nmodel {} version {}", manifest.name, &manifest.version[..12]);
    println!("written to {}: read card.md there", args.output.display());
    Ok(ExitCode::SUCCESS)
}
