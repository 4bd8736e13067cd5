//! `modstream score`.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use modstream_classifier::artifact::Format;
use modstream_classifier::{Explanation, Model, Score, Scratch, not_judged};
use modstream_corpus::Row;
use modstream_events::{NotJudged, Outside, Term};
use plain_text::counted;
use serde::Serialize;

use crate::common::args::ModelArgs;
use crate::common::input;
use crate::common::progress::Progress;
use crate::common::reading::FormatArgs;
use crate::model::embedded;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream score --input comments.csv > scores.jsonl
  zcat dump.jsonl.gz | modstream score --explain 3

Where the model has labels, a line has \"labels\" with the probability of each. Its \"probability\", log-odds and terms are those of the \
                       \"label\" with the highest one, of those that count by default.

Each line of output has the comment's line in the input. Where a comment has no text to judge, the line says \"not_judged\", and \
                       its numbers say nothing. Where it is unlike all that the model learned from, the line says in \"support\" how, and its \
                       numbers are a guess. A comment that can't be read becomes {\"line\":n,\"error\":\"...\"} in its place, and the status is 1 at the end.")]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Add the N terms that move each score most, the intercept, and the sum of the others
    #[arg(long, value_name = "N")]
    pub(crate) explain: Option<usize>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// A line of output.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Scored {
        line: u64,
        id: Option<&'a str>,
        probability: f64,
        log_odds: f64,
        /// The label that the two are of, where the model has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<&'a str>,
        /// The probability of each label.
        #[serde(skip_serializing_if = "Option::is_none")]
        labels: Option<Labels<'a>>,
        model_version: &'a str,
        /// Why there was nothing to judge; left out where there was something.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_judged: Option<NotJudged>,
        /// How the comment differs from all that the model learned from; left out where it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        support: Option<Outside>,
        #[serde(flatten)]
        why: Option<Why<'a>>,
    },
    Bad {
        line: u64,
        error: String,
    },
}

/// The labels of a model with their probabilities, as a map in the model's order.
struct Labels<'a>(&'a Model, Vec<Score>);

impl Serialize for Labels<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = self.0.labels().iter().zip(&self.1);
        serializer.collect_map(labels.map(|(label, score)| (label.name(), score.probability())))
    }
}

#[derive(Serialize)]
struct Why<'a> {
    terms: Vec<Term<'a>>,
    intercept: f64,
    other: f64,
}

impl ScoreArgs {
    /// Runs `modstream score`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (model, manifest) = embedded::load_any(&self.model)?;
        let file = self.input.as_deref().filter(|path| !input::is_standard_input(path));
        let options = self.format.options();
        let reader = match file {
            Some(path) => input::comments(path, options.clone())?,
            None => input::comments_of_standard_input(options.clone())?,
        };
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let mut scratch = Scratch::default();
        let mut bad = 0_u64;
        // A live feed wants each line at once; a file does not.
        let is_live = file.is_none();
        let progress = (!io::stdout().is_terminal()).then(|| Progress::new("scoring", None));
        for row in reader {
            let line = match &row {
                Ok(row @ Row { line, comment, .. }) => match options.text(row) {
                    Ok(body) => {
                        let Scored { score, label, labels, support, why } =
                            score(&model, manifest.format, body, self.explain, &mut scratch);
                        Line::Scored {
                            line: *line,
                            id: comment.id.as_deref(),
                            probability: score.probability(),
                            log_odds: score.log_odds.0,
                            label,
                            labels,
                            model_version: &manifest.version,
                            not_judged: not_judged(body),
                            support,
                            why,
                        }
                    }
                    Err(error) => Line::Bad { line: *line, error: error.to_string() },
                },
                Err(error) => Line::Bad { line: error.line, error: error.to_string() },
            };
            bad += u64::from(matches!(line, Line::Bad { .. }));
            serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            if is_live {
                out.flush()?;
            }
            if let Some(progress) = &progress {
                progress.step();
            }
        }
        out.flush()?;
        if let Some(progress) = progress {
            progress.finish();
        }
        if bad == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("{} could not be read: look for \"error\" in the output", counted(bad, "comment"));
        Ok(ExitCode::FAILURE)
    }
}

/// What a model says of a text.
struct Scored<'a> {
    score: Score,
    label: Option<&'a str>,
    labels: Option<Labels<'a>>,
    support: Option<Outside>,
    why: Option<Why<'a>>,
}

/// A text's score, and why, as many terms of it as were asked for. Of a model with labels it is that of the foremost one.
fn score<'a>(
    model: &'a Model,
    format: Format,
    body: &str,
    explain: Option<usize>,
    scratch: &'a mut Scratch,
) -> Scored<'a> {
    let why = |Explanation { intercept, terms, other, .. }: Explanation<'a>| Why { terms, intercept, other };
    match (format, explain) {
        (Format::Removal, None) => {
            let score = model.score(body, scratch);
            Scored { score, label: None, labels: None, support: model.outside(scratch), why: None }
        }
        (Format::Removal, Some(most)) => {
            let explanation = model.explain(body, most, scratch);
            let Explanation { score, outside: support, .. } = explanation;
            Scored { score, label: None, labels: None, support, why: Some(why(explanation)) }
        }
        (Format::Labels, explain) => {
            let scores = model.scores(body, scratch).to_vec();
            let support = model.outside(scratch);
            let foremost = embedded::foremost(model, &scores);
            let explained = explain.map(|most| model.explain_labels(body, most, scratch));
            Scored {
                score: scores[foremost],
                label: Some(model.labels()[foremost].name()),
                labels: Some(Labels(model, scores)),
                support,
                why: explained.and_then(|all| all.into_iter().nth(foremost)).map(why),
            }
        }
    }
}
