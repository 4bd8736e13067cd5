//! `modstream explain`.

use std::io::{self, Read as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use console::style;
use modstream_classifier::{Scratch, not_judged};
use serde_json::json;

use crate::common::args::ModelArgs;
use crate::common::display::{in_words, one_line, print, signed, width};
use crate::common::input;
use crate::model::embedded;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream explain 'Hold on while I stroke my ego'
  pbpaste | modstream explain")]
pub(crate) struct ExplainArgs {
    /// The text [default: standard input]
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// How many terms to show
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) top: usize,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

impl ExplainArgs {
    /// Runs `modstream explain`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (model, manifest) = embedded::load(&self.model)?;
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
        let explanation = model.explain(&text, self.top, &mut scratch);
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
            if let Some(why) = not_judged {
                line["not_judged"] = json!(why);
            }
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(why) = not_judged {
            let text = format!(
                "{}\n\n{}; so no policy is met by it. The model would say {:.2}, by its form alone.\n",
                style("nothing to go by").bold(),
                why.in_words(),
                score.probability()
            );
            print(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = String::new();
        text += &format!("{:.2}  {}\n", style(score.probability()).bold(), style(in_words(score.probability())).bold());
        text.push('\n');
        let rows: Vec<(String, f64)> = (explanation.terms.iter().map(|term| (one_line(&term.term), term.contribution)))
            .chain([
                ("all other terms".to_owned(), explanation.other),
                ("before any term".to_owned(), explanation.intercept),
            ])
            .collect();
        let most = rows.iter().map(|row| row.1.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let name_width = rows.iter().map(|row| console::measure_text_width(&row.0)).max().unwrap_or(0).min(30);
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
