//! The command line: every command there is. What a command takes stands with it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::common::completions::CompletionsArgs;
use crate::common::display::{failure, print};
use crate::decisions::desk::DeskArgs;
use crate::model::evaluate::EvaluateArgs;
use crate::model::explain::ExplainArgs;
use crate::model::score::ScoreArgs;
use crate::model::thresholds::ThresholdsArgs;
use crate::model::train::TrainArgs;
use crate::pipeline::load::args::LoadArgs;
use crate::pipeline::prepared::DemoArgs;
use crate::policy::check::PolicyCheckArgs;
use crate::policy::suggest::SuggestArgs;
use crate::replay::ReplayArgs;
#[cfg(feature = "aws")]
use crate::{
    decisions::{decide::DecideArgs, desk_link::DeskLinkArgs, pull::DecisionsCommand},
    model::bucket::ModelsCommand,
    operate::{forget::ForgetArgs, function::FunctionArgs, redrive::RedriveArgs, subscribe::SubscribeArgs},
    pipeline::{corpus_push::CorpusCommand, probe::ProbeArgs, send::SendArgs, tail::TailCommand},
    policy::{breaker::BreakerCommand, push::PolicyInBucketCommand},
};

/// Real-time comment moderation: scores comments as they come, and alerts moderators, with the reasons.
#[derive(Debug, Parser)]
#[command(name = "modstream", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Reads the command line, or says with which status to end: after help and version, which are printed here, and after
    /// what can't be understood.
    ///
    /// # Errors
    /// The status, where there is nothing to run.
    pub(crate) fn from_command_line(args: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
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

    /// Whether standard output is one line of JSON, also on failure.
    pub(crate) fn wants_json(&self) -> bool {
        self.command.wants_json()
    }

    /// Runs the command.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        self.command.run()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole road in this process: comments in, predictions, alerts on the screen
    Demo(DemoArgs),
    /// Open the moderators' desk on this machine, with sample alerts to decide about
    Desk(DeskArgs),
    /// Send comments at a constant rate, and measure how long predictions and alerts take
    Load(LoadArgs),
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
    Breaker(BreakerCommand),
    /// Send a comment that always alerts, to see that the whole way works
    #[cfg(feature = "aws")]
    Probe(ProbeArgs),
    /// Moderators' decisions in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Decisions(DecisionsCommand),
    /// Sample comments in a system's bucket
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Corpus(CorpusCommand),
    /// Decide about an alert, or take a decision back
    #[cfg(feature = "aws")]
    Decide(DecideArgs),
    /// Make a link that signs a moderator in at the desk, once
    #[cfg(feature = "aws")]
    DeskLink(DeskLinkArgs),
    /// Remove what a person wrote from a system's bucket
    #[cfg(feature = "aws")]
    Forget(ForgetArgs),
    /// A function as it is deployed: its code, architecture, memory
    #[cfg(feature = "aws")]
    Function(FunctionArgs),
    /// Send comments to a system's stream
    #[cfg(feature = "aws")]
    Send(SendArgs),
    /// Put back on their streams, after a fix, quarantined records and batches that Lambda gave up
    #[cfg(feature = "aws")]
    Redrive(RedriveArgs),
    /// Subscribe a queue or a webhook to alerts
    #[cfg(feature = "aws")]
    Subscribe(SubscribeArgs),
    /// Watch predictions or alerts as they come
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Tail(TailCommand),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

impl Command {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Demo(command) => command.run(),
            Command::Desk(command) => command.run(),
            Command::Load(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Score(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Replay(command) => command.run(),
            Command::Model(command) => command.run(),
            Command::Policy(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Breaker(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Probe(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Decisions(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Corpus(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Decide(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::DeskLink(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Forget(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Function(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Send(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Redrive(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Subscribe(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::Tail(command) => command.run(),
            Command::Completions(command) => command.run(Cli::command()),
        }
    }

    fn wants_json(&self) -> bool {
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
            Command::Decisions(command) => command.wants_json(),
            #[cfg(feature = "aws")]
            Command::Corpus(command) => command.wants_json(),
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
enum ModelCommand {
    /// Show which probability a policy begins at, and what it promises
    Thresholds(ThresholdsArgs),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    InBucket(ModelsCommand),
}

impl ModelCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            ModelCommand::Thresholds(args) => args.run(),
            #[cfg(feature = "aws")]
            ModelCommand::InBucket(command) => command.run(),
        }
    }

    fn wants_json(&self) -> bool {
        match self {
            ModelCommand::Thresholds(args) => args.json,
            #[cfg(feature = "aws")]
            ModelCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check a document, and show the rules that follow from it
    Check(PolicyCheckArgs),
    /// Propose thresholds that kept a promised precision, by what moderators decided
    Suggest(SuggestArgs),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    InBucket(PolicyInBucketCommand),
}

impl PolicyCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            PolicyCommand::Check(args) => args.run(),
            PolicyCommand::Suggest(args) => args.run(),
            #[cfg(feature = "aws")]
            PolicyCommand::InBucket(command) => command.run(),
        }
    }

    fn wants_json(&self) -> bool {
        match self {
            PolicyCommand::Check(args) => args.json,
            PolicyCommand::Suggest(args) => args.json,
            #[cfg(feature = "aws")]
            PolicyCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
