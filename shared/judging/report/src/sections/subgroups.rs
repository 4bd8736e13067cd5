use maud::{Markup, Render as _, html};

use super::{Section, columns, table};
use crate::html::{cut, isolate_direction};
use crate::numbers::{count, percent, rate};
use crate::stats::{Interval, Rate};
use crate::subgroup::{folded, holds};
use crate::{Comment, Report, Subgroup};

/// With fewer kept comments, a false alarm rate says nothing.
const FEWEST_KEPT: usize = 30;
/// How many characters of a word are shown.
const MAX_WORD_CHARS: usize = 40;

/// Comments that hold a word.
struct Holding<'a> {
    word: &'a str,
    removed: Rate,
    false_alarms: Rate,
}

/// The section; none where no subgroup was asked for.
pub(super) fn section(report: &Report<'_>) -> Option<Section> {
    if report.subgroups.is_empty() {
        return None;
    }
    let overall = false_alarms(report.comments.iter());
    let texts: Vec<String> = report.comments.iter().map(|comment| folded(comment.text)).collect();
    Some(Section {
        id: "subgroups",
        title: "Subgroups",
        how: html! {
            "Kept comments that hold a word should alert about as often as all kept comments do, which is "
            (percent(overall.share())) " (the upright line); where an interval lies above it, the word itself may set off \
             alerts. Of twenty words, about one stands out by chance."
        },
        content: html! { @for subgroup in report.subgroups { (part(report, &texts, overall, subgroup)) } },
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

fn part(report: &Report<'_>, texts: &[String], overall: Rate, subgroup: &Subgroup) -> Markup {
    let words: Vec<Holding<'_>> = subgroup.words().iter().map(|word| holding(report, texts, word)).collect();
    let intervals = words.iter().filter(|word| word.false_alarms.of >= FEWEST_KEPT);
    let highs = intervals.filter_map(|word| word.false_alarms.wilson()).map(|interval| interval.high);
    // The scale of the bars: all that is drawn fits.
    let end = highs.fold(overall.share() * 2.0, f64::max).clamp(0.01, 1.0);
    let row = |word: &Holding<'_>| {
        vec![
            isolate_direction(&cut(word.word, MAX_WORD_CHARS)),
            count(word.removed.of).render(),
            percent(word.removed.share()).render(),
            verdict(word, overall, end),
        ]
    };
    let columns = columns(["Word", "Comments", "Removed", "False alarms among kept"]);
    html! {
        h3 { (isolate_direction(subgroup.name())) }
        div.subgroup { (table(&columns, words.iter().map(row))) }
    }
}

/// How the false alarms of a word compare with all.
fn verdict(word: &Holding<'_>, overall: Rate, end: f64) -> Markup {
    let kept = word.false_alarms.of;
    html! {
        @match word.false_alarms.wilson() {
            Some(interval) if kept >= FEWEST_KEPT => {
                (rate(word.false_alarms))
                (track(word.false_alarms.share(), interval, overall.share(), end))
                small { (compared(interval, overall.share())) }
            }
            _ => small { "too few to conclude: " (count(kept)) " kept, " (FEWEST_KEPT) " are needed" }
        }
    }
}

fn compared(interval: Interval, overall: f64) -> Markup {
    html! {
        @if interval.low > overall {
            b.removed { "more than overall" }
        } @else if interval.high < overall {
            b.kept { "fewer than overall" }
        } @else {
            "no clear difference from overall"
        }
    }
}

/// An interval on a line from 0 to `end`, and where all comments are.
fn track(share: f64, Interval { low, high }: Interval, overall: f64, end: f64) -> Markup {
    let place = |at: f64| (at / end).min(1.0) * 100.0;
    let left = |at: f64| format!("left:{:.1}%", place(at));
    html! {
        div.track {
            i.reach style=(format!("left:{:.1}%;width:{:.1}%", place(low), place(high) - place(low))) {}
            i.all style=(left(overall)) {}
            i.here style=(left(share)) {}
        }
    }
}
