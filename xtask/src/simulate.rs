//! `cargo xtask simulate`: builds the simulation for speed, and runs it.

use std::process::{Command, ExitCode};

use anyhow::ensure;
use clap::Args;

use crate::cargo::{DEMO, DEMO_COMMAND, Programs, TELLS_PROGRAMS};
use crate::{cargo, command, interrupt};

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct SimulateArgs {
    /// Of the simulation: `--help` says what it takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// How many plans `cargo xtask test` runs.
const TESTED_PLANS: &str = "10000";

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let mut all = vec!["run", "--profile", DEMO, "--quiet", "--package", "modstream-simulation"];
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

/// Builds the simulation and the command in one call: two calls would give packages that both link two sets of features, and
/// build them twice. So what the steps run of `cargo demo` is this build of it, whose tokio can also pause its clock.
pub(crate) fn build_with_the_command() -> anyhow::Result<Programs> {
    let args = [&["build", "--package", "modstream-simulation"], &DEMO_COMMAND[..], &[TELLS_PROGRAMS]].concat();
    Ok(Programs::told(&command::captured_shown(&mut cargo::command(&args))?))
}

/// What `cargo xtask test` runs of the simulation.
pub(crate) fn test() -> anyhow::Result<()> {
    let programs = build_with_the_command()?;
    let mut simulation = Command::new(programs.binary("modstream-simulation")?);
    let status = command::shown(simulation.args(["--plans", TESTED_PLANS]))?;
    interrupt::check()?;
    ensure!(status.success(), "failed ({status}); to repeat it: cargo xtask simulate --plans {TESTED_PLANS}");
    Ok(())
}
