//! The day's numbers.

use maud::{Markup, html};
use modstream_decisions::{NamedPrecision, Numbers};
use modstream_report::html::{cut, isolate_direction};
use proportions::{Interval, Proportion};

use super::words::duration;
use crate::load::MAX_DECISIONS;

/// How many rows a table shows.
const MAX_ROWS: usize = 6;
/// How many characters of a row's name are shown.
const MAX_NAME_CHARS: usize = 40;
/// What stands where there is no number.
const NONE: &str = "\u{2013}";

/// A share with its interval.
fn share(share: Proportion) -> Markup {
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    html! {
        @match share.wilson() {
            Some(Interval { low, high }) => {
                (percent(share.share())) "\u{a0}% " small { (percent(low)) " to " (percent(high)) "\u{a0}%" }
            }
            None => (NONE),
        }
    }
}

fn table(title: &str, groups: &[NamedPrecision], nameless: &str) -> Markup {
    let more = groups.len().saturating_sub(MAX_ROWS);
    html! {
        h3 { (title) }
        table {
            thead { tr { td {} th scope="col" { "removed" } th scope="col" { "precision" } } }
            tbody {
                @for NamedPrecision { name, precision, .. } in groups.iter().take(MAX_ROWS) {
                    tr {
                        th scope="row" {
                            @if name.is_empty() { (nameless) } @else { (isolate_direction(&cut(name, MAX_NAME_CHARS))) }
                        }
                        td { (precision.part) " of " (precision.of) }
                        td { (share(*precision)) }
                    }
                }
            }
        }
        @if more > 0 { p.quiet { "and " (more) " more" } }
    }
}

pub(super) fn section(numbers: &Numbers, is_cut: bool, missed: Option<usize>) -> Markup {
    let time = html! {
        @match numbers.time_to_decision {
            Some(time) => { (duration(time)) " " small { "median" } }
            None => (NONE),
        }
    };
    let facts = [
        ("Precision", share(numbers.precision)),
        ("Decided", html! { (numbers.precision.of) }),
        ("Alert to decision", time),
        ("Not undone by others", share(numbers.agreement)),
        ("Missed", html! { @match missed { Some(missed) => (missed), None => (NONE) } }),
    ];
    html! {
        h2 { "The last 24 hours" }
        dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
        @if numbers.precision.of > 0 {
            (table("By subreddit", &numbers.by_subreddit, "no subreddit"))
            (table("By policy", &numbers.by_policy, "no name"))
            (table("By reason", &numbers.by_reason, "no term"))
        }
        @if is_cut { p.quiet { "Of the newest " (MAX_DECISIONS) " decisions of these hours: there were more." } }
        p.quiet {
            "Precision is the share of decided alerts that moderators decided to remove. Not undone by others is the \
             share of decisions that no other moderator undid; whoever wanted otherwise and came second is not counted. Missed are comments that were reported and removed at the forum, and never alerted about. The intervals are 95\u{a0}% intervals. Probes are not counted, and explorations do \
             not count towards precision."
        }
    }
}
