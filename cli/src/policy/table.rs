//! Documents of policies, as a person reads them.

use plain_text::counted;
use std::fmt::Write as _;
use std::path::Path;

use modstream_classifier::artifact::Manifest;
use modstream_policy::{
    AlwaysTerm, Channel, OutsideSupport, Policies, Policy, Problem, Problems, Rules, SelfHarmRules, Severities,
};
use serde_json::{Value, json};

use crate::common::display::{one_line, short_version};
use crate::common::input;

/// Reads a document of policies. Its problems are returned as they are, not as an error.
pub(crate) fn read(path: &Path) -> anyhow::Result<Result<Policies, Problems>> {
    Ok(Policies::parse(&input::text(path)?))
}

/// The same policies, where the harm model has the labels that they name. `path` is the file that they were read from.
pub(crate) fn with_labels_of(
    policies: Policies,
    path: &Path,
    harm: Option<&Manifest>,
) -> anyhow::Result<Result<Policies, Problems>> {
    let problems = unknown_labels(&policies, harm);
    // Standard input is read once, and has no place to look at any more.
    let text = if problems.0.is_empty() || input::is_standard_input(path) { None } else { Some(input::text(path)?) };
    Ok(match text {
        _ if problems.0.is_empty() => Ok(policies),
        Some(text) => Err(problems.in_text(&text)),
        None => Err(problems),
    })
}

/// The labels that policies name and the harm model does not have, or that nothing has since there is no harm model.
pub(crate) fn unknown_labels(policies: &Policies, harm: Option<&Manifest>) -> Problems {
    let Some(manifest) = harm else {
        let named = policies.named_labels().into_iter();
        let problem = |(label, field): (&str, String)| Problem {
            line: None,
            field,
            what: format!(
                "it names the label `{label}`, and there is no harm model, which gives labels: push and promote one, such as \
                 `modstream model push harm --promote`, or leave the label out"
            ),
        };
        return Problems(named.map(problem).collect());
    };
    let labels = manifest.heads.iter().map(|head| head.label.as_str());
    let model = format!("the harm model {} {}", manifest.name, short_version(&manifest.version));
    Problems(policies.unknown_labels(labels, &model))
}

/// The policies of a document where one is named, else those that say no more than `policy`.
pub(crate) fn named_or(document: Option<&Path>, policy: &Policy, harm: Option<&Manifest>) -> anyhow::Result<Policies> {
    let Some(path) = document else { return Ok(Policies::of(policy, Severities::default())) };
    let wrong = |problems: Problems| anyhow::anyhow!("{}: {problems}", input::name(path));
    with_labels_of(read(path)?.map_err(wrong)?, path, harm)?.map_err(wrong)
}

/// All problems of a document, a line each.
pub(crate) fn wrong(path: &Path, problems: &Problems) -> String {
    problems.0.iter().map(|problem| format!("{}: {}\n", input::name(path), one_line(&problem.to_string()))).collect()
}

/// The effective rules as a table, a row a subreddit, and what holds for all subreddits together.
pub(crate) fn table(policies: &Policies) -> String {
    let head = ["", "threshold", "base rate", "medium, high", "an hour", "quiet hours", "goes to", "and"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.push(row("all others", &policies.default));
    rows.extend(policies.subreddits().map(|(name, rules)| row(&format!("r/{}", one_line(name)), rules)));
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| console::measure_text_width(&row[column])).max().unwrap_or_default())
        .collect();
    let mut text = format!("policies {}\n\n", one_line(&policies.name));
    for row in rows {
        let cells =
            row.iter().zip(&widths).map(|(cell, width)| console::pad_str(cell, *width, console::Alignment::Left, None));
        let line = cells.collect::<Vec<_>>().join("  ");
        // Writing into a String never fails.
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text.push('\n');
    if let Some(most) = policies.max_alerts_per_hour {
        let _ = writeln!(text, "all together at most {} an hour", counted(most, "alert"));
    }
    text += &harm(policies);
    match &policies.breaker {
        Some(breaker) => {
            let _ = writeln!(
                text,
                "the breaker opens where more than {} of comments alert over {}, {} at least; for {}",
                percent(breaker.max_share),
                counted(breaker.window.as_mins(), "minute"),
                counted(breaker.min_alerts, "alert"),
                counted(breaker.open_for.as_mins(), "minute")
            );
        }
        None => text.push_str("no breaker\n"),
    }
    text
}

/// What the document says of labels, and of people who may harm themselves; nothing where it says nothing.
fn harm(policies: &Policies) -> String {
    let Rules { harm, self_harm, .. } = &policies.default;
    let mut text = String::new();
    for label in policies.named_labels().into_keys() {
        let alerts = harm.condition(label).map_or_else(|| "never alerts".to_owned(), |it| format!("alerts at {it}"));
        let _ = writeln!(text, "{} weighs {} and {alerts}", one_line(label), harm.weight(label));
    }
    if !text.is_empty() {
        let Severities { medium, high } = harm.severities;
        let _ = writeln!(text, "harm is medium from {medium} and high from {high} up");
    }
    if **self_harm != SelfHarmRules::default() {
        let phrases = counted(self_harm.phrases.as_slice().len(), "phrase");
        let contacts = counted(self_harm.contacts.len(), "contact");
        let _ = writeln!(text, "people who may harm themselves: {phrases}, {contacts}");
    }
    text
}

fn row(name: &str, rules: &Rules) -> [String; 8] {
    let channels: Vec<&str> = rules.channels.iter().map(|channel| channel_name(*channel)).collect();
    let mut more = Vec::new();
    let always = rules.always.as_slice();
    if !always.is_empty() {
        let terms: Vec<String> = always.iter().map(ToString::to_string).collect();
        more.push(format!("always: {}", one_line(&terms.join(" | "))));
    }
    if !rules.exempt_authors.is_empty() {
        more.push(format!("never: u/{}", one_line(&rules.exempt_authors.join(", u/"))));
    }
    if rules.exploration_share > 0.0 {
        more.push(format!("explores {}", percent(rules.exploration_share)));
    }
    if rules.outside_support == OutsideSupport::Judged {
        more.push("judges what is unlike all that the model learned from".to_owned());
    }
    let quiet = rules.quiet_hours.as_ref().map(|quiet| {
        let keep: Vec<&str> = quiet.keep.iter().map(|severity| severity.as_str()).collect();
        let but = if keep.is_empty() { String::new() } else { format!(", not {}", keep.join(", ")) };
        format!("{}{but}", quiet.in_words())
    });
    [
        name.to_owned(),
        rules.threshold.to_string(),
        rules.base_rate.map_or_else(|| "the model's".to_owned(), percent),
        format!("{}, {}", rules.severities.medium, rules.severities.high),
        rules.max_alerts_per_hour.map_or_else(|| "any".to_owned(), |most| most.to_string()),
        quiet.unwrap_or_else(|| "none".to_owned()),
        if channels.is_empty() { "the desk alone".to_owned() } else { channels.join(", ") },
        more.join("; "),
    ]
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Alerts => "alerts",
        Channel::Digest => "digest",
    }
}

fn percent(share: f64) -> String {
    // As many digits as it was written with.
    format!("{} %", (share * 1e6).round() / 1e4)
}

/// Warns of terms that are never, or hardly ever, found.
pub(crate) fn warn_of_terms(policies: &Policies) {
    let points = |term: &AlwaysTerm| {
        let points: Vec<String> = term.as_str().chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
        points.join(" ")
    };
    for (field, term) in policies.begin_with_mark() {
        eprintln!(
            "warning: {}: the term ({}) begins with a mark, which in a comment belongs to the letter before it, so it is hardly \
             ever found: write the letter with its mark",
            one_line(&field),
            points(term)
        );
    }
    for (field, term) in policies.never_found() {
        eprintln!(
            "warning: {}: the term ({}) has no character that is compared, so it is never found: write one that is seen, or \
             leave it out",
            one_line(&field),
            points(term)
        );
    }
}

/// The same for a program.
pub(crate) fn marks_in_json(policies: &Policies) -> Value {
    terms_in_json(policies.begin_with_mark())
}

/// The terms that are never found, for a program.
pub(crate) fn never_found_in_json(policies: &Policies) -> Value {
    terms_in_json(policies.never_found())
}

fn terms_in_json(terms: Vec<(String, &AlwaysTerm)>) -> Value {
    terms.into_iter().map(|(field, term)| json!({ "field": field, "term": term.as_str() })).collect()
}

/// The document, as `--json` prints it.
pub(crate) fn in_json(policies: &Policies) -> Value {
    serde_json::from_slice(&policies.canonical()).unwrap_or_else(|_| json!({}))
}
