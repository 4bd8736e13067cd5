use maud::{Markup, Render as _, html};

use super::{Section, columns, figure, side_by_side, table};
use crate::Report;
use crate::chart::{Plane, dot, line, unit_ticks};
use crate::numbers::{count, decimal, rate};
use crate::stats::Rate;

const BINS: usize = 10;

/// Comments whose probabilities are close to each other.
#[derive(Clone, Copy)]
struct Bin {
    /// The sum of their probabilities.
    predicted: f64,
    removed: Rate,
}

pub(super) fn section(report: &Report<'_>) -> Section {
    let bins = bins(report);
    let row = |(place, bin): (usize, &Bin)| {
        let edge = |place: usize| place as f64 / BINS as f64;
        vec![
            format!("{:.1} to {:.1}", edge(place), edge(place + 1)).render(),
            count(bin.removed.of).render(),
            decimal(bin.predicted / bin.removed.of as f64).render(),
            rate(bin.removed),
        ]
    };
    let table = table(&columns(["Probability", "Comments", "Mean", "Removed"]), bins.iter().enumerate().map(row));
    Section {
        id: "reliability",
        title: "Are probabilities true?",
        how: "On the dashed line, what is said is what happens; above it more is removed than the model says, below it less. \
              Bars are 95\u{a0}% intervals."
            .render(),
        content: side_by_side([
            figure("Reliability diagram \u{b7} larger dots, more comments", &chart(&bins)),
            figure("The same in numbers", &table),
        ]),
    }
}

fn bins(report: &Report<'_>) -> [Bin; BINS] {
    let mut bins = [Bin { predicted: 0.0, removed: Rate { part: 0, of: 0 } }; BINS];
    for comment in report.comments {
        let bin = &mut bins[((comment.probability * BINS as f64) as usize).min(BINS - 1)];
        bin.predicted += comment.probability;
        bin.removed.part += usize::from(comment.removed);
        bin.removed.of += 1;
    }
    bins
}

fn chart(bins: &[Bin]) -> Markup {
    let plane = Plane::new(300.0, 1, (0.0, 1.0), (0.0, 1.0));
    let most = bins.iter().map(|bin| bin.removed.of).max().unwrap_or_default().max(1) as f64;
    let place = |bin: &Bin| (bin.predicted / bin.removed.of as f64, bin.removed.share());
    let filled = || bins.iter().filter(|bin| bin.removed.of > 0);
    let drawing = html! {
        (plane.y_axis(&unit_ticks(), "share that was removed"))
        (plane.x_axis(&unit_ticks(), "mean probability"))
        (plane.curve("chance", &[(0.0, 0.0), (1.0, 1.0)]))
        (plane.curve("thin", &filled().map(place).collect::<Vec<_>>()))
        @for bin in filled() {
            @let (x, y) = (plane.x(place(bin).0), plane.y(place(bin).1));
            @if let Some(interval) = bin.removed.wilson() {
                (line("interval", (x, plane.y(interval.low)), (x, plane.y(interval.high))))
            }
            (dot("bin", (x, y), 2.5 + 4.0 * (bin.removed.of as f64 / most).sqrt()))
        }
    };
    plane.svg("Reliability diagram: the share removed over the mean probability, in ten bins", &drawing)
}
