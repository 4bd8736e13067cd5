//! The command `modstream`.

use std::process::ExitCode;

use modstream_cli::args::Cli;

fn main() -> ExitCode {
    modstream_cli::run(Cli::from_command_line(std::env::args_os()))
}
