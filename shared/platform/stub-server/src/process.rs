use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::{FakeAws, Lambda, WAIT_TIMEOUT, lock};

/// A function's program, started as Lambda starts it, with no other environment than what is given. It is killed when
/// dropped.
#[derive(Debug)]
pub struct Bootstrap {
    child: Child,
    output: Arc<Output>,
    closed: Receiver<()>,
}

#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How the program ended.
    pub status: ExitStatus,
    /// The lines that the program wrote to standard output and standard error, as they came.
    pub lines: Vec<String>,
}

impl Finished {
    /// What CloudWatch takes, and is paid for, of what was logged of an invocation:
    /// [26 bytes besides each line's](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
    pub fn log_bytes_of(&self, request_id: &str) -> usize {
        self.lines.iter().filter(|line| line.contains(request_id)).map(|line| line.len() + 26).sum()
    }
}

impl Bootstrap {
    /// Starts `program` for the function `name`, over a fake AWS, with these variables.
    ///
    /// # Errors
    /// An error where the program can't be started.
    pub fn start(
        program: impl AsRef<OsStr>,
        name: &str,
        lambda: &Lambda,
        aws: &FakeAws,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", lambda.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_ENDPOINT_URL", aws.url())
            .envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a program with nothing in its environment.
    ///
    /// # Errors
    /// An error where the program can't be started.
    pub fn start_bare(program: impl AsRef<OsStr>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.env_clear();
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = Arc::new(Output::default());
        let (closing, closed) = channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|it| Box::new(it) as _), child.stderr.take().map(|it| Box::new(it) as _)];
        for stream in streams.into_iter().flatten() {
            let (output, closing) = (Arc::clone(&output), closing.clone());
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lock(&output.lines).push(line);
                    output.more.notify_all();
                }
                drop(closing);
            });
        }
        Ok(Bootstrap { child, output, closed })
    }

    /// Waits for a line of output for which `is` is true, and returns it.
    ///
    /// # Panics
    /// Panics where no such line comes within [`WAIT_TIMEOUT`].
    pub fn wait_for_line(&self, is: impl Fn(&str) -> bool) -> String {
        let lines = lock(&self.output.lines);
        let found = |lines: &[String]| lines.iter().find(|line| is(line)).cloned();
        let waited = self.output.more.wait_timeout_while(lines, WAIT_TIMEOUT, |lines| found(lines).is_none());
        let (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        found(&lines).unwrap_or_else(|| panic!("no such line within {WAIT_TIMEOUT:?}: {lines:#?}"))
    }

    /// Asks the program to end, as Lambda does (SIGTERM).
    ///
    /// # Errors
    /// An error where the signal can't be sent.
    pub fn terminate(&self) -> io::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().map(drop)
    }

    /// Waits for the program's end.
    ///
    /// # Errors
    /// An error where the program does not end within [`WAIT_TIMEOUT`].
    pub fn wait(mut self) -> io::Result<Finished> {
        // Both readers are gone when both streams are closed.
        if self.closed.recv_timeout(WAIT_TIMEOUT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the program does not end"));
        }
        let status = self.child.wait()?;
        Ok(Finished { status, lines: lock(&self.output.lines).clone() })
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
