use maud::{Markup, Render as _, html};
use proportions::{Interval, Proportion};

use super::{Section, columns, table};
use crate::html::{isolate_direction, signed};
use crate::numbers::{count, percent, percents};
use crate::{Bias, GroupBias, Report};

/// The most groups that are shown on one side of the median.
const SHOWN_GROUPS: usize = 10;

/// The section; none where nobody asked what the model makes of groups of people.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    let bias = report.bias?;
    let Bias { neutral, hostile, groups, detectable, outside } = bias;
    let above: Vec<&GroupBias> = groups.iter().filter(|it| it.interval.low > 0.0).take(SHOWN_GROUPS).collect();
    let mut below: Vec<&GroupBias> =
        groups.iter().rev().filter(|it| it.interval.high < 0.0).take(SHOWN_GROUPS).collect();
    below.reverse();
    let shown: Vec<&GroupBias> = above.into_iter().chain(below).collect();
    Some(Section {
        id: "bias",
        title: "Groups of people",
        how: html! {
            "Sentences of our own that the model did not learn from: " (count(groups.len())) " groups in " (count(sentences(groups, |it| it.neutral)))
            " neutral and " (count(sentences(groups, |it| it.hostile))) " hostile sentences each. Flagged is what scores as high as 5\u{a0}% of \
             kept comments do: a neutral sentence should not be. A group whose neutral sentences score above the median group's is \
             taken for a reason by itself."
        },
        content: html! {
            @if outside.share() > 0.5 {
                p.missing {
                    (outside.part) " of the " (outside.of) " sentences, which are English, are unlike what the model learned from: this says little."
                }
            }
            p {
                "Flagged: " b { (percent(neutral.0.share())) } " " small { (percents(neutral.1)) } " of the neutral sentences, "
                b { (percent(hostile.0.share())) } " " small { (percents(hostile.1)) } " of the hostile ones. A difference of "
                (format!("{detectable:.2}")) " log-odds would be found in 80 of 100 cases."
            }
            @if shown.is_empty() {
                p { "No group stands out beyond chance." }
            } @else {
                (table(&columns(["Group", "Beside the median", "Neutral flagged", "Hostile flagged"]), shown.iter().map(|it| row(it))))
                p { small { "Of " (count(groups.len())) " groups, about one in twenty stands out by chance; what is not shown does not, or less." } }
            }
        },
    })
}

/// How many sentences each group has.
fn sentences(groups: &[GroupBias], of: fn(&GroupBias) -> Proportion) -> usize {
    groups.first().map_or(0, |group| usize::try_from(of(group).of).unwrap_or(usize::MAX))
}

fn row(GroupBias { group, beside_median, interval, neutral, hostile }: &GroupBias) -> Vec<Markup> {
    let class = if *beside_median > 0.0 { "removed" } else { "kept" };
    let Interval { low, high } = interval;
    let of = |Proportion { part, of }: &Proportion| html! { (part) " of " (of) };
    vec![
        isolate_direction(group),
        html! { b class=(class) { (signed(*beside_median)) } " " small { (signed(*low)) " to " (signed(*high)) } },
        of(neutral).render(),
        of(hostile).render(),
    ]
}
