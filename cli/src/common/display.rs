//! How texts and numbers look to a person.

use std::borrow::Cow;
use std::io::{self, Write as _};

use console::style;
use modstream_events::{Alert, Event, NotJudged, Outside, Severity};
#[cfg(feature = "aws")]
use modstream_events::{Comment, CommentDeleted, CommentReported, Decision, Prediction};
#[cfg(feature = "aws")]
use modstream_ledger::limits::BreakerOpened;
pub(crate) use plain_text::one_line;
use serde_json::json;

/// Writes to standard output, at once.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The line that `--json` prints on failure.
pub(crate) fn failure(text: &str) -> String {
    format!("{}\n", json!({ "error": one_line(text) }))
}

/// An error with its causes, each said once: many an error's own text ends with its cause's.
pub(crate) fn in_full(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said += &format!(": {cause}");
        }
    }
    said
}

/// A probability as words.
pub(crate) fn in_words(probability: f64) -> &'static str {
    match probability {
        0.9.. => "removal almost certain",
        0.7.. => "removal very likely",
        0.5.. => "removal likely",
        0.3.. => "removal possible",
        _ => "removal unlikely",
    }
}

/// The first digits of a version, as people see it.
pub(crate) fn short_version(version: &str) -> &str {
    version.get(..12).unwrap_or(version)
}

/// A contribution, with its sign.
pub(crate) fn signed(contribution: f64) -> String {
    let text = format!("{contribution:+.2}");
    if text == "-0.00" { "+0.00".to_owned() } else { text }
}

/// The width to write to: the terminal's, or 100.
pub(crate) fn width() -> usize {
    console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns)).clamp(40, 140)
}

/// An alert as a moderator wants it: when and where, how sure and how urgent, the start of the comment, and why.
pub(crate) fn alert(event: &Event<'_, Alert<'_>>) -> String {
    let alert = &event.data;
    let time = event.time.to_zoned(jiff::tz::TimeZone::system());
    let subreddit =
        alert.comment.subreddit.as_deref().map_or_else(String::new, |name| format!("r/{}  ", one_line(name)));
    let said = alert.said();
    let verdict = match &alert.self_harm {
        Some(_) => "somebody may harm themselves".to_owned(),
        None if said.is_empty() => {
            match alert.not_judged.map(NotJudged::in_words).or(alert.support.map(Outside::in_words)) {
                Some(why) => format!("not judged: {why}"),
                None => format!("{} ({:.2})", in_words(alert.probability), alert.probability),
            }
        }
        None => one_line(&said.join(", ")),
    };
    let verdict = match alert.severity {
        Severity::High => style(verdict).red().bold(),
        Severity::Medium => style(verdict).yellow().bold(),
        Severity::Low => style(verdict).bold(),
    };
    let indent = " ".repeat(10);
    let room = width() - indent.len();
    let body = one_line(alert.comment.body.as_deref().unwrap_or_default());
    let body =
        if body.is_empty() { Cow::Borrowed("(no text)") } else { console::truncate_str(&body, room, "\u{2026}") };
    // Whole terms only: half a number would be another one.
    let mut why = alert.matched.as_deref().map_or_else(String::new, |term| format!("always \"{}\"  ", one_line(term)));
    if let Some(found) = &alert.self_harm {
        why = format!("\"{}\"  ", one_line(&found.phrase));
    }
    // The terms of the label that alerts first, where the community would not remove the comment for what it says.
    let by_label = alert.meets.as_ref().filter(|meets| !meets.removal).and_then(|meets| meets.labels.first());
    let label = by_label.and_then(|name| alert.labels.iter().flatten().find(|label| label.label == *name));
    for term in label.map_or(&alert.terms, |label| &label.terms) {
        let next = format!("{} {}  ", one_line(&term.in_words()), signed(term.contribution));
        if !why.is_empty() && console::measure_text_width(&why) + console::measure_text_width(&next) > room + 2 {
            break;
        }
        why += &next;
    }
    format!(
        "{}  {subreddit}{verdict}  severity {}\n{indent}{body}\n{indent}{}\n\n",
        time.strftime("%H:%M:%S"),
        alert.severity,
        style(console::truncate_str(why.trim_end(), room, "\u{2026}")).dim(),
    )
}

/// Says in full that alerts are held back from now on: there is one such line in an hour.
#[cfg(feature = "aws")]
pub(crate) fn breaker(event: &Event<'_, BreakerOpened<'_>>) -> String {
    let time = event.time.to_zoned(jiff::tz::TimeZone::system());
    format!(
        "{}  {}\n          {}\n\n",
        time.strftime("%H:%M:%S"),
        style("breaker open").red().bold(),
        one_line(&event.data.text)
    )
}

/// When an event happened, and in which subreddit, in columns.
#[cfg(feature = "aws")]
fn time_and_subreddit<T>(event: &Event<'_, T>, subreddit: Option<&str>) -> String {
    let time = event.time.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string();
    let subreddit = subreddit.map_or_else(|| "-".to_owned(), |name| format!("r/{}", one_line(name)));
    let subreddit = console::pad_str(&subreddit, 16, console::Alignment::Left, Some("\u{2026}"));
    format!("{time}  {subreddit}")
}

/// That a comment is gone, on one line.
#[cfg(feature = "aws")]
pub(crate) fn deleted(event: &Event<'_, CommentDeleted<'_>>) -> String {
    let CommentDeleted { id, subreddit, by } = &event.data;
    format!(
        "{}  deleted by {}: comment {}\n",
        time_and_subreddit(event, subreddit.as_deref()),
        by.as_str(),
        one_line(id)
    )
}

/// That a comment was reported, on one line.
#[cfg(feature = "aws")]
pub(crate) fn reported(event: &Event<'_, CommentReported<'_>>) -> String {
    let CommentReported { id, subreddit, reason, .. } = &event.data;
    let reason = reason.as_deref().map_or_else(String::new, |reason| format!(" ({})", one_line(reason)));
    format!("{}  reported: comment {}{reason}\n", time_and_subreddit(event, subreddit.as_deref()), one_line(id))
}

/// What a moderator said, on one line.
#[cfg(feature = "aws")]
pub(crate) fn decision(event: &Event<'_, Decision<'_>>) -> String {
    let Decision { action, moderator, alert_id, subreddit, .. } = &event.data;
    format!(
        "{}  {} by {}: alert {}\n",
        time_and_subreddit(event, subreddit.as_deref()),
        action.as_str(),
        one_line(moderator),
        one_line(alert_id)
    )
}

/// That something else is in use, on one line.
#[cfg(feature = "aws")]
pub(crate) fn change<T>(event: &Event<'_, T>, what: &str) -> String {
    format!("{}  {what}\n", time_and_subreddit(event, None))
}

/// A comment on one line: the start of it.
#[cfg(feature = "aws")]
pub(crate) fn comment<T>(event: &Event<'_, T>, comment: &Comment<'_>) -> String {
    format!("{}  {}\n", time_and_subreddit(event, comment.subreddit.as_deref()), beginning(comment, width() - 28))
}

/// The start of a comment's text.
#[cfg(feature = "aws")]
fn beginning(comment: &Comment<'_>, room: usize) -> String {
    let body = one_line(comment.body.as_deref().unwrap_or_default());
    if body.is_empty() { "(no text)".to_owned() } else { console::truncate_str(&body, room, "\u{2026}").into_owned() }
}

/// A prediction on one line, and the start of its comment: what one wants to see stream by.
#[cfg(feature = "aws")]
pub(crate) fn prediction(event: &Event<'_, Prediction<'_>>) -> String {
    let prediction = &event.data;
    let columns = time_and_subreddit(event, prediction.comment.subreddit.as_deref());
    let probability = format!("{:.2}", prediction.probability);
    let probability = match prediction.probability {
        0.9.. => style(probability).red().bold(),
        0.7.. => style(probability).yellow().bold(),
        _ => style(probability),
    };
    format!("{columns}  {probability}  {}\n", beginning(&prediction.comment, width() - 34))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use modstream_platform::deliver::{Cause, DeliveryError};
    use modstream_platform::{CallError, CallErrorKind};

    use super::*;

    /// Words that nothing says but the innermost cause.
    const WORDS: &str = "the innermost words";

    fn io_error() -> io::Error {
        io::Error::other(WORDS)
    }

    fn delivery() -> DeliveryError {
        let (service, operation) = ("s3", "GetObject");
        let call = CallError { service, operation, kind: CallErrorKind::Denied, message: WORDS.to_owned() };
        DeliveryError { cause: Cause::Call(call), deadline_passed: true }
    }

    /// Errors of every crate whose own text has their cause's in it.
    fn errors() -> Vec<Box<dyn Error + Send + Sync>> {
        vec![
            Box::new(io_error()),
            Box::new(delivery()),
            Box::new(modstream_corpus::OpenError::Unreadable { name: "f".to_owned(), error: io_error() }),
            Box::new(modstream_classifier::artifact::ArtifactError::Read { path: "f".into(), error: io_error() }),
            Box::new(modstream_classifier::artifact::ArtifactError::Write { path: "f".into(), error: io_error() }),
            Box::new(modstream_in_use::models::StoreError::Delivery(delivery())),
            Box::new(modstream_in_use::models::StoreError::Artifact(
                modstream_classifier::artifact::ArtifactError::Read { path: "f".into(), error: io_error() },
            )),
            Box::new(modstream_in_use::policies::StoreError::Delivery(delivery())),
            Box::new(modstream_ledger::LedgerError::Delivery(delivery())),
            Box::new(modstream_decisions::DecideError::Delivery(delivery())),
            Box::new(modstream_feedback::PullError::Delivery(delivery())),
            Box::new(modstream_feedback::PullError::Ledger(modstream_ledger::LedgerError::Delivery(delivery()))),
            Box::new(modstream_archive::WriteError::Delivery(delivery())),
            Box::new(modstream_corpus::RowErrorKind::Io(io_error())),
            Box::new(crate::common::output::OutputError::Write { path: "f".into(), error: io_error() }),
        ]
    }

    #[test]
    fn an_error_of_any_crate_says_its_cause_once() {
        for error in errors() {
            let name = format!("{error:?}");
            let plain = in_full(&anyhow::Error::from_boxed(error));
            assert_eq!(plain.matches(WORDS).count(), 1, "{name}: {plain}");
        }
        for error in errors() {
            let name = format!("{error:?}");
            let told = in_full(&anyhow::Error::from_boxed(error).context("the bucket b"));
            assert_eq!((told.matches(WORDS).count(), told.matches("the bucket b").count()), (1, 1), "{name}: {told}");
        }
    }

    #[test]
    fn causes_that_say_something_new_are_all_said() {
        let error = anyhow::Error::from(io_error()).context("reading").context("the file f");
        assert_eq!(in_full(&error), format!("the file f: reading: {WORDS}"));
    }

    #[test]
    fn a_contribution_of_nothing_has_one_form() {
        assert_eq!(
            (signed(-0.001).as_str(), signed(0.001).as_str(), signed(-1.0).as_str()),
            ("+0.00", "+0.00", "-1.00")
        );
    }
}
