//! `modstream policy test`: what becomes of comments under a document of policies.

use std::collections::HashSet;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use modstream_corpus::Row;
use modstream_events::{Comment, Event, Severity, ids};
use modstream_links::FORUM;
use modstream_policy::{Judgement, Rules, Why, WhyNot};
use plain_text::counted;
use serde::Serialize;

use super::one_by_one::{Fate, Harm, OneByOne, Outcome};
use super::table;
use crate::common::args::{HarmArgs, ModelArgs};
use crate::common::display::{one_line, width};
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::FormatArgs;
use crate::common::runtime::block_on;
use crate::pipeline::functions::Models;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream policy test policies.toml --input comments.csv
  modstream policy test policies.toml --input removals.jsonl --json > outcomes.jsonl
  pbpaste | modstream policy test policies.toml --input -

Each comment goes through score-comments and publish-alerts themselves, in the order of the file, at the time that its \
                        `created_utc` says: quiet hours, budgets and the breaker go by it. With --json each line is an object, \
                        with the comment's line in the input; a comment that can't be read becomes \
                        {\"line\":n,\"error\":\"...\"} in its place, and the status is 1 at the end.")]
pub(crate) struct PolicyTestArgs {
    /// The document: TOML, or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd; `-` is standard input
    #[arg(long, value_name = "COMMENTS")]
    pub(crate) input: PathBuf,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// Print a line of JSON a comment, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// A line of output.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Tested {
        line: u64,
        id: Option<&'a str>,
        outcome: &'static str,
        why: String,
        matched: Option<String>,
        severity: Option<Severity>,
        probability: f64,
        harm: Option<f64>,
        label: Option<String>,
    },
    Bad {
        line: u64,
        error: String,
    },
}

impl PolicyTestArgs {
    /// Runs `modstream policy test`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        input::check_read_once([self.file.as_path(), self.input.as_path()])?;
        let policies = match table::read(&self.file)? {
            Ok(policies) => policies,
            Err(problems) if self.json => anyhow::bail!("{}: {problems}", input::name(&self.file)),
            Err(problems) => {
                eprint!("{}", table::wrong(&self.file, &problems));
                return Ok(ExitCode::FAILURE);
            }
        };
        let models = Models::read(self.model.model.as_deref(), &self.harm)?;
        let policies = match table::with_labels_of(policies, &self.file, models.harm.as_ref().map(|(_, it)| it))? {
            Ok(policies) => policies,
            Err(problems) if self.json => anyhow::bail!("{}: {problems}", input::name(&self.file)),
            Err(problems) => {
                eprint!("{}", table::wrong(&self.file, &problems));
                return Ok(ExitCode::FAILURE);
            }
        };
        let options = self.format.options();
        let reader = input::comments(&self.input, options.clone())?;
        block_on(Box::pin(async {
            let started = Timestamp::now();
            let system = OneByOne::start(&models, self.model.base_rate, &policies, started).await?;
            let mut show = Show { out: BufWriter::new(io::stdout().lock()), json: self.json, counts: [0; 5] };
            let mut seen = HashSet::new();
            let progress = Progress::new("testing", None);
            for row in reader {
                let tested = match &row {
                    Ok(row) => match options.text(row) {
                        Ok(_) => test(&system, row, started, &mut seen).await?,
                        Err(error) => Line::Bad { line: row.line, error: error.to_string() },
                    },
                    Err(error) => Line::Bad { line: error.line, error: error.to_string() },
                };
                let body = row.as_ref().ok().and_then(|row| row.comment.body.as_deref()).unwrap_or_default();
                show.line(&tested, body)?;
                progress.step();
            }
            progress.finish();
            show.end()
        }))
    }
}

/// Takes a comment all the way.
async fn test<'a>(
    system: &OneByOne<'_>,
    row: &'a Row,
    started: Timestamp,
    seen: &mut HashSet<String>,
) -> anyhow::Result<Line<'a>> {
    let Row { line, comment, .. } = row;
    let time = comment.created_utc.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(started);
    let Outcome { probability, judgement, harm, rules, fate } =
        match system.take(&event(*line, comment, time, seen), time).await? {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Line::Bad { line: *line, error }),
        };
    let id = comment.id.as_deref();
    let (outcome, why, matched, severity) = match (judgement, fate) {
        (Judgement::Pass(why), _) => ("pass", why_not(why, rules), None, None),
        (Judgement::Explore { share, severity }, _) => {
            let why = format!("it meets no policy; {} % of such comments are asked about", share * 100.0);
            ("explore", why, None, Some(severity))
        }
        (Judgement::Alert { why, severity }, fate) => {
            let matched = if let Why::Always(term) = &why { Some(term.clone()) } else { None };
            match fate {
                Fate::HeldBack(detail) => ("held_back", detail, matched, Some(severity)),
                Fate::Published => ("alert", in_words(&why, rules), matched, Some(severity)),
                Fate::Nothing => {
                    anyhow::bail!("line {line}: the comment alerts, and was neither published nor held back")
                }
            }
        }
    };
    let (harm, label) = harm.map(|Harm { harm, label }| (harm, label)).unzip();
    Ok(Line::Tested { line: *line, id, outcome, why, matched, severity, probability, harm, label: label.flatten() })
}

/// The comment event of a row, with the id that `modstream send` gives it; of a comment that the file has again, with another.
fn event(line: u64, comment: &Comment<'_>, time: Timestamp, seen: &mut HashSet<String>) -> Vec<u8> {
    let version = ids::text_version(comment.body.as_deref().unwrap_or_default(), 0);
    let own = comment.id.as_deref().filter(|id| !id.is_empty()).map(|id| ids::comment(FORUM, id, &version).to_string());
    let own = own.filter(|id| seen.insert(id.clone()));
    let id = own.unwrap_or_else(|| ids::comment(FORUM, &format!("line {line}"), &version).to_string());
    Event::new(id, FORUM, time, comment.clone()).encode()
}

fn in_words(why: &Why, rules: &Rules) -> String {
    match why {
        Why::Thresholds(meets) => {
            let labels = (!meets.labels.is_empty()).then(|| rules.label_conditions(meets));
            let removal = meets.removal.then(|| rules.threshold.to_string());
            let met: Vec<String> = labels.into_iter().chain(removal).collect();
            format!("it meets {}", met.join(", and "))
        }
        Why::SelfHarm(phrase) => format!("it contains \"{phrase}\": somebody may harm themselves"),
        Why::Always(term) => format!("it contains \"{term}\", which always alerts here"),
        Why::Probe => "it is the probe, which always alerts".to_owned(),
    }
}

fn why_not(why: WhyNot, rules: &Rules) -> String {
    match why {
        WhyNot::ExemptAuthor => "its author never alerts here".to_owned(),
        WhyNot::NotJudged(why) => why.in_words().to_owned(),
        WhyNot::Outside(outside) => outside.in_words().to_owned(),
        WhyNot::Threshold => format!("it does not meet {}", rules.threshold),
    }
}

/// What the outcomes are called, in the order in which they are counted.
const OUTCOMES: [&str; 4] = ["alert", "held_back", "explore", "pass"];

struct Show<W: io::Write> {
    out: W,
    json: bool,
    /// How many comments had each of the outcomes, and how many could not be read.
    counts: [usize; OUTCOMES.len() + 1],
}

impl<W: io::Write> Show<W> {
    fn line(&mut self, line: &Line<'_>, body: &str) -> anyhow::Result<()> {
        let counted = match line {
            Line::Tested { outcome, .. } => OUTCOMES.iter().position(|known| known == outcome),
            Line::Bad { .. } => None,
        };
        self.counts[counted.unwrap_or(OUTCOMES.len())] += 1;
        if self.json {
            serde_json::to_writer(&mut self.out, line).map_err(io::Error::from)?;
            self.out.write_all(b"\n")?;
            return Ok(());
        }
        let Line::Tested { outcome, why, severity, probability, .. } = line else {
            if let Line::Bad { line, error } = line {
                writeln!(self.out, "{:<9}  line {line}: {}", "unread", one_line(error))?;
            }
            return Ok(());
        };
        let (outcome, severity) = (outcome.replace('_', " "), severity.map_or("", |it| it.as_str()));
        let head = format!("{outcome:<9}  {probability:.2}  {severity:<6}  ");
        let why = one_line(why);
        let room = width().saturating_sub(head.len() + console::measure_text_width(&why) + 2).max(20);
        let body = one_line(body);
        let body = if body.is_empty() { "(no text)" } else { &body };
        let body = console::pad_str(body, room, console::Alignment::Left, Some("\u{2026}"));
        writeln!(self.out, "{head}{body}  {why}")?;
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<ExitCode> {
        let bad = self.counts[OUTCOMES.len()];
        if !self.json {
            let [alerts, held_back, explored, passed, _] = self.counts;
            writeln!(self.out, "\n{alerts} alert, {held_back} held back, {explored} explored, {passed} pass")?;
        }
        self.out.flush()?;
        if bad == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if !self.json {
            eprintln!("{} could not be read", counted(bad, "comment"));
        }
        Ok(ExitCode::FAILURE)
    }
}
