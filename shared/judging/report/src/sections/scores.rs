use super::{Section, condition, figure, missing, side_by_side};
use crate::Report;
use crate::chart::{Anchor, Plane, line, rectangle, text, unit_ticks};
use crate::numbers::{comments, percent};
use crate::stats::Rate;

const BINS: usize = 20;
/// What the y axis may end at.
const ENDS: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, f64::INFINITY];

pub(super) fn section(report: &Report<'_>) -> Section {
    let (kept, removed) = (histogram(report, false), histogram(report, true));
    let highest = kept.iter().chain(&removed).copied().fold(0.0, f64::max);
    let end = ENDS.into_iter().find(|end| highest <= *end).unwrap_or(1.0).min(1.0);
    let draw = |class: &str, bins: &[f64], count: usize| {
        let caption = format!("<b class=\"{class}\">{class}</b> \u{b7} {}", comments(count));
        if count == 0 {
            return figure(&caption, &missing(&format!("No comment was {class}.")));
        }
        figure(&caption, &chart(report, class, bins, end))
    };
    let alerting = match report.threshold() {
        Some(_) => format!("from the dashed line on, comments alert ({})", condition(report)),
        None => format!("no comment alerts ({})", condition(report)),
    };
    Section {
        id: "scores",
        title: "Scores",
        how: format!("A good model piles up kept comments on the left and removed ones on the right; {alerting}."),
        content: side_by_side(&[draw("kept", &kept, report.kept()), draw("removed", &removed, report.removed())]),
    }
}

/// Of one class, the share in each bin.
fn histogram(report: &Report<'_>, removed: bool) -> [f64; BINS] {
    let mut bins = [0.0; BINS];
    let mut count = 0.0_f64;
    for comment in report.comments.iter().filter(|comment| comment.removed == removed) {
        bins[((comment.probability * BINS as f64) as usize).min(BINS - 1)] += 1.0;
        count += 1.0;
    }
    bins.map(|bin| bin / count.max(1.0))
}

fn chart(report: &Report<'_>, class: &str, bins: &[f64], end: f64) -> String {
    let plane = Plane::new(250.0, 2, (0.0, 1.0), (0.0, end));
    let ticks = [0.0, end / 2.0, end].map(|at| (at, format!("{:.0}\u{a0}%", at * 100.0)));
    let mut svg = plane.y_axis(&ticks, &format!("share of {class} comments"));
    for (place, share) in bins.iter().enumerate() {
        let edge = |place: usize| plane.x(place as f64 / BINS as f64);
        svg += &rectangle(class, (edge(place) + 0.5, plane.y(0.0)), (edge(place + 1) - 0.5, plane.y(*share)));
    }
    svg += &plane.x_axis(&unit_ticks(), "probability of removal");
    let alerting = Rate::of(report.comments.iter().filter(|c| c.removed == (class == "removed")), |c| c.alerts);
    if let Some(threshold) = report.threshold() {
        let x = plane.x(threshold);
        svg += &line("threshold", (x, 21.0), (x, plane.y(0.0)));
        let words = format!("{} alert", percent(alerting.share()));
        let (x, anchor) = if threshold > 0.5 { (x - 5.0, Anchor::End) } else { (x + 5.0, Anchor::Start) };
        svg += &text("label", (x, 31.0), anchor, &words);
    }
    let words = format!("Histogram of the probabilities of {class} comments: {} alert", percent(alerting.share()));
    plane.svg(&words, &svg)
}
