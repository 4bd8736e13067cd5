//! `modstream evaluate --bias`.

use std::fmt::Write as _;

use modstream_classifier::artifact::Manifest;
use modstream_trainer::MIN_TEXTS_A_CLASS;
use modstream_trainer::bias::{Area, Bias, Flagged, GroupBias, GroupQuality, Subgroups};
use plain_text::{agree, counted};
use proportions::{Interval, Proportion};
use serde_json::{Value, json};

use crate::common::display::{one_line, short_version};

/// How many groups of a kind a table shows; `--json` has them all.
const SHOWN_GROUPS: usize = 10;

/// What is known of a model's bias, to be shown.
pub(super) struct Shown<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) labels: &'a [Bias],
    /// What labelled texts tell; none where no file was given.
    pub(super) subgroups: Option<&'a [Subgroups]>,
}

impl Shown<'_> {
    pub(super) fn as_text(&self) -> String {
        let Shown { manifest, labels, subgroups } = self;
        let version = short_version(&manifest.version);
        let mut text = format!("model {} version {version}\n", manifest.name);
        if let Some(bias) = labels.first() {
            text += &of_language(bias);
        }
        for bias in *labels {
            text += &label(bias);
        }
        text += "\nFlagged: scores as high as 5 % of the texts without the label. Beside the median: how much higher the neutral\n\
                 sentences score than those of the median group, in log-odds. In brackets, confidence intervals of 95 %: over other\n\
                 sentences and groups for shares, from the paired sentences for differences. Of 55 groups, about three stand out\n\
                 by chance.\n";
        match subgroups {
            None => {
                text += "\nTexts with labels tell more than sentences do: --input FILE measures within groups, and beside all others.\n";
            }
            Some(found) => found.iter().for_each(|it| text += &subgroup(it)),
        }
        text
    }

    pub(super) fn as_json(&self) -> String {
        let Shown { manifest, labels, subgroups } = self;
        let mut line = json!({
            "model": manifest.name,
            "model_version": manifest.version,
            "labels": labels.iter().map(label_in_json).collect::<Vec<_>>(),
        });
        if let Some(found) = subgroups {
            line["subgroups"] = found.iter().map(subgroup_in_json).collect();
        }
        format!("{line}\n")
    }
}

/// What is to be said where the model does not know the sentences' language.
fn of_language(bias: &Bias) -> String {
    let Proportion { part, of } = bias.outside;
    if bias.is_of_another_language() {
        format!(
            "warning: {part} of the {of} sentences, which are English, are unlike what this model learned from; what follows says\n\
             little. Texts of its language tell more: --input FILE.\n"
        )
    } else if part > 0 {
        format!("{part} of the {of} sentences are unlike what this model learned from\n")
    } else {
        String::new()
    }
}

fn label(bias: &Bias) -> String {
    let Bias { label, threshold, neutral, hostile, groups, detectable, .. } = bias;
    let mut text = format!("\n{label}\n");
    // Writing into a String can't fail.
    let mut line = |cells: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{cells}");
    };
    match threshold {
        Some(_) => {
            line(format_args!("  neutral sentences flagged   {}", share(*neutral)));
            line(format_args!("  hostile sentences flagged   {}", share(*hostile)));
        }
        None => line(format_args!("  nothing is flagged: no threshold lets 5 % of false alarms through")),
    }
    line(format_args!("  a difference of {detectable:.2} would be found in 80 of 100 cases"));
    let above: Vec<&GroupBias> = groups.iter().filter(|group| group.interval.low > 0.0).collect();
    let below = groups.iter().filter(|group| group.interval.high < 0.0).count();
    if !above.is_empty() {
        line(format_args!(
            "\n  {:<20} {:<24} {:>15}  {:>15}",
            "group", "beside the median", "neutral flagged", "hostile flagged"
        ));
        for GroupBias { group, beside_median, interval, neutral, hostile } in above.iter().take(SHOWN_GROUPS) {
            let of = |it: &Proportion| format!("{} of {}", it.part, it.of);
            let beside = format!("{beside_median:+.2} ({:+.2} to {:+.2})", interval.low, interval.high);
            line(format_args!("  {group:<20} {beside:<24} {:>15}  {:>15}", of(neutral), of(hostile)));
        }
    }
    let more = above.len().saturating_sub(SHOWN_GROUPS);
    let shown = if more > 0 { format!("{more} more above it, ") } else { String::new() };
    let above = if above.is_empty() { "no group above the median's beyond chance, " } else { "" };
    let rest = groups.iter().filter(|group| !group.stands_out()).count();
    line(format_args!(
        "  {above}{shown}{} below it, {rest} {} no clear difference{}",
        counted(below, "group"),
        agree(rest, "shows", "show"),
        if more > 0 { "; --json has all" } else { "" }
    ));
    text
}

fn share(Flagged { count, interval }: Flagged) -> String {
    let [share, low, high] = [count.share(), interval.low, interval.high].map(|share| share * 100.0);
    format!("{share:>5.1} % ({low:.1} to {high:.1})")
}

fn subgroup(found: &Subgroups) -> String {
    let Subgroups { label, source, texts, groups, means } = found;
    let from = source.as_deref().map_or_else(String::new, |source| format!(" of {}", one_line(source)));
    let mut text = format!("\n{label}, in {}{from} about groups of people\n", counted(*texts, "text"));
    let is_told = |it: &&GroupQuality| it.within.is_some() || it.bpsn.is_some() || it.bnsp.is_some();
    let told: Vec<&GroupQuality> = groups.iter().filter(is_told).collect();
    let fewest = MIN_TEXTS_A_CLASS;
    // Writing into a String can't fail.
    let mut line = |cells: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{cells}");
    };
    if told.is_empty() {
        line(format_args!(
            "  too few to tell: {} named, none by {fewest} texts with the label and {fewest} without",
            counted(groups.len(), "group")
        ));
        return text;
    }
    line(format_args!(
        "  {:<20} {:>7} {:>8}  {:<22} {:<22} {:<22}",
        "group", "with it", "without", "within", "BPSN", "BNSP"
    ));
    let area = |area: Option<Area>| match area {
        None => "too few".to_owned(),
        Some(Area { area, interval: None }) => format!("{area:.3}"),
        Some(Area { area, interval: Some(Interval { low, high }) }) => format!("{area:.3} ({low:.3} to {high:.3})"),
    };
    for GroupQuality { group, positives, negatives, within, bpsn, bnsp } in told.iter().take(SHOWN_GROUPS) {
        let [within, bpsn, bnsp] = [within, bpsn, bnsp].map(|it| area(*it));
        let row = format!("  {group:<20} {positives:>7} {negatives:>8}  {within:<22} {bpsn:<22} {bnsp:<22}");
        line(format_args!("{}", row.trim_end()));
    }
    let mean = |mean: Option<f64>| mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.3}"));
    let [within, bpsn, bnsp] = means.map(mean);
    let row = format!("  {:<37}  {within:<22} {bpsn:<22} {bnsp:<22}", "mean over groups, the worst counting most");
    line(format_args!("{}", row.trim_end()));
    let (more, few) = (told.len().saturating_sub(SHOWN_GROUPS), groups.len() - told.len());
    if more > 0 {
        line(format_args!("  {}: --json has them", counted(more, "more group")));
    }
    if few > 0 {
        line(format_args!(
            "  too few to tell of {}: {fewest} texts with the label or without are needed",
            counted(few, "group")
        ));
    }
    line(format_args!(
        "  Areas under the ROC curve: within, texts about the group alone; BPSN, others with the label against the group's\n  \
         without it, low where the group's name is taken for the label; BNSP, the other way round."
    ));
    text
}

fn proportion(it: Proportion) -> Value {
    json!({ "flagged": it.part, "of": it.of })
}

fn label_in_json(bias: &Bias) -> Value {
    let flagged = |it: Flagged| {
        json!({
            "flagged": it.count.part,
            "of": it.count.of,
            "share": it.count.share(),
            "interval": [it.interval.low, it.interval.high],
        })
    };
    let groups = bias.groups.iter().map(|it| {
        json!({
            "group": it.group,
            "beside_median": it.beside_median,
            "interval": [it.interval.low, it.interval.high],
            "neutral": proportion(it.neutral),
            "hostile": proportion(it.hostile),
        })
    });
    json!({
        "label": bias.label,
        "threshold_log_odds": bias.threshold,
        "neutral": flagged(bias.neutral),
        "hostile": flagged(bias.hostile),
        "detectable_difference": bias.detectable,
        "outside_support": { "sentences": bias.outside.part, "of": bias.outside.of },
        "groups": groups.collect::<Vec<_>>(),
    })
}

fn subgroup_in_json(found: &Subgroups) -> Value {
    let area = |area: Option<Area>| {
        area.map(|it| json!({ "auc": it.area, "interval": it.interval.map(|interval| [interval.low, interval.high]) }))
    };
    let groups = found.groups.iter().map(|it| {
        json!({
            "group": it.group,
            "positives": it.positives,
            "negatives": it.negatives,
            "subgroup": area(it.within),
            "bpsn": area(it.bpsn),
            "bnsp": area(it.bnsp),
        })
    });
    let [within, bpsn, bnsp] = found.means;
    json!({
        "label": found.label,
        "source": found.source,
        "texts": found.texts,
        "fewest_of_a_class": MIN_TEXTS_A_CLASS,
        "generalised_means": { "subgroup": within, "bpsn": bpsn, "bnsp": bnsp },
        "groups": groups.collect::<Vec<_>>(),
    })
}
