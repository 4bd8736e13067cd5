//! What the command `modstream` is made of.

mod command;
mod common;
mod decisions;
mod model;
mod operate;
mod pipeline;
mod policy;
mod replay;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use command::{Cli, Command, ModelCommand, PolicyCommand};
use common::display;

/// Reads a command line and runs it, and says with which status to end.
///
/// With `--json`, standard output is one line, also on failure: then it has `"error"`. Without, an error goes to standard
/// error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::from_command_line(args) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let json = cli.command.wants_json();
    let result = match cli.command {
        Command::Demo(args) => pipeline::demo::run(&args),
        Command::Desk(args) => decisions::desk::run(&args),
        Command::Load(args) => pipeline::load::run(&args),
        Command::Train(args) => model::train::run(&args),
        Command::Evaluate(args) => model::evaluate::run(&args),
        Command::Score(args) => model::score::run(&args),
        Command::Explain(args) => model::explain::run(&args),
        Command::Replay(args) => replay::command::run(&args),
        Command::Completions(args) => common::completions::run(&args),
        Command::Model(ModelCommand::Thresholds(args)) => model::thresholds::run(&args),
        Command::Policy(PolicyCommand::Suggest(args)) => policy::suggest::run(&args),
        #[cfg(feature = "aws")]
        Command::Decisions(decisions::pull::DecisionsCommand::Pull(args)) => decisions::pull::run(&args),
        #[cfg(feature = "aws")]
        Command::Model(ModelCommand::InBucket(command)) => model::bucket::run(&command),
        Command::Policy(PolicyCommand::Check(args)) => policy::check::check(&args),
        #[cfg(feature = "aws")]
        Command::Policy(PolicyCommand::InBucket(command)) => policy::push::run(&command),
        #[cfg(feature = "aws")]
        Command::Breaker(command) => policy::breaker::run(&command),
        #[cfg(feature = "aws")]
        Command::Probe(args) => pipeline::probe::run(&args),
        #[cfg(feature = "aws")]
        Command::Corpus(pipeline::corpus_push::CorpusCommand::Push(args)) => pipeline::corpus_push::run(&args),
        #[cfg(feature = "aws")]
        Command::Decide(args) => decisions::decide::run(&args),
        #[cfg(feature = "aws")]
        Command::DeskLink(args) => decisions::desk_link::run(&args),
        #[cfg(feature = "aws")]
        Command::Forget(args) => operate::forget::run(&args),
        #[cfg(feature = "aws")]
        Command::Function(args) => operate::function::run(&args),
        #[cfg(feature = "aws")]
        Command::Send(args) => pipeline::send::run(&args),
        #[cfg(feature = "aws")]
        Command::Redrive(args) => operate::redrive::run(&args),
        #[cfg(feature = "aws")]
        Command::Subscribe(args) => operate::subscribe::run(&args),
        #[cfg(feature = "aws")]
        Command::Tail(command) => pipeline::tail::run(&command),
    };
    match result {
        Ok(status) => status,
        // Whoever reads our output has seen enough, as in `modstream score | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        #[cfg(feature = "aws")]
        Err(error) if error.is::<common::connection::Stopped>() => {
            tell(&error, json);
            ExitCode::from(130)
        }
        Err(error) => {
            tell(&error, json);
            ExitCode::FAILURE
        }
    }
}

fn tell(error: &anyhow::Error, json: bool) {
    let text = format!("{error:#}");
    if json {
        // Where this can't be written either, the status says it.
        let _ = display::print(&display::failure(&text));
    } else {
        eprintln!("{} {}", console::style("error:").red().bold().for_stderr(), display::one_line(&text));
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
