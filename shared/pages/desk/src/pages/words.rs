//! An alert in words.

use jiff::{SignedDuration, Timestamp};
use modstream_decisions::Recorded;
use modstream_events::{Action, Alert, Comment, Severity};
use modstream_report::escape::{cut, escape, foreign};

/// How many characters of a term.
const LONGEST_TERM: usize = 40;

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
    let of = |number: i64, unit: &str| if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") };
    match long.as_secs().max(0) {
        ..60 => "under 1 minute".to_owned(),
        seconds @ 60..5_400 => of((seconds + 30) / 60, "minute"),
        seconds @ 5_400..129_600 => of((seconds + 1_800) / 3_600, "hour"),
        seconds => of((seconds + 43_200) / 86_400, "day"),
    }
}

/// A moment, to the minute.
pub(super) fn moment(time: Timestamp) -> String {
    format!("<time datetime=\"{time}\">{}</time>", time.strftime("%-d %B, %H:%M UTC"))
}

pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    let long = now.duration_since(time);
    let text = if long.as_secs() < 60 {
        "just now".to_owned()
    } else {
        format!("{}\u{a0}ago", duration(long).replace(' ', "\u{a0}"))
    };
    format!("<time datetime=\"{time}\" title=\"{}\">{text}</time>", time.strftime("%-d %B %Y, %H:%M:%S UTC"))
}

pub(super) fn severity(severity: Severity) -> String {
    format!("<b class=\"severity {severity}\">{severity}</b>")
}

/// The subreddit.
pub(super) fn subreddit(comment: &Comment<'_>) -> String {
    comment.subreddit.as_deref().map_or_else(
        || "<span>no subreddit</span>".to_owned(),
        |name| format!("<span>r/{}</span>", foreign(&cut(name, LONGEST_TERM))),
    )
}

/// The text. Strong ones are blurred until somebody wants to see them: by pointer, by touch, by keyboard.
pub(super) fn body(alert: &Alert<'_>, most: usize) -> String {
    let text = alert.comment.body.as_deref().unwrap_or_default();
    if text.trim().is_empty() {
        return "<p class=\"quiet\">The comment has no text, or it was removed from here.</p>".to_owned();
    }
    let shown = cut(text, most);
    let is_cut = shown.len() < text.len() || alert.body_truncated;
    let more = if is_cut && !shown.ends_with('\u{2026}') { "\u{2026}" } else { "" };
    let text = format!("{}{more}", foreign(&shown));
    if alert.severity == Severity::High {
        format!(
            "<div class=\"comment veil\" tabindex=\"0\" role=\"group\" aria-label=\"Comment, blurred until you point at it or \
             focus it\"><div>{text}</div></div>"
        )
    } else {
        format!("<div class=\"comment\"><div>{text}</div></div>")
    }
}

/// Where the comment stands. Only addresses of the web become links.
pub(super) fn permalink(comment: &Comment<'_>, forum: &str) -> String {
    let Some(link) = comment.permalink.as_deref().map(str::trim) else { return String::new() };
    let is_path = link.starts_with('/') && !link.starts_with("//");
    let is_whole = link.starts_with("https://") || link.starts_with("http://");
    let address = if is_path { format!("{forum}{link}") } else { link.to_owned() };
    if !(is_path || is_whole) || address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return String::new();
    }
    format!("<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">Read it in its place</a>", escape(&address))
}

/// With its sign.
pub(super) fn signed(number: f64) -> String {
    let text = format!("{number:+.2}");
    if text == "-0.00" { "+0.00".to_owned() } else { text.replace('-', "\u{2212}") }
}

/// The terms that moved the probability most.
pub(super) fn terms(alert: &Alert<'_>, most: usize) -> String {
    let term = |term: &modstream_events::Term<'_>| {
        let (class, for_what) =
            if term.contribution > 0.0 { ("removed", "for removal") } else { ("kept", "for keeping") };
        format!(
            "<li title=\"speaks {for_what}\">{} <b class=\"{class}\">{}</b></li>",
            foreign(&cut(&term.term, LONGEST_TERM)),
            signed(term.contribution)
        )
    };
    let terms: String = alert.terms.iter().take(most).map(term).collect();
    if terms.is_empty() { String::new() } else { format!("<ul class=\"terms\">{terms}</ul>") }
}

/// Why there is an alert.
pub(super) fn why(alert: &Alert<'_>) -> String {
    if alert.probe {
        return "This is the probe: a test text that always alerts, and counts in no statistic.".to_owned();
    }
    let probability = percent(alert.probability);
    let sure = format!("The model gives it a probability of {probability} that a moderator removes it");
    if let Some(matched) = &alert.matched {
        let term = foreign(&cut(matched, LONGEST_TERM));
        return format!("It contains <q>{term}</q>, which always alerts here. {sure}.");
    }
    if let Some(share) = alert.exploration {
        return format!(
            "It meets no policy. {} of such comments are asked about all the same, to learn what the others are like. {sure}.",
            percent(share)
        );
    }
    format!("{sure}.")
}

/// What was decided.
pub(super) fn decided(decision: &Recorded, now: Timestamp) -> String {
    let what = match decision.action {
        Action::Remove => "<b class=\"removed\">Remove</b>",
        Action::Keep => "<b class=\"kept\">Keep</b>",
        Action::Undo => "<b>Undone</b>",
    };
    format!("{what} by {}, {}", foreign(&decision.moderator), ago(decision.time, now))
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
            permalink(&Comment { permalink: Some(text.into()), ..Comment::default() }, "https://forum.example")
        };
        assert!(link("/r/science/c/1").contains("\"https://forum.example/r/science/c/1\""));
        assert!(link("https://other.example/?a=\"b").contains("\"https://other.example/?a=&quot;b\""));
        for bad in ["javascript:alert(1)", "//evil.example", "data:text/html,x", "/a\nb", "", "x"] {
            assert_eq!(link(bad), "", "{bad}");
        }
    }
}
