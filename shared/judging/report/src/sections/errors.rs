use super::{Section, condition, missing};
use crate::escape::{cut, foreign};
use crate::numbers::{comments, count, signed};
use crate::{Comment, Report};

/// How many errors of a kind to show.
const MOST: usize = 10;
/// How many characters of a comment.
const LONGEST: usize = 300;
/// How many characters of a term.
const LONGEST_TERM: usize = 30;
/// How many reasons.
const REASONS: usize = 5;

pub(super) fn section(report: &Report<'_>) -> Section {
    let (false_alarms, misses) = (surest(report, true), surest(report, false));
    let part = |name: &str, none: &str, errors: &[&Comment<'_>], of: usize| {
        let how_many = if errors.len() < of { format!("{} of {}", errors.len(), comments(of)) } else { comments(of) };
        let title = format!("<h3>{name} <small>{how_many}</small></h3>\n");
        let list: String = errors.iter().map(|comment| error(report, comment)).collect();
        title + &if errors.is_empty() { missing(none) } else { list }
    };
    let all = |alerts: bool| report.count(|comment| comment.alerts == alerts && comment.removed != alerts);
    Section {
        id: "errors",
        title: "The errors it is surest of",
        how: format!(
            "Where the model and the moderators disagree most, at {}: look whether it missed something, or they did. Open a \
             line to read the comment; some are unpleasant.",
            condition(report)
        ),
        content: part("False alarms", "No kept comment alerts.", &false_alarms, all(true))
            + &part("Misses", "Every removed comment alerts.", &misses, all(false)),
    }
}

/// Comments that alert though they were kept, or don't though they were removed, the most confident first.
fn surest<'a>(report: &Report<'a>, alerts: bool) -> Vec<&'a Comment<'a>> {
    let wrong = |comment: &&Comment<'_>| comment.alerts == alerts && comment.removed != alerts;
    let mut errors: Vec<&Comment<'_>> = report.comments.iter().filter(wrong).collect();
    errors.sort_by(|a, b| if alerts { b.log_odds.total_cmp(&a.log_odds) } else { a.log_odds.total_cmp(&b.log_odds) });
    errors.truncate(MOST);
    errors
}

fn error(report: &Report<'_>, comment: &Comment<'_>) -> String {
    let reasons: String = (report.explain)(comment.text)
        .iter()
        .take(REASONS)
        .map(|reason| {
            let class = if reason.contribution > 0.0 { "removed" } else { "kept" };
            let term = foreign(&cut(&reason.term, LONGEST_TERM));
            format!("<span>{term} <b class=\"{class}\">{}</b></span>\n", signed(reason.contribution))
        })
        .collect();
    let length = comment.text.chars().count();
    let text = if comment.text.trim().is_empty() {
        "<p class=\"missing\">The comment has no text.</p>".to_owned()
    } else {
        format!("<p class=\"comment\">{}</p>", foreign(&cut(comment.text, LONGEST)))
    };
    format!(
        "<details>\n<summary><b>{:.3}</b> {reasons}</summary>\n{text}\n<p class=\"how\">{} characters</p>\n</details>\n",
        comment.probability,
        count(length)
    )
}
