//! `cargo xtask load --http`: texts to be checked, to `modstream serve`, at a constant rate.
//!
//! Time counts from when a request is due, whether or not its sender got to it, until its answer is there.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::serve::{ANSWER_TIMEOUT, SENDERS, Server, answer, at, build, texts};
use super::{LoadArgs, OverHttp};
use crate::interrupt;

/// How long a text is, in bytes, but for what its last word has beyond.
const TEXT_BYTES: usize = 300;
/// How many requests come before any is counted: models and policies are there then.
const WARM_UP: u64 = 200;
/// How long after the last request was due the last answer may come where a rate counts as sustained.
const MAX_BEHIND: Duration = Duration::from_secs(1);

pub(super) fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    let OverHttp { rate, seconds, slos } = args.over_http("500")?;
    let program = build()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&program, &folder.path().join("data"))?;
    let bodies = bodies(&texts()?);
    ask(&server.listen, &bodies, WARM_UP, rate)?;
    let requests = (rate * seconds).round().max(1.0) as u64;
    let cpu_before = server.cpu_seconds();
    let started = Instant::now();
    let mut latencies = ask(&server.listen, &bodies, requests, rate)?;
    let behind = started.elapsed().saturating_sub(Duration::from_secs_f64(seconds));
    let (memory, cpu) = (server.most_memory(), server.cpu_seconds());
    server.end()?;
    latencies.sort_unstable();

    let mut wrong = Vec::new();
    let is_sustained = behind <= MAX_BEHIND;
    if !is_sustained {
        wrong.push(format!(
            "the rate is not sustained: the last answer came {:.1} s after the last request was due",
            behind.as_secs_f64()
        ));
    }
    wrong.extend(slos.iter().filter_map(|slo| slo.missed(&latencies)));
    let ms = |share: f64| at(&latencies, share).map(|latency| (latency.as_secs_f64() * 1e5).round() / 100.0);
    let cpu_us = cpu.zip(cpu_before).map(|(after, before)| ((after - before) * 1e6 / requests as f64).round());
    let line = json!({
        "asked": { "rate": rate, "seconds": seconds, "requests": requests },
        "answered": latencies.len(),
        "sustained": is_sustained,
        "behind_ms": behind.as_millis() as u64,
        "latency_ms": { "p50": ms(0.5), "p95": ms(0.95), "p99": ms(0.99), "max": ms(1.0) },
        "cpu_us_a_request": cpu_us,
        "memory_mb": memory.map(|bytes| bytes / 1_000_000),
        "wrong": wrong,
    });
    if args.json {
        println!("{line}");
    } else {
        println!("{requests} texts of {TEXT_BYTES} bytes at {rate} a second");
        println!("from when a request is due to its answer, in ms: {}", line["latency_ms"]);
        println!("{} µs of CPU a request, memory {} MB at most", line["cpu_us_a_request"], line["memory_mb"]);
        wrong.iter().for_each(|wrong| println!("failed: {wrong}"));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Requests about the sample comments, joined to texts of about one length.
fn bodies(samples: &[Value]) -> Vec<String> {
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
    let request = |text: String| {
        // One of the samples begins in French.
        let asked = json!({ "TOXICITY": {} });
        let comment = json!({ "text": text });
        json!({ "comment": comment, "requestedAttributes": asked, "languages": ["en"], "doNotStore": true }).to_string()
    };
    texts.into_iter().map(request).collect()
}

/// Asks as often, each request when it is due, and returns how long each answer took since.
fn ask(listen: &str, bodies: &[String], requests: u64, rate: f64) -> anyhow::Result<Vec<Duration>> {
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
                "POST /v1alpha1/comments:analyze HTTP/1.1\r\nhost: {listen}\r\ncontent-type: application/json\r\n\
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
        let bodies = bodies(&samples);
        let texts: Vec<String> = bodies
            .iter()
            .map(|body| {
                serde_json::from_str::<Value>(body).expect("JSON")["comment"]["text"]
                    .as_str()
                    .expect("text")
                    .trim()
                    .to_owned()
            })
            .collect();
        assert!(texts.len() > 10 && texts.iter().all(|text| (TEXT_BYTES - 1..TEXT_BYTES + 10).contains(&text.len())));
        assert!(texts[0].starts_with("words and 0 more words and 1"));
    }
}
