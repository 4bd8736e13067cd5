//! A replay, for a terminal, for a program, as a page.

use console::style;
use modstream_classifier::{Held, PromisedShare};
use modstream_report::{Judged, Reason, Replay, Score};
use plain_text::{agree, counted};
use serde_json::{Value, json};

use super::difference::{Difference, DifferingComments, Example, Tally, TrainedOn};
use super::sides::{CommentOutcome, LeftOut, Side};
use crate::common::display::{one_line, signed, width};

/// How many examples of a kind a terminal shows.
const SHOWN_EXAMPLES: usize = 3;
/// How many unreadable files are named.
const NAMED_FILES: usize = 5;

/// A replay's result, to be shown.
pub(crate) struct Shown<'a> {
    pub(crate) from: &'a str,
    pub(crate) was: &'a Side,
    pub(crate) now: &'a Side,
    pub(crate) difference: &'a Difference,
    pub(crate) left_out: &'a LeftOut,
    pub(crate) seconds: f64,
}

/// Names of the three ways to differ, in the order they are shown.
const WAYS: [&str; 3] = ["won", "lost", "changed"];

impl Shown<'_> {
    fn groups(&self) -> [&DifferingComments; 3] {
        let Difference { won, lost, changed, .. } = self.difference;
        [won, lost, changed]
    }

    pub(crate) fn text(&self) -> String {
        let Shown { from, was, difference, seconds, .. } = self;
        let mut text = format!(
            "{} of {from}, through score-comments and publish-alerts in {seconds:.1} s\n\n",
            counted(difference.comments, "comment")
        );
        text += &self.table();
        let dim = |line: String| style(line).dim().to_string();
        if self.has_verdicts() {
            let Judged { removed, kept } = difference.judged;
            text += &dim(format!(
                "\nPrecision is the share of alerts that moderators removed, recall the share of what they removed that\n\
                 alerts, in brackets confidence intervals of 95 %; verdicts are known for {removed} removed and {kept} kept comments.\n\
                 Comments that a model was trained on flatter it.\n"
            ));
        } else {
            text += &dim(
                "\nNo verdicts are known, so neither is precision: give files with a column `removed`, or --verdicts.\n"
                    .to_owned(),
            );
        }
        if was.model.is_none() && difference.other_condition > 0 {
            text += &dim(format!(
                "{} of both met another condition before.\n",
                counted(difference.other_condition, "alert")
            ));
        }
        text += &self.cautions();
        for (way, group) in WAYS.iter().zip(self.groups()) {
            text += &examples(way, group);
        }
        text + &self.notes()
    }

    fn table(&self) -> String {
        let Shown { was, now, difference, .. } = self;
        let Difference { kept, won, lost, changed, more_urgent, .. } = difference;
        let names = [&was.name, &now.name].map(|name| one_line(name));
        let wide = names.iter().map(|name| console::measure_text_width(name)).max().unwrap_or_default();
        let conditions = was.condition.len().max(now.condition.len());
        let left = wide + 2 + conditions;
        let all_removed = difference.judged.removed;
        let recall = |tally: &Tally| tally.judged.removed as f64 / all_removed as f64;
        let with_recall = |tally: &Tally| {
            let recall = if all_removed > 0 { format!("{:.2}", recall(tally)) } else { "-".to_owned() };
            format!("{:>7}   {:<20}  {recall}\n", tally.alerts, precision(tally.judged))
        };
        let mut text = format!("{:<8}  {:left$}  {:>7}   {:<20}  recall\n", "", "", "alerts", "precision");
        for (way, name, side, tally) in
            [("was", &names[0], was, &difference.was), ("now", &names[1], now, &difference.now)]
        {
            let name = console::pad_str(name, wide, console::Alignment::Left, None);
            let what = format!("{name}  {:conditions$}", side.condition);
            text += &format!("{:<8}  {what}  {}", style(way).bold().to_string() + &" ".repeat(5), with_recall(tally));
        }
        text.push('\n');
        let mut line = |way: &str, what: &str, tally: &Tally| {
            let line = format!("{way:<8}  {what:left$}  {:>7}   {}", tally.alerts, verdicts(tally));
            text += line.trim_end();
            text.push('\n');
        };
        line("both", "alert before and now", kept);
        line("won", "alert now alone", &won.tally);
        line("lost", "alerted before alone", &lost.tally);
        let less = changed.tally.alerts - more_urgent;
        line("changed", &format!("of both, {more_urgent} more urgent, {less} less"), &changed.tally);
        text
    }

    fn has_verdicts(&self) -> bool {
        self.difference.judged != Judged::default()
    }

    /// What makes the numbers mean less than they seem to.
    fn cautions(&self) -> String {
        let Shown { was, now, difference, .. } = self;
        let mut text = String::new();
        let warning = style("look out:").yellow().bold().to_string();
        for (side, trained_on) in [(was, difference.was_trained_on), (now, difference.now_trained_on)] {
            if let Some(count) = trained_on.count().filter(|count| *count > 0) {
                text += &format!(
                    "{warning} {} was trained on {count} of these {}, which flatters it\n",
                    one_line(&side.name),
                    counted(difference.comments, "comment")
                );
            }
        }
        if let Some(PromisedShare { promised, seen, .. }) = difference.shares.broken() {
            text += &format!(
                "{warning} {} promises that {:.0} % of comments score so high, and {:.1} % do: these are not the comments it\n\
                 learned from, so its precision holds no better; the share that is removed may be another (--base-rate)\n",
                one_line(&now.name),
                promised * 100.0,
                seen.share() * 100.0
            );
        }
        if text.is_empty() { text } else { format!("\n{text}") }
    }

    fn notes(&self) -> String {
        let LeftOut { unreadable, bad_rows, bad_examples, without_text, placeholders, .. } = self.left_out;
        let Difference { repeats, deletions_and_reports, bad_records, quarantined, .. } = self.difference;
        let mut notes = self.left_out.young_archive().map_or_else(String::new, |said| format!("{said}\n"));
        if *repeats > 0 {
            notes += &format!(
                "{} of a comment event {} left out\n",
                counted(*repeats, "repeat"),
                agree(*repeats, "was", "were")
            );
        }
        if *deletions_and_reports > 0 {
            let what = agree(
                *deletions_and_reports,
                "deletion or report of a comment was",
                "deletions and reports of comments were",
            );
            notes += &format!("{deletions_and_reports} {what} left out\n");
        }
        if *without_text > 0 {
            let forms = if placeholders.count() > 0 { format!(": {placeholders}") } else { String::new() };
            notes += &format!(
                "{} {} left out: {} text is gone{}\n",
                counted(*without_text, "comment"),
                agree(*without_text, "was", "were"),
                agree(*without_text, "its", "their"),
                one_line(&forms)
            );
        }
        if *quarantined > 0 {
            notes += &format!(
                "{} {} quarantined, {bad_records} of them {} no comment event\n",
                counted(*quarantined, "record"),
                agree(*quarantined, "was", "were"),
                agree(*bad_records, "is", "are")
            );
        }
        let warning = |text: String| format!("{} {text}\n", style("left out:").yellow().bold());
        for (name, problem) in unreadable.iter().take(NAMED_FILES) {
            notes += &warning(format!("{}: {}", one_line(name), one_line(problem)));
        }
        if unreadable.len() > NAMED_FILES {
            notes += &warning(format!("{} more that can't be read", unreadable.len() - NAMED_FILES));
        }
        for example in bad_examples {
            notes += &warning(one_line(example));
        }
        let more = usize::try_from(*bad_rows).unwrap_or(usize::MAX) - bad_examples.len();
        if more > 0 {
            notes += &warning(format!("{} that {} no comment", counted(more, "more row"), agree(more, "is", "are")));
        }
        if notes.is_empty() { notes } else { format!("\n{notes}") }
    }

    pub(crate) fn json(&self) -> String {
        let Shown { from, was, now, difference, left_out, seconds } = self;
        let side = |side: &Side, tally: &Tally, trained_on: TrainedOn| {
            let mut value = tally_json(tally);
            value["trained_on"] = trained_on.count().into();
            value["name"] = side.name.as_str().into();
            value["model"] =
                side.model.as_ref().map_or(Value::Null, |(name, version)| json!({ "name": name, "version": version }));
            value["policy"] = side.condition.as_str().into();
            let removed = difference.judged.removed;
            value["recall"] = (removed > 0).then(|| tally.judged.removed as f64 / removed as f64).into();
            value
        };
        let group = |group: &DifferingComments| {
            let mut value = tally_json(&group.tally);
            value["examples"] = group.examples.iter().map(example_json).collect();
            value
        };
        let mut changed = group(&difference.changed);
        changed["more_urgent"] = difference.more_urgent.into();
        changed["other_condition"] = difference.other_condition.into();
        let mut document = json!({
            "from": from,
            "comments": difference.comments,
            "verdicts": { "removed": difference.judged.removed, "kept": difference.judged.kept },
            "was": side(was, &difference.was, difference.was_trained_on),
            "now": side(now, &difference.now, difference.now_trained_on),
            "both": tally_json(&difference.kept),
            "won": group(&difference.won),
            "lost": group(&difference.lost),
            "changed": changed,
            "repeats": difference.repeats,
            "deletions_and_reports": difference.deletions_and_reports,
            "quarantined": difference.quarantined,
            "without_text": left_out.without_text,
            "placeholders": left_out.placeholders,
            "bad_rows": { "count": left_out.bad_rows, "some": left_out.bad_examples },
            "unreadable": left_out.unreadable.iter()
                .map(|(name, error)| json!({ "name": name, "error": error })).collect::<Vec<_>>(),
            "promised_shares": difference.shares.all().iter().map(share_json).collect::<Vec<_>>(),
            "seconds": seconds,
        });
        if let Some(begins) = left_out.begins {
            document["archive_begins"] = begins.to_string().into();
        }
        format!("{document}\n")
    }

    pub(crate) fn page(&self) -> String {
        let Shown { was, now, difference, .. } = self;
        let side = |side: &'_ Side, tally: &Tally| (side.name.clone(), side.condition.clone(), *tally);
        let sides = [side(was, &difference.was), side(now, &difference.now)];
        let [was, now] = sides.each_ref().map(|(name, condition, tally)| modstream_report::Side {
            name,
            condition,
            alerts: tally.alerts,
            judged: tally.judged,
        });
        let titles = [
            ("Won", "Comments that alert now and did not before, the surest first:"),
            ("Lost", "Comments that alerted before and do not now, the surest first:"),
            ("Changed", "Alerts of both whose severity is another now, the largest change first:"),
        ];
        let groups = WAYS.iter().zip(titles).zip(self.groups());
        let differences = groups.map(|((id, (title, how)), group)| modstream_report::Difference {
            id,
            title,
            how,
            alerts: group.tally.alerts,
            judged: group.tally.judged,
            examples: group.examples.iter().map(on_page).collect(),
        });
        let comments = usize::try_from(difference.comments).unwrap_or(usize::MAX);
        Replay { comments, judged: difference.judged, was, now, differences: differences.collect() }.html()
    }
}

/// The precision with its interval, `0.77 (0.72 to 0.82)`, or a dash.
fn precision(judged: Judged) -> String {
    let Some([low, high]) = judged.interval() else { return "-".to_owned() };
    format!("{:.2} ({low:.2} to {high:.2})", judged.precision())
}

/// The verdicts, `78 removed, 20 kept`; nothing where none is known.
fn verdicts(tally: &Tally) -> String {
    let Tally { alerts, judged: Judged { removed, kept } } = *tally;
    if removed + kept == 0 {
        return String::new();
    }
    let unknown = alerts - removed - kept;
    let unknown = if unknown > 0 { format!(", {unknown} unknown") } else { String::new() };
    format!("{removed} removed, {kept} kept{unknown}")
}

fn examples(way: &str, group: &DifferingComments) -> String {
    let shown = group.examples.len().min(SHOWN_EXAMPLES);
    if shown == 0 {
        return String::new();
    }
    let first = if way == "changed" { "the largest change first" } else { "the surest first" };
    let of = group.tally.alerts;
    let heading = if shown < of { format!("{way}, {shown} of {of}, {first}") } else { format!("{way}, {first}") };
    let list: String = group.examples[..shown].iter().map(example).collect();
    format!("\n{}\n{list}", style(heading).bold())
}

fn example(example: &Example) -> String {
    let Example { body, subreddit, removed, was, now, .. } = example;
    let subreddit = subreddit.as_deref().map_or_else(String::new, |name| format!("  r/{}", one_line(name)));
    let verdict = match removed {
        Some(true) => style("  moderators removed it").red().to_string(),
        Some(false) => style("  moderators kept it").green().to_string(),
        None => String::new(),
    };
    let indent = "    ";
    let room = width() - indent.len();
    let body = one_line(body);
    let body = if body.is_empty() { "(no text)".to_owned() } else { body };
    let mut text = format!(
        "\n  {}{subreddit}{verdict}\n{indent}{}\n",
        style(format!("{} -> {}", said(was.as_ref()), said(now.as_ref()))).bold(),
        console::truncate_str(&body, room, "\u{2026}")
    );
    let lines = match (was, now) {
        // One model: one explanation.
        (Some(was), Some(now)) if was.terms == now.terms => vec![why(now, room)],
        _ => {
            let named = [("was", was), ("now", now)];
            let named = named.iter().filter_map(|(name, side)| Some((name, side.as_ref()?)));
            named.map(|(name, outcome)| format!("{name}  {}", why(outcome, room - name.len() - 2))).collect()
        }
    };
    for line in lines {
        text += &format!("{indent}{}\n", style(line).dim());
    }
    text
}

/// What a side said, `0.81 medium`, or `no alert` where nobody kept the probability.
fn said(outcome: Option<&CommentOutcome>) -> String {
    let Some(CommentOutcome { probability, alert, .. }) = outcome else { return "no alert".to_owned() };
    match alert {
        Some(alert) => format!("{probability:.2} {}", alert.severity),
        None => format!("{probability:.2}"),
    }
}

/// The terms that explain a score: whole terms only, as many as there is room for.
fn why(outcome: &CommentOutcome, room: usize) -> String {
    let mut why = String::new();
    for term in &outcome.terms {
        let next = format!("{} {}  ", one_line(&term.in_words()), signed(term.contribution));
        if !why.is_empty() && console::measure_text_width(&why) + console::measure_text_width(&next) > room + 2 {
            break;
        }
        why += &next;
    }
    console::truncate_str(why.trim_end(), room, "\u{2026}").into_owned()
}

fn tally_json(tally: &Tally) -> Value {
    let Tally { alerts, judged } = *tally;
    // A NaN, which JSON has not, becomes null.
    json!({
        "alerts": alerts,
        "removed": judged.removed,
        "kept": judged.kept,
        "precision": judged.precision(),
        "precision_interval": judged.interval(),
    })
}

fn share_json(PromisedShare { promised, seen, held }: &PromisedShare) -> Value {
    let held = match held {
        Held::TooFew => "too few to tell",
        Held::Holds => "holds",
        Held::More => "more",
        Held::Fewer => "fewer",
    };
    json!({
        "promised": promised,
        "seen": seen.share(),
        "comments": seen.part,
        "of": seen.of,
        "held": held,
    })
}

fn example_json(example: &Example) -> Value {
    let Example { body, subreddit, removed, was, now, .. } = example;
    let side = |outcome: &Option<CommentOutcome>| {
        let Some(CommentOutcome { probability, terms, alert, .. }) = outcome else { return Value::Null };
        json!({
            "probability": probability,
            "severity": alert.as_ref().map(|alert| alert.severity),
            "policy": alert.as_ref().map(|alert| alert.condition.as_str()),
            "terms": terms,
        })
    };
    json!({ "body": body, "subreddit": subreddit, "removed": removed, "was": side(was), "now": side(now) })
}

fn on_page(example: &Example) -> modstream_report::Example<'_> {
    let Example { body, subreddit, removed, was, now, .. } = example;
    modstream_report::Example {
        text: body,
        subreddit: subreddit.as_deref(),
        removed: *removed,
        was: score(was.as_ref()),
        now: score(now.as_ref()),
    }
}

fn score(outcome: Option<&CommentOutcome>) -> Score<'_> {
    let Some(CommentOutcome { probability, terms, alert, .. }) = outcome else {
        return Score { probability: None, severity: None, reasons: Vec::new() };
    };
    let reasons =
        terms.iter().map(|term| Reason { term: term.in_words().into_owned(), contribution: term.contribution });
    Score {
        probability: Some(*probability),
        severity: alert.as_ref().map(|alert| alert.severity.as_str()),
        reasons: reasons.collect(),
    }
}
