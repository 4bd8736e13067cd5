//! What the command `modstream` is made of.

pub mod args;
mod audit;
mod commands;
mod display;
mod embedded;
mod pipeline;
mod progress;

use std::io;
use std::process::ExitCode;

use args::{Cli, Command};

/// Runs a command line, and says with which status to end.
///
/// With `--json`, standard output is one line, also on failure: then it has `"error"`. Without, an error goes to standard
/// error.
pub fn run(cli: Cli) -> ExitCode {
    let json = cli.command.wants_json();
    let result = match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Score(args) => commands::score::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match result {
        Ok(status) => status,
        // Whoever reads our output has seen enough, as in `modstream score | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let text = format!("{error:#}");
            if json {
                // Where this can't be written either, the status says it.
                let _ = display::print(&args::failure(&text));
            } else {
                eprintln!("{} {}", console::style("error:").red().bold().for_stderr(), display::one_line(&text));
            }
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
