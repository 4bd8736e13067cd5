//! Runs the command in a folder of its own, with no environment but what is given.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use modstream_stub_server::WAIT_TIMEOUT;
use serde_json::Value;

/// Credentials, and where the services are.
pub(crate) struct Aws(Vec<(&'static str, String)>);

impl Aws {
    pub(crate) fn at(url: &str) -> Self {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", url),
        ];
        Aws(variables.map(|(name, value)| (name, value.to_owned())).to_vec())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(found, _)| *found != name);
        self
    }

    pub(crate) fn start(&self, folder: &Path, args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modstream"));
        command.args(args).current_dir(folder).env_clear();
        // Without a home there is no profile, and nothing is asked of a machine in a cloud.
        command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, b"")
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &[u8]) -> Run {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.run_in(folder.path(), args, stdin)
    }

    pub(crate) fn run_in(&self, folder: &Path, args: &[&str], stdin: &[u8]) -> Run {
        let mut child = self.start(folder, args);
        // A command that ends early closes its input.
        let _ = child.stdin.take().expect("piped").write_all(stdin);
        Run::of(child)
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Waits for its end; one that does not end is a failure, and is killed.
    pub(crate) fn of(child: Child) -> Self {
        let process = child.id().to_string();
        let (ended, end) = channel();
        // Nobody waits any more where this comes too late.
        std::thread::spawn(move || drop(ended.send(child.wait_with_output())));
        let output = end.recv_timeout(WAIT_TIMEOUT).unwrap_or_else(|_| {
            let _ = Command::new("kill").args(["-KILL", &process]).status();
            panic!("it does not end within {WAIT_TIMEOUT:?}")
        });
        let output = output.expect("ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Run { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Standard output as exactly one line of JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line: {self:?}");
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// The same, of a command that succeeded.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.json()
    }

    /// What a command that failed says with `--json`.
    pub(crate) fn error(&self) -> String {
        self.error_with(1)
    }

    /// What a command says with `--json` whose line makes no sense.
    pub(crate) fn usage(&self) -> String {
        self.error_with(2)
    }

    fn error_with(&self, status: i32) -> String {
        assert_eq!(self.status, Some(status), "{self:?}");
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
