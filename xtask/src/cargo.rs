//! Running cargo.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::{checkout, command, interrupt};

/// The profile of `cargo demo` and of all else that is built here to be fast: `target/release` stays whoever's built it.
pub(crate) const DEMO: &str = "demo";

/// What `cargo demo` and `cargo desk` build.
pub(crate) const DEMO_COMMAND: [&str; 5] = ["--profile", DEMO, "--package", "modstream", "--no-default-features"];

/// The cargo that runs us, in the workspace's root.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).current_dir(checkout::root());
    cargo
}

/// Runs cargo with its output on ours, and fails with the command to repeat.
pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = command::shown(command(args).envs(environment.iter().copied()))?;
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

/// Where cargo builds to: `CARGO_TARGET_DIR`, a configuration's, or `target`.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let metadata = output(&["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).context("cargo metadata can't be read")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(target.into())
}

/// What makes cargo tell which programs it built, its diagnostics as ever.
pub(crate) const TELLS_PROGRAMS: &str = "--message-format=json-render-diagnostics";

/// Programs that cargo built, by their targets' names.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    binaries: BTreeMap<String, PathBuf>,
    tests: BTreeMap<String, PathBuf>,
}

/// What cargo says of something that it built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
    profile: Profile,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Programs {
    /// The programs that cargo told of with [`TELLS_PROGRAMS`].
    pub(crate) fn told(said: &str) -> Self {
        let mut programs = Programs::default();
        // Other lines tell other things.
        for artifact in said.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok()) {
            let Some(executable) = artifact.executable else { continue };
            let Target { name, kind } = artifact.target;
            let is = |wanted: &str| kind.iter().any(|kind| kind == wanted);
            if is("bin") && !artifact.profile.test {
                programs.binaries.insert(name, executable);
            } else if is("test") {
                programs.tests.insert(name, executable);
            }
        }
        programs
    }

    /// A binary.
    pub(crate) fn binary(&self, name: &str) -> anyhow::Result<&Path> {
        self.binaries.get(name).map(PathBuf::as_path).with_context(|| format!("cargo has built no program {name}"))
    }

    /// The program of an integration test. Of several crates' tests of one name it is any.
    pub(crate) fn test(&self, name: &str) -> anyhow::Result<&Path> {
        self.tests.get(name).map(PathBuf::as_path).with_context(|| format!("cargo has built no test {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aliases_run_what_the_steps_build() {
        let config = std::fs::read_to_string(checkout::root().join(".cargo/config.toml")).expect("a file");
        let config: toml::Table = config.parse().expect("TOML");
        for name in ["demo", "desk"] {
            let alias = config["alias"][name].as_str().expect("an alias");
            assert_eq!(alias, format!("run {} -- {name}", DEMO_COMMAND.join(" ")));
        }
    }

    #[test]
    fn programs_are_what_cargo_says_it_built() {
        let line = |kind: &str, name: &str, is_test: bool, executable: Option<&str>| {
            let target = serde_json::json!({"kind": [kind], "name": name});
            serde_json::json!({
                "reason": "compiler-artifact",
                "target": target,
                "profile": {"test": is_test},
                "executable": executable,
            })
            .to_string()
        };
        let said = [
            line("lib", "modstream_cli", false, None),
            line("bin", "modstream", true, Some("/target/debug/deps/modstream-1")),
            line("bin", "modstream", false, Some("/target/debug/modstream")),
            line("test", "localstack", true, Some("/target/debug/deps/localstack-1")),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let programs = Programs::told(&said.join("\n"));
        assert_eq!(programs.binary("modstream").expect("built"), Path::new("/target/debug/modstream"));
        assert_eq!(programs.test("localstack").expect("built"), Path::new("/target/debug/deps/localstack-1"));
        assert!(programs.binary("localstack").is_err() && programs.test("modstream").is_err());
    }
}
