//! The day's numbers.

use modstream_decisions::{Group, Numbers};
use modstream_report::escape::{cut, foreign};
use proportions::{Interval, Proportion};

use super::words::duration;

/// How many groups of a kind.
const MOST: usize = 6;
const NONE: &str = "\u{2013}";

/// A share with its interval.
fn share(share: Proportion) -> String {
    let Some(Interval { low, high }) = share.wilson() else { return NONE.to_owned() };
    let percent = |share: f64| format!("{:.0}", share * 100.0);
    format!("{}\u{a0}% <small>{} to {}\u{a0}%</small>", percent(share.share()), percent(low), percent(high))
}

fn table(title: &str, groups: &[Group], nameless: &str) -> String {
    let row = |group: &Group| {
        let name = if group.name.is_empty() { nameless.to_owned() } else { foreign(&cut(&group.name, 40)) };
        let Proportion { part, of } = group.precision;
        format!("<tr><th scope=\"row\">{name}</th><td>{part} of {of}</td><td>{}</td></tr>", share(group.precision))
    };
    let rows: String = groups.iter().take(MOST).map(row).collect();
    let more = groups.len().saturating_sub(MOST);
    let more = if more > 0 { format!("<p class=\"quiet\">and {more} more</p>") } else { String::new() };
    format!(
        "<h3>{title}</h3><table><thead><tr><td></td><th scope=\"col\">removed</th><th scope=\"col\">precision</th></tr></thead><tbody>{rows}</tbody></table>{more}"
    )
}

pub(super) fn section(numbers: &Numbers) -> String {
    let time = numbers
        .time_to_decision
        .map_or_else(|| NONE.to_owned(), |time| format!("{} <small>median</small>", duration(time)));
    let facts = format!(
        "<dl><div><dt>Precision</dt><dd>{}</dd></div><div><dt>Decided</dt><dd>{}</dd></div><div><dt>Alert to decision</dt><dd>{time}</dd></div><div><dt>Agreement</dt><dd>{}</dd></div></dl>",
        share(numbers.precision),
        numbers.precision.of,
        share(numbers.agreement),
    );
    let tables = if numbers.precision.of == 0 {
        String::new()
    } else {
        [
            table("By subreddit", &numbers.by_subreddit, "no subreddit"),
            table("By policy", &numbers.by_policy, "no name"),
            table("By reason", &numbers.by_reason, "no term"),
        ]
        .concat()
    };
    format!(
        "<h2>The last 24 hours</h2>{facts}{tables}<p class=\"quiet\">Precision is the share of decided alerts that were removed, agreement that of decisions which no other moderator took back, \
         with intervals of 95\u{a0}%. Probes count nowhere, explorations not in the precision.</p>"
    )
}
