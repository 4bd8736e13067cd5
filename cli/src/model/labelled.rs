//! Comments with verdicts, and what is measured on them.

use std::io::Cursor;
use std::path::Path;

use modstream_classifier::artifact::CalibrationFloor;
use modstream_corpus::Reader;
use modstream_trainer::LabelledComments;
use plain_text::{agree, counted};

use crate::common::display;
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::LabelledArgs;

/// How many bad records an error names.
const NAMED_RECORDS: usize = 5;

/// Comments with verdicts, and how many rows had none.
pub(super) struct Labelled {
    pub(super) comments: LabelledComments,
    pub(super) without_verdict: usize,
}

/// Reads comments with verdicts. Rows without one are left out and counted. Every other record must be good: a verdict that is
/// lost silently would change the model.
/// What was read of standard input already is `held`.
pub(super) fn labelled(path: &Path, held: Option<Vec<u8>>, args: &LabelledArgs) -> anyhow::Result<Labelled> {
    let mut comments = LabelledComments::new(args.placeholders());
    let options = args.options();
    let wanted = options.labels.as_ref().map(|labels| labels.column.trim().to_owned()).unwrap_or_default();
    let rows = match held {
        Some(bytes) => Reader::from_read_with(input::STANDARD_INPUT, Cursor::new(bytes), options.clone())?,
        None => input::comments(path, options.clone())?,
    };
    if let Some(columns) = rows.columns()
        && !columns.iter().any(|column| column.to_lowercase() == wanted.to_lowercase())
    {
        let found = columns.iter().map(|column| display::one_line(column)).collect::<Vec<_>>().join(", ");
        anyhow::bail!(
            "{}: it has no column `{wanted}` for the verdicts; its columns are: {found}; say which one holds them: \
             `--label-column NAME`",
            input::name(path)
        );
    }
    let mut bad: Vec<String> = Vec::new();
    let (mut count, mut without_verdict) = (0, 0);
    let mut is_any_removed = false;
    let progress = Progress::new("reading comments", None);
    for row in rows {
        is_any_removed |= row.as_ref().is_ok_and(|row| row.removed == Some(true));
        let problem = match row {
            Ok(row) => match (row.removed, options.text(&row)) {
                (None, _) => {
                    without_verdict += 1;
                    None
                }
                (Some(removed), Ok(text)) => {
                    comments.push_line(row.line, text, removed);
                    None
                }
                (Some(_), Err(error)) => Some((row.line, error.to_string())),
            },
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
            "{} {} left out: {} text is gone, and what stands in its place would tell the verdict: {}",
            counted(gone.count(), "comment"),
            agree(gone.count(), "is", "are"),
            agree(gone.count(), "its", "their"),
            display::one_line(&gone.to_string())
        );
    }
    if count > 0 {
        let more = count - bad.len();
        let and_more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let records = counted(count, "record");
        anyhow::bail!("{}: {records} can't be used: {}{and_more}", input::name(path), bad.join("; "));
    }
    args.check_removed_value(is_any_removed, [path])?;
    if without_verdict > 0 {
        anyhow::ensure!(
            !comments.is_empty() || gone.count() > 0,
            "{}: none of its rows has a verdict: `{wanted}` must be 0, 1, true or false, or `--label-column NAME` says what holds \
             them ({} without one)",
            input::name(path),
            counted(without_verdict, "row")
        );
        let rows = counted(without_verdict, "row");
        eprintln!("{rows} without a verdict {} left out", agree(without_verdict, "is", "are"));
    }
    Ok(Labelled { comments, without_verdict })
}

/// Metrics as a table: ROC-AUC, average precision, accuracy, F1, log loss, Brier score, calibration error; and what that is of a perfect
/// model.
pub(super) fn quality(metrics: [f64; 7], ece_floor: Option<CalibrationFloor>) -> String {
    let names = ["ROC-AUC", "average precision", "accuracy", "F1", "log loss", "Brier score", "calibration error"];
    let rows = names.iter().zip(metrics).map(|(name, value)| {
        if value.is_nan() {
            format!("  {name:18} -      (needs comments of both verdicts)\n")
        } else {
            format!("  {name:18} {value:.3}\n")
        }
    });
    let floor = ece_floor.map_or_else(String::new, |CalibrationFloor { mean, high }| {
        format!("                     (a perfect model: {mean:.3} by chance, up to {high:.3})\n")
    });
    rows.chain([floor]).collect()
}
