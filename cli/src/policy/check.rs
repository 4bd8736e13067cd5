//! `modstream policy check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use modstream_corpus::ReadOptions;
use modstream_policy::{Policies, Problems};
use normal_form::name_key;
use serde_json::json;

use super::table;
use crate::common::args::{HarmArgs, ModelArgs};
use crate::common::display::{one_line, print};
use crate::common::input;
use crate::common::reading::FormatArgs;
use crate::model::embedded;
use crate::model::promises::Unmet;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream policy check policies.toml
  modstream policy check policies.toml --against comments.jsonl
  modstream policy check policies.toml --model models/ours

It warns where a policy asks for more than the model can promise, so that nothing would alert, and of always terms that
are hardly ever found.

docs/policies.md explains every field; shared/judging/policy/policies.schema.json is its JSON Schema.")]
pub(crate) struct PolicyCheckArgs {
    /// The document: TOML, or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Warn of subreddits that no comment of this file is of: CSV or JSON Lines; plain, gzip or zstd
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl PolicyCheckArgs {
    /// Runs `modstream policy check`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        input::check_read_once([&self.file].into_iter().chain(&self.against).map(PathBuf::as_path))?;
        let policies = match table::read(&self.file)? {
            Ok(policies) => policies,
            Err(problems) => return self.wrong(&problems),
        };
        let harm = embedded::harm(&self.harm)?.map(|(_, manifest)| manifest);
        let policies = match table::with_labels_of(policies, &self.file, harm.as_ref())? {
            Ok(policies) => policies,
            Err(problems) => return self.wrong(&problems),
        };
        let unknown = match &self.against {
            Some(file) => unknown(&policies, file, self.format.options())?,
            None => Vec::new(),
        };
        let (_, manifest) = embedded::load(&self.model)?;
        let unmet = Unmet::of(&policies, &manifest, self.model.base_rate)?;
        if self.json {
            let line = json!({
                "policies": table::in_json(&policies),
                "unknown_subreddits": unknown,
                "out_of_reach": unmet.in_json(),
                "begin_with_mark": table::marks_in_json(&policies),
            "never_found": table::never_found_in_json(&policies),
            });
            print(&format!("{line}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        print(&table::table(&policies))?;
        for name in unknown {
            eprintln!("warning: no comment of the file is of r/{}: look at how its name is written", one_line(&name));
        }
        table::warn_of_terms(&policies);
        unmet.warn();
        Ok(ExitCode::SUCCESS)
    }

    /// Says what is wrong with the document.
    fn wrong(&self, problems: &Problems) -> anyhow::Result<ExitCode> {
        if self.json {
            let lines: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
            let error = format!("{}: {problems}", input::name(&self.file));
            print(&format!("{}\n", json!({ "error": one_line(&error), "problems": lines })))?;
        } else {
            eprint!("{}", table::wrong(&self.file, problems));
        }
        Ok(ExitCode::FAILURE)
    }
}

/// The subreddits with rules of their own that no comment is of.
fn unknown(policies: &Policies, comments: &Path, options: ReadOptions) -> anyhow::Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    for row in input::comments(comments, options)? {
        let row = row.map_err(|error| anyhow::anyhow!("{}, line {}: {error}", input::name(comments), error.line))?;
        seen.extend(row.comment.subreddit.map(|name| name_key(&name).into_owned()));
    }
    let unknown = policies.subreddits().filter(|(name, _)| !seen.contains(name_key(name).as_ref()));
    Ok(unknown.map(|(name, _)| name.to_owned()).collect())
}
