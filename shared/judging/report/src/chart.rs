//! What charts are drawn with. All have one width, so that letters have one size.

use crate::escape::escape;

const WIDTH: f64 = 360.0;
const RIGHT: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// A chart's plane: from values to places.
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
    pub(crate) fn x_axis(&self, ticks: &[Tick], name: &str) -> String {
        let (from, to, floor) = (self.left, WIDTH - RIGHT, self.y(self.y.0));
        let mut svg = line("axis", (from, floor), (to, floor));
        for (value, label) in ticks {
            let x = self.x(*value);
            svg += &line("axis", (x, floor), (x, floor + 4.0));
            // The outermost label must not leave the picture.
            let width = label.chars().count() as f64 * 6.5;
            svg += &text("tick", (x.min(WIDTH - width / 2.0 - 1.0), floor + 17.0), Anchor::Middle, label);
        }
        svg + &text("name", ((from + to) / 2.0, self.height - 8.0), Anchor::Middle, name)
    }

    /// The y axis with its grid, and its name above it.
    pub(crate) fn y_axis(&self, ticks: &[Tick], name: &str) -> String {
        let mut svg = String::new();
        for (value, label) in ticks {
            let y = self.y(*value);
            svg += &line("grid", (self.left, y), (WIDTH - RIGHT, y));
            svg += &text("tick", (self.left - 6.0, y + 4.0), Anchor::End, label);
        }
        svg + &text("name", (2.0, 13.0), Anchor::Start, name)
    }

    /// A line through points of the plane.
    pub(crate) fn curve(&self, class: &str, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (place, (x, y)) in points.iter().enumerate() {
            let draw = if place == 0 { 'M' } else { 'L' };
            path += &format!("{draw}{:.1} {:.1}", self.x(*x), self.y(*y));
        }
        format!("<path class=\"{class}\" d=\"{path}\"/>")
    }

    /// The picture, with what it shows in words.
    pub(crate) fn svg(&self, words: &str, content: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">{content}</svg>",
            self.height,
            escape(words)
        )
    }
}

pub(crate) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    format!("<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1)
}

/// A rectangle between two corners.
pub(crate) fn rectangle(class: &str, a: (f64, f64), b: (f64, f64)) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
        a.0.min(b.0),
        a.1.min(b.1),
        (a.0 - b.0).abs(),
        (a.1 - b.1).abs()
    )
}

pub(crate) fn dot(class: &str, at: (f64, f64), radius: f64) -> String {
    format!("<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"/>", at.0, at.1)
}

pub(crate) fn text(class: &str, at: (f64, f64), anchor: Anchor, content: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    format!(
        "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
        at.0,
        at.1,
        escape(content)
    )
}

/// Ticks of an axis from 0 to 1.
pub(crate) fn unit_ticks() -> Vec<Tick> {
    [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")]
        .map(|(at, label)| (at, label.to_owned()))
        .into()
}

/// Ticks of a logarithmic axis, at round numbers: as many as there is room for.
pub(crate) fn log_ticks(from: f64, to: f64) -> Vec<Tick> {
    const MOST: usize = 6;
    let ticks = |steps: &[u32]| -> Vec<Tick> {
        let numbers = (0..9).flat_map(|power| steps.iter().map(move |step| *step as usize * 10_usize.pow(power)));
        let placed = numbers.map(|number| ((number as f64).ln(), crate::numbers::count(number)));
        placed.filter(|(place, _)| (from..=to).contains(place)).collect()
    };
    let choices = [ticks(&[1, 2, 5]), ticks(&[1, 3]), ticks(&[1])];
    choices.into_iter().find(|choice| choice.len() <= MOST).unwrap_or_default()
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
