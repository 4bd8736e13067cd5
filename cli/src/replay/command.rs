use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use modstream_corpus::Reader;
use publish_alerts::Policy;

use crate::common::args::{ModelArgs, or_default};
use crate::common::display::{one_line, print};
use crate::common::output::OutputFile;
use crate::model::embedded;
use crate::replay::{Files, Functions, Shown, Source, Was, replay};

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Comments: CSV with a column `body`, JSON Lines, or objects of the archive (`*.jsonl.zst`); plain, gzip or zstd
    #[arg(long, value_name = "FILE", num_args = 1.., required = cfg!(not(feature = "aws")))]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
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
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) deployed: crate::replay::of_a_system::ReplayedArgs,
}

#[cfg(not(feature = "aws"))]
const REPLAY_EXAMPLES: &str = "Examples:
  modstream replay --input removals.csv --model models/new
  modstream replay --input removals.csv --policy 'precision>=0.8' --against-policy 0.7";

#[cfg(feature = "aws")]
const REPLAY_EXAMPLES: &str = "Examples:
  modstream replay --input removals.csv --model models/new
  modstream replay --input removals.csv --policy 'precision>=0.8' --against-policy 0.7
  modstream replay --from 7d --model models/new --verdicts removals.csv     the archive, beside what did alert
  modstream replay --from 2h --stream --policy 0.8

Files are compared with the model built in and the policy 0.7, or what --against-model and --against-policy say. What is left
out is named, and the status is 1 at the end where something could not be read.";

impl ReplayArgs {
    /// The policy to try.
    pub(crate) fn policy(&self) -> Policy {
        or_default(self.policy.as_ref())
    }

    /// The policy to compare with.
    pub(crate) fn against_policy(&self) -> Policy {
        or_default(self.against_policy.as_ref())
    }
}

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    // A panic's message may quote a comment.
    kinesis_batch::install_panic_hook();
    #[cfg(feature = "aws")]
    if args.input.is_empty() {
        return crate::replay::of_a_system::run(args);
    }
    #[cfg(feature = "aws")]
    args.deployed.needs_no_files()?;
    let against = against(args)?;
    let mut files = Files::open(&args.input)?;
    let from = match &args.input[..] {
        [file] => file.display().to_string(),
        several => format!("{} files", several.len()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Box::pin(compare(args, &from, &mut files, against)))
}

/// The functions with the model and policy to try.
pub(crate) fn tried(args: &ReplayArgs) -> anyhow::Result<Functions> {
    functions(args, args.model.model.as_deref(), args.policy())
}

/// The functions with the model and policy to compare with.
pub(crate) fn against(args: &ReplayArgs) -> anyhow::Result<Functions> {
    functions(args, args.against_model.as_deref(), args.against_policy())
}

fn functions(args: &ReplayArgs, folder: Option<&Path>, policy: Policy) -> anyhow::Result<Functions> {
    let files = embedded::model_files(folder)?;
    let (_, manifest) = embedded::check(&files, folder)?;
    Ok(Functions::new(files, manifest, args.model.base_rate, policy))
}

/// Replays, and shows the difference.
pub(crate) async fn compare(
    args: &ReplayArgs,
    from: &str,
    source: &mut impl Source,
    mut was: impl Was,
) -> anyhow::Result<ExitCode> {
    // Before the work, not after.
    let inputs = || args.input.iter().chain(&args.verdicts);
    let none = Path::new("").to_owned();
    let mut output = None;
    if let Some(path) = &args.report {
        for input in inputs().chain([&none]) {
            output = Some(OutputFile::new(path, input)?);
        }
    }
    let now = tried(args)?;
    let verdicts = args.verdicts.as_deref().map(verdicts).transpose()?.unwrap_or_default();
    let started = Instant::now();
    let difference = replay(source, &mut was, &now, &verdicts).await?;
    let mut left_out = source.left_out();
    left_out.unreadable.extend_from_slice(was.unreadable());
    if difference.comments == 0 {
        let cause = left_out.unreadable.first().map(|(name, error)| format!("; {name}: {error}"));
        let cause = cause.or_else(|| left_out.bad_examples.first().map(|example| format!("; {example}")));
        anyhow::bail!("{from}: there are no comments in it{}", cause.unwrap_or_default());
    }
    let (was, now) = (was.side(), now.named());
    let seconds = started.elapsed().as_secs_f64();
    let shown = Shown { from, was: &was, now: &now, difference: &difference, left_out: &left_out, seconds };
    if let Some(output) = &output {
        output.write(&shown.page())?;
    }
    print(&if args.json { shown.json() } else { shown.text() })?;
    if let (Some(report), false) = (&args.report, args.json) {
        print(&format!("\nreport written to {}\n", report.display()))?;
    }
    let is_whole = left_out.unreadable.is_empty() && left_out.bad_rows == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Verdicts by the comment's id.
fn verdicts(path: &Path) -> anyhow::Result<HashMap<String, bool>> {
    let mut verdicts = HashMap::new();
    for row in Reader::open(path)? {
        let row = row.map_err(|error| anyhow::anyhow!("line {}: {error}", error.line));
        let row = row.with_context(|| path.display().to_string())?;
        if let (Some(id), Some(removed)) = (row.comment.id, row.removed) {
            verdicts.insert(id.into_owned(), removed);
        }
    }
    anyhow::ensure!(
        !verdicts.is_empty(),
        "{}: no row has both `id` and `removed`, so there are no verdicts in it",
        one_line(&path.display().to_string())
    );
    Ok(verdicts)
}
