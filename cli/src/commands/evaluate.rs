use std::process::ExitCode;

use modstream_trainer::evaluate;
use serde_json::json;

use super::{labelled, quality};
use crate::args::EvaluateArgs;
use crate::display::print;
use crate::embedded;
use crate::progress::Progress;

pub(crate) fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let (model, manifest) = embedded::load(&args.model)?;
    let comments = labelled(&args.input)?;
    anyhow::ensure!(!comments.is_empty(), "{}: there are no comments with a text to evaluate on", args.input.display());
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
        print(&format!("{line}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = format!(
        "{} comments, {} of them removed; model {} version {}\nat a base rate of {:.3}:\n",
        found.comments,
        comments.removed(),
        manifest.name,
        &manifest.version[..12],
        model.base_rate().share()
    );
    text += &quality([found.roc_auc, found.pr_auc, found.accuracy, found.f1, found.log_loss, found.brier, found.ece]);
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
