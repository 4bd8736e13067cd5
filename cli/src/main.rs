//! The command `modstream`.

use std::process::ExitCode;

use modstream_cli::args::Cli;

fn main() -> ExitCode {
    Cli::from_command_line(std::env::args_os()).map_or_else(|status| status, modstream_cli::run)
}
