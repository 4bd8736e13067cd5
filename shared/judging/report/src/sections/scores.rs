use maud::{Markup, html};

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
        let caption = html! { b class=(class) { (class) } " \u{b7} " (comments(count)) };
        if count == 0 {
            return figure(caption, &missing(format!("No comment was {class}.")));
        }
        figure(caption, &chart(report, class, bins, end))
    };
    let how = html! {
        "A good model piles up kept comments on the left and removed ones on the right; "
        @if report.threshold().is_some() {
            "from the dashed line on, comments alert (" (condition(report)) ")."
        } @else {
            "no comment alerts (" (condition(report)) ")."
        }
    };
    Section {
        id: "scores",
        title: "Scores",
        how,
        content: side_by_side([draw("kept", &kept, report.kept()), draw("removed", &removed, report.removed())]),
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

fn chart(report: &Report<'_>, class: &str, bins: &[f64], end: f64) -> Markup {
    let plane = Plane::new(250.0, 2, (0.0, 1.0), (0.0, end));
    let ticks = [0.0, end / 2.0, end].map(|at| (at, format!("{:.0}\u{a0}%", at * 100.0)));
    let edge = |number: usize| plane.x(number as f64 / BINS as f64);
    let alerting = Rate::of(report.comments.iter().filter(|c| c.removed == (class == "removed")), |c| c.alerts);
    let alerting = format!("{} alert", percent(alerting.share()));
    let drawing = html! {
        (plane.y_axis(&ticks, &format!("share of {class} comments")))
        @for (number, share) in bins.iter().enumerate() {
            (rectangle(class, (edge(number) + 0.5, plane.y(0.0)), (edge(number + 1) - 0.5, plane.y(*share))))
        }
        (plane.x_axis(&unit_ticks(), "probability of removal"))
        @if let Some(threshold) = report.threshold() {
            @let x = plane.x(threshold);
            @let (at, anchor) = if threshold > 0.5 { (x - 5.0, Anchor::End) } else { (x + 5.0, Anchor::Start) };
            (line("threshold", (x, 21.0), (x, plane.y(0.0))))
            (text("label", (at, 31.0), anchor, &alerting))
        }
    };
    plane.svg(&format!("Histogram of the probabilities of {class} comments: {alerting}"), &drawing)
}
