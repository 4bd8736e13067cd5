//! What went into the faults on the local stack, and what came out: a table.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// A line of the file that the tests write.
#[derive(Debug, Deserialize)]
struct Counts {
    fault: String,
    injected: String,
    comments: u64,
    bad: u64,
    predictions: u64,
    alerts: u64,
    quarantined: u64,
    /// Records and messages under an id that was there: comments, predictions, alerts.
    repeats: [u64; 3],
    seconds: u64,
}

const COLUMNS: [&str; 8] = ["fault", "comments", "bad", "predictions", "alerts", "quarantined", "repeats", "s"];

/// Prints the table, the faults in alphabetical order.
pub(super) fn print(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut all: Vec<Counts> =
        text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("counts can't be read")?;
    ensure!(!all.is_empty(), "no fault was counted");
    all.sort_by(|one, other| one.fault.cmp(&other.fault));
    print!("{}", table(&all));
    Ok(())
}

fn table(all: &[Counts]) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(all.iter().map(|counts| {
        let [comments, predictions, alerts] = counts.repeats;
        [
            counts.fault.clone(),
            counts.comments.to_string(),
            counts.bad.to_string(),
            counts.predictions.to_string(),
            counts.alerts.to_string(),
            counts.quarantined.to_string(),
            format!("{comments}+{predictions}+{alerts}"),
            counts.seconds.to_string(),
        ]
    }));
    let widths: Vec<usize> =
        (0..COLUMNS.len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default()).collect();
    let mut text =
        "What went in and came out (ids; repeats of comments, predictions, alerts under the same id):\n".to_owned();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(&format!("  {}\n", cells.collect::<Vec<_>>().join("  ")));
    }
    for counts in all {
        text.push_str(&format!("  {}: {}\n", counts.fault, counts.injected));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_what_was_injected_follows() {
        let line = r#"{"fault":"kills","injected":"9 scorers killed","comments":1000,"bad":25,"predictions":1000,
            "alerts":312,"quarantined":25,"repeats":[0,212,3],"seconds":48}"#;
        let text = table(&[serde_json::from_str(line).expect("a line")]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "  fault  comments  bad  predictions  alerts  quarantined  repeats   s",
                "  kills      1000   25         1000     312           25  0+212+3  48",
                "  kills: 9 scorers killed",
            ]
        );
    }
}
