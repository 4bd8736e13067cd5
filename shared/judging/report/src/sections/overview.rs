use super::{Section, other_share, table};
use crate::escape::foreign;
use crate::numbers::{comments, decimal, decimals, percent};
use crate::stats::{Rate, roc_auc};
use crate::{Quality, Report};

pub(super) fn header(report: &Report<'_>) -> String {
    let fact = |name: &str, value: &str| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    let version: String = report.version.chars().take(12).collect();
    format!(
        "<h1>How good is {}?</h1>\n<dl>\n{}{}{}{}{}</dl>\n",
        foreign(report.model),
        fact("Version", &foreign(&version)),
        fact("Comments", &crate::numbers::count(report.comments.len())),
        fact("Removed by moderators", &percent(removed_share(report))),
        fact("Base rate assumed", &percent(report.base_rate)),
        fact("Alerts where", &super::condition(report)),
    )
}

fn removed_share(report: &Report<'_>) -> f64 {
    Rate { part: report.removed(), of: report.comments.len() }.share()
}

pub(super) fn section(report: &Report<'_>) -> Section {
    Section {
        id: "overview",
        title: "Overview",
        how: "Compare each number with the one beside it: that is what one gets without looking at a comment, \
              knowing only the share that is removed."
            .to_owned(),
        content: base_rate_note(report) + &metrics(report),
    }
}

/// Where the base rate is not the comments', probabilities don't fit them.
fn base_rate_note(report: &Report<'_>) -> String {
    let Some(share) = other_share(report) else { return String::new() };
    let low_or_high = if report.base_rate < share { "low" } else { "high" };
    format!(
        "<p class=\"note\">Probabilities assume that {} of comments are removed; of these, {} were. They are too \
         {low_or_high} for these comments, which log loss, Brier score, calibration error, accuracy and F1 show. \
         ROC-AUC and average precision don't depend on it.</p>\n",
        percent(report.base_rate),
        percent(share)
    )
}

fn metrics(report: &Report<'_>) -> String {
    let Quality { roc_auc: area, average_precision, log_loss, brier, ece, accuracy, f1 } = report.quality;
    let share = removed_share(report);
    let small = |interval| format!(" <small>{}</small>", decimals(interval));
    let interval = roc_auc(report.comments).and_then(|area| area.interval).map_or_else(String::new, small);
    let row = |name: &str, meaning: &str, value: String, without: f64| {
        let without = decimal(without);
        vec![format!("{name}<small>{meaning}</small>"), value, without]
    };
    let rows = [
        row(
            "ROC-AUC",
            "how often a removed comment scores above a kept one",
            decimal(area) + &interval,
            if area.is_finite() { 0.5 } else { f64::NAN },
        ),
        row("Average precision", "precision over all recalls", decimal(average_precision), share),
        row("Log loss", "less is better; punishes being sure and wrong", decimal(log_loss), entropy(share)),
        row("Brier score", "less is better; the probability's squared error", decimal(brier), share * (1.0 - share)),
        row(
            "Calibration error",
            "less is better; how far probabilities are from what happened (ECE)",
            decimal(ece),
            f64::NAN,
        ),
        row("Accuracy", "right verdicts, removing from 0.5 up", decimal(accuracy), share.max(1.0 - share)),
        row("F1", "precision and recall in one, removing from 0.5 up", decimal(f1), f1_without(share)),
    ];
    let small = match report.comments.len() {
        0..100 => {
            let some = comments(report.comments.len());
            format!("<p class=\"note\">Only {some}: take all numbers for a guess.</p>\n")
        }
        _ => String::new(),
    };
    small + &table(&["Metric", "This model <small>with its 95\u{a0}% interval</small>", "Without a model"], rows)
}

/// The log loss of always saying the share.
fn entropy(share: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    if share.is_finite() { part(share) + part(1.0 - share) } else { f64::NAN }
}

/// F1 of the verdict that is likelier.
fn f1_without(share: f64) -> f64 {
    if share >= 0.5 { 2.0 * share / (1.0 + share) } else { 0.0 }
}
