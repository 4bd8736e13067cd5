//! A server that is started, asked and killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing here takes so long; a server that does is a failure.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) const SAMPLES: &[u8] = include_bytes!("../../../events/samples/comments.jsonl");
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// A server at work; killed with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) listen: String,
    /// The link that signs in once.
    pub(crate) desk: String,
    pub(crate) data: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Starts the command on a folder, with nothing of this shell's environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_modstream"));
    command.args(args).env_clear().env("USER", "tester").stdin(Stdio::null());
    command
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, more: &[&str]) -> Self {
        let data = data.to_str().expect("text");
        let args: Vec<&str> =
            ["serve", "--data", data, "--listen", "127.0.0.1:0", "--json"].iter().chain(more).copied().collect();
        Self::started(&mut command(&args))
    }

    /// Starts it by a command that says `--json`.
    pub(crate) fn started(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |name: &str| said[name].as_str().unwrap_or_else(|| panic!("{name} is missing: {line}")).to_owned();
        Server { child, listen: text("listen"), desk: text("desk"), data: text("data").into() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as the system does: nothing is told.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Asks it to end, and waits.
    pub(crate) fn end(mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("runs");
        assert!(asked.success());
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("known") {
                return status;
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.listen).expect("connects");
        connection.set_read_timeout(Some(TIMEOUT)).expect("set");
        connection
    }

    /// Sends a request as it is written, and reads the answer to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Option<Answer> {
        raw(&self.listen, request)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.listen);
        self.raw(request.as_bytes()).expect("an answer")
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        post(&self.listen, path, content_type, body).expect("an answer")
    }

    /// Sends JSON with headers of one's own.
    pub(crate) fn ask(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            self.listen,
            body.len()
        );
        self.raw(request.as_bytes()).expect("an answer")
    }

    /// Sends comments, which are all taken.
    pub(crate) fn send(&self, body: &[u8]) -> Value {
        let answer = self.post("/v1/comments", NDJSON, body);
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()
    }

    /// Runs a command beside it.
    pub(crate) fn beside(&self, args: &[&str]) -> Ran {
        beside(&self.data, args)
    }
}

/// Sends comments to where a server may be or not; none where it ended before it answered.
pub(crate) fn post(listen: &str, path: &str, content_type: &str, body: &[u8]) -> Option<Answer> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    raw(listen, &[head.as_bytes(), body].concat())
}

pub(crate) fn raw(listen: &str, request: &[u8]) -> Option<Answer> {
    let mut connection = TcpStream::connect(listen).ok()?;
    connection.set_read_timeout(Some(TIMEOUT)).ok()?;
    // A server that has seen enough closes while we still write.
    let _ = connection.write_all(request);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    // Cut off is not answered; what has no content has no length.
    (length == Some(body.len()) || status == 204).then(|| Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as a line of JSON each, of a command that succeeded.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Standard output as one line of JSON, of a command that succeeded.
    pub(crate) fn done(&self) -> Value {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines.remove(0)
    }
}

/// Runs a command on a data folder.
pub(crate) fn beside(data: &Path, args: &[&str]) -> Ran {
    let data = data.to_str().expect("text");
    let args: Vec<&str> = args.iter().copied().chain(["--data", data]).collect();
    let output = command(&args).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}
