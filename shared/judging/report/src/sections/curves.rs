use maud::{Markup, Render as _, html};

use super::{Section, condition, figure, missing, named, one_class_only, other_share, side_by_side, table};
use crate::Report;
use crate::chart::{Anchor, Plane, dot, text, unit_ticks};
use crate::numbers::{count, decimal, percent, rate};
use crate::stats::{Rate, Step, steps, thinned};

/// How many points a curve is drawn of: one of more looks the same.
const MAX_POINTS: usize = 200;

/// What alerting by the policy gives.
struct Point {
    /// The share of removed comments that alert.
    recall: Rate,
    /// The share of alerts whose comments were removed.
    precision: Rate,
    /// The share of kept comments that alert.
    false_alarms: Rate,
    /// The share of all comments that alert.
    share: Rate,
}

impl Point {
    fn of(report: &Report<'_>) -> Self {
        let all = report.comments.iter();
        Point {
            recall: Rate::of(all.clone().filter(|comment| comment.removed), |comment| comment.alerts),
            precision: Rate::of(all.clone().filter(|comment| comment.alerts), |comment| comment.removed),
            false_alarms: Rate::of(all.clone().filter(|comment| !comment.removed), |comment| comment.alerts),
            share: Rate::of(all, |comment| comment.alerts),
        }
    }
}

pub(super) fn section(report: &Report<'_>) -> Section {
    let point = Point::of(report);
    let steps = steps(report.comments);
    let is_drawn = one_class_only(report).is_none();
    let area = |name: &str, area: f64| {
        if is_drawn { format!("{name} \u{b7} area {}", decimal(area)) } else { name.to_owned() }
    };
    let (roc, precision) = match one_class_only(report) {
        Some(missing) => (missing.clone(), missing),
        None => (roc(report, &steps, &point), precision_recall(report, &steps, &point)),
    };
    let charts = side_by_side([
        figure(area("ROC curve", report.quality.roc_auc), &roc),
        figure(area("Precision-recall curve", report.quality.average_precision), &precision),
    ]);
    Section {
        id: "curves",
        title: "What alerting catches",
        how: html! {
            "Each point of a curve is a probability to alert from; the marked one is " (condition(report)) ", and the further \
             a curve bends away from the dashed line, which is chance, the better."
        },
        content: html! { (charts) (at_the_point(report, &point)) },
    }
}

fn roc(report: &Report<'_>, steps: &[Step], point: &Point) -> Markup {
    let (removed, kept) = (report.removed() as f64, report.kept() as f64);
    let points: Vec<(f64, f64)> =
        steps.iter().map(|step| (step.false_alarms as f64 / kept, step.hits as f64 / removed)).collect();
    let points = thinned(&points, MAX_POINTS);
    let plane = Plane::new(300.0, 1, (0.0, 1.0), (0.0, 1.0));
    let at = (point.false_alarms.share(), point.recall.share());
    let words =
        format!("ROC curve: at {}, {} caught, {} false alarms", report.policy.condition, percent(at.1), percent(at.0));
    let drawing = html! {
        (plane.y_axis(&unit_ticks(), "removed comments caught (recall)"))
        (plane.x_axis(&unit_ticks(), "kept comments that alert"))
        (plane.curve("chance", &[(0.0, 0.0), (1.0, 1.0)]))
        (plane.curve("curve", &points))
        (mark(&plane, report, at, &points))
    };
    plane.svg(&words, &drawing)
}

fn precision_recall(report: &Report<'_>, steps: &[Step], point: &Point) -> Markup {
    let removed = report.removed() as f64;
    let mut points: Vec<(f64, f64)> = steps
        .iter()
        .filter(|step| step.hits + step.false_alarms > 0)
        .map(|step| (step.hits as f64 / removed, step.hits as f64 / (step.hits + step.false_alarms) as f64))
        .collect();
    if let Some(first) = points.first().copied() {
        points.insert(0, (0.0, first.1));
    }
    let points = thinned(&points, MAX_POINTS);
    let share = removed / report.comments.len() as f64;
    let plane = Plane::new(300.0, 1, (0.0, 1.0), (0.0, 1.0));
    let at = (point.recall.share(), point.precision.share());
    let words = format!(
        "Precision-recall curve: at {}, {} of alerts right, {} caught",
        report.policy.condition,
        percent(at.1),
        percent(at.0)
    );
    let drawing = html! {
        (plane.y_axis(&unit_ticks(), "alerts that are right (precision)"))
        (plane.x_axis(&unit_ticks(), "removed comments caught (recall)"))
        (plane.curve("chance", &[(0.0, share), (1.0, share)]))
        (plane.curve("curve", &points))
        @if at.1.is_finite() { (mark(&plane, report, at, &points)) }
    };
    plane.svg(&words, &drawing)
}

/// The policy's point, and its name where there is room near it.
fn mark(plane: &Plane, report: &Report<'_>, at: (f64, f64), curve: &[(f64, f64)]) -> Markup {
    let (x, y) = (plane.x(at.0), plane.y(at.1));
    let width = report.policy.condition.chars().count() as f64 * 7.6;
    let is_free = |&(left, bottom): &(f64, f64)| {
        let inside = |(at_x, at_y): &(f64, f64)| {
            (left - 3.0..left + width + 3.0).contains(&plane.x(*at_x))
                && (bottom - 14.0..bottom + 5.0).contains(&plane.y(*at_y))
        };
        let fits = left > plane.x(0.0) && left + width < plane.x(1.0);
        fits && (plane.y(1.0) + 12.0..plane.y(0.0) - 4.0).contains(&bottom) && !curve.iter().any(inside)
    };
    // Beside the point first, then ever further below and above it.
    let places = (0..10).flat_map(|row| {
        let away = 10.0 * f64::from(row);
        let lefts = [x + 8.0, x - width / 2.0, x - 8.0 - width];
        lefts.into_iter().flat_map(move |left| [(left, y + 17.0 + away), (left, y - 9.0 - away)])
    });
    let place = places.into_iter().find(is_free).unwrap_or((plane.x(0.5) - width / 2.0, plane.y(0.0) - 6.0));
    html! { (dot("mark", (x, y), 5.5)) (text("label", place, Anchor::Start, report.policy.condition)) }
}

fn at_the_point(report: &Report<'_>, point: &Point) -> Markup {
    let row = |name: &str, meaning: &str, part: Rate| {
        let of = format!("{} of {}", count(part.part), count(part.of));
        vec![named(name, meaning), rate(part), of.render()]
    };
    let rows = [
        row("Precision", "alerts that are right", point.precision),
        row("Recall", "removed comments that alert", point.recall),
        row("False alarm rate", "kept comments that alert", point.false_alarms),
        row("Share", "comments that alert", point.share),
    ];
    let interval = html! { "Rate " small { "95\u{a0}% interval" } };
    html! {
        (table(&["Alerting by the policy".render(), interval, "Comments".render()], rows))
        @if point.share.part == 0 { (missing(html! { "No comment meets " (condition(report)) "." })) }
        (at_the_base_rate(report, point))
    }
}

/// What precision is to expect where the base rate is not the comments'.
fn at_the_base_rate(report: &Report<'_>, point: &Point) -> Markup {
    let Some(share) = other_share(report) else { return Markup::default() };
    let (base_rate, recall, false_alarms) = (report.base_rate, point.recall.share(), point.false_alarms.share());
    let (right, wrong) = (base_rate * recall, (1.0 - base_rate) * false_alarms);
    let precision = right / (right + wrong);
    if !precision.is_finite() {
        return Markup::default();
    }
    html! {
        p.note {
            "Precision and share are those of these comments, of which " (percent(share)) " were removed. Where "
            (percent(base_rate)) " are, the same rates make " (percent(precision)) " of alerts right, and "
            (percent(right + wrong)) " of comments alert."
        }
    }
}
