//! An alert in words.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use modstream_decisions::Recorded;
use modstream_events::{Action, Alert, Comment, GET_HELP, SelfHarm, Severity, Term};
use modstream_report::html::{cut, isolate_direction, signed};
use plain_text::counted;

use super::highlight::highlighted;

/// How many characters of what a model says are shown: a label may have any name.
const MAX_SAID_CHARS: usize = 60;
/// How many characters of a term are shown.
const MAX_TERM_CHARS: usize = 40;
/// How many characters of a term or of a text's form are shown where there is room.
const MAX_FORM_CHARS: usize = 80;

/// What follows from a decision to remove: nothing here acts on the forum.
pub(super) const FORUM_NOT_TOLD: &str = "The decision is recorded; the forum is not told.";

/// How often a comment was reported; nothing where it was not.
pub(super) fn reported(reports: usize) -> Markup {
    html! {
        @match reports {
            0 => {}
            1 => { " " span { "reported once" } }
            _ => { " " span { "reported " (reports) " times" } }
        }
    }
}

/// A share in whole percent; what is nearly nothing or nearly all is said to be.
pub(super) fn percent(share: f64) -> String {
    match share {
        ..0.01 => "less than 1\u{a0}%".to_owned(),
        0.995.. => "more than 99\u{a0}%".to_owned(),
        share if share.is_nan() => "\u{2013}".to_owned(),
        share => format!("{:.0}\u{a0}%", share * 100.0),
    }
}

/// How long, in one unit.
pub(super) fn duration(long: SignedDuration) -> String {
    match long.as_secs().max(0) {
        ..60 => "under 1 minute".to_owned(),
        seconds @ 60..5_400 => counted((seconds + 30) / 60, "minute"),
        seconds @ 5_400..129_600 => counted((seconds + 1_800) / 3_600, "hour"),
        seconds => counted((seconds + 43_200) / 86_400, "day"),
    }
}

/// A moment, to the minute.
pub(super) fn moment(time: Timestamp) -> Markup {
    html! { time datetime=(time.to_string()) { (time.strftime("%-d %B, %H:%M UTC").to_string()) } }
}

/// How long ago something was.
pub(super) fn ago(time: Timestamp, now: Timestamp) -> Markup {
    let long = now.duration_since(time);
    let text = if long.as_secs() < 60 {
        "just now".to_owned()
    } else {
        format!("{}\u{a0}ago", duration(long).replace(' ', "\u{a0}"))
    };
    let exact = time.strftime("%-d %B %Y, %H:%M:%S UTC").to_string();
    html! { time datetime=(time.to_string()) title=(exact) { (text) } }
}

/// When the comment says that it was written, where that is no time near its alert's. The year is shown: clocks may be far off.
pub(super) fn dated(alert: &Alert<'_>, made: Timestamp) -> Markup {
    html! {
        @if let Some(dated) = alert.dated(made) {
            " "
            span { "dated " time datetime=(dated.to_string()) { (dated.strftime("%-d %B %Y, %H:%M UTC").to_string()) } }
        }
    }
}

/// The severity, with its colour.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { b class=(format!("severity {severity}")) { (severity.as_str()) } }
}

/// The subreddit.
pub(super) fn subreddit(comment: &Comment<'_>) -> Markup {
    html! {
        span {
            @match &comment.subreddit {
                Some(name) => { "r/" (isolate_direction(&cut(name, MAX_TERM_CHARS))) }
                None => "no subreddit",
            }
        }
    }
}

/// Who wrote it.
pub(super) fn author(comment: &Comment<'_>) -> Markup {
    let name = comment.author.as_deref().map(str::trim).filter(|name| !name.is_empty());
    html! { @if let Some(name) = name { span.author { "by " (isolate_direction(&cut(name, MAX_TERM_CHARS))) } " " } }
}

/// The text, with the words marked that speak for what is asked about. Strong ones are blurred until somebody wants to see them: by
/// pointer, by touch, by keyboard. What somebody in need says is not.
pub(super) fn body(alert: &Alert<'_>, max_chars: usize) -> Markup {
    let text = alert.comment.body.as_deref().unwrap_or_default();
    if text.trim().is_empty() {
        return html! { p.quiet { "The comment has no text, or its text was deleted here." } };
    }
    let shown = cut(text, max_chars);
    let is_cut = shown.len() < text.len() || alert.body_truncated;
    let more = if is_cut && !shown.ends_with('\u{2026}') { "\u{2026}" } else { "" };
    let reasons = reasons(alert).terms.iter().filter(|term| term.contribution > 0.0 && term.form().is_none());
    let marked = highlighted(&shown, reasons.map(|term| &*term.term));
    let text = html! { div { bdi dir="auto" { (marked) } (more) } };
    let label = "Comment, blurred until you point at it or focus it";
    html! {
        @if alert.severity == Severity::High && alert.self_harm.is_none() {
            div class="comment veil" tabindex="0" role="group" aria-label=(label) { (text) }
        } @else {
            div.comment { (text) }
        }
    }
}

/// What models say of the comment in a few words: which labels alert, and whether the community would likely remove it.
pub(super) fn said(alert: &Alert<'_>) -> Markup {
    let said = alert.said();
    html! {
        @if alert.not_judged.is_none() {
            @for one in &said { span { (isolate_direction(&cut(one, MAX_SAID_CHARS))) } " " }
            @if said.is_empty() && alert.support.is_none() {
                span { (percent(alert.probability)) " likely to be removed" } " "
            }
        }
    }
}

/// What to do for somebody who may harm themselves.
pub(super) fn help(alert: &Alert<'_>) -> Markup {
    html! {
        @if let Some(SelfHarm { phrase, contacts }) = &alert.self_harm {
            div.help role="note" {
                p { "This comment contains " (quoted(phrase)) ". " (GET_HELP) }
                @if !contacts.is_empty() {
                    p { "Whom they can turn to:" }
                    ul { @for contact in contacts { li { (isolate_direction(contact)) } } }
                }
            }
        }
    }
}

/// What a moderator is offered to decide, what is likeliest first: of somebody in need the comment is not removed first.
pub(super) fn actions(alert: &Alert<'_>) -> &'static [Action] {
    match &alert.self_harm {
        Some(_) => &[Action::Keep, Action::Remove],
        None => &[Action::Remove, Action::Keep],
    }
}

/// A link to where the comment stands. Only addresses of the web become links.
pub(super) fn permalink(comment: &Comment<'_>, forum: &str) -> Markup {
    html! {
        @if let Some(address) = web_address(comment, forum) {
            a href=(address) target="_blank" rel="noopener noreferrer" { "Read it in context" }
        }
    }
}

fn web_address(comment: &Comment<'_>, forum: &str) -> Option<String> {
    let link = comment.permalink.as_deref()?.trim();
    let is_path = link.starts_with('/') && !link.starts_with("//");
    let is_whole = link.starts_with("https://") || link.starts_with("http://");
    let address = if is_path { format!("{forum}{link}") } else { link.to_owned() };
    let is_one_word = !address.chars().any(|c| c.is_control() || c.is_whitespace());
    ((is_path || is_whole) && is_one_word).then_some(address)
}

/// What made an alert, as far as a model can say.
struct Reasons<'a> {
    terms: &'a [Term<'a>],
    /// What they speak for.
    label: Option<&'a str>,
}

/// The terms that moved the probability of a removal most; of an alert that labels alone make, those of the label that alerts
/// first; none of a guess that made no alert.
fn reasons<'a>(alert: &'a Alert<'_>) -> Reasons<'a> {
    let by_labels = alert.meets.as_ref().filter(|meets| !meets.removal).and_then(|meets| meets.labels.first());
    let label = by_labels.and_then(|name| alert.labels.iter().flatten().find(|label| label.label == *name));
    match label {
        Some(label) => Reasons { terms: &label.terms, label: Some(&label.label) },
        None if alert.is_beside_a_guess() => Reasons { terms: &[], label: None },
        None => Reasons { terms: &alert.terms, label: None },
    }
}

/// The same at a glance: words first, then the text's form. How much each moved the probability stands on the alert's own page.
pub(super) fn terms(alert: &Alert<'_>, max_terms: usize) -> Markup {
    let Reasons { terms, label } = reasons(alert);
    let what = label.map_or_else(|| "removal".to_owned(), |label| label.replace('_', " "));
    let (forms, words): (Vec<_>, Vec<_>) = terms.iter().partition(|term| term.form().is_some());
    let has_words = !words.is_empty();
    html! {
        @if !terms.is_empty() {
            ul.terms {
                @for term in words.into_iter().take(max_terms) {
                    @let (class, side) = if term.contribution > 0.0 { ("removed", "for") } else { ("kept", "against") };
                    li title=(format!("speaks {side} {what}")) { b class=(class) { (isolate_direction(&cut(&term.term, MAX_TERM_CHARS))) } }
                }
                @for term in forms { li.quiet { @if !has_words { "no single word; " } (term.in_words()) } }
            }
        }
    }
}

/// Terms with their contributions; those above zero say the first of `sides`.
pub(super) fn list(terms: &[Term<'_>], sides: [&str; 2]) -> Markup {
    let shown = terms.iter().map(|term| {
        let side = if term.contribution > 0.0 { ("removed", sides[0]) } else { ("kept", sides[1]) };
        (term, side)
    });
    html! {
        @if !terms.is_empty() {
            ul.terms {
                @for (term, (class, title)) in shown {
                    li title=(title) {
                        (isolate_direction(&cut(&term.in_words(), MAX_FORM_CHARS))) " "
                        b class=(class) { (signed(term.contribution)) }
                    }
                }
            }
        }
    }
}

/// An always-alert term, in quotation marks.
pub(super) fn quoted(term: &str) -> Markup {
    html! { q { (isolate_direction(&cut(term, MAX_TERM_CHARS))) } }
}

/// Why there is an alert.
pub(super) fn why(alert: &Alert<'_>) -> Markup {
    if alert.probe {
        return html! { "This is the probe: a test text that always alerts, and counts in no statistic." };
    }
    html! {
        @if let Some(matched) = &alert.matched {
            "This comment contains " (quoted(matched)) ", which always alerts here. "
        } @else if let Some(share) = alert.exploration {
            "This comment meets no policy. Moderators are asked about " (percent(share)) " of such comments all the same, to \
             learn what the policies miss. "
        }
        @if let Some(why) = alert.not_judged {
            "The model does not judge it: " (why.in_words()) "."
        } @else {
            (labels_in_words(alert))
            @if let Some(outside) = alert.support {
                "The model of removals has little to go by: " (outside.in_words()) ". It guesses a probability of "
                (percent(alert.probability))
            } @else {
                "The model gives a probability of " (percent(alert.probability)) " that a moderator removes it"
            }
            @match &alert.meets {
                Some(meets) if meets.removal && alert.support.is_none() => ": this community would likely remove it.",
                Some(meets) if !meets.removal && !meets.labels.is_empty() => ", which by itself would not alert.",
                _ => ".",
            }
        }
    }
}

/// What the harm model says: of each label that alerts, and where none does, how harmful the comment is.
fn labels_in_words(alert: &Alert<'_>) -> Markup {
    if let Some(outside) = alert.harm_support {
        return html! { "The harm model does not judge it: " (outside.in_words()) ". " };
    }
    let Some(meets) = &alert.meets else { return Markup::default() };
    let alerting = alert.labels.iter().flatten().filter(|label| meets.labels.contains(&label.label));
    html! {
        @if let (true, Some(harm)) = (meets.labels.is_empty(), alert.harm) {
            "No label of the harm model alerts: the harm is " (format!("{harm:.2}")) " on a scale from 0 to 1. "
        }
        @for label in alerting {
            "For " q { (isolate_direction(&label.label.replace('_', " "))) } " the harm model gives a probability of "
            (percent(label.probability)) "; " (percent(label.false_alarms)) " of comments that are none get as much. "
        }
    }
}

/// Who decided what, and when.
pub(super) fn decided(decision: &Recorded, now: Timestamp) -> Markup {
    html! {
        (isolate_direction(&decision.moderator))
        @match decision.action {
            Action::Remove => { " decided to " b.removed { "remove" } " it" }
            Action::Keep => { " decided to " b.kept { "keep" } " it" }
            Action::Undo => { " " b { "undid" } " the decision" }
        }
        ", " (ago(decision.time, now))
    }
}

/// What has not happened, where the decision is to remove the comment.
pub(super) fn not_told(decision: &Recorded) -> Markup {
    html! { @if decision.action == Action::Remove { (FORUM_NOT_TOLD) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!(
            [0.004, 0.5, 0.914, 0.999].map(percent),
            ["less than 1\u{a0}%", "50\u{a0}%", "91\u{a0}%", "more than 99\u{a0}%"]
        );
        let said = [5, 60, 90 * 60, 30 * 3_600, 72 * 3_600].map(|seconds| duration(SignedDuration::from_secs(seconds)));
        assert_eq!(said, ["under 1 minute", "1 minute", "2 hours", "30 hours", "3 days"]);
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        let link = |text: &'static str| {
            permalink(&Comment { permalink: Some(text.into()), ..Comment::default() }, "https://forum.example").0
        };
        assert!(link("/r/science/c/1").contains("\"https://forum.example/r/science/c/1\""));
        assert!(link("https://other.example/?a=\"b").contains("\"https://other.example/?a=&quot;b\""));
        for bad in ["javascript:alert(1)", "//evil.example", "data:text/html,x", "/a\nb", "", "x"] {
            assert_eq!(link(bad), "", "{bad}");
        }
    }
}
