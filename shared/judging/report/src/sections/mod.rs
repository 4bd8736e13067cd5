//! The page, section by section.

mod by_length;
mod curves;
mod errors;
mod length;
mod overview;
mod reliability;
mod scores;
mod subgroups;
mod terms;

use crate::Report;
use crate::escape::{escape, foreign};
use crate::stats::{Interval, Rate};

/// Shares that differ by less than this are as good as one.
const SAME_SHARE: f64 = 0.01;

const STYLE: &str = include_str!("../style.css");

/// A part of the page.
pub(crate) struct Section {
    /// What a link to it names.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) how: String,
    pub(crate) content: String,
}

impl Section {
    fn html(&self) -> String {
        let Section { id, title, how, content } = self;
        format!("<section id=\"{id}\">\n<h2>{title}</h2>\n<p class=\"how\">{how}</p>\n{content}\n</section>\n")
    }
}

pub(crate) fn page(report: &Report<'_>) -> String {
    let mut sections = vec![
        overview::section(report),
        scores::section(report),
        curves::section(report),
        reliability::section(report),
        length::section(report),
        terms::section(report),
        errors::section(report),
        by_length::section(report),
    ];
    sections.extend(subgroups::section(report));
    shell(&format!("Model {}", report.model), &overview::header(report), &sections)
}

/// A whole page of these sections.
pub(crate) fn shell(title: &str, header: &str, sections: &[Section]) -> String {
    let links: String =
        sections.iter().map(|section| format!("<a href=\"#{}\">{}</a>\n", section.id, section.title)).collect();
    let content: String = sections.iter().map(Section::html).collect();
    // The policy lets nothing in from elsewhere, whatever a comment holds.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n{header}</header>\n\
         <nav aria-label=\"Sections\">\n{links}</nav>\n<main>\n{content}</main>\n</body>\n</html>\n",
        title = escape(title),
    )
}

/// A figure, with what it shows in a few words.
fn figure(caption: &str, content: &str) -> String {
    format!("<figure>\n<figcaption>{caption}</figcaption>\n{content}\n</figure>")
}

/// Figures beside each other where there is room.
fn side_by_side(figures: &[String]) -> String {
    format!("<div class=\"pair\">\n{}\n</div>", figures.join("\n"))
}

/// A note in place of what can't be shown.
pub(crate) fn missing(why: &str) -> String {
    format!("<p class=\"missing\">{why}</p>")
}

/// What a curve or an area can't do without.
fn one_class_only(report: &Report<'_>) -> Option<String> {
    let only = match (report.removed(), report.kept()) {
        (0, 0) => "There are no comments.",
        (0, _) => "All comments were kept. This needs comments of both verdicts.",
        (_, 0) => "All comments were removed. This needs comments of both verdicts.",
        _ => return None,
    };
    Some(missing(only))
}

/// A table: the first column names its rows, the others hold numbers.
pub(crate) fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head: String = columns.iter().map(|column| format!("<th scope=\"col\">{column}</th>")).collect();
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let name = cells.next().unwrap_or_default();
        let numbers: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr><th scope=\"row\">{name}</th>{numbers}</tr>\n")
    };
    let body: String = rows.into_iter().map(row).collect();
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>")
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
fn condition(report: &Report<'_>) -> String {
    format!("<code>{}</code>", foreign(report.policy.condition))
}
