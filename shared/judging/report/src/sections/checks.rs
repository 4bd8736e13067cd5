use maud::{Render as _, html};

use super::Section;
use crate::html::{cut, isolate_direction};
use crate::{Finding, Report};

/// How many characters of a row are shown.
const MAX_ROW_CHARS: usize = 160;

/// The section; none where nothing is to be said of the comments.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    if report.findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "checks",
        title: "The comments themselves",
        how: "What would make the numbers of this page mean less than they seem to: look at it first.".render(),
        content: html! {
            @for Finding { title, text, rows } in report.findings {
                h3 { (isolate_direction(title)) }
                p { (isolate_direction(&as_a_sentence(text))) }
                ul.rows {
                    @for (place, row) in rows {
                        li {
                            small { (isolate_direction(place)) } " "
                            @if row.trim().is_empty() {
                                small { "no text" }
                            } @else {
                                (isolate_direction(&cut(row, MAX_ROW_CHARS)))
                            }
                        }
                    }
                }
            }
        },
    })
}

/// The text with a capital letter at its beginning: what is found is written to stand behind a dash, too.
fn as_a_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
