//! The command as a process that is started, watched and killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use modstream_stub_server::{Answer, FakeAws, Reply, Request};
use serde_json::Value;

use crate::server::{Ran, TIMEOUT, command};

/// The command at work; killed with the test.
pub(crate) struct Ingest {
    child: Child,
    /// What it has said on standard error so far.
    said: Arc<Mutex<String>>,
}

impl Drop for Ingest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The command, with these arguments behind `ingest`, and nothing of this shell's environment.
pub(crate) fn ingest(args: &[&str]) -> Command {
    command(&[&["ingest"], args].concat())
}

/// The command, which sends to a stream of this AWS.
pub(crate) fn to_aws(kinesis: &Kinesis, args: &[&str]) -> Command {
    let mut command = ingest(&[args, &["--stream", "comments"]].concat());
    command.envs([
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", &kinesis.aws.url()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", "/nowhere"),
    ]);
    command
}

impl Ingest {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, shared) = (BufReader::new(child.stderr.take().expect("piped")), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut said = shared.lock().expect("not poisoned");
                said.push_str(&line);
                said.push('\n');
            }
        });
        Ingest { child, said }
    }

    /// Waits until it has said this.
    pub(crate) fn wait_for(&self, text: &str) {
        until(text, || self.said().contains(text));
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("not poisoned").clone()
    }

    /// Kills it as the system does: nothing is told.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("known").is_some()
    }

    /// Asks it to end, and waits.
    pub(crate) fn end(self) -> Ran {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("runs");
        assert!(asked.success());
        self.finish()
    }

    /// Waits until it ends by itself.
    pub(crate) fn finish(mut self) -> Ran {
        // A pipe that nobody reads would hold it up.
        let mut pipe = self.child.stdout.take().expect("piped");
        let out = std::thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("UTF-8");
            text
        });
        let begun = Instant::now();
        while !self.is_over() {
            assert!(begun.elapsed() < TIMEOUT, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().expect("ended").code();
        Ran { status, stdout: out.join().expect("reads"), stderr: self.said() }
    }
}

/// What a call to put records meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Nothing is done.
    Fails,
    /// Nothing is done, as there is too much to do.
    Throttles,
    /// All is done, and there is no answer.
    NoAnswer,
}

/// A stream on AWS, with faults.
pub(crate) struct Kinesis {
    pub(crate) aws: FakeAws,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Kinesis {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Fault::None)
    }

    /// Starts one that asks before each call, by its number, what it meets.
    pub(crate) fn start_with(fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Self {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (held, calls) = (Arc::clone(&taken), Mutex::new(0));
        let aws = FakeAws::start_with(move |request| {
            let events = put(request)?;
            let call = {
                let mut calls = calls.lock().expect("not poisoned");
                *calls += 1;
                *calls
            };
            let failed = |status, kind: &str| -> Option<Reply> {
                let answer = Answer::new(status, format!("{{\"__type\":\"{kind}\",\"message\":\"no\"}}"));
                Some(answer.header("Content-Type", "application/x-amz-json-1.1").into())
            };
            let fault = fault(call);
            if matches!(fault, Fault::None | Fault::NoAnswer) {
                held.lock().expect("not poisoned").extend(events);
            }
            match fault {
                Fault::None => None,
                Fault::Fails => failed(500, "InternalFailure"),
                Fault::Throttles => failed(400, "ProvisionedThroughputExceededException"),
                Fault::NoAnswer => Some(Reply::HangUp),
            }
        });
        Kinesis { aws: aws.expect("a port"), taken }
    }

    /// The events that it took, in order.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.taken.lock().expect("not poisoned").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.lock().expect("not poisoned").len()
    }

    /// The ids of the events that it took. An event that came twice is the same to the byte.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let mut by_id: BTreeMap<String, String> = BTreeMap::new();
        for event in self.events() {
            let text = event.to_string();
            let id = event["id"].as_str().expect("text").to_owned();
            let before = by_id.entry(id).or_insert_with(|| text.clone());
            assert_eq!(*before, text, "a repeat is another");
        }
        by_id.into_keys().collect()
    }
}

/// The events that a request puts; none where it puts none.
fn put(request: &Request) -> Option<Vec<Value>> {
    request.header("x-amz-target").filter(|target| target.ends_with(".PutRecords"))?;
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let records = body["Records"].as_array().expect("a list");
    let event = |record: &Value| {
        let data = BASE64_STANDARD.decode(record["Data"].as_str().expect("text")).expect("base64");
        serde_json::from_slice(&data).expect("JSON")
    };
    Some(records.iter().map(event).collect())
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// What a state says.
pub(crate) fn state(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a state")).expect("JSON")
}
