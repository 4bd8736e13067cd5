//! Running programs: their output goes to a log, and an error shows its end and says where the rest is.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::interrupt::{self, Attached};

/// How many lines of a log an error shows.
const SHOWN_LINES: usize = 15;

/// Runs a program to its end; everything it says is added to `log`.
pub(crate) fn logged(command: &mut Command, log: &Path) -> anyhow::Result<()> {
    let before = begin(command, log)?;
    let file = append(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    let status = wait(command)?;
    finish(command, status, log, before)
}

/// Runs a program to its end and returns what it says on standard output; the rest, and all where it fails, is added to `log`.
pub(crate) fn captured(command: &mut Command, log: &Path) -> anyhow::Result<String> {
    let before = begin(command, log)?;
    command.stdout(Stdio::piped()).stderr(append(log)?);
    let child = spawn(command)?;
    let attached = Attached::to(child.id());
    let output = child.wait_with_output().with_context(|| name(command))?;
    drop(attached);
    if !output.status.success() {
        append(log)?.write_all(&output.stdout)?;
    }
    finish(command, output.status, log, before)?;
    String::from_utf8(output.stdout).with_context(|| format!("{} says what is no text", name(command)))
}

/// Runs a program to its end and returns what it says on standard output; the rest is on our standard error.
pub(crate) fn captured_shown(command: &mut Command) -> anyhow::Result<String> {
    interrupt::check()?;
    command.stdout(Stdio::piped());
    let child = spawn(command)?;
    let attached = Attached::to(child.id());
    let output = child.wait_with_output().with_context(|| name(command))?;
    drop(attached);
    interrupt::check()?;
    if !output.status.success() {
        bail!("{} failed ({})", name(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} says what is no text", name(command)))
}

/// Runs a program whose output is ours. A program that is interrupted says so itself.
pub(crate) fn shown(command: &mut Command) -> anyhow::Result<ExitStatus> {
    interrupt::check()?;
    wait(command)
}

/// A program that runs while others do. It is told of an interruption.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: std::process::Child,
    attached: Attached,
}

/// Starts a program whose output goes to a log that begins with it, and does not wait for it.
pub(crate) fn started(command: &mut Command, log: &Path) -> anyhow::Result<Running> {
    let _ = fs::remove_file(log);
    begin(command, log)?;
    let file = append(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    let child = spawn(command)?;
    Ok(Running { name: name(command), attached: Attached::to(child.id()), child })
}

impl Running {
    /// How the program ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| self.name.clone())
    }

    /// Waits for the program's end.
    pub(crate) fn wait(mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().with_context(|| self.name.clone())
    }

    /// Interrupts the program, unless that was done already, and waits until it has cleared up.
    pub(crate) fn interrupt(self) -> anyhow::Result<ExitStatus> {
        if interrupt::check().is_ok() {
            self.attached.interrupt();
        }
        self.wait()
    }
}

/// What a program prints on standard output, if it can be run and succeeds. Quietly: for looking around.
pub(crate) fn asked(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The reason that `modstream --json` printed last, in place of an error that only says that it failed.
pub(crate) fn said_in_json(error: anyhow::Error, log: &Path) -> anyhow::Error {
    if error.is::<interrupt::Interrupted>() {
        return error;
    }
    let said = fs::read_to_string(log).unwrap_or_default();
    let line: Option<Value> = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    match line.as_ref().and_then(|line| line["error"].as_str()) {
        Some(reason) => anyhow::anyhow!("{reason}"),
        None => error,
    }
}

/// How an error names a program.
pub(crate) fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().map_or_else(|| "a program".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

fn begin(command: &Command, log: &Path) -> anyhow::Result<u64> {
    interrupt::check()?;
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    let mut file = append(log)?;
    writeln!(file, "$ {command:?}")?;
    Ok(file.metadata()?.len())
}

fn finish(command: &Command, status: ExitStatus, log: &Path, before: u64) -> anyhow::Result<()> {
    interrupt::check()?;
    if status.success() {
        return Ok(());
    }
    let said = fs::read(log).unwrap_or_default();
    let said = said.get(usize::try_from(before).unwrap_or(usize::MAX)..).unwrap_or_default();
    let said = tail(&String::from_utf8_lossy(said));
    bail!("{} failed ({status}); all of it is in {}:\n{said}", name(command), log.display())
}

fn append(log: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.with_context(|| format!("{} can't be written", log.display()))
}

fn spawn(command: &mut Command) -> anyhow::Result<std::process::Child> {
    command.stdin(Stdio::null()).process_group(0);
    command.spawn().with_context(|| format!("{} can't be started", name(command)))
}

fn wait(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let mut child = spawn(command)?;
    let _attached = Attached::to(child.id());
    child.wait().with_context(|| name(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_shows_the_end_of_what_was_said_and_where_all_of_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("logs/it.log");
        logged(&mut sh("echo earlier"), &log).expect("succeeds");
        let error = logged(&mut sh("seq 100; echo 'no such region' >&2; exit 3"), &log).expect_err("fails").to_string();
        assert!(error.starts_with("sh failed (exit status: 3); all of it is in "), "{error}");
        assert!(error.ends_with("100\nno such region") && !error.contains("earlier"), "{error}");
        assert_eq!(error.lines().count(), SHOWN_LINES + 1);
        assert!(fs::read_to_string(&log).expect("a log").contains("\n1\n2\n3\n"));
    }

    #[test]
    fn captured_output_is_standard_output_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = captured(&mut sh("echo out; echo err >&2"), &folder.path().join("log")).expect("succeeds");
        assert_eq!(said, "out\n");
        let error = captured(&mut sh("echo reason; exit 1"), &folder.path().join("log")).expect_err("fails");
        assert!(error.to_string().ends_with("\nreason"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = logged(&mut Command::new("/nowhere/terraform"), &folder.path().join("log")).expect_err("not there");
        assert_eq!(error.to_string(), "terraform can't be started");
    }
}
