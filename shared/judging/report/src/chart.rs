//! What charts are drawn with. All have one width, so that letters have one size.

use maud::{Markup, html};

const WIDTH: f64 = 360.0;
const RIGHT: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// A chart's plane: from values to places in the picture.
pub(crate) struct Plane {
    height: f64,
    left: f64,
    top: f64,
    x: (f64, f64),
    y: (f64, f64),
}

/// A place on an axis, and what stands there.
pub(crate) type Tick = (f64, String);

/// From which side a text goes away from its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Plane {
    /// A plane for these values, `height` high, with room for tick labels and, above, for so many lines of text.
    pub(crate) fn new(height: f64, lines: u8, x: (f64, f64), y: (f64, f64)) -> Self {
        Plane { height, left: 46.0, top: 6.0 + 18.0 * f64::from(lines), x, y }
    }

    /// The place of a value on the x axis.
    pub(crate) fn x(&self, value: f64) -> f64 {
        self.left + (value - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - RIGHT - self.left)
    }

    /// The place of a value on the y axis.
    pub(crate) fn y(&self, value: f64) -> f64 {
        let floor = self.height - BOTTOM;
        floor - (value - self.y.0) / (self.y.1 - self.y.0) * (floor - self.top)
    }

    /// The x axis with its name.
    pub(crate) fn x_axis(&self, ticks: &[Tick], name: &str) -> Markup {
        let (from, to, floor) = (self.left, WIDTH - RIGHT, self.y(self.y.0));
        // The outermost label must not leave the picture.
        let centre = |x: f64, label: &str| x.min(WIDTH - label.chars().count() as f64 * 3.25 - 1.0);
        html! {
            (line("axis", (from, floor), (to, floor)))
            @for (value, label) in ticks {
                @let x = self.x(*value);
                (line("axis", (x, floor), (x, floor + 4.0)))
                (text("tick", (centre(x, label), floor + 17.0), Anchor::Middle, label))
            }
            (text("name", ((from + to) / 2.0, self.height - 8.0), Anchor::Middle, name))
        }
    }

    /// The y axis with its grid, and its name above it.
    pub(crate) fn y_axis(&self, ticks: &[Tick], name: &str) -> Markup {
        html! {
            @for (value, label) in ticks {
                @let y = self.y(*value);
                (line("grid", (self.left, y), (WIDTH - RIGHT, y)))
                (text("tick", (self.left - 6.0, y + 4.0), Anchor::End, label))
            }
            (text("name", (2.0, 13.0), Anchor::Start, name))
        }
    }

    /// A line through points of the plane.
    pub(crate) fn curve(&self, class: &str, points: &[(f64, f64)]) -> Markup {
        let mut path = String::new();
        for (number, (x, y)) in points.iter().enumerate() {
            let draw = if number == 0 { 'M' } else { 'L' };
            path += &format!("{draw}{:.1} {:.1}", self.x(*x), self.y(*y));
        }
        html! { path class=(class) d=(path) {} }
    }

    /// The picture, with what it shows in words.
    pub(crate) fn svg(&self, words: &str, content: &Markup) -> Markup {
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", self.height)) role="img" aria-label=(words) { (content) }
        }
    }
}

/// A length in the picture.
fn length(pixels: f64) -> String {
    format!("{pixels:.1}")
}

/// A straight line.
pub(crate) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(length(from.0)) y1=(length(from.1)) x2=(length(to.0)) y2=(length(to.1)) {} }
}

/// A rectangle between two corners.
pub(crate) fn rectangle(class: &str, a: (f64, f64), b: (f64, f64)) -> Markup {
    let (x, y) = (length(a.0.min(b.0)), length(a.1.min(b.1)));
    html! {
        rect class=(class) x=(x) y=(y) width=(length((a.0 - b.0).abs())) height=(length((a.1 - b.1).abs())) {}
    }
}

/// A filled circle.
pub(crate) fn dot(class: &str, at: (f64, f64), radius: f64) -> Markup {
    html! { circle class=(class) cx=(length(at.0)) cy=(length(at.1)) r=(length(radius)) {} }
}

/// A text beside, before or around a place.
pub(crate) fn text(class: &str, at: (f64, f64), anchor: Anchor, content: &str) -> Markup {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    html! { text class=(class) x=(length(at.0)) y=(length(at.1)) text-anchor=(anchor) { (content) } }
}

/// Ticks of an axis from 0 to 1.
pub(crate) fn unit_ticks() -> Vec<Tick> {
    [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")]
        .map(|(at, label)| (at, label.to_owned()))
        .into()
}

/// Ticks of a logarithmic axis, at round numbers: as many as there is room for.
pub(crate) fn log_ticks(from: f64, to: f64) -> Vec<Tick> {
    const MAX_TICKS: usize = 6;
    let ticks = |steps: &[u32]| -> Vec<Tick> {
        let numbers = (0..9).flat_map(|power| steps.iter().map(move |step| *step as usize * 10_usize.pow(power)));
        let placed = numbers.map(|number| ((number as f64).ln(), crate::numbers::count(number)));
        placed.filter(|(place, _)| (from..=to).contains(place)).collect()
    };
    let choices = [ticks(&[1, 2, 5]), ticks(&[1, 3]), ticks(&[1])];
    choices.into_iter().find(|choice| choice.len() <= MAX_TICKS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_puts_values_in_their_place() {
        let plane = Plane::new(300.0, 1, (0.0, 1.0), (0.0, 2.0));
        assert_eq!((plane.x(0.0), plane.x(1.0)), (46.0, 348.0));
        assert_eq!((plane.y(0.0), plane.y(2.0)), (256.0, 24.0));
    }

    #[test]
    fn logarithmic_ticks_are_round_and_few() {
        let labels =
            |from: f64, to: f64| log_ticks(from.ln(), to.ln()).into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(1.0, 20_000.0), ["1", "10", "100", "1,000", "10,000"]);
        assert_eq!(labels(9.0, 60.0), ["10", "20", "50"]);
    }
}
