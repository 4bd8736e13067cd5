//! Running a document's commands, and checking those that are not run.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt::{self, Attached};
use crate::{cargo, checkout, simulate};

/// A command that takes longer is none for a document.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// When a demo's comments come: so its times are the same in every run.
const DEMO_TIME: &str = "2026-01-05T10:00:00Z";

/// The command `modstream`, built.
pub(crate) struct Modstream {
    /// As `cargo demo` builds it.
    demo: PathBuf,
    /// With all its commands, where it was built.
    full: Option<PathBuf>,
}

/// How a command line that is not run was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Understood,
    /// With what the command says about it.
    Wrong(String),
    /// Only the build with AWS may know it, and there is none.
    NeedsFullBuild,
}

impl Modstream {
    /// Builds the command of `cargo demo`.
    pub(crate) fn build() -> anyhow::Result<Self> {
        let demo = simulate::build_with_the_command()?.binary("modstream")?.to_path_buf();
        let target = cargo::target()?;
        // As the tests build it, `cargo xtask up`, and people.
        let full = ["debug", "packages", "release"].map(|folder| target.join(folder).join("modstream"));
        let full = full.into_iter().find(|file| asks_for_help(file, &["tail"]).is_ok());
        Ok(Modstream { demo, full })
    }

    /// Where the build with all commands lies.
    pub(crate) fn full(&self) -> Option<&Path> {
        self.full.as_deref()
    }

    /// Whether `modstream` understands these arguments, as far as it can be told without running it.
    pub(crate) fn understands(&self, arguments: &[String]) -> Checked {
        let file = self.full.as_ref().unwrap_or(&self.demo);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match asks_for_help(file, &arguments) {
            Ok(()) => Checked::Understood,
            Err(said) if is_about_a_placeholder(&said) => Checked::Understood,
            Err(_) if self.full.is_none() => Checked::NeedsFullBuild,
            Err(said) => Checked::Wrong(said),
        }
    }
}

/// Runs a command with `--help` behind its arguments: what stands before is read, and nothing is done.
fn asks_for_help(file: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(file).args(arguments).arg("--help").stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().next().unwrap_or_default().to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// `invalid value 'SHELL' for ...`: the reader is to put something there.
fn is_about_a_placeholder(said: &str) -> bool {
    let value = said.split("invalid value '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
    !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '-' | '.'))
}

/// Whether `cargo xtask`, which is this command line, understands these arguments.
pub(crate) fn xtask_understands(xtask: &clap::Command, arguments: &[String]) -> Checked {
    let words = ["cargo xtask"].into_iter().chain(arguments.iter().map(String::as_str)).chain(["--help"]);
    match xtask.clone().try_get_matches_from(words) {
        // `simulate` takes any arguments and hands them on.
        Ok(_) => Checked::Understood,
        Err(error) if !error.use_stderr() => Checked::Understood,
        Err(error) => {
            let said = error.to_string();
            let said = said.lines().next().unwrap_or_default();
            if is_about_a_placeholder(said) { Checked::Understood } else { Checked::Wrong(said.to_owned()) }
        }
    }
}

/// A program of ours in a script, with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    Modstream(Vec<String>),
    Xtask(Vec<String>),
}

/// The invocations of `modstream`, `cargo demo`, `cargo desk` and `cargo xtask` in a shell script. What is no plain command,
/// such as a variable's value, is left out.
pub(crate) fn invocations(script: &str) -> Vec<Invocation> {
    let script = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in script.lines() {
        let words = shlex::split(&line.replace("; ", " ; ")).unwrap_or_default();
        let ends = |word: &String| {
            matches!(word.as_str(), "|" | "||" | "&&" | ";" | "&" | "do" | "done") || word.starts_with(['<', '>'])
        };
        for command in words.split(|word| ends(word)) {
            let Some(at) = command.iter().position(|word| word == "modstream" || word == "cargo") else { continue };
            let (program, arguments) = (command[at].as_str(), &command[at + 1..]);
            match (program, arguments.first().map(String::as_str)) {
                ("modstream", Some(_)) => found.push(Invocation::Modstream(arguments.to_vec())),
                ("cargo", Some("demo" | "desk")) => {
                    let arguments = arguments.iter().filter(|word| *word != "--").cloned();
                    found.push(Invocation::Modstream(arguments.collect()));
                }
                ("cargo", Some("xtask")) => found.push(Invocation::Xtask(arguments[1..].to_vec())),
                _ => {}
            }
        }
    }
    found
}

/// Where a document's commands run: a folder that has the checkout's files, and keeps what a command writes.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new(modstream: &Modstream) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, folder.path().join(to));
        for made in ["bin", "models"] {
            std::fs::create_dir(folder.path().join(made))?;
        }
        link(&modstream.demo, "bin/modstream")?;
        link(&checkout::root().join("events"), "events")?;
        // A document's own models lie beside it.
        link(&checkout::root().join("models/rscience"), "models/rscience")?;
        Ok(Sandbox { folder })
    }

    /// Whether a command is one of those that are run here.
    pub(crate) fn runs(command: &str) -> bool {
        let mut words = command.split_whitespace();
        let (program, argument) = (words.next(), words.next());
        matches!(program, Some("modstream" | "cat" | "head" | "wc"))
            || (program == Some("cargo") && matches!(argument, Some("demo" | "desk")))
    }

    /// Runs a command and returns the lines that it prints, errors among them. One that serves until it is interrupted is
    /// interrupted when it has printed as many lines as are `expected`.
    pub(crate) fn run(&self, command: &str, expected: usize) -> anyhow::Result<Vec<String>> {
        interrupt::check()?;
        let command = command.replace("cargo demo -- ", "modstream demo ").replace("cargo demo", "modstream demo");
        let command = command.replace("cargo desk", "modstream desk");
        let serves = command.starts_with("modstream desk");
        let command = command.replace("modstream demo", &format!("modstream demo --schedule-time {DEMO_TIME}"));
        let command = command.replace("modstream desk", "modstream desk --port 0");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(self.folder.path());
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        shell.env("TZ", "UTC").env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os() {
            let is_of_a_system = |name: &str| name.starts_with("AWS_") || name.starts_with("MODSTREAM_");
            if name.to_str().is_some_and(is_of_a_system) {
                shell.env_remove(name);
            }
        }
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut child = shell.spawn().context("sh can't be started")?;
        let attached = Attached::to(child.id());
        let output = child.stdout.take().context("no output")?;
        let (send, lines) = channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if line.is_ok_and(|line| send.send(line).is_err()) {
                    break;
                }
            }
        });
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        let started = Instant::now();
        let mut printed = Vec::new();
        let in_time = loop {
            match lines.recv_timeout(TIME_LIMIT.saturating_sub(started.elapsed())) {
                Ok(line) => printed.push(line),
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
            if serves && printed.len() == expected {
                // It may have ended by itself.
                let _ = kill_process_group(group, Signal::INT);
            }
        };
        if !in_time {
            let _ = kill_process_group(group, Signal::KILL);
        }
        child.wait()?;
        drop(attached);
        let _ = reader.join();
        interrupt::check()?;
        if !in_time {
            bail!("took more than {} s", TIME_LIMIT.as_secs());
        }
        Ok(printed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_commands_of_a_script_are_found_with_their_arguments_and_without_comments() {
        let script = "cargo build --release && export PATH=\"$PWD/target/release:$PATH\"\n\
            modstream model push --promote           # the one built in\n\
            time modstream score --input BIG.jsonl >/dev/null\n\
            modstream demo --policy 'precision>=0.7' \\\n  --fast | head\n\
            cargo demo -- --fast\n\
            cargo xtask load --rate 2000; KEY=modstream\n";
        assert_eq!(
            invocations(script),
            [
                Invocation::Modstream(words("model push --promote")),
                Invocation::Modstream(words("score --input BIG.jsonl")),
                Invocation::Modstream(words("demo --policy precision>=0.7 --fast")),
                Invocation::Modstream(words("demo --fast")),
                Invocation::Xtask(words("load --rate 2000")),
            ]
        );
    }

    #[test]
    fn xtasks_commands_and_options_are_checked_and_placeholders_are_not() {
        let xtask = <crate::Xtask as clap::CommandFactory>::command();
        let xtask_understands = |arguments: &[String]| xtask_understands(&xtask, arguments);
        assert_eq!(xtask_understands(&words("up --port 4566")), Checked::Understood);
        assert_eq!(xtask_understands(&words("up --port PORT")), Checked::Understood);
        assert_eq!(xtask_understands(&words("test STEP...")), Checked::Understood);
        assert_eq!(xtask_understands(&words("simulate --plans 3")), Checked::Understood);
        assert!(matches!(xtask_understands(&words("up --nope")), Checked::Wrong(said) if said.contains("--nope")));
        assert!(matches!(xtask_understands(&words("upp")), Checked::Wrong(_)));
    }

    #[test]
    fn a_command_runs_with_the_times_and_the_port_of_a_document_and_one_that_serves_is_interrupted() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let demo = folder.path().join("modstream");
        let script = "#!/bin/sh\necho \"$@\" in $TZ\necho again >&2\ncase $1 in desk) exec sleep 5;; esac\n";
        std::fs::write(&demo, script).expect("a script");
        std::fs::set_permissions(&demo, std::fs::Permissions::from_mode(0o755)).expect("a program");
        let place = Sandbox::new(&Modstream { demo, full: None }).expect("a place");
        let ran = |command: &str| place.run(command, 2).expect("runs");
        assert_eq!(ran("cargo demo --fast"), [&format!("demo --schedule-time {DEMO_TIME} --fast in UTC"), "again"]);
        assert_eq!(ran("modstream desk"), ["desk --port 0 in UTC", "again"]);
        assert_eq!(ran("modstream explain 'a b' | wc -l"), ["again", "1"]);
    }

    #[test]
    fn what_needs_the_full_build_is_not_called_wrong() {
        let none = Modstream { demo: "/nowhere/modstream".into(), full: None };
        assert_eq!(none.understands(&words("tail alerts")), Checked::NeedsFullBuild);
        let full = Modstream { full: Some("/bin/false".into()), ..none };
        assert!(matches!(full.understands(&words("tail alerts")), Checked::Wrong(_)));
    }
}
