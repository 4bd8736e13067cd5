use super::{Section, table};
use crate::escape::{cut, foreign};
use crate::numbers::{count, percent, rate};
use crate::stats::{Interval, Rate};
use crate::subgroup::{folded, holds};
use crate::{Comment, Report, Subgroup};

/// With fewer kept comments, a false alarm rate says nothing.
const FEWEST_KEPT: usize = 30;
const LONGEST_WORD: usize = 40;

/// Comments that hold a word.
struct Holding<'a> {
    word: &'a str,
    removed: Rate,
    false_alarms: Rate,
}

/// None where no subgroup was asked for.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    if report.subgroups.is_empty() {
        return None;
    }
    let overall = false_alarms(report.comments.iter());
    let texts: Vec<String> = report.comments.iter().map(|comment| folded(comment.text)).collect();
    let content: Vec<String> =
        report.subgroups.iter().map(|subgroup| part(report, &texts, overall, subgroup)).collect();
    Some(Section {
        id: "subgroups",
        title: "Subgroups",
        how: format!(
            "Kept comments that hold a word should alert about as often as all kept comments do, which is {} (the upright \
             line); where an interval lies above it, the word itself may set off alerts. Of twenty words, about one \
             stands out by chance.",
            percent(overall.share())
        ),
        content: content.join("\n"),
    })
}

fn false_alarms<'a>(comments: impl Iterator<Item = &'a Comment<'a>>) -> Rate {
    Rate::of(comments.filter(|comment| !comment.removed), |comment| comment.alerts)
}

fn holding<'a>(report: &Report<'_>, texts: &[String], word: &'a str) -> Holding<'a> {
    let pairs = report.comments.iter().zip(texts);
    let found: Vec<&Comment<'_>> = pairs.filter(|(_, text)| holds(text, word)).map(|(comment, _)| comment).collect();
    Holding {
        word,
        removed: Rate::of(found.iter().copied(), |comment| comment.removed),
        false_alarms: false_alarms(found.iter().copied()),
    }
}

fn part(report: &Report<'_>, texts: &[String], overall: Rate, subgroup: &Subgroup) -> String {
    let words: Vec<Holding<'_>> = subgroup.words().iter().map(|word| holding(report, texts, word)).collect();
    let intervals = words.iter().filter(|word| word.false_alarms.of >= FEWEST_KEPT);
    let highs = intervals.filter_map(|word| word.false_alarms.wilson()).map(|interval| interval.high);
    // The scale of the bars: all that is drawn fits.
    let end = highs.fold(overall.share() * 2.0, f64::max).clamp(0.01, 1.0);
    let row = |word: &Holding<'_>| {
        vec![
            foreign(&cut(word.word, LONGEST_WORD)),
            count(word.removed.of),
            percent(word.removed.share()),
            verdict(word, overall, end),
        ]
    };
    let columns = ["Word", "Comments", "Removed", "False alarms among kept"];
    let rows = words.iter().map(row);
    format!("<h3>{}</h3>\n<div class=\"subgroup\">\n{}\n</div>", foreign(subgroup.name()), table(&columns, rows))
}

/// How the false alarms of a word compare with all.
fn verdict(word: &Holding<'_>, overall: Rate, end: f64) -> String {
    let kept = word.false_alarms.of;
    match word.false_alarms.wilson() {
        Some(interval) if kept >= FEWEST_KEPT => format!(
            "{}{}<small>{}</small>",
            rate(word.false_alarms),
            track(word.false_alarms.share(), interval, overall.share(), end),
            compared(interval, overall.share())
        ),
        _ => format!("<small>too few to conclude: {} kept, {FEWEST_KEPT} are needed</small>", count(kept)),
    }
}

fn compared(interval: Interval, overall: f64) -> &'static str {
    if interval.low > overall {
        "<b class=\"removed\">more than overall</b>"
    } else if interval.high < overall {
        "<b class=\"kept\">fewer than overall</b>"
    } else {
        "no clear difference from overall"
    }
}

/// An interval on a line from 0 to `end`, and where all comments are.
fn track(share: f64, Interval { low, high }: Interval, overall: f64, end: f64) -> String {
    let place = |at: f64| (at / end).min(1.0) * 100.0;
    format!(
        "<div class=\"track\"><i class=\"reach\" style=\"left:{:.1}%;width:{:.1}%\"></i>\
         <i class=\"all\" style=\"left:{:.1}%\"></i><i class=\"here\" style=\"left:{:.1}%\"></i></div>",
        place(low),
        place(high) - place(low),
        place(overall),
        place(share)
    )
}
