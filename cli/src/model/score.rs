//! `modstream score`.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use modstream_classifier::{Explanation, Model, Score, Scratch, not_judged};
use modstream_corpus::Row;
use modstream_events::{NotJudged, Term};
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

Each line of output has the comment's line in the input. Where a comment has no text to judge, the line says \"not_judged\", and \
                       its numbers say nothing. A comment that can't be read becomes {\"line\":n,\"error\":\"...\"} in its place, and the status is 1 at the end.")]
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
        model_version: &'a str,
        /// Why there was nothing to judge; left out where there was something.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_judged: Option<NotJudged>,
        #[serde(flatten)]
        why: Option<Why<'a>>,
    },
    Bad {
        line: u64,
        error: String,
    },
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
        let (model, manifest) = embedded::load(&self.model)?;
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
                        let (score, why) = score(&model, body, self.explain, &mut scratch);
                        Line::Scored {
                            line: *line,
                            id: comment.id.as_deref(),
                            probability: score.probability(),
                            log_odds: score.log_odds.0,
                            model_version: &manifest.version,
                            not_judged: not_judged(body),
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

/// A text's score, and why, as many terms of it as were asked for.
fn score<'a>(model: &Model, body: &str, explain: Option<usize>, scratch: &'a mut Scratch) -> (Score, Option<Why<'a>>) {
    match explain {
        None => (model.score(body, scratch), None),
        Some(most) => {
            let Explanation { score, intercept, terms, other } = model.explain(body, most, scratch);
            (score, Some(Why { terms, intercept, other }))
        }
    }
}
