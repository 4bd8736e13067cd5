//! The command line: every command there is. What a command takes stands with it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::common::completions::CompletionsArgs;
use crate::common::display::{failure, print};
use crate::common::help::by_topic;
use crate::common::mistakes::{Lacks, explained};
use crate::decisions::desk::DeskArgs;
use crate::model::base_rate::BaseRateArgs;
use crate::model::compare::CompareArgs;
use crate::model::evaluate::EvaluateArgs;
use crate::model::explain::ExplainArgs;
use crate::model::score::ScoreArgs;
use crate::model::thresholds::ThresholdsArgs;
use crate::model::train::TrainArgs;
use crate::pipeline::load::args::LoadArgs;
use crate::pipeline::prepared::DemoArgs;
use crate::policy::check::PolicyCheckArgs;
use crate::policy::suggest::SuggestArgs;
use crate::policy::test::PolicyTestArgs;
use crate::replay::ReplayArgs;
#[cfg(feature = "aws")]
use crate::{
    common::reached::on_one_machine,
    decisions::{decide::DecideArgs, desk_link::DeskLinkArgs, feedback::FeedbackCommand, pull::DecisionsCommand},
    ingest::IngestCommand,
    model::bucket::ModelsCommand,
    operate::{
        backup::BackupArgs, forget::ForgetArgs, function::FunctionArgs, key::KeyCommand, redrive::RedriveArgs,
        subscribe::SubscribeArgs,
    },
    pipeline::{corpus_push::CorpusCommand, probe::ProbeArgs, send::SendArgs, tail::TailCommand},
    policy::{breaker::BreakerCommand, push::PolicyInBucketCommand},
    serve::ServeArgs,
};

/// Real-time comment moderation: scores comments as they come, and alerts moderators, with the reasons.
#[derive(Debug, Parser)]
#[command(name = "modstream", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Reads the command line, or says with which status to end: after help and version, which are printed here, and
    /// after what can't be understood.
    ///
    /// # Errors
    /// The status, where there is nothing to run.
    pub(crate) fn from_command_line(args: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        // `cargo demo -- --fast` arrives as `demo -- --fast`: Cargo's alias ends in `-- demo` and appends the rest.
        let mut args: Vec<OsString> = args.into_iter().collect();
        if args.get(1).is_some_and(|arg| arg == "demo") && args.get(2).is_some_and(|arg| arg == "--") {
            args.remove(2);
        }
        let command_line = by_topic(Cli::command());
        #[cfg(feature = "aws")]
        let command_line = match args.iter().any(names_data) {
            true => on_one_machine(command_line),
            false => command_line,
        };
        let parsed = command_line.clone().try_get_matches_from(&args);
        parsed.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
            let error = explained(error, &command_line, &args, Lacks::THIS_BUILD);
            let status = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
            // Where this can't be written, nobody reads on; the status says it all the same.
            let _ = if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
                print(&failure(error.render().to_string().trim_start_matches("error: ")))
            } else {
                error.print()
            };
            status
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

/// Whether an argument says `--data`.
#[cfg(feature = "aws")]
fn names_data(arg: &OsString) -> bool {
    arg.to_string_lossy().strip_prefix("--data").is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole pipeline in this process: comments in, alerts on the screen
    Demo(DemoArgs),
    /// Open the moderators' desk on this machine, with sample alerts to decide about
    Desk(DeskArgs),
    /// Send comments at a constant rate, and measure how long predictions and alerts take
    Load(LoadArgs),
    /// Train a model on comments with moderators' verdicts
    Train(TrainArgs),
    /// Measure a model on comments with moderators' verdicts
    Evaluate(EvaluateArgs),
    /// Score comments: a line of JSON out for each comment in
    Score(ScoreArgs),
    /// Show which terms make a text's score
    Explain(ExplainArgs),
    /// Try a model or a policy on past comments: which alerts are won, lost or changed
    Replay(Box<ReplayArgs>),
    /// Show what thresholds promise; push, promote and list the models of a system
    #[command(subcommand)]
    Model(ModelCommand),
    /// Check, test, suggest, push and show policies: which comments alert, and where
    #[command(subcommand)]
    Policy(PolicyCommand),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    OnAws(AwsCommand),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

/// The commands that operate a system, on AWS or on this machine. What a build without AWS says of them stands in
/// [`ONLY_WITH_AWS`](crate::common::mistakes::ONLY_WITH_AWS).
#[cfg(feature = "aws")]
#[derive(Debug, Subcommand)]
enum AwsCommand {
    /// Copy the data of this machine's system, while it runs
    Backup(BackupArgs),
    /// Show and close the breaker, which holds alerts back when there are too many
    #[command(subcommand)]
    Breaker(BreakerCommand),
    /// Send a comment that always alerts, to see that the whole pipeline works
    Probe(ProbeArgs),
    /// Pull moderators' decisions out of a system
    #[command(subcommand)]
    Decisions(DecisionsCommand),
    /// Push sample comments into a system's bucket
    #[command(subcommand)]
    Corpus(CorpusCommand),
    /// Decide about an alert, or take a decision back
    Decide(DecideArgs),
    /// Make a link that signs a moderator in at the desk, once
    DeskLink(DeskLinkArgs),
    /// Pull what others say that comments should have got
    #[command(subcommand)]
    Feedback(FeedbackCommand),
    /// Remove what a person wrote from a system
    Forget(ForgetArgs),
    /// Show a function as it is deployed: its code, architecture, memory
    Function(FunctionArgs),
    /// Bring comments in from forums as they are written: a long-running process
    #[command(subcommand)]
    Ingest(Box<IngestCommand>),
    /// Make, list and revoke keys: who may send, check and give feedback over HTTP
    #[command(subcommand)]
    Key(KeyCommand),
    /// Send comments to a system's stream
    Send(SendArgs),
    /// Run the whole system on this machine, over one file
    Serve(Box<ServeArgs>),
    /// Put quarantined records, and batches that Lambda gave up, back on their streams
    Redrive(RedriveArgs),
    /// Subscribe a queue or a webhook to alerts, or an address or a phone to digests
    Subscribe(SubscribeArgs),
    /// Watch predictions or alerts as they come
    #[command(subcommand)]
    Tail(TailCommand),
}

impl Command {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Demo(args) => args.run(),
            Command::Desk(args) => args.run(),
            Command::Load(args) => args.run(),
            Command::Train(args) => args.run(),
            Command::Evaluate(args) => args.run(),
            Command::Score(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Replay(args) => args.run(),
            Command::Model(command) => command.run(),
            Command::Policy(command) => command.run(),
            #[cfg(feature = "aws")]
            Command::OnAws(command) => command.run(),
            Command::Completions(args) => args.run(Cli::command()),
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
            Command::OnAws(command) => command.wants_json(),
        }
    }
}

#[cfg(feature = "aws")]
impl AwsCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            AwsCommand::Backup(args) => args.run(),
            AwsCommand::Breaker(command) => command.run(),
            AwsCommand::Probe(args) => args.run(),
            AwsCommand::Decisions(command) => command.run(),
            AwsCommand::Corpus(command) => command.run(),
            AwsCommand::Decide(args) => args.run(),
            AwsCommand::DeskLink(args) => args.run(),
            AwsCommand::Feedback(command) => command.run(),
            AwsCommand::Forget(args) => args.run(),
            AwsCommand::Function(args) => args.run(),
            AwsCommand::Ingest(command) => command.run(),
            AwsCommand::Key(command) => command.run(),
            AwsCommand::Send(args) => args.run(),
            AwsCommand::Serve(args) => args.run(),
            AwsCommand::Redrive(args) => args.run(),
            AwsCommand::Subscribe(args) => args.run(),
            AwsCommand::Tail(command) => command.run(),
        }
    }

    fn wants_json(&self) -> bool {
        match self {
            AwsCommand::Backup(args) => args.json,
            AwsCommand::Breaker(command) => command.wants_json(),
            AwsCommand::Probe(args) => args.json,
            AwsCommand::Decisions(command) => command.wants_json(),
            AwsCommand::Corpus(command) => command.wants_json(),
            AwsCommand::Decide(args) => args.json,
            AwsCommand::DeskLink(_) => false,
            AwsCommand::Feedback(command) => command.wants_json(),
            AwsCommand::Forget(args) => args.json,
            AwsCommand::Function(args) => args.json,
            AwsCommand::Ingest(command) => command.wants_json(),
            AwsCommand::Key(command) => command.wants_json(),
            AwsCommand::Send(args) => args.json,
            AwsCommand::Serve(args) => args.json,
            AwsCommand::Redrive(args) => args.system.json,
            AwsCommand::Subscribe(args) => args.json,
            AwsCommand::Tail(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Show which probability a policy begins at, and what it promises
    Thresholds(ThresholdsArgs),
    /// Compare two models on the same rows: what differs, how sure that is, and where
    Compare(CompareArgs),
    /// Read off unlabelled comments what share of them is to be removed
    BaseRate(BaseRateArgs),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    InBucket(Box<ModelsCommand>),
}

impl ModelCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            ModelCommand::Thresholds(args) => args.run(),
            ModelCommand::Compare(args) => args.run(),
            ModelCommand::BaseRate(args) => args.run(),
            #[cfg(feature = "aws")]
            ModelCommand::InBucket(command) => command.run(),
        }
    }

    fn wants_json(&self) -> bool {
        match self {
            ModelCommand::Thresholds(args) => args.json,
            ModelCommand::Compare(args) => args.json,
            ModelCommand::BaseRate(args) => args.json,
            #[cfg(feature = "aws")]
            ModelCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check a document, and show the rules that follow from it
    Check(PolicyCheckArgs),
    /// Show what becomes of comments under a document: which alert, and why
    Test(PolicyTestArgs),
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
            PolicyCommand::Test(args) => args.run(),
            PolicyCommand::Suggest(args) => args.run(),
            #[cfg(feature = "aws")]
            PolicyCommand::InBucket(command) => command.run(),
        }
    }

    fn wants_json(&self) -> bool {
        match self {
            PolicyCommand::Check(args) => args.json,
            PolicyCommand::Test(args) => args.json,
            PolicyCommand::Suggest(args) => args.json,
            #[cfg(feature = "aws")]
            PolicyCommand::InBucket(command) => command.wants_json(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::help::TOPICS;
    use crate::common::mistakes::ONLY_WITH_AWS;
    #[cfg(feature = "aws")]
    use crate::common::mistakes::OPTIONS_ONLY_WITH_AWS;

    fn demo(args: &[&str]) -> DemoArgs {
        let args = ["modstream", "demo"].iter().chain(args).map(OsString::from);
        match Cli::from_command_line(args).map(|cli| cli.command) {
            Ok(Command::Demo(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        by_topic(Cli::command()).debug_assert();
    }

    #[test]
    fn every_command_has_one_topic() {
        let mut command_line = Cli::command();
        command_line.build();
        let mut known: Vec<&str> = command_line.get_subcommands().map(clap::Command::get_name).collect();
        let mut listed: Vec<&str> = TOPICS.iter().flat_map(|(_, commands)| *commands).copied().collect();
        if cfg!(not(feature = "aws")) {
            listed.retain(|command| !ONLY_WITH_AWS.contains(command));
        }
        known.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, known);
    }

    #[cfg(feature = "aws")]
    #[test]
    fn what_a_build_without_aws_says_that_it_lacks_are_the_commands_that_reach_aws() {
        let names = |command: clap::Command, above: &str| -> Vec<String> {
            command.get_subcommands().map(|command| format!("{above}{}", command.get_name())).collect()
        };
        let mut all = names(AwsCommand::augment_subcommands(clap::Command::new("all")), "");
        all.extend(names(ModelsCommand::augment_subcommands(clap::Command::new("model")), "model "));
        all.extend(names(PolicyInBucketCommand::augment_subcommands(clap::Command::new("policy")), "policy "));
        all.sort_unstable();
        assert_eq!(all, ONLY_WITH_AWS);
    }

    #[cfg(feature = "aws")]
    #[test]
    fn the_options_that_a_build_without_aws_says_that_it_lacks_are_those_of_commands_that_it_has() {
        let command_line = Cli::command();
        let mut options: Vec<String> = Vec::new();
        for name in ["demo", "replay"] {
            let command = command_line.find_subcommand(name).expect("a command");
            let is_of_a_system = |heading| matches!(heading, Some("AWS" | "On one machine"));
            let aws = command.get_arguments().filter(|arg| is_of_a_system(arg.get_help_heading()));
            options.extend(aws.filter_map(|arg| Some(format!("--{}", arg.get_long()?))));
        }
        options.sort_unstable();
        options.dedup();
        assert_eq!(options, OPTIONS_ONLY_WITH_AWS);
    }

    #[test]
    fn a_double_dash_right_behind_demo_is_dropped() {
        assert!(demo(&["--fast"]).fast && demo(&["--", "--fast"]).fast);
        assert!(!demo(&["--"]).fast && !demo(&[]).fast);
    }
}
