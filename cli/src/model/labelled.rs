//! Comments with verdicts, and what is measured on them.

use std::path::Path;

use modstream_trainer::LabelledComments;

use crate::common::display;
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;

/// How many bad records an error names.
const NAMED_RECORDS: usize = 5;

/// Reads comments with verdicts. Every record must be good: a verdict that is lost silently would change the model.
pub(super) fn labelled(path: &Path, args: &LabelledArgs) -> anyhow::Result<LabelledComments> {
    let mut comments = LabelledComments::new(args.placeholders());
    let options = args.options();
    let wanted = options.labels.as_ref().map(|labels| labels.column.trim().to_lowercase()).unwrap_or_default();
    let rows = input::comments(path, options)?;
    if let Some(columns) = rows.columns()
        && !columns.iter().any(|column| column.to_lowercase() == wanted)
    {
        let found = columns.iter().map(|column| display::one_line(column)).collect::<Vec<_>>().join(", ");
        anyhow::bail!(
            "{}: the CSV has no column `{wanted}` for the verdicts; its columns are: {found}; say which one holds them: \
             `--label-column NAME`",
            input::name(path)
        );
    }
    let mut bad: Vec<String> = Vec::new();
    let mut count = 0;
    let progress = Progress::new("reading comments", None);
    for row in rows {
        let problem = match row {
            Ok(row) => comments.push(&row).err().map(|error| (row.line, error.to_string())),
            Err(error) => Some((error.line, error.to_string())),
        };
        if let Some((line, problem)) = problem {
            count += 1;
            if bad.len() < NAMED_RECORDS {
                bad.push(format!("line {line}: {problem}"));
            }
        }
        progress.at(comments.len() as u64);
    }
    progress.finish();
    let gone = comments.left_out();
    if gone.count() > 0 {
        eprintln!(
            "{} comments are left out: their text is gone, and what stands in its place would tell the verdict: {}",
            gone.count(),
            display::one_line(&gone.to_string())
        );
    }
    if count > 0 {
        let more = count - bad.len();
        let and_more = if more > 0 { format!("; and {more} more") } else { String::new() };
        anyhow::bail!("{}: {count} records can't be used: {}{and_more}", input::name(path), bad.join("; "));
    }
    Ok(comments)
}

/// Metrics as a table: ROC-AUC, average precision, accuracy, F1, log loss, Brier score, calibration error.
pub(super) fn quality(metrics: [f64; 7]) -> String {
    let names = ["ROC-AUC", "average precision", "accuracy", "F1", "log loss", "Brier score", "calibration error"];
    let rows = names.iter().zip(metrics).map(|(name, value)| {
        if value.is_nan() {
            format!("  {name:18} -      (needs comments of both verdicts)\n")
        } else {
            format!("  {name:18} {value:.3}\n")
        }
    });
    rows.collect()
}
