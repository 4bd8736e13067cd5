//! `cargo xtask load --http`: texts to be checked, to `modstream serve`, at a constant rate.
//!
//! Time counts from when a request is due, whether or not its sender got to it, until its answer is there.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::serve::{ANSWER_TIMEOUT, SENDERS, Server, answer, at, build, texts};
use super::{LoadArgs, OverHttp};
use crate::progress::step;
use crate::{checkout, interrupt, tools};

/// How long a text is, in bytes, but for what its last word has beyond.
const TEXT_BYTES: usize = 300;
/// How many requests come before any is counted: models and policies are there then.
const WARM_UP: u64 = 200;
/// How long after the last request was due the last answer may come where a rate counts as sustained.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// What a server is asked.
struct Asking {
    path: &'static str,
    bodies: Vec<String>,
}

/// What came of asking a server.
struct Asked {
    latencies: Vec<Duration>,
    /// How long after the last request was due the last answer came.
    behind: Duration,
    cpu_seconds: Option<f64>,
    memory: Option<u64>,
}

pub(super) fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let OverHttp { rate, seconds, slos } = args.over_http("500")?;
    let program = build()?;
    let texts = texts_of_a_length(&texts()?);
    let requests = (rate * seconds).round().max(1.0) as u64;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&program, &folder.path().join("data"))?;
    let asked = measured(server, &of_modstream(&texts), requests, rate)?;

    let mut wrong = Vec::new();
    if !asked.is_sustained() {
        wrong.push(format!(
            "the rate is not sustained: the last answer came {:.1} s after the last request was due",
            asked.behind.as_secs_f64()
        ));
    }
    wrong.extend(slos.iter().filter_map(|slo| slo.missed(&asked.latencies)));
    let peer = if args.peer { Some(measured(peer()?, &of_peer(&texts), requests, rate)?) } else { None };
    let mut line = asked.as_json(requests);
    line["asked"] = json!({ "rate": rate, "seconds": seconds, "requests": requests });
    line["wrong"] = json!(wrong);
    if let Some(peer) = &peer {
        line["peer"] = peer.as_json(requests);
    }
    if args.json {
        println!("{line}");
    } else {
        println!("{requests} texts of {TEXT_BYTES} bytes at {rate} a second");
        asked.print("modstream serve", requests);
        if let Some(peer) = &peer {
            peer.print("FastAPI and scikit-learn", requests);
        }
        wrong.iter().for_each(|wrong| println!("failed: {wrong}"));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The server that is compared with, on one thread as the others of `bench/peers`.
fn peer() -> anyhow::Result<Server> {
    let log = checkout::local().join("logs/install.log");
    let python = step("installing FastAPI and scikit-learn", || tools::peer("fastapi", &log))?;
    let mut server = Command::new(python.program("python"));
    server.arg("-B").arg(checkout::root().join("bench/peers/server.py"));
    server.arg("--input").arg(checkout::root().join("events/samples/comments.jsonl"));
    server.envs([("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")]);
    Server::started(&mut server)
}

/// Asks a server so often, and ends it.
fn measured(server: Server, asking: &Asking, requests: u64, rate: f64) -> anyhow::Result<Asked> {
    ask(&server.listen, asking, WARM_UP, rate)?;
    let (started, cpu_before) = (Instant::now(), server.cpu_seconds());
    let mut latencies = ask(&server.listen, asking, requests, rate)?;
    let behind = started.elapsed().saturating_sub(Duration::from_secs_f64(requests as f64 / rate));
    let cpu_seconds = server.cpu_seconds().zip(cpu_before).map(|(after, before)| after - before);
    let memory = server.most_memory();
    server.end()?;
    latencies.sort_unstable();
    Ok(Asked { latencies, behind, cpu_seconds, memory })
}

impl Asked {
    fn is_sustained(&self) -> bool {
        self.behind <= MAX_BEHIND
    }

    fn as_json(&self, requests: u64) -> Value {
        let ms = |share: f64| at(&self.latencies, share).map(|latency| (latency.as_secs_f64() * 1e5).round() / 100.0);
        json!({
            "answered": self.latencies.len(),
            "sustained": self.is_sustained(),
            "behind_ms": self.behind.as_millis() as u64,
            "latency_ms": { "p50": ms(0.5), "p95": ms(0.95), "p99": ms(0.99), "max": ms(1.0) },
            "cpu_us_a_request": self.cpu_seconds.map(|seconds| (seconds * 1e6 / requests as f64).round()),
            "memory_mb": self.memory.map(|bytes| bytes / 1_000_000),
        })
    }

    fn print(&self, name: &str, requests: u64) {
        let said = self.as_json(requests);
        println!("{name}: {}", if self.is_sustained() { "sustained" } else { "not sustained" });
        println!("  from when a request is due to its answer, in ms: {}", said["latency_ms"]);
        println!("  {} µs of CPU a request, memory {} MB at most", said["cpu_us_a_request"], said["memory_mb"]);
    }
}

/// The sample comments, joined to texts of about one length.
fn texts_of_a_length(samples: &[Value]) -> Vec<String> {
    let mut texts = vec![String::new()];
    for word in samples.iter().filter_map(|sample| sample["body"].as_str()).flat_map(str::split_whitespace) {
        let text = texts.last_mut().filter(|text| text.len() < TEXT_BYTES);
        match text {
            Some(text) => {
                text.push(' ');
                text.push_str(word);
            }
            None => texts.push(word.to_owned()),
        }
    }
    // The last one may be short.
    texts.pop();
    texts
}

fn of_modstream(texts: &[String]) -> Asking {
    let body = |text: &String| {
        // One of the samples begins in French.
        let asked = json!({ "TOXICITY": {} });
        let comment = json!({ "text": text });
        json!({ "comment": comment, "requestedAttributes": asked, "languages": ["en"], "doNotStore": true }).to_string()
    };
    Asking { path: "/v1alpha1/comments:analyze", bodies: texts.iter().map(body).collect() }
}

fn of_peer(texts: &[String]) -> Asking {
    Asking { path: "/score", bodies: texts.iter().map(|text| json!({ "text": text }).to_string()).collect() }
}

/// Asks as often, each request when it is due, and returns how long each answer took since.
fn ask(listen: &str, asking: &Asking, requests: u64, rate: f64) -> anyhow::Result<Vec<Duration>> {
    let Asking { path, bodies } = asking;
    let (started, next) = (Instant::now(), AtomicU64::new(0));
    let asker = || -> anyhow::Result<Vec<Duration>> {
        let mut connection = BufReader::new(TcpStream::connect(listen)?);
        connection.get_ref().set_nodelay(true)?;
        connection.get_ref().set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= requests {
                return Ok(latencies);
            }
            interrupt::check()?;
            let body = &bodies[number as usize % bodies.len()];
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: {listen}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let due = Duration::from_secs_f64(number as f64 / rate);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
            connection.get_mut().write_all(request.as_bytes())?;
            answer(&mut connection, 200)?;
            latencies.push(started.elapsed().saturating_sub(due));
        }
    };
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..SENDERS).map(|_| scope.spawn(asker)).collect();
        let mut all = Vec::new();
        for asker in askers {
            all.extend(asker.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_about_one_length_and_hold_every_sample() {
        let samples: Vec<Value> =
            (0..400).map(|number| json!({ "body": format!("words and  {number}\n more") })).collect();
        let texts = texts_of_a_length(&samples);
        for asking in [of_modstream(&texts), of_peer(&texts)] {
            assert_eq!(asking.bodies.len(), texts.len());
            let text = |body: &Value| body.pointer("/comment/text").or(body.get("text")).cloned();
            let said = asking.bodies.iter().map(|body| text(&serde_json::from_str(body).expect("JSON")));
            assert!(said.eq(texts.iter().map(|text| Some(json!(text)))));
        }
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
        assert!(texts.len() > 10 && texts.iter().all(|text| (TEXT_BYTES - 1..TEXT_BYTES + 10).contains(&text.len())));
        assert!(texts[0].starts_with("words and 0 more words and 1"));
    }
}
