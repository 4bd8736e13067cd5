//! What is found in labelled rows, as `train` and `evaluate` say it.

use std::fmt::Write as _;

use modstream_trainer::checks::{Finding, Row, What};
use serde_json::{Value, json};

use crate::common::display::one_line;

/// The part of a text about the rows; says so where nothing is found.
pub(super) fn as_text(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "\nthe rows: nothing gives the answer away, contradicts itself or comes again\n".to_owned();
    }
    let mut text = "\nlook at these rows before you believe the numbers:\n".to_owned();
    for finding in findings {
        let of = match (&finding.label, &finding.what) {
            // The sentence says the label itself.
            (None, _) | (Some(_), What::TooGood { .. }) => String::new(),
            (Some(label), _) => format!("{label}: "),
        };
        // Writing into a String can't fail.
        let _ = writeln!(text, "- {of}{}", one_line(&finding.in_words()));
        for Row { line, text: row, .. } in &finding.rows {
            let _ = writeln!(text, "    line {line}: {}", one_line(row));
        }
    }
    text
}

/// The same for a program, an object each.
pub(super) fn as_json(findings: &[Finding]) -> Value {
    let one = |finding: &Finding| {
        let mut it = json!({
            "check": finding.what.name(),
            "label": finding.label,
            "says": finding.in_words(),
            "rows": finding.rows.iter().map(row).collect::<Vec<_>>(),
        });
        let more = match &finding.what {
            What::Marker { term, with, without } => {
                json!({ "term": term, "share_with": with.share(), "share_without": without.share() })
            }
            What::TooGood { roc_auc } => json!({ "roc_auc": roc_auc }),
            What::Contradicting { texts, rows } => json!({ "texts": texts, "count": rows.part, "share": rows.share() }),
            What::NearDuplicates { groups, rows } => {
                json!({ "groups": groups, "count": rows.part, "share": rows.share() })
            }
            What::Doubtful { with, without } => {
                json!({ "count": with + without, "count_with": with, "count_without": without })
            }
            What::Seen { rows } => json!({ "count": rows.part, "share": rows.share() }),
        };
        if let (Some(it), Value::Object(more)) = (it.as_object_mut(), more) {
            it.extend(more);
        }
        it
    };
    findings.iter().map(one).collect()
}

fn row(Row { line, text, verdict }: &Row) -> Value {
    json!({ "line": line, "text": text, "verdict": verdict })
}

/// The same for a page.
pub(super) fn of_page(findings: &[Finding]) -> Vec<modstream_report::Finding> {
    let title = |what: &What| match what {
        What::Marker { .. } => "A term that gives the verdict away",
        What::TooGood { .. } => "Better than texts tell",
        What::Contradicting { .. } => "Equal texts with both verdicts",
        What::NearDuplicates { .. } => "Texts that differ by a word or a number",
        What::Doubtful { .. } => "Verdicts that the other comments speak against",
        What::Seen { .. } => "Comments that the model was trained on",
    };
    let one = |finding: &Finding| modstream_report::Finding {
        title: title(&finding.what).to_owned(),
        text: format!("{}.", finding.in_words()),
        rows: finding.rows.iter().map(|row| (format!("line {}", row.line), row.text.clone())).collect(),
    };
    findings.iter().map(one).collect()
}
