use maud::{Markup, Render as _, html};

use super::{Section, fact, named, other_share, table};
use crate::html::isolate_direction;
use crate::numbers::{comments, count, decimal, decimals, percent};
use crate::stats::{Rate, roc_auc};
use crate::{Quality, Report};

/// With fewer comments, every number is a guess.
const FEWEST_FOR_NUMBERS: usize = 100;

pub(super) fn header(report: &Report<'_>) -> Markup {
    let version: String = report.version.chars().take(12).collect();
    html! {
        h1 { "How good is " (isolate_direction(report.model)) "?" }
        dl {
            (fact("Version", isolate_direction(&version)))
            (fact("Comments", count(report.comments.len())))
            (fact("Removed by moderators", percent(removed_share(report))))
            (fact("Base rate assumed", percent(report.base_rate)))
            (fact("Alerts where", super::condition(report)))
        }
    }
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
            .render(),
        content: html! { (base_rate_note(report)) (metrics(report)) },
    }
}

/// Where the base rate is not the comments', probabilities don't fit them.
fn base_rate_note(report: &Report<'_>) -> Markup {
    let Some(share) = other_share(report) else { return Markup::default() };
    let low_or_high = if report.base_rate < share { "low" } else { "high" };
    html! {
        p.note {
            "Probabilities assume that " (percent(report.base_rate)) " of comments are removed; of these, " (percent(share))
            " were. They are too " (low_or_high) " for these comments, which log loss, Brier score, calibration error, \
             accuracy and F1 show. ROC-AUC and average precision don't depend on it."
        }
    }
}

fn metrics(report: &Report<'_>) -> Markup {
    let Quality { roc_auc: area, average_precision, log_loss, brier, ece, ece_floor, accuracy, f1 } = report.quality;
    let share = removed_share(report);
    let area_with_interval = html! {
        (decimal(area))
        @if let Some(interval) = roc_auc(report.comments).and_then(|area| area.interval) {
            " " small { (decimals(interval)) }
        }
    };
    let row = |name: &str, meaning: &str, value: Markup, without: f64| {
        vec![named(name, meaning), value, decimal(without).render()]
    };
    let plain =
        |name: &str, meaning: &str, value: f64, without: f64| row(name, meaning, decimal(value).render(), without);
    let floor = ece_floor.map_or_else(String::new, |[mean, high]| {
        format!("; of so many comments a perfect model measures {}, up to {}", decimal(mean), decimal(high))
    });
    let of_ece = format!("less is better; how far probabilities are from what happened (ECE){floor}");
    let rows = [
        row(
            "ROC-AUC",
            "how often a removed comment scores above a kept one",
            area_with_interval,
            if area.is_finite() { 0.5 } else { f64::NAN },
        ),
        plain("Average precision", "precision over all recalls", average_precision, share),
        plain("Log loss", "less is better; punishes being sure and wrong", log_loss, entropy(share)),
        plain("Brier score", "less is better; the probability's squared error", brier, share * (1.0 - share)),
        plain("Calibration error", &of_ece, ece, f64::NAN),
        plain("Accuracy", "right verdicts, removing from 0.5 up", accuracy, share.max(1.0 - share)),
        plain("F1", "precision and recall in one, removing from 0.5 up", f1, f1_without(share)),
    ];
    let this_model = html! { "This model " small { "with its 95\u{a0}% interval" } };
    html! {
        @if report.comments.len() < FEWEST_FOR_NUMBERS {
            p.note { "Only " (comments(report.comments.len())) ": take all numbers for a guess." }
        }
        (table(&["Metric".render(), this_model, "Without a model".render()], rows))
    }
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
