//! `modstream explain`.

use std::io::{self, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use console::style;
use modstream_classifier::artifact::{Format, Manifest};
use modstream_classifier::{ByDefault, Explanation, Model, Score, Scratch, not_judged};
use modstream_events::{NotJudged, Outside};
use serde_json::{Value, json};

use crate::common::args::ModelArgs;
use crate::common::display::{in_words, one_line, print, signed, width};
use crate::common::input;
use crate::model::embedded;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream explain 'Hold on while I stroke my ego'
  modstream explain --model models/ours 'Nobody will miss you'
  pbpaste | modstream explain")]
pub(crate) struct ExplainArgs {
    /// The text [default: standard input]
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// How many terms to show [default: 12, or 4 a label]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// How many terms are shown where nobody says it.
const TERMS: usize = 12;
/// How many terms are shown of each label where nobody says it.
const TERMS_A_LABEL: usize = 4;

impl ExplainArgs {
    /// Runs `modstream explain`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (model, manifest) = embedded::load_any(&self.model)?;
        let text = match &self.text {
            Some(text) => text.clone(),
            None => {
                input::say_where_from_a_terminal("a text");
                let mut bytes = Vec::new();
                io::stdin().read_to_end(&mut bytes).context("standard input")?;
                let mut text = plain_text::decode(bytes).context("standard input")?;
                // The line feed that ends the input is the shell's, not the text's.
                let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len());
                text.truncate(end.unwrap_or(text.len()));
                text
            }
        };
        let not_judged = not_judged(&text);
        let mut scratch = Scratch::default();
        if manifest.format == Format::Labels {
            let all = model.explain_labels(&text, self.top.unwrap_or(TERMS_A_LABEL), &mut scratch);
            let shown = if self.json {
                labels_as_json(&model, &manifest, &all, not_judged)
            } else {
                labels_as_text(&model, &all, not_judged)
            };
            print(&shown)?;
            return Ok(ExitCode::SUCCESS);
        }
        let explanation = model.explain(&text, self.top.unwrap_or(TERMS), &mut scratch);
        let (score, point) = (explanation.score, model.operating_point(explanation.score));
        if self.json {
            let mut line = json!({
                "probability": score.probability(),
                "log_odds": score.log_odds.0,
                "intercept": explanation.intercept,
                "terms": explanation.terms,
                "other": explanation.other,
                "operating_point": point,
                "model_version": manifest.version,
            });
            mark(&mut line, not_judged, explanation.outside);
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(why) = nothing_to_go_by(not_judged, explanation.outside) {
            let guess = if not_judged.is_some() { "by its form alone" } else { "which is a guess" };
            let text = format!(
                "{}\n\n{why}; so no policy is met by it. The model would say {:.2}, {guess}.\n",
                style("nothing to go by").bold(),
                score.probability()
            );
            print(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = String::new();
        text += &format!("{:.2}  {}\n", style(score.probability()).bold(), style(in_words(score.probability())).bold());
        text.push('\n');
        let rows: Vec<(String, f64)> =
            (explanation.terms.iter().map(|term| (one_line(&term.in_words()), term.contribution)))
                .chain([
                    ("all other terms".to_owned(), explanation.other),
                    ("before any term".to_owned(), explanation.intercept),
                ])
                .collect();
        let most = rows.iter().map(|row| row.1.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let name_width = rows.iter().map(|row| console::measure_text_width(&row.0)).max().unwrap_or(0).min(TERM_WIDTH);
        let room = width().saturating_sub(name_width + 12).min(40);
        for (name, contribution) in rows {
            let name = console::truncate_str(&name, name_width, "\u{2026}");
            let bar = "\u{2588}".repeat((contribution.abs() / most * room as f64).round() as usize);
            let bar = if contribution > 0.0 { style(bar).red() } else { style(bar).green() };
            text += &format!(
                "  {}  {:>6}  {bar}\n",
                console::pad_str(&name, name_width, console::Alignment::Left, None),
                signed(contribution)
            );
        }
        text += &format!("  {}  {:>6}  log-odds\n", " ".repeat(name_width), signed(score.log_odds.0));
        text.push('\n');
        let percent = |share: f64| share * 100.0;
        text += &format!(
            "Alerting from this probability up, where {:.1} % of comments are removed:\n",
            percent(point.base_rate)
        );
        text += &format!("{:.0} % of alerts are right,\n", percent(point.precision));
        text += &format!("{:.0} % of what is to be removed is caught,\n", percent(point.recall));
        text += &format!("{:.1} % of all comments alert.\n", percent(point.share));
        if self.model.base_rate.is_none() {
            text += &format!("{}\n", style("That share is the training data's; say yours with --base-rate.").dim());
        }
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn labels_as_json(
    model: &Model,
    manifest: &Manifest,
    all: &[Explanation<'_>],
    not_judged: Option<NotJudged>,
) -> String {
    let scores: Vec<Score> = all.iter().map(|explanation| explanation.score).collect();
    let foremost = embedded::foremost(model, &scores);
    let labels = model.labels().iter().zip(all).map(|(label, explanation)| {
        json!({
            "label": label.name(),
            "by_default": label.by_default(),
            "probability": explanation.score.probability(),
            "log_odds": explanation.score.log_odds.0,
            "intercept": explanation.intercept,
            "terms": explanation.terms,
            "other": explanation.other,
            "operating_point": label.operating_point(explanation.score),
        })
    });
    let mut line = json!({
        "probability": scores[foremost].probability(),
        "log_odds": scores[foremost].log_odds.0,
        "label": model.labels()[foremost].name(),
        "labels": labels.collect::<Vec<_>>(),
        "model_version": manifest.version,
    });
    mark(&mut line, not_judged, all[foremost].outside);
    format!("{line}\n")
}

/// Marks a line whose numbers say nothing, or next to nothing.
fn mark(line: &mut Value, not_judged: Option<NotJudged>, outside: Option<Outside>) {
    if let Some(why) = not_judged {
        line["not_judged"] = json!(why);
    }
    if let Some(outside) = outside {
        line["support"] = json!(outside);
    }
}

/// Why there is nothing to go by, where there is nothing.
fn nothing_to_go_by(not_judged: Option<NotJudged>, outside: Option<Outside>) -> Option<&'static str> {
    not_judged.map(NotJudged::in_words).or(outside.map(Outside::in_words))
}

/// Each label with its own reasons, the likeliest first.
fn labels_as_text(model: &Model, all: &[Explanation<'_>], not_judged: Option<NotJudged>) -> String {
    // It is one text, so every label's explanation says the same of it.
    let outside = all.iter().find_map(|explanation| explanation.outside);
    if let Some(why) = nothing_to_go_by(not_judged, outside) {
        return format!("{}\n\n{why}; so no label says anything of it.\n", style("nothing to go by").bold());
    }
    let mut order: Vec<_> = model.labels().iter().zip(all).collect();
    order.sort_by(|(_, a), (_, b)| b.score.log_odds.0.total_cmp(&a.score.log_odds.0));
    let name_width = order.iter().map(|(label, _)| label.name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (label, Explanation { score, intercept, terms, other, .. }) in order {
        let hint = match label.by_default() {
            ByDefault::On => String::new(),
            ByDefault::Off => format!("  {}", style("a hint, off by default").dim()),
        };
        text += &format!(
            "{:.2}  {}  {:>6} log-odds{hint}\n",
            style(score.probability()).bold(),
            style(format!("{:name_width$}", label.name())).bold(),
            signed(score.log_odds.0)
        );
        let reasons = terms.iter().map(|term| (one_line(&term.in_words()), term.contribution));
        let reasons =
            reasons.chain([("all other terms".to_owned(), *other), ("before any term".to_owned(), *intercept)]);
        text += &wrapped(reasons);
        text.push('\n');
    }
    text += "The numbers of a label add up to its log-odds.\n";
    text
}

/// How far reasons stand from the left.
const INDENT: &str = "      ";
/// The widest a term is shown beside others.
const TERM_WIDTH: usize = 48;

/// Reasons beside each other, in as many lines as the terminal's width asks for.
fn wrapped(reasons: impl Iterator<Item = (String, f64)>) -> String {
    let mut text = String::new();
    let mut used = usize::MAX;
    for (term, contribution) in reasons {
        let term = console::truncate_str(&term, TERM_WIDTH, "\u{2026}").into_owned();
        let number = signed(contribution);
        let wide = console::measure_text_width(&term) + number.len() + 1;
        if used.saturating_add(wide + 3) > width() {
            text += if text.is_empty() { INDENT } else { "\n" };
            if text.ends_with('\n') {
                text += INDENT;
            }
            used = INDENT.len() + wide;
        } else {
            text += "   ";
            used += wide + 3;
        }
        let number = if contribution > 0.0 { style(number).red() } else { style(number).green() };
        text += &format!("{term} {number}");
    }
    text.push('\n');
    text
}
