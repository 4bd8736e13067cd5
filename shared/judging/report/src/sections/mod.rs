//! The page, section by section.

mod bias;
mod by_length;
mod checks;
mod curves;
mod errors;
mod overview;
mod reliability;
mod scores;
mod subgroups;
mod terms;
mod violins;

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use crate::html::{finish, isolate_direction};
use crate::stats::{Interval, Rate};
use crate::{Reason, Report};

/// Shares that differ by less than this are as good as one.
const SAME_SHARE: f64 = 0.01;
/// How many characters of a reason's term are shown.
const MAX_REASON_CHARS: usize = 30;

const STYLE: &str = include_str!("../style.css");

/// A part of the page.
pub(crate) struct Section {
    /// What a link to it names.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) how: Markup,
    pub(crate) content: Markup,
}

impl Render for Section {
    fn render(&self) -> Markup {
        let Section { id, title, how, content } = self;
        html! {
            section id=(id) {
                h2 { (title) }
                p.how { (how) }
                (content)
            }
        }
    }
}

pub(crate) fn page(report: &Report<'_>) -> String {
    let mut sections: Vec<Section> = checks::section(report).into_iter().collect();
    sections.extend([
        overview::section(report),
        scores::section(report),
        curves::section(report),
        reliability::section(report),
        violins::section(report),
        terms::section(report),
        errors::section(report),
        by_length::section(report),
    ]);
    sections.extend(subgroups::section(report));
    sections.extend(bias::section(report));
    shell(&format!("Model {}", report.model), &overview::header(report), &sections)
}

/// A whole page of these sections.
pub(crate) fn shell(title: &str, header: &Markup, sections: &[Section]) -> String {
    finish(&html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                // The policy lets nothing in from elsewhere, whatever a comment holds.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { (header) }
                nav aria-label="Sections" {
                    @for Section { id, title, .. } in sections { a href={ "#" (id) } { (title) } }
                }
                main { @for section in sections { (section) } }
            }
        }
    })
}

/// One of the facts in a page's header.
pub(crate) fn fact(name: &str, value: impl Render) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// A figure, with what it shows in a few words.
fn figure(caption: impl Render, content: &Markup) -> Markup {
    html! { figure { figcaption { (caption) } (content) } }
}

/// Figures beside each other where there is room.
fn side_by_side(figures: [Markup; 2]) -> Markup {
    html! { div.pair { @for figure in figures { (figure) } } }
}

/// A note in place of what can't be shown.
pub(crate) fn missing(why: impl Render) -> Markup {
    html! { p.missing { (why) } }
}

/// What a curve or an area can't do without.
fn one_class_only(report: &Report<'_>) -> Option<Markup> {
    let only = match (report.removed(), report.kept()) {
        (0, 0) => "There are no comments.",
        (0, _) => "All comments were kept. This needs comments of both verdicts.",
        (_, 0) => "All comments were removed. This needs comments of both verdicts.",
        _ => return None,
    };
    Some(missing(only))
}

/// A table: the first column names its rows, the others hold numbers.
pub(crate) fn table(columns: &[Markup], rows: impl IntoIterator<Item = Vec<Markup>>) -> Markup {
    html! {
        table {
            thead { tr { @for column in columns { th scope="col" { (column) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (number, cell) in row.iter().enumerate() {
                            @if number == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// The names of columns that are nothing but text.
pub(crate) fn columns<const N: usize>(names: [&str; N]) -> [Markup; N] {
    names.map(Render::render)
}

/// A row's name with its meaning in small print.
fn named(name: &str, meaning: &str) -> Markup {
    html! { (name) small { (meaning) } }
}

/// What a term adds, and to which side.
pub(crate) fn reason(Reason { term, contribution }: &Reason) -> Markup {
    let class = if *contribution > 0.0 { "removed" } else { "kept" };
    let term = isolate_direction(&crate::html::cut(term, MAX_REASON_CHARS));
    html! { (term) " " b class=(class) { (crate::html::signed(*contribution)) } }
}

/// The beginning of a comment.
pub(crate) fn beginning(text: &str, max_chars: usize) -> Markup {
    if text.trim().is_empty() {
        return missing("The comment has no text.");
    }
    html! { p.comment { (isolate_direction(&crate::html::cut(text, max_chars))) } }
}

/// The share that was removed, where it is another than the base rate that the model assumes.
fn other_share(report: &Report<'_>) -> Option<f64> {
    let removed = Rate::of(report.comments, |comment| comment.removed);
    let Interval { low, high } = removed.wilson()?;
    let by_chance = (low..=high).contains(&report.base_rate);
    let differs = !by_chance && (removed.share() - report.base_rate).abs() >= SAME_SHARE;
    differs.then(|| removed.share())
}

/// The policy's condition, on the page.
fn condition(report: &Report<'_>) -> Markup {
    html! { code { (isolate_direction(report.policy.condition)) } }
}
