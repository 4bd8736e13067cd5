//! What the command `modstream` is made of.

mod command;
mod common;
mod decisions;
#[cfg(feature = "aws")]
mod ingest;
mod model;
mod operate;
mod pipeline;
mod policy;
mod replay;
#[cfg(feature = "aws")]
mod serve;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use command::Cli;
use common::display;
use common::usage::Usage;

/// Reads a command line and runs it, and says with which status to end.
///
/// With `--json`, standard output is one line, also on failure: then it has `"error"`. Without, an error goes to
/// standard error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::from_command_line(args) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let json = cli.wants_json();
    match cli.run() {
        Ok(status) => status,
        // Whoever reads our output has seen enough, as in `modstream score | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        #[cfg(feature = "aws")]
        Err(error) if error.is::<common::connection::Stopped>() => {
            tell(&error, json);
            ExitCode::from(130)
        }
        Err(error) if error.is::<Usage>() => {
            tell(&error, json);
            ExitCode::from(2)
        }
        Err(error) => {
            tell(&error, json);
            ExitCode::FAILURE
        }
    }
}

fn tell(error: &anyhow::Error, json: bool) {
    let text = display::in_full(error);
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
