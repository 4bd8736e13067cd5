//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;
use modstream_classifier::BaseRate;
use modstream_report::Subgroup;
use publish_alerts::{Condition, Policy};
use serde_json::json;

use crate::display::{one_line, print};

/// Real-time comment moderation: scores comments as they come, and alerts moderators, with the reasons.
#[derive(Debug, Parser)]
#[command(name = "modstream", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line, or says with which status to end: after help and version, which are printed here, and after
    /// what can't be understood.
    ///
    /// # Errors
    /// The status, where there is nothing to run.
    pub fn from_command_line(args: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        // `cargo demo -- --fast` arrives as `demo -- --fast`: Cargo's alias ends in `-- demo` and appends the rest.
        let mut args: Vec<OsString> = args.into_iter().collect();
        if args.get(1).is_some_and(|arg| arg == "demo") && args.get(2).is_some_and(|arg| arg == "--") {
            args.remove(2);
        }
        Cli::try_parse_from(&args).map_err(|error| {
            if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
                let text = error.render().to_string();
                // Where this can't be written either, the status says it.
                let _ = print(&failure(text.trim_start_matches("error: ")));
                return ExitCode::FAILURE;
            }
            // Nobody reads on where this can't be written.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
        })
    }
}

/// The line that `--json` prints on failure.
pub(crate) fn failure(text: &str) -> String {
    format!("{}\n", json!({ "error": one_line(text) }))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole road in this process: comments in, predictions, alerts on the screen
    Demo(DemoArgs),
    /// Open the moderators' desk on this machine, with sample alerts to decide about
    Desk(DeskArgs),
    /// Send comments at a constant rate, and measure how long predictions and alerts take
    Load(crate::load::args::LoadArgs),
    /// Train a model on comments with moderators' verdicts
    Train(TrainArgs),
    /// Measure a model on comments with moderators' verdicts
    Evaluate(EvaluateArgs),
    /// Score comments: a line of JSON out for a comment in
    Score(ScoreArgs),
    /// Show what makes a text's score
    Explain(ExplainArgs),
    /// Try a model or a policy on comments of another time: which alerts are won, lost, changed
    Replay(ReplayArgs),
    /// Models: what thresholds promise, and what is in a system's bucket
    #[command(subcommand)]
    Model(ModelCommand),
    /// Policies as a document: which comments alert, how many alerts an hour, by subreddit
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Alerts that are withheld because there were too many
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Breaker(crate::aws::args::BreakerCommand),
    /// Send a comment that always alerts, to see that the whole way works
    #[cfg(feature = "aws")]
    Probe(crate::aws::args::ProbeArgs),
    /// Moderators' decisions in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Decisions(crate::aws::args::DecisionsCommand),
    /// Sample comments in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Corpus(crate::aws::args::CorpusCommand),
    /// Decide about an alert, or take a decision back
    #[cfg(feature = "aws")]
    Decide(crate::aws::args::DecideArgs),
    /// Make a link that signs a moderator in at the desk, once
    #[cfg(feature = "aws")]
    DeskLink(crate::aws::args::DeskLinkArgs),
    /// Remove what a person wrote from a system's bucket
    #[cfg(feature = "aws")]
    Forget(crate::aws::args::ForgetArgs),
    /// A function as it is deployed: its code, architecture, memory
    #[cfg(feature = "aws")]
    Function(crate::aws::args::FunctionArgs),
    /// Send comments to a system's stream
    #[cfg(feature = "aws")]
    Send(crate::aws::args::SendArgs),
    /// Put back on their streams, after a fix, quarantined records and batches that Lambda gave up
    #[cfg(feature = "aws")]
    Redrive(crate::aws::args::RedriveArgs),
    /// Subscribe a queue or a webhook to alerts
    #[cfg(feature = "aws")]
    Subscribe(crate::aws::args::SubscribeArgs),
    /// Watch predictions or alerts as they come
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Tail(crate::aws::args::TailCommand),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

impl Command {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Command::Demo(args) => args.json,
            Command::Load(args) => args.json,
            Command::Train(args) => args.json,
            Command::Evaluate(args) => args.json,
            Command::Explain(args) => args.json,
            Command::Replay(args) => args.json,
            Command::Desk(_) | Command::Score(_) | Command::Completions(_) => false,
            Command::Model(command) => command.wants_json(),
            Command::Policy(command) => command.wants_json(),
            #[cfg(feature = "aws")]
            Command::Breaker(command) => command.wants_json(),
            #[cfg(feature = "aws")]
            Command::Probe(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Decisions(crate::aws::args::DecisionsCommand::Pull(args)) => args.json,
            #[cfg(feature = "aws")]
            Command::Corpus(crate::aws::args::CorpusCommand::Push(args)) => args.json,
            #[cfg(feature = "aws")]
            Command::Decide(args) => args.json,
            #[cfg(feature = "aws")]
            Command::DeskLink(_) => false,
            #[cfg(feature = "aws")]
            Command::Forget(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Function(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Send(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Redrive(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Subscribe(args) => args.json,
            #[cfg(feature = "aws")]
            Command::Tail(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Show which probability a policy begins at, and what it promises
    Thresholds(ThresholdsArgs),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    InBucket(crate::aws::args::ModelsCommand),
}

impl ModelCommand {
    fn wants_json(&self) -> bool {
        match self {
            ModelCommand::Thresholds(args) => args.json,
            #[cfg(feature = "aws")]
            ModelCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a document, and show the rules that follow from it
    Check(PolicyCheckArgs),
    /// Propose thresholds that kept a promised precision, by what moderators decided
    Suggest(SuggestArgs),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    InBucket(crate::aws::args::PolicyInBucketCommand),
}

impl PolicyCommand {
    fn wants_json(&self) -> bool {
        match self {
            PolicyCommand::Check(args) => args.json,
            PolicyCommand::Suggest(args) => args.json,
            #[cfg(feature = "aws")]
            PolicyCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream policy check policies.toml
  modstream policy check policies.toml --against comments.jsonl

docs/policies.md explains every field; shared/policy/policies.schema.json is its JSON Schema.")]
pub(crate) struct PolicyCheckArgs {
    /// The document: TOML, or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Warn of subreddits that no comment of this file is of: CSV or JSON Lines; plain, gzip or zstd
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model thresholds --base-rate 0.05
  modstream model thresholds --model models/ours --base-rate 0.05 --policy 'precision>=0.8' --policy 'share<=0.02'")]
pub(crate) struct ThresholdsArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// A policy to show; may be given again [default: some of each kind]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Vec<Policy>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

/// What every command that uses a model takes.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The folder of a model [default: the one built in, trained on r/science]
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// The share of your comments that moderators remove [default: the training data's]
    ///
    /// Probabilities and precision depend on it: a model trained where a third is removed is far too sure where one in fifty
    /// is.
    #[arg(long, value_name = "SHARE", value_parser = base_rate)]
    pub(crate) base_rate: Option<BaseRate>,
}

/// The most comments of a demo, which keeps them all.
pub(crate) const MOST_COMMENTS: u64 = 1_000_000;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream demo                                       ten comments a second, alerts as they come
  modstream demo --fast --comments 600 --json          as fast as it goes, one line of JSON
  modstream demo --input my.jsonl --policy 'precision>=0.7' --base-rate 0.05")]
pub(crate) struct DemoArgs {
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// How many comments to send; rows repeat where the file has fewer [default: 300, of a file every row]
    ///
    /// All that happened is kept in memory until the end, to check it: about 5 KB a comment.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_COMMENTS))]
    pub(crate) comments: Option<u64>,
    /// Comments a second
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = rate, conflicts_with = "fast")]
    pub(crate) rate: f64,
    /// As fast as it goes
    #[arg(long)]
    pub(crate) fast: bool,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7, or what is deployed]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// What the ids of the schedule's events begin with: two runs with the same make the same events
    #[arg(long, value_name = "ID", hide = true)]
    pub(crate) schedule_id: Option<String>,
    /// When the schedule begins, as events tell it
    #[arg(long, value_name = "TIME", hide = true)]
    pub(crate) schedule_time: Option<Timestamp>,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) deployed: crate::aws::args::DeployedArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream desk                                       open the link that it prints; Ctrl-C ends it
  modstream desk --moderator ana --moderator ben       two people at one desk
  modstream desk --input my.jsonl --policy 'precision>=0.7' --base-rate 0.05

Everything is in memory, and gone at the end.")]
pub(crate) struct DeskArgs {
    /// The port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8055)]
    pub(crate) port: u16,
    /// Print the sign-in links, then an alert's link, a line each, and nothing else
    #[arg(long)]
    pub(crate) link_only: bool,
    /// Who signs in; may be given again
    #[arg(long, value_name = "NAME", default_value = "you", value_parser = moderator)]
    pub(crate) moderator: Vec<String>,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

impl DeskArgs {
    /// The policy that was asked for.
    pub(crate) fn policy(&self) -> Policy {
        or_default(self.policy.as_ref())
    }
}

/// A moderator's name.
pub(crate) fn moderator(text: &str) -> Result<String, modstream_decisions::NoModerator> {
    modstream_decisions::moderator(text)
}

/// Which comments alert where nobody says it.
const DEFAULT_CONDITION: Condition = Condition::Probability(0.7);

impl DemoArgs {
    /// The policy that was asked for.
    pub(crate) fn policy(&self) -> Policy {
        or_default(self.policy.as_ref())
    }
}

fn or_default(policy: Option<&Policy>) -> Policy {
    policy.cloned().unwrap_or_else(|| Policy { name: "default".to_owned(), condition: DEFAULT_CONDITION })
}

const DEFAULT_MEMORY_GB: f64 = (modstream_trainer::DEFAULT_MEMORY >> 30) as f64;

fn gigabytes(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|it: &f64| *it > 0.0 && it.is_finite())
        .ok_or_else(|| "a number above 0, such as 4".to_owned())
}

/// Features that a model may do without; words are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// The pieces of words
    Subwords,
    /// Pairs of words
    Pairs,
    /// Length, questions, layout
    Measures,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream train --input removals.csv --output models/ours
  modstream train --input dump.jsonl.zst --output models/ours --about 'r/ours, 2024, moderators' removals'")]
pub(crate) struct TrainArgs {
    /// Comments with verdicts: CSV or JSON Lines with `body` and `removed` (0, 1, true or false); plain, gzip or zstd
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The folder to write the model to; a model there is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// The model's name [default: the folder's]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,
    /// Also learn from moderators' decisions about alerts: a file of `modstream decisions pull`; may be repeated
    ///
    /// They are in every fit and in no measurement, since alerts are no sample of all comments. A decision about a text of
    /// --input is its newer verdict.
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: Vec<PathBuf>,
    /// What the model's card says of where the comments come from
    #[arg(long, value_name = "TEXT")]
    pub(crate) about: Option<String>,
    /// Decides which comment is in which fold of the cross-validation
    #[arg(long, value_name = "N", default_value_t = modstream_trainer::default_settings().seed)]
    pub(crate) seed: u64,
    /// The most words, pairs of words and subwords in the vocabulary, together
    #[arg(long, value_name = "N", default_value_t = modstream_trainer::default_settings().max_features)]
    pub(crate) features: usize,
    /// Do without these features, which scores faster, and less well; may be repeated, or a list with commas
    #[arg(long, value_name = "GROUP", value_enum, value_delimiter = ',')]
    pub(crate) without: Vec<Group>,
    /// The memory that training may take, in GB; above what it holds, weights are found another way, over sparse rows
    #[arg(long, value_name = "GB", default_value_t = DEFAULT_MEMORY_GB, value_parser = gigabytes)]
    pub(crate) memory: f64,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream evaluate --model models/ours --input later-removals.csv
  modstream evaluate --input later-removals.csv --report report.html --subgroup gender=woman,man
  modstream evaluate --live decisions.jsonl          what was claimed, and what moderators said")]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments with verdicts: CSV or JSON Lines with `body` and `removed` (0, 1, true or false); plain, gzip or zstd
    #[arg(long, value_name = "FILE", required_unless_present = "live")]
    pub(crate) input: Option<PathBuf>,
    /// Compare what was claimed about alerts with what moderators decided: a file of `modstream decisions pull`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "model", "base_rate", "report"])]
    pub(crate) live: Option<PathBuf>,
    /// Write a page to look at: curves, calibration, terms, errors, subgroups; a file there is replaced
    ///
    /// One HTML file that needs nothing else. It quotes up to twenty comments.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Which comments alert, in the report: `0.8`, `precision>=0.9` or `share<=0.05` [default: 0.7]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse, requires = "report")]
    pub(crate) policy: Option<Policy>,
    /// Words whose comments the report looks at apart, such as `gender=woman,man`; may be repeated
    #[arg(long = "subgroup", value_name = "NAME=WORD,WORD", requires = "report")]
    pub(crate) subgroups: Vec<Subgroup>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

impl EvaluateArgs {
    /// Which comments alert.
    pub(crate) fn condition(&self) -> Condition {
        self.policy.as_ref().map_or(DEFAULT_CONDITION, |policy| policy.condition)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream policy suggest --decisions decisions.jsonl --precision 0.8")]
pub(crate) struct SuggestArgs {
    /// Moderators' decisions: a file of `modstream decisions pull`
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: PathBuf,
    /// The precision to keep, at the lower end of its 95 % interval
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    pub(crate) precision: f64,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

fn precision(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a precision is above 0 and below 1, for example 0.8".to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream score --input comments.csv > scores.jsonl
  zcat dump.jsonl.gz | modstream score --explain 3

A comment that can't be read becomes {\"line\":n,\"error\":\"...\"} in its place, and the status is 1 at the end.")]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Add the N terms that move each score most, the intercept, and the sum of the others
    #[arg(long, value_name = "N")]
    pub(crate) explain: Option<usize>,
}

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
    pub(crate) deployed: crate::aws::args::ReplayedArgs,
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

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream completions bash > ~/.local/share/bash-completion/completions/modstream")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

fn base_rate(text: &str) -> Result<BaseRate, String> {
    let share = text.parse().map_err(|_| "a base rate is a share above 0 and below 1, such as 0.05".to_owned())?;
    BaseRate::new(share).map_err(|error| error.to_string())
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=10_000.0).contains(rate));
    rate.ok_or_else(|| "a rate is a number of comments a second from 0.01 to 10000, such as 10".to_owned())
}

/// A model's name is part of keys in a bucket.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with no dot".to_owned())
    }
}

impl TrainArgs {
    /// The model's name: the one given, or the output folder's as far as it can be one.
    pub(crate) fn model_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let folder = self.output.file_name().and_then(|folder| folder.to_str());
            folder.and_then(|folder| name(folder).ok()).unwrap_or_else(|| "model".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn demo(args: &[&str]) -> DemoArgs {
        let args = ["modstream", "demo"].iter().chain(args).map(OsString::from);
        match Cli::from_command_line(args).map(|cli| cli.command) {
            Ok(Command::Demo(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_double_dash_right_behind_demo_is_dropped() {
        assert!(demo(&["--fast"]).fast && demo(&["--", "--fast"]).fast);
        assert!(!demo(&["--"]).fast && !demo(&[]).fast);
    }
}
