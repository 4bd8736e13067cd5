//! `cargo xtask load --serve`: comments over HTTP to `modstream serve`, at a constant rate.
//!
//! Time counts from when a comment is due, whether or not its sender got to it, until a subscriber beside the server has its alert.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{LoadArgs, OverHttp};
use crate::cargo::DEMO;
use crate::progress::step;
use crate::{cargo, checkout, command, interrupt};

/// How many senders there are, each with a connection that it keeps.
pub(super) const SENDERS: u64 = 32;
/// How many requests a second there are at most; where more comments come, each has several.
const REQUESTS_PER_SECOND: f64 = 250.0;
/// How long after its last comment was due the server may be busy where a rate counts as sustained.
const MAX_BEHIND: Duration = Duration::from_secs(2);
const MAX_BEHIND_SHARE: f64 = 0.05;
/// How long alerts are waited for when all is processed: a look of the subscriber's.
const LAST_ALERTS: Duration = Duration::from_secs(1);
/// How long an answer may take.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let OverHttp { rate, seconds, slos } = args.over_http("1000")?;
    let program = build()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let server = Server::start(&program, &data)?;
    let comments = (rate * seconds).round().max(1.0) as u64;
    let plan = Plan { comments, rate, each: (rate / REQUESTS_PER_SECOND).ceil().max(1.0) as u64, texts: texts()? };
    let subscriber = Subscriber::start(&program, &data)?;
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let accepted = send(&plan, &server.listen)?;
    // Ends when the functions are done with all of it.
    let until_idle = |since: &str| {
        let args = ["tail", "predictions", "--json", "--until-idle", "--since", since];
        command::captured_shown(Command::new(&program).args(args).arg("--data").arg(&data))
    };
    until_idle("now")?;
    // To read it all takes its own time, which says nothing of the server.
    let took = started.elapsed();
    let predictions = until_idle("TRIM_HORIZON")?.lines().count() as u64;
    std::thread::sleep(LAST_ALERTS);
    let (memory, cpu) = (server.most_memory(), server.cpu_seconds());
    let mut latencies = subscriber.end()?;
    latencies.sort_unstable();
    server.end()?;

    let behind = took.saturating_sub(Duration::from_secs_f64(seconds));
    let mut wrong = Vec::new();
    let is_sustained = behind <= MAX_BEHIND.max(Duration::from_secs_f64(seconds * MAX_BEHIND_SHARE));
    if !is_sustained {
        wrong.push(format!(
            "the rate is not sustained: all was done {:.1} s after the last comment was due",
            behind.as_secs_f64()
        ));
    }
    if (accepted, predictions) != (comments, comments) {
        wrong.push(format!("of {comments} comments {accepted} were taken, and {predictions} have a prediction"));
    }
    wrong.extend(slos.iter().filter_map(|slo| slo.missed(&latencies)));
    let at = |share: f64| at(&latencies, share).map(|latency| (latency.as_secs_f64() * 1e4).round() / 10.0);
    let cores = cpu.zip(cpu_before).map(|(after, before)| (after - before) / took.as_secs_f64());
    let line = json!({
        "asked": { "rate": rate, "seconds": seconds, "comments": comments },
        "accepted": accepted,
        "predictions": predictions,
        "alerts": latencies.len(),
        "sustained": is_sustained,
        "behind_ms": behind.as_millis() as u64,
        "latency_ms": { "alert": { "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0) } },
        "memory_mb": memory.map(|bytes| bytes / 1_000_000),
        "cores": cores.map(|cores| (cores * 100.0).round() / 100.0),
        "wrong": wrong,
    });
    if args.json {
        println!("{line}");
    } else {
        println!("{comments} comments at {rate} a second, {} alerts", latencies.len());
        println!("from when a comment is due to its alert: {}", line["latency_ms"]["alert"]);
        println!("memory of the server: {} MB at most, {} of a core", line["memory_mb"], line["cores"]);
        wrong.iter().for_each(|wrong| println!("failed: {wrong}"));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `serve` comes with AWS, as who installs modstream has it.
pub(super) fn build() -> anyhow::Result<PathBuf> {
    let log = checkout::local().join("logs/build.log");
    step("building modstream", || {
        command::logged(&mut cargo::command(&["build", "--profile", DEMO, "--package", "modstream"]), &log)
    })?;
    Ok(cargo::target()?.join(DEMO).join("modstream"))
}

/// The sample comments, to be sent again and again under ids of their own.
pub(super) fn texts() -> anyhow::Result<Vec<Value>> {
    let path = checkout::root().join("events/samples/comments.jsonl");
    let samples = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(samples.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// What is sent when.
struct Plan {
    comments: u64,
    rate: f64,
    /// The comments of a request.
    each: u64,
    texts: Vec<Value>,
}

impl Plan {
    fn due(&self, comment: u64) -> Duration {
        Duration::from_secs_f64(comment as f64 / self.rate)
    }

    /// The comments of a request, as events whose time is when they are due.
    fn body(&self, comments: std::ops::Range<u64>, start: Timestamp) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        for number in comments {
            let mut comment = self.texts[number as usize % self.texts.len()].clone();
            comment["id"] = format!("load{number}").into();
            let event = json!({
                "specversion": "1.0",
                "id": format!("load-{number}"),
                "source": "urn:modstream:load",
                "type": "modstream.comment.v1",
                "time": start.checked_add(self.due(number))?.to_string(),
                "data": comment,
            });
            serde_json::to_writer(&mut body, &event)?;
            body.push(b'\n');
        }
        Ok(body)
    }
}

/// Sends all comments, each when it is due, and returns how many were taken.
fn send(plan: &Plan, listen: &str) -> anyhow::Result<u64> {
    let (start, started) = (Timestamp::now(), Instant::now());
    let next = AtomicU64::new(0);
    let sender = || -> anyhow::Result<u64> {
        let mut connection = BufReader::new(TcpStream::connect(listen)?);
        connection.get_ref().set_nodelay(true)?;
        connection.get_ref().set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut accepted = 0;
        loop {
            let first = next.fetch_add(plan.each, Ordering::Relaxed);
            if first >= plan.comments {
                return Ok(accepted);
            }
            interrupt::check()?;
            let end = (first + plan.each).min(plan.comments);
            let body = plan.body(first..end, start)?;
            std::thread::sleep(plan.due(end - 1).saturating_sub(started.elapsed()));
            let head = format!(
                "POST /v1/comments HTTP/1.1\r\nhost: {listen}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            connection.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
            accepted += answer(&mut connection, 202)?["accepted"].as_u64().unwrap_or_default();
        }
    };
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(sender)).collect();
        let mut all = 0;
        for sender in senders {
            all += sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        Ok(all)
    })
}

/// Reads an answer, which has this status.
pub(super) fn answer(connection: &mut BufReader<TcpStream>, wanted: u16) -> anyhow::Result<Value> {
    let (mut status, mut length) = (String::new(), None);
    connection.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        ensure!(connection.read_line(&mut line)? > 0, "the server closed the connection");
        if line.trim().is_empty() {
            break;
        }
        let name_and_value = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        length = name_and_value.and_then(|(_, value)| value.trim().parse().ok()).or(length);
    }
    let mut body = vec![0; length.context("an answer without a length")?];
    connection.read_exact(&mut body)?;
    ensure!(status.contains(&format!(" {wanted} ")), "{}: {}", status.trim(), String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body)?)
}

/// A server on a folder of its own.
pub(super) struct Server {
    child: Child,
    pub(super) listen: String,
}

impl Server {
    pub(super) fn start(program: &Path, data: &Path) -> anyhow::Result<Self> {
        let mut serve = Command::new(program);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--json", "--data"]).arg(data);
        Self::started(&mut serve)
    }

    /// Starts a server that says in a line of JSON where it listens.
    pub(super) fn started(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let line = first_line(child.stdout.take())?;
        let said: Value = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        let listen = said["listen"].as_str().with_context(|| format!("the server said {line:?}"))?.to_owned();
        Ok(Server { child, listen })
    }

    /// The most memory that it had so far, in bytes; of Linux alone.
    pub(super) fn most_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    }

    /// The CPU time that it took so far; of Linux alone, where a tick is a hundredth of a second.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name of the program, in brackets, may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((user + system) / 100.0)
    }

    pub(super) fn end(mut self) -> anyhow::Result<()> {
        terminate(&self.child)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who waits for alerts beside the server.
struct Subscriber {
    child: Child,
    seen: mpsc::Receiver<(Timestamp, String)>,
}

impl Subscriber {
    fn start(program: &Path, data: &Path) -> anyhow::Result<Self> {
        let mut tail = Command::new(program);
        // From the beginning: nobody has to know when it listens.
        tail.args(["tail", "alerts", "--json", "--since", "TRIM_HORIZON", "--data"]).arg(data);
        let mut child = tail.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let (note, seen) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if note.send((Timestamp::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Subscriber { child, seen })
    }

    /// How long each alert took.
    fn end(mut self) -> anyhow::Result<Vec<Duration>> {
        terminate(&self.child)?;
        self.child.wait()?;
        let latency = |(at, line): (Timestamp, String)| -> anyhow::Result<Duration> {
            let event: Value = serde_json::from_str(&line)?;
            let due: Timestamp =
                event["data"]["comment_event"]["time"].as_str().context("an alert's comment")?.parse()?;
            Ok(Duration::try_from(at.duration_since(due)).unwrap_or_default())
        };
        self.seen.iter().map(latency).collect()
    }
}

fn first_line(from: Option<ChildStdout>) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(from.context("it is piped")?).read_line(&mut line)?;
    Ok(line)
}

fn terminate(child: &Child) -> anyhow::Result<()> {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process has a number")?;
    kill_process(id, Signal::TERM).context("the process can't be ended")
}

/// The latency that a share of all stays within.
pub(super) fn at(sorted: &[Duration], share: f64) -> Option<Duration> {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

/// An objective: `p99=250ms`, from when a comment is due to its alert, or a request to its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slo {
    said: String,
    share: f64,
    most: Duration,
}

impl Slo {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let form = || {
            format!(
                "{text} is no objective for --serve and --http: write p50, p95, p99 or max and a time, such as p99=250ms"
            )
        };
        let (share, most) = text.split_once('=').with_context(form)?;
        let share = match share {
            "p50" => 0.5,
            "p95" => 0.95,
            "p99" => 0.99,
            "max" => 1.0,
            _ => bail!(form()),
        };
        let most: jiff::SignedDuration = most.parse().map_err(|_| anyhow::anyhow!(form()))?;
        Ok(Slo { said: text.to_owned(), share, most: Duration::try_from(most).map_err(|_| anyhow::anyhow!(form()))? })
    }

    pub(super) fn missed(&self, sorted: &[Duration]) -> Option<String> {
        match at(sorted, self.share) {
            None => Some(format!("{}: there was none", self.said)),
            Some(found) if found > self.most => Some(format!("{}: it is {found:.3?}", self.said)),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_latencies_stays_within_the_one_at_its_place() {
        let all: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        let found = [0.5, 0.95, 0.99, 1.0].map(|share| at(&all, share).map(|latency| latency.as_millis()));
        assert_eq!(found, [Some(100), Some(190), Some(198), Some(200)]);
        assert_eq!(at(&[], 0.5), None);
        let slo = Slo::parse("p99=198ms").expect("reads");
        assert_eq!(slo.missed(&all), None);
        assert!(Slo::parse("p99=197ms").expect("reads").missed(&all).expect("missed").contains("198"));
        assert!(slo.missed(&[]).is_some());
        for text in ["p99", "p98=1s", "p99=-1s", "prediction.p99=1s", "p99=fast"] {
            assert!(Slo::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn comments_are_due_at_the_rate_and_say_when() {
        let texts = vec![json!({ "body": "a" }), json!({ "body": "b" })];
        let plan = Plan { comments: 10, rate: 4.0, each: 2, texts };
        let body = plan.body(2..5, Timestamp::UNIX_EPOCH).expect("a body");
        let events: Vec<Value> = String::from_utf8(body)
            .expect("text")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let said: Vec<_> =
            events.iter().map(|event| (event["time"].as_str(), event["data"]["body"].as_str())).collect();
        assert_eq!(
            said,
            [
                (Some("1970-01-01T00:00:00.5Z"), Some("a")),
                (Some("1970-01-01T00:00:00.75Z"), Some("b")),
                (Some("1970-01-01T00:00:01Z"), Some("a"))
            ]
        );
    }
}
