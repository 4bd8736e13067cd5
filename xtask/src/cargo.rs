//! Running cargo.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{checkout, interrupt};

/// The cargo that runs us, in the workspace's root.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).current_dir(checkout::root());
    cargo
}

/// Runs cargo with its output on ours, and fails with the command to repeat.
pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = crate::command::shown(command(args).envs(environment.iter().copied()))?;
    interrupt::check()?;
    if !status.success() {
        let environment: String = environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        bail!("failed ({status}); to repeat it: {environment}cargo {}", args.join(" "));
    }
    Ok(())
}

/// Runs cargo and returns its standard output.
pub(crate) fn output(args: &[&str]) -> anyhow::Result<String> {
    let output = command(args).output().context("cargo can't be started")?;
    if !output.status.success() {
        bail!("cargo {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether cargo has a subcommand.
pub(crate) fn has(subcommand: &str) -> bool {
    command(&[subcommand, "--version"]).output().is_ok_and(|output| output.status.success())
}
