//! What the command `modstream` is made of.

pub mod args;
mod audit;
#[cfg(feature = "aws")]
mod aws;
mod commands;
mod corpus;
mod desk;
mod display;
mod embedded;
mod interrupt;
mod load;
mod output;
mod pipeline;
mod policies;
mod progress;
mod replay;
mod screen;
mod system;

use std::io;
use std::process::ExitCode;

use args::{Cli, Command, ModelCommand, PolicyCommand};

/// Runs a command line, and says with which status to end.
///
/// With `--json`, standard output is one line, also on failure: then it has `"error"`. Without, an error goes to standard
/// error.
pub fn run(cli: Cli) -> ExitCode {
    let json = cli.command.wants_json();
    let result = match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Desk(args) => commands::desk::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Score(args) => commands::score::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Model(ModelCommand::Thresholds(args)) => commands::thresholds::run(&args),
        Command::Policy(PolicyCommand::Suggest(args)) => commands::suggest::run(&args),
        #[cfg(feature = "aws")]
        Command::Decisions(aws::decisions::DecisionsCommand::Pull(args)) => aws::decisions::run(&args),
        #[cfg(feature = "aws")]
        Command::Model(ModelCommand::InBucket(command)) => aws::model::run(&command),
        Command::Policy(PolicyCommand::Check(args)) => commands::policy::check(&args),
        #[cfg(feature = "aws")]
        Command::Policy(PolicyCommand::InBucket(command)) => aws::policies::run(&command),
        #[cfg(feature = "aws")]
        Command::Breaker(command) => aws::breaker::run(&command),
        #[cfg(feature = "aws")]
        Command::Probe(args) => aws::probe::run(&args),
        #[cfg(feature = "aws")]
        Command::Corpus(aws::corpus::CorpusCommand::Push(args)) => aws::corpus::run(&args),
        #[cfg(feature = "aws")]
        Command::Decide(args) => aws::decide::run(&args),
        #[cfg(feature = "aws")]
        Command::DeskLink(args) => aws::desk_link::run(&args),
        #[cfg(feature = "aws")]
        Command::Forget(args) => aws::forget::run(&args),
        #[cfg(feature = "aws")]
        Command::Function(args) => aws::function::run(&args),
        #[cfg(feature = "aws")]
        Command::Send(args) => aws::send::run(&args),
        #[cfg(feature = "aws")]
        Command::Redrive(args) => aws::redrive::run(&args),
        #[cfg(feature = "aws")]
        Command::Subscribe(args) => aws::subscribe::run(&args),
        #[cfg(feature = "aws")]
        Command::Tail(command) => aws::tail::run(&command),
    };
    match result {
        Ok(status) => status,
        // Whoever reads our output has seen enough, as in `modstream score | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        #[cfg(feature = "aws")]
        Err(error) if error.is::<aws::Stopped>() => {
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
        let _ = display::print(&args::failure(&text));
    } else {
        eprintln!("{} {}", console::style("error:").red().bold().for_stderr(), display::one_line(&text));
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
