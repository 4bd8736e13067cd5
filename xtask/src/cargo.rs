//! Running cargo.

use std::process::Command;

use anyhow::{Context as _, bail};

/// The cargo that runs us, in the workspace's root.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command
}

/// Runs cargo with its output on ours, and fails with the command to repeat.
pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = cargo(args).envs(environment.iter().copied()).status().context("cargo can't be started")?;
    if !status.success() {
        let environment: String = environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        bail!("failed ({status}); to repeat it: {environment}cargo {}", args.join(" "));
    }
    Ok(())
}

/// Runs cargo and returns its standard output.
pub(crate) fn output(args: &[&str]) -> anyhow::Result<String> {
    let output = cargo(args).output().context("cargo can't be started")?;
    if !output.status.success() {
        bail!("cargo {} failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether cargo has a subcommand.
pub(crate) fn has(subcommand: &str) -> bool {
    cargo(&[subcommand, "--version"]).output().is_ok_and(|output| output.status.success())
}
