//! `modstream evaluate --live`: what was claimed about alerts, and what moderators said.

use plain_text::{agree, counted};
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use modstream_feedback::{Claim, ClaimedPrecision, Explored, Judged, Live, MIN_DECISIONS, Recall, Verdict, live, read};
use proportions::{Interval, Proportion};
use serde_json::{Value, json};

use crate::common::display::{one_line, print};
use crate::common::input;

/// The most groups of a kind in the table; `--json` has them all.
const SHOWN_GROUPS: usize = 10;

/// The most days in the table, the last ones.
const SHOWN_DAYS: usize = 14;

/// Reads a file of `modstream decisions pull`.
pub(crate) fn judged(path: &Path) -> anyhow::Result<Vec<Judged>> {
    let judged = read(input::text(path)?.as_bytes()).with_context(|| input::name(path))?;
    ensure!(
        !judged.is_empty(),
        "{}: there is no decision in it; once moderators have decided about alerts, run `modstream decisions pull` again",
        input::name(path)
    );
    Ok(judged)
}

pub(crate) fn run(path: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let verdicts: Vec<Verdict> = judged(path)?.into_iter().map(|judged| judged.decision).collect();
    let found = live(&verdicts);
    print(&if as_json { format!("{}\n", in_json(&found)) } else { table(&found) })?;
    Ok(ExitCode::SUCCESS)
}

fn word(claim: Claim) -> &'static str {
    match claim {
        Claim::TooFew => "too few to tell",
        Claim::Holds => "holds",
        Claim::TooHigh => "too high",
        Claim::TooLow => "too low",
    }
}

/// The claim in a narrow column.
fn short(claim: Claim) -> &'static str {
    match claim {
        Claim::TooFew => "too few",
        other => word(other),
    }
}

fn table(found: &Live) -> String {
    let mut text = String::new();
    // Writing into a String can't fail.
    let mut line = |cells: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{cells}");
    };
    line(format_args!(
        "{} decided; of those, what was claimed and what moderators removed:\n",
        counted(found.all.observed.of, "alert")
    ));
    line(format_args!("  {:<30} {:>7}  {:>7}  {:<19}  claim", "", "decided", "claimed", "removed"));
    let mut row = |name: &str, group: &ClaimedPrecision| {
        let claimed = if group.observed.of == 0 { "-".to_owned() } else { format!("{:.2}", group.claimed) };
        line(format_args!(
            "  {:<30} {:>7}  {claimed:>7}  {:<19}  {}",
            one_line(name),
            group.observed.of,
            share(group.observed),
            short(group.claim())
        ));
    };
    row("all", &found.all);
    for (title, groups) in [
        ("subreddit", &found.subreddits),
        ("policy", &found.policies),
        ("model", &found.models),
        ("probability", &found.bins),
    ] {
        for (name, group) in groups.iter().take(SHOWN_GROUPS) {
            row(&format!("{title} {name}"), group);
        }
    }
    let earlier = found.days.len().saturating_sub(SHOWN_DAYS);
    for (name, group) in found.days.iter().skip(earlier) {
        row(&format!("day {name}"), group);
    }
    for (title, groups) in
        [("subreddits", found.subreddits.len()), ("policies", found.policies.len()), ("models", found.models.len())]
    {
        if groups > SHOWN_GROUPS {
            line(format_args!("  {} more {title}: --json has them", groups - SHOWN_GROUPS));
        }
    }
    if earlier > 0 {
        line(format_args!("  {}: --json has them", counted(earlier, "earlier day")));
    }
    line(format_args!(
        "
Claimed is the mean probability, so the share that should have been removed; in
brackets, confidence intervals of 95 %. A claim that lies in the interval holds;
with fewer than {MIN_DECISIONS} decisions nothing is said. A day is that of the
alert, in UTC."
    ));
    if found.beside.of > 0 {
        line(format_args!("\nAlerts by harm alone: {} decided, removed {}.", found.beside.of, share(found.beside)));
    }
    if found.matched.of > 0 {
        line(format_args!("\nAlways-alert terms: {} decided, removed {}.", found.matched.of, share(found.matched)));
    }
    match &found.explored {
        Some(explored) => line(format_args!("\n{}", missed(explored))),
        None => line(format_args!(
            "
What is missed nobody knows: only alerts were asked about. A policy's
exploration_share asks about some of the others."
        )),
    }
    text
}

fn missed(explored: &Explored) -> String {
    let Explored { missed, stand_for, caught, subreddits, recall } = explored;
    let mut text = format!(
        "Of {}, which met no policy and {} picked at random,
{} should have been removed. They stand for {stand_for:.0}.",
        counted(missed.of, "explored comment"),
        agree(missed.of, "was", "were"),
        missed.part
    );
    // Writing into a String can't fail.
    let _ = match recall {
        Some(Recall { share, interval: Interval { low, high } }) => write!(
            text,
            " In their subreddits ({subreddits}),
since the first of them, {} {} removed:
a recall of about {share:.2} ({low:.2} to {high:.2}). It is of decided comments alone;
`modstream decisions pull` says how many explored ones wait.",
            counted(*caught, "alert"),
            agree(*caught, "was", "were")
        ),
        None => write!(text, " In their subreddits\n({subreddits}) nothing was removed, so there is no recall."),
    };
    text
}

fn share(proportion: Proportion) -> String {
    proportion.wilson().map_or_else(
        || "-".to_owned(),
        |interval| format!("{:.2} ({:.2} to {:.2})", proportion.share(), interval.low, interval.high),
    )
}

fn in_json(found: &Live) -> Value {
    let group = |group: &ClaimedPrecision| {
        json!({
            "decided": group.observed.of,
            "removed": group.observed.part,
            "claimed": group.claimed,
            "interval": group.interval().map(|interval| [interval.low, interval.high]),
            "claim": word(group.claim()),
        })
    };
    let groups = |groups: &[(String, ClaimedPrecision)]| -> Value {
        groups.iter().map(|(name, of)| (name.clone(), group(of))).collect::<serde_json::Map<_, _>>().into()
    };
    json!({
        "all": group(&found.all),
        "subreddits": groups(&found.subreddits),
        "policies": groups(&found.policies),
        "models": groups(&found.models),
        "probabilities": groups(&found.bins),
        "days": groups(&found.days),
        "beside": { "decided": found.beside.of, "removed": found.beside.part },
        "matched": { "decided": found.matched.of, "removed": found.matched.part },
        "explored": found.explored.as_ref().map(|Explored { missed, stand_for, caught, subreddits, recall }| json!({
            "decided": missed.of,
            "removed": missed.part,
            "stand_for": stand_for,
            "caught": caught,
            "subreddits": subreddits,
            "recall": recall.map(|recall| recall.share),
            "recall_interval": recall.map(|Recall { interval, .. }| [interval.low, interval.high]),
        })),
    })
}
