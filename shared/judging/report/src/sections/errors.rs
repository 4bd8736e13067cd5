use maud::{Markup, html};

use super::{Section, beginning, condition, missing, reason};
use crate::numbers::{comments, count};
use crate::{Comment, Report};

/// How many errors of a kind are shown.
const SHOWN_OF_A_KIND: usize = 10;
/// How many characters of a comment are shown.
const MAX_COMMENT_CHARS: usize = 300;
/// How many reasons of a score are shown.
const SHOWN_REASONS: usize = 5;

pub(super) fn section(report: &Report<'_>) -> Section {
    let (false_alarms, misses) = (surest(report, true), surest(report, false));
    let part = |name: &str, none: &str, errors: &[&Comment<'_>], of: usize| {
        let how_many = if errors.len() < of { format!("{} of {}", errors.len(), comments(of)) } else { comments(of) };
        html! {
            h3 { (name) " " small { (how_many) } }
            @if errors.is_empty() { (missing(none)) }
            @for comment in errors { (error(report, comment)) }
        }
    };
    let all = |alerts: bool| report.count(|comment| comment.alerts == alerts && comment.removed != alerts);
    Section {
        id: "errors",
        title: "The errors it is surest of",
        how: html! {
            "Where the model and the moderators disagree most, at " (condition(report)) ": look whether it missed something, \
             or they did. Open a line to read the comment; some are unpleasant."
        },
        content: html! {
            (part("False alarms", "No kept comment alerts.", &false_alarms, all(true)))
            (part("Misses", "Every removed comment alerts.", &misses, all(false)))
        },
    }
}

/// Comments that alert though they were kept, or don't though they were removed, the most confident first.
fn surest<'a>(report: &Report<'a>, alerts: bool) -> Vec<&'a Comment<'a>> {
    let wrong = |comment: &&Comment<'_>| comment.alerts == alerts && comment.removed != alerts;
    let mut errors: Vec<&Comment<'_>> = report.comments.iter().filter(wrong).collect();
    errors.sort_by(|a, b| if alerts { b.log_odds.total_cmp(&a.log_odds) } else { a.log_odds.total_cmp(&b.log_odds) });
    errors.truncate(SHOWN_OF_A_KIND);
    errors
}

fn error(report: &Report<'_>, comment: &Comment<'_>) -> Markup {
    html! {
        details {
            summary {
                b { (format!("{:.3}", comment.probability)) }
                @for why in (report.explain)(comment.text).iter().take(SHOWN_REASONS) { " " span { (reason(why)) } }
            }
            (beginning(comment.text, MAX_COMMENT_CHARS))
            p.how { (count(comment.text.chars().count())) " characters" }
        }
    }
}
