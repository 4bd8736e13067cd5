//! A LocalStack of this checkout, on a port: started, found again, ended.
//!
//! A stack's files lie in `.local/stacks/<port>`; its processes share a session, so all of them are found.

mod health;
mod processes;

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::tools::Venv;
use crate::{checkout, command, interrupt};
use processes::Leader;

/// How long a start waits for LocalStack's answer.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long an end waits until LocalStack has ended by itself.
const END_TIMEOUT: Duration = Duration::from_secs(15);

/// A stack's place.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    port: u16,
    folder: PathBuf,
}

/// `stack.json`: which process leads the session.
#[derive(Debug, Serialize, Deserialize)]
struct Running {
    leader: Leader,
}

/// What is at a stack's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing is there.
    Down,
    /// LocalStack runs, led by this process.
    Up(u32),
    /// LocalStack ended by itself, or with the machine; its files are there.
    LeftOver,
}

impl Stack {
    /// The stack on a port.
    pub(crate) fn on(port: u16) -> Self {
        Stack { port, folder: checkout::local().join("stacks").join(port.to_string()) }
    }

    /// All stacks that have files here.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(checkout::local().join("stacks")).into_iter().flatten().flatten();
        let mut ports: Vec<u16> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        ports.sort_unstable();
        ports.into_iter().map(Stack::on).collect()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was deployed there: `terraform output -json`.
    pub(crate) fn deployment(&self) -> PathBuf {
        self.folder.join("deployment.json")
    }

    /// The log of a program that sets the stack up.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// Gives a program what it needs to reach the stack: nothing of the caller's account, profile or region.
    pub(crate) fn reach(&self, command: &mut Command) {
        without_aws(command);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_REGION", REGION).env("AWS_ENDPOINT_URL", self.endpoint());
        command.env("AWS_EC2_METADATA_DISABLED", "true");
    }

    /// Takes the stack's place for as long as the answer lives: one command at a time sets a stack up or ends it.
    pub(crate) fn claim(&self) -> anyhow::Result<File> {
        let stacks = checkout::local().join("stacks");
        fs::create_dir_all(&stacks).with_context(|| format!("{} can't be made", stacks.display()))?;
        let file = stacks.join(format!("{}.lock", self.port));
        let lock = File::create(&file).with_context(|| format!("{} can't be written", file.display()))?;
        lock.try_lock().map_err(|_| {
            anyhow::anyhow!(
                "another command of this checkout is busy with the stack on port {}: wait for it",
                self.port
            )
        })?;
        Ok(lock)
    }

    /// Marks the stack as one that whoever finds it may end, once nobody holds its claim.
    pub(crate) fn mark_for_tests(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::write(self.folder.join("for-tests"), "").context("a stack can't be marked")
    }

    pub(crate) fn is_for_tests(&self) -> bool {
        self.folder.join("for-tests").is_file()
    }

    pub(crate) fn status(&self) -> Status {
        match self.running() {
            Some(Running { leader }) if leader.is_alive() => Status::Up(leader.pid),
            Some(_) => Status::LeftOver,
            None if self.folder.exists() => Status::LeftOver,
            None => Status::Down,
        }
    }

    fn running(&self) -> Option<Running> {
        serde_json::from_slice(&fs::read(self.folder.join("stack.json")).ok()?).ok()
    }

    /// Fails where nothing could listen on the stack's port.
    pub(crate) fn check_port(&self) -> anyhow::Result<()> {
        match TcpListener::bind(("127.0.0.1", self.port)) {
            Ok(_) => Ok(()),
            Err(error) => {
                let port = self.port;
                bail!("port {port} can't be used ({error}): end what listens there, or choose another with --port")
            }
        }
    }

    /// Starts LocalStack and waits until it answers.
    pub(crate) fn start(&self, venv: &Venv, kinesis_local: &Path) -> anyhow::Result<()> {
        self.start_with(venv, kinesis_local, &[])
    }

    /// Starts LocalStack with settings besides the usual, and waits until it answers.
    pub(crate) fn start_with(&self, venv: &Venv, kinesis_local: &Path, others: &[(&str, &str)]) -> anyhow::Result<()> {
        self.check_port()?;
        let root = self.folder.join("localstack");
        let temporary = self.folder.join("tmp");
        let packages = root.join("var/lib/localstack/lib/kinesis-local");
        for folder in [&temporary, &packages, &self.folder.join("logs")] {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        let settings = settings()?;
        let version = settings.iter().find(|(name, _)| name == "KINESIS_MOCK_VERSION");
        let (_, version) = version.context("infra/local/localstack.env names no KINESIS_MOCK_VERSION")?;
        // Where LocalStack looks for it.
        let link = packages.join(version);
        std::os::unix::fs::symlink(kinesis_local, &link)
            .with_context(|| format!("{} can't be made", link.display()))?;
        let log = self.log("localstack");
        let file = File::create(&log).with_context(|| format!("{} can't be written", log.display()))?;
        let mut command = Command::new(venv.program("python"));
        command.args(["-m", "modstream_local_stack"]).current_dir(&self.folder);
        without_aws(&mut command);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        command.env("FILESYSTEM_ROOT", &root).env("TMPDIR", &temporary);
        command.envs(others.iter().copied());
        for name in ["GATEWAY_LISTEN", "LOCALSTACK_HOST"] {
            command.env(name, format!("127.0.0.1:{}", self.port));
        }
        // The process makes itself a session leader; until then it must not be the leader of a group.
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{} can't be started", command::name(&command)))?;
        let noted = Leader::of(child.id()).context("LocalStack ended at once").and_then(|leader| {
            fs::write(self.folder.join("stack.json"), serde_json::to_vec(&Running { leader })?)?;
            Ok(())
        });
        if let Err(error) = noted {
            // Nobody would find the process again.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        let started = Instant::now();
        loop {
            if health::answers(self.port) {
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                let said = fs::read(&log).unwrap_or_default();
                let said = command::tail(&String::from_utf8_lossy(&said));
                bail!("LocalStack ended at its start ({status}); all it said is in {}:\n{said}", log.display());
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("LocalStack does not answer after {} s; see {}", START_TIMEOUT.as_secs(), log.display());
            }
            interrupt::check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Copies the logs to a folder that stays. Says whether there were any.
    pub(crate) fn keep_logs(&self, to: &Path) -> bool {
        let copied = fs::read_dir(self.folder.join("logs")).into_iter().flatten().flatten().filter(|entry| {
            fs::create_dir_all(to).and_then(|()| fs::copy(entry.path(), to.join(entry.file_name()))).is_ok()
        });
        copied.count() > 0
    }

    /// Ends LocalStack and removes the stack's files. Says whether anything ran.
    pub(crate) fn end(&self) -> anyhow::Result<bool> {
        let ran = match self.running() {
            Some(Running { leader }) => leader.end(END_TIMEOUT)?,
            None => false,
        };
        if self.folder.exists() {
            // A log may still be written to by what is just ending.
            fs::remove_dir_all(&self.folder)
                .or_else(|_| fs::remove_dir_all(&self.folder))
                .with_context(|| format!("{} can't be removed", self.folder.display()))?;
        }
        Ok(ran)
    }
}

/// The region that stacks are in.
pub(crate) const REGION: &str = "us-east-1";

/// LocalStack's settings that are the same everywhere.
fn settings() -> anyhow::Result<Vec<(String, String)>> {
    let path = checkout::root().join("infra/local/localstack.env");
    let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) =
                line.split_once('=').with_context(|| format!("{}: `{line}` is no KEY=VALUE", path.display()))?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// Takes away what would lead a program to an account, a profile or other services than meant.
fn without_aws(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let leads = name
            .to_str()
            .is_some_and(|name| name.starts_with("AWS_") || name.starts_with("TF_") || name.starts_with("LOCALSTACK_"));
        if leads {
            command.env_remove(name);
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
