//! The command line: its commands, and what several of them take. What one takes stands with it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use modstream_classifier::BaseRate;
use publish_alerts::{Condition, Policy};
use serde_json::json;

use crate::commands::completions::CompletionsArgs;
use crate::commands::demo::DemoArgs;
use crate::commands::desk::DeskArgs;
use crate::commands::evaluate::EvaluateArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::policy::PolicyCheckArgs;
use crate::commands::replay::ReplayArgs;
use crate::commands::score::ScoreArgs;
use crate::commands::suggest::SuggestArgs;
use crate::commands::thresholds::ThresholdsArgs;
use crate::commands::train::TrainArgs;
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
    Breaker(crate::aws::breaker::BreakerCommand),
    /// Send a comment that always alerts, to see that the whole way works
    #[cfg(feature = "aws")]
    Probe(crate::aws::probe::ProbeArgs),
    /// Moderators' decisions in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Decisions(crate::aws::decisions::DecisionsCommand),
    /// Sample comments in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Corpus(crate::aws::corpus::CorpusCommand),
    /// Decide about an alert, or take a decision back
    #[cfg(feature = "aws")]
    Decide(crate::aws::decide::DecideArgs),
    /// Make a link that signs a moderator in at the desk, once
    #[cfg(feature = "aws")]
    DeskLink(crate::aws::desk_link::DeskLinkArgs),
    /// Remove what a person wrote from a system's bucket
    #[cfg(feature = "aws")]
    Forget(crate::aws::forget::ForgetArgs),
    /// A function as it is deployed: its code, architecture, memory
    #[cfg(feature = "aws")]
    Function(crate::aws::function::FunctionArgs),
    /// Send comments to a system's stream
    #[cfg(feature = "aws")]
    Send(crate::aws::send::SendArgs),
    /// Put back on their streams, after a fix, quarantined records and batches that Lambda gave up
    #[cfg(feature = "aws")]
    Redrive(crate::aws::redrive::RedriveArgs),
    /// Subscribe a queue or a webhook to alerts
    #[cfg(feature = "aws")]
    Subscribe(crate::aws::subscribe::SubscribeArgs),
    /// Watch predictions or alerts as they come
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Tail(crate::aws::tail::TailCommand),
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
            Command::Decisions(crate::aws::decisions::DecisionsCommand::Pull(args)) => args.json,
            #[cfg(feature = "aws")]
            Command::Corpus(crate::aws::corpus::CorpusCommand::Push(args)) => args.json,
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
    InBucket(crate::aws::model::ModelsCommand),
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
    InBucket(crate::aws::policies::PolicyInBucketCommand),
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

/// A moderator's name.
pub(crate) fn moderator(text: &str) -> Result<String, modstream_decisions::NoModerator> {
    modstream_decisions::moderator(text)
}

/// Which comments alert where nobody says it.
pub(crate) const DEFAULT_CONDITION: Condition = Condition::Probability(0.7);

pub(crate) fn or_default(policy: Option<&Policy>) -> Policy {
    policy.cloned().unwrap_or_else(|| Policy { name: "default".to_owned(), condition: DEFAULT_CONDITION })
}

pub(crate) fn base_rate(text: &str) -> Result<BaseRate, String> {
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
