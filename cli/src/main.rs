//! The command `modstream`.

use std::process::ExitCode;

fn main() -> ExitCode {
    modstream_cli::run(std::env::args_os())
}
