use std::fmt::Write as _;

use super::{Bias, FALSE_ALARMS, Flagged, GROUPS, GroupBias, HOSTILE, NEUTRAL};

/// How many groups a label's line names.
const MAX_NAMED_GROUPS: usize = 5;

/// The part of a card about groups of people, in Markdown.
pub(crate) fn card(labels: &[Bias]) -> String {
    let mut text = format!(
        "\n## Groups of people\n\nBy sentences of our own that the model did not learn from: {} groups of people in {} neutral and {} hostile ones each. Flagged is what scores as high as {:.0} % of the texts without the label do; a neutral sentence should not be, a hostile one should. In brackets, confidence intervals of 95 %, over other sentences and groups.\n\n",
        GROUPS.len(),
        NEUTRAL.len(),
        HOSTILE.len(),
        FALSE_ALARMS * 100.0
    );
    // Writing into a String can't fail.
    let mut line = |cells: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{cells}");
    };
    if let Some(bias) = labels.first().filter(|bias| bias.is_of_another_language()) {
        line(format_args!(
            "They are English, and {} of {} are unlike what the model learned from: nothing can be told by them. Measure it by texts of its language.",
            bias.outside.part, bias.outside.of
        ));
        return text;
    }
    line(format_args!(
        "| label | neutral flagged | hostile flagged | neutral log-odds most above the median group's |\n|---|--:|--:|---|"
    ));
    for bias in labels {
        let share = |Flagged { count, interval }: Flagged| match bias.threshold {
            Some(_) => {
                let [share, low, high] = [count.share(), interval.low, interval.high].map(|share| share * 100.0);
                format!("{share:.1} % ({low:.1} to {high:.1})")
            }
            None => "-".to_owned(),
        };
        let above = bias.groups.iter().filter(|group| group.interval.low > 0.0).take(MAX_NAMED_GROUPS).map(|it| {
            let GroupBias { group, beside_median, interval, .. } = it;
            format!("{group} {beside_median:+.2} ({:+.2} to {:+.2})", interval.low, interval.high)
        });
        let above: Vec<String> = above.collect();
        let above = if above.is_empty() { "none beyond chance".to_owned() } else { above.join(", ") };
        line(format_args!("| {} | {} | {} | {above} |", bias.label, share(bias.neutral), share(bias.hostile)));
    }
    let detectable: Vec<String> =
        labels.iter().map(|bias| format!("{:.2} ({})", bias.detectable, bias.label)).collect();
    line(format_args!(
        "\nOf {} groups, about three stand out by chance. A difference of {} log-odds would be found in 80 of 100 cases.",
        GROUPS.len(),
        detectable.join(", ")
    ));
    text
}
