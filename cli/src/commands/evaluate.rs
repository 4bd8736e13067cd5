use std::process::ExitCode;

use modstream_trainer::evaluate;
use serde_json::json;

use super::labelled;
use crate::args::EvaluateArgs;
use crate::embedded;
use crate::progress::Progress;

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let (model, manifest) = embedded::load(&args.model)?;
    let comments = labelled(&args.input)?;
    anyhow::ensure!(!comments.is_empty(), "{}: there are no comments to evaluate on", args.input.display());
    let progress = Progress::new("scoring", Some(comments.len() as u64));
    let found = evaluate(&model, &comments, |done| progress.at(done as u64));
    progress.finish();
    if args.json {
        // A NaN, which JSON has not, becomes null.
        let line = json!({
            "comments": found.comments,
            "roc_auc": found.roc_auc,
            "pr_auc": found.pr_auc,
            "accuracy": found.accuracy,
            "f1": found.f1,
            "log_loss": found.log_loss,
            "brier": found.brier,
            "ece": found.ece,
            "removed": comments.removed(),
            "base_rate": model.base_rate().share(),
            "model_version": manifest.version,
        });
        println!("{line}");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} comments, {} of them removed; model {} version {}",
        found.comments,
        comments.removed(),
        manifest.name,
        &manifest.version[..12]
    );
    println!("at a base rate of {:.3}:", model.base_rate().share());
    for (name, value) in [
        ("ROC-AUC", found.roc_auc),
        ("average precision", found.pr_auc),
        ("accuracy", found.accuracy),
        ("F1", found.f1),
        ("log loss", found.log_loss),
        ("Brier score", found.brier),
        ("calibration error", found.ece),
    ] {
        if value.is_nan() {
            println!("  {name:18} -      (needs comments of both verdicts)");
        } else {
            println!("  {name:18} {value:.3}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
