//! What a replay is asked to do.

use std::path::{Path, PathBuf};

use clap::Args;
#[cfg(feature = "aws")]
use clap::builder::NonEmptyStringValueParser;
#[cfg(feature = "aws")]
use jiff::Timestamp;
use publish_alerts::Policy;

use crate::common::args::{HarmArgs, ModelArgs, or_default};
#[cfg(feature = "aws")]
use crate::common::aws_args::time;
use crate::common::output::{OutputError, OutputFile};
#[cfg(feature = "aws")]
use crate::common::reached::ReachArgs;
use crate::common::reading::LabelledArgs;
#[cfg(feature = "aws")]
use crate::common::usage::Usage;

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Comments: CSV with a column `body`, JSON Lines, or objects of the archive (`*.jsonl.zst`); plain, gzip or zstd
    #[arg(long, value_name = "FILE", num_args = 1.., required = cfg!(not(feature = "aws")))]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    /// The document of policies to try, in place of --policy: TOML, or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub(crate) policies: Option<PathBuf>,
    /// The folder of the model to compare with [default: the one built in; of an archive or a stream, what did alert]
    #[arg(long, value_name = "DIR")]
    pub(crate) against_model: Option<PathBuf>,
    /// The policy to compare with [default: 0.7; of an archive or a stream, what did alert]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) against_policy: Option<Policy>,
    /// Moderators' verdicts by the comment's `id`, in a file as --input has, with `removed`; those of --input come first
    #[arg(long, value_name = "FILE")]
    pub(crate) verdicts: Option<PathBuf>,
    /// Write a page to look at; a file there is replaced. It quotes up to thirty comments
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) labelled: LabelledArgs,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) deployed: ReplayedArgs,
}

#[cfg(not(feature = "aws"))]
const REPLAY_EXAMPLES: &str = "Examples:
  modstream replay --input removals.csv --model models/new
  modstream replay --input removals.csv --policy 'precision>=0.8' --against-policy 0.7
  modstream replay --input removals.csv --policies policies.toml

An alert of a document of policies counts also where it is held back.";

#[cfg(feature = "aws")]
const REPLAY_EXAMPLES: &str = "Examples:
  modstream replay --input removals.csv --model models/new
  modstream replay --input removals.csv --policy 'precision>=0.8' --against-policy 0.7
  modstream replay --input removals.csv --policies policies.toml
  modstream replay --from 7d --model models/new --verdicts removals.csv     the archive, beside what did alert
  modstream replay --from 2h --stream --policy 0.8

Files are compared with the model built in and the policy 0.7, or what --against-model and --against-policy say. An alert of a
document of policies counts also where it is held back. What is left out is named, and the status is 1 at the end where
something could not be read.";

impl ReplayArgs {
    /// The policy to try.
    pub(crate) fn policy(&self) -> Policy {
        or_default(self.policy.as_ref())
    }

    /// The files that are read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.input.iter().chain(&self.verdicts).chain(&self.policies).map(PathBuf::as_path)
    }

    /// The page to write, where one is asked for: it can be written, and is none of the files that are read.
    pub(crate) fn page(&self) -> Result<Option<OutputFile>, OutputError> {
        self.report.as_deref().map(|path| OutputFile::new(path, self.inputs())).transpose()
    }

    /// The policy to compare with.
    pub(crate) fn against_policy(&self) -> Policy {
        or_default(self.against_policy.as_ref())
    }
}

/// What a replay of a system takes.
#[cfg(feature = "aws")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReplayedArgs {
    /// Replay the archive of a system from this time on: a time such as `2026-01-05T10:00:00Z`, or a time ago such as `7d`
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) from: Option<Timestamp>,
    /// Replay comments until this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) to: Option<Timestamp>,
    /// Read the stream itself in place of the archive, as far back as it keeps records
    #[arg(long, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) stream: bool,
    #[command(flatten)]
    pub(crate) comments: CommentsStreamArgs,
    /// The system's bucket: the archive
    #[arg(long, value_name = "NAME", env = "MODSTREAM_BUCKET", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) bucket: Option<String>,
    /// The system's table: the alerts there were
    #[arg(long, value_name = "NAME", env = "MODSTREAM_TABLE", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[cfg(feature = "aws")]
impl ReplayedArgs {
    /// Refuses what means nothing for files.
    pub(crate) fn needs_no_files(&self) -> anyhow::Result<()> {
        match self.reach.given().next() {
            Some(flag) => Err(Usage::error(format!("{flag} goes with --from or --stream; --input reads files"))),
            None => Ok(()),
        }
    }
}

/// A system's stream of comments, where a command can do without.
#[cfg(feature = "aws")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CommentsStreamArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) comments_stream: Option<String>,
}
