//! `cargo xtask simulate`: builds the simulation for speed, and runs it.

use std::process::ExitCode;

use clap::Args;

use crate::{cargo, command, interrupt};

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct SimulateArgs {
    /// Of the simulation: `--help` says what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

const PACKAGE: [&str; 5] = ["run", "--release", "--quiet", "--package", "modstream-simulation"];

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let mut all = PACKAGE.to_vec();
    // What is simulated without a mutation is built as it ships.
    if args.arguments.iter().any(|argument| argument.starts_with("--mutate")) {
        all.extend(["--features", "mutations"]);
    }
    all.push("--");
    all.extend(args.arguments.iter().map(String::as_str));
    let status = command::shown(&mut cargo::command(&all))?;
    interrupt::check()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What `cargo xtask test` runs of it.
pub(crate) fn test() -> anyhow::Result<()> {
    cargo::run(&[&PACKAGE[..], &["--", "--plans", "10000"]].concat(), &[])
}
