use maud::{Markup, Render as _, html};

use super::{Section, columns, table};
use crate::numbers::{NONE, count, decimal, decimals, percent, rate};
use crate::stats::{Rate, roc_auc};
use crate::{Comment, Report};

/// The bins: a name, from how many characters on, and to below how many.
const BINS: [(&str, usize, usize); 4] =
    [("under 50", 0, 50), ("50 to 149", 50, 150), ("150 to 499", 150, 500), ("500 and more", 500, usize::MAX)];

pub(super) fn section(report: &Report<'_>) -> Section {
    let rows = BINS.map(|(name, from, to)| {
        let within = |comment: &&Comment<'_>| (from..to).contains(&comment.text.chars().count());
        row(name, &report.comments.iter().filter(within).collect::<Vec<_>>())
    });
    Section {
        id: "by-length",
        title: "Quality by length",
        how: "ROC-AUC says how well the model tells removed from kept among comments of about the same length; the false \
              alarm rate is the share of kept ones that alert."
            .render(),
        content: table(&columns(["Characters", "Comments", "Removed", "ROC-AUC", "False alarms"]), rows),
    }
}

fn row(name: &str, comments: &[&Comment<'_>]) -> Vec<Markup> {
    let all = || comments.iter().copied();
    let area = html! {
        @match roc_auc(all()) {
            Some(area) => {
                (decimal(area.area))
                @if let Some(interval) = area.interval { " " small { (decimals(interval)) } }
            }
            None => (NONE)
        }
    };
    let removed = Rate::of(all(), |comment| comment.removed);
    let false_alarms = Rate::of(all().filter(|comment| !comment.removed), |comment| comment.alerts);
    let (comments, removed) = (count(comments.len()), percent(removed.share()));
    vec![name.render(), comments.render(), removed.render(), area, rate(false_alarms)]
}
