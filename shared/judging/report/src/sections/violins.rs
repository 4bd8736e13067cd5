//! How long comments are, by verdict, as violin plots.

use maud::{Markup, Render as _, html};

use super::{Section, columns, figure, missing, side_by_side, table};
use crate::Report;
use crate::chart::{Anchor, Plane, dot, line, log_ticks, rectangle, text};
use crate::numbers::{NONE, count};
use crate::stats::{Density, quantile};

/// With fewer comments of a class, a density says more than is known: each is drawn.
const FEWEST_FOR_A_DENSITY: usize = 10;
/// At how many places a density is drawn.
const PLACES: u32 = 80;

pub(super) fn section(report: &Report<'_>) -> Section {
    let (kept, removed) = (lengths(report, false), lengths(report, true));
    let chart = if report.comments.is_empty() { missing("There are no comments.") } else { chart(&kept, &removed) };
    let row = |class: &str, lengths: &[f64]| {
        let at = |share: f64| {
            let length = quantile(lengths, share);
            if length.is_finite() { count(length.exp().round() as usize).render() } else { NONE.render() }
        };
        let name = html! { b class=(class) { (class) } };
        vec![name, count(lengths.len()).render(), at(0.25), at(0.5), at(0.75)]
    };
    let table = table(
        &columns(["Class", "Comments", "25\u{a0}% below", "Median", "75\u{a0}% below"]),
        [row("kept", &kept), row("removed", &removed)],
    );
    let caption = if kept.len().min(removed.len()) < FEWEST_FOR_A_DENSITY {
        "Of a class of fewer than 10, each comment is a dot"
    } else {
        "Bar: the middle half; line: nine in ten; dot: the median"
    };
    Section {
        id: "length",
        title: "Length",
        how: "Where a shape is thick, many comments have that length; where the two differ, length alone tells something \
              about removal."
            .render(),
        content: side_by_side([figure(caption, &chart), figure("In characters", &table)]),
    }
}

/// Of one class, the logarithms of lengths in characters, sorted.
fn lengths(report: &Report<'_>, removed: bool) -> Vec<f64> {
    let class = report.comments.iter().filter(|comment| comment.removed == removed);
    let mut lengths: Vec<f64> = class.map(|comment| (comment.text.chars().count().max(1) as f64).ln()).collect();
    lengths.sort_by(f64::total_cmp);
    lengths
}

fn chart(kept: &[f64], removed: &[f64]) -> Markup {
    let all = || kept.iter().chain(removed).copied();
    let (from, to) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    // A shape needs some width also where all lengths are one.
    let (from, to) = ((from - 0.2).max(0.0), to + 0.2);
    let plane = Plane::new(250.0, 1, (from, to), (0.0, 2.0));
    let highest = [kept, removed].iter().map(|class| peak(class)).fold(0.0, f64::max);
    let drawing = html! {
        (plane.x_axis(&log_ticks(from, to), "characters, on a logarithmic scale"))
        @for (class, lengths, middle) in [("kept", kept, 1.5), ("removed", removed, 0.5)] {
            @let y = plane.y(middle);
            (text("name", (2.0, y - 48.0), Anchor::Start, class))
            @if lengths.is_empty() { (text("tick", (plane.x(from), y + 4.0), Anchor::Start, "none")) }
            @if lengths.len() < FEWEST_FOR_A_DENSITY {
                @for length in lengths { (dot(class, (plane.x(*length), y), 4.0)) }
            } @else {
                (violin(&plane, class, lengths, middle, 0.42 / highest))
                (spread(&plane, lengths, y))
            }
        }
    };
    plane.svg("Violins of the lengths of kept and removed comments", &drawing)
}

/// The middle half, nine in ten and the median of a class, at a height of the picture.
fn spread(plane: &Plane, lengths: &[f64], y: f64) -> Markup {
    let at = |share: f64| plane.x(quantile(lengths, share));
    html! {
        (rectangle("middle", (at(0.25), y - 3.0), (at(0.75), y + 3.0)))
        (line("middle", (at(0.05), y), (at(0.95), y)))
        (dot("median", (at(0.5), y), 4.5))
    }
}

fn places(lengths: &[f64]) -> impl Iterator<Item = f64> {
    let (from, to) = (lengths.first().copied().unwrap_or(0.0), lengths.last().copied().unwrap_or(0.0));
    (0..=PLACES).map(move |place| from + (to - from) * f64::from(place) / f64::from(PLACES))
}

fn peak(lengths: &[f64]) -> f64 {
    if lengths.len() < FEWEST_FOR_A_DENSITY {
        return 0.0;
    }
    let density = Density::of(lengths);
    places(lengths).map(|place| density.at(place)).fold(0.0, f64::max)
}

/// A density, mirrored: from the shortest comment to the longest.
fn violin(plane: &Plane, class: &str, lengths: &[f64], middle: f64, scale: f64) -> Markup {
    let density = Density::of(lengths);
    let edge: Vec<(f64, f64)> = places(lengths).map(|place| (place, density.at(place) * scale)).collect();
    let upper = edge.iter().map(|(place, height)| (*place, middle + height));
    let lower = edge.iter().rev().map(|(place, height)| (*place, middle - height));
    plane.curve(&format!("violin {class}"), &upper.chain(lower).collect::<Vec<_>>())
}
