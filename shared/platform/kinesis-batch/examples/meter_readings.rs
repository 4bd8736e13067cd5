//! A complete function, without AWS: readings of electricity meters go to billing, and a tumbling window adds them up.
//!
//! ```sh
//! cargo run --example meter_readings -- examples/meter_readings.json
//! ```
//!
//! Standard output holds what the function answers Lambda, standard error what it does. Under Lambda, `function` is what
//! `lambda_runtime` calls, with the deadline of its context.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::time::{Duration, Instant};

use kinesis_batch::{Batch, BatchResponse, Fault, Handler, Outcome, Record, Report, handle, install_panic_hook};
use serde::Deserialize;

/// What a record holds.
#[derive(Deserialize)]
struct Reading {
    meter: String,
    kwh: f64,
}

/// Why a record can never be handled.
#[derive(Debug, thiserror::Error)]
enum Bad {
    #[error("no reading: {0}")]
    NoReading(serde_json::Error),
    #[error("a reading below zero")]
    Negative,
}

/// Billing can't be reached.
#[derive(Debug, thiserror::Error)]
#[error("billing takes nothing now: {0}")]
struct Unreachable(String);

/// One invocation.
struct ToBilling {
    /// Half of the time is for deciding, the other half for delivering.
    take_until: Instant,
}

impl Handler for ToBilling {
    type Item = Reading;
    type Bad = Bad;
    type Error = Unreachable;

    fn has_time(&self, _: &Record<'_>) -> bool {
        Instant::now() < self.take_until
    }

    fn prepare(&self, _: &Record<'_>, data: &[u8]) -> Result<Option<Reading>, Bad> {
        let reading = read(data)?;
        // A meter that stands still is no news.
        Ok((reading.kwh > 0.0).then_some(reading))
    }

    async fn deliver(&self, readings: Vec<Reading>) -> Vec<Outcome<Bad, Unreachable>> {
        let mut outcomes = Vec::new();
        for reading in readings {
            let sent = send(&reading).await;
            let stop = sent.is_err();
            outcomes.push(sent.map_or_else(Outcome::Transient, |()| Outcome::Done));
            // Everything behind the first failure comes again, so sending it now would only double it.
            if stop {
                break;
            }
        }
        outcomes
    }

    async fn quarantine(&self, record: &Record<'_>, fault: &Fault<Bad>) -> Result<(), Unreachable> {
        // A key of the record's own: a repeat overwrites itself.
        let key = format!("quarantine/{}/{}/{}", record.stream(), record.shard_id, record.sequence_number);
        match fault {
            Fault::NotBase64 => eprintln!("{key}: no base64"),
            Fault::Panicked { place } => eprintln!("{key}: a panic at {place:?}"),
            Fault::Bad(bad) => eprintln!("{key}: {bad}"),
        }
        Ok(())
    }
}

fn read(data: &[u8]) -> Result<Reading, Bad> {
    let reading: Reading = serde_json::from_slice(data).map_err(Bad::NoReading)?;
    if reading.kwh < 0.0 { Err(Bad::Negative) } else { Ok(reading) }
}

/// Stands for a call over the network.
async fn send(reading: &Reading) -> Result<(), Unreachable> {
    tokio::task::yield_now().await;
    if reading.meter == "offline" {
        return Err(Unreachable("try again later".to_owned()));
    }
    eprintln!("billing: {} {} kWh", reading.meter, reading.kwh);
    Ok(())
}

/// The function: a payload in, a response out.
async fn function(payload: &[u8], time: Duration) -> Result<Vec<u8>, Box<dyn Error>> {
    let take_until = Instant::now() + time / 2;
    // An error here fails the invocation: there is no record that a response could name.
    let batch = Batch::parse(payload)?;
    let report = handle(&batch, &ToBilling { take_until }).await;
    if let Some(failure) = &report.failure {
        eprintln!("again from {}: {}", failure.sequence_number, failure.cause);
    }
    Ok(serde_json::to_vec(&answer(&batch, &report)?)?)
}

/// The response, with the window's state where there is one.
fn answer(batch: &Batch<'_>, report: &Report<Bad, Unreachable>) -> Result<BatchResponse, Box<dyn Error>> {
    let Some(window) = &batch.window else {
        return Ok(report.response());
    };
    let mut totals: BTreeMap<String, f64> = window.state_as()?;
    let mut data = Vec::new();
    // What is settled is never sent again, so it counts once. What is bad does not count.
    for record in &batch.records[..report.settled()] {
        if record.decode_into(&mut data).is_ok()
            && let Ok(reading) = read(&data)
        {
            *totals.entry(reading.meter).or_default() += reading.kwh;
        }
    }
    if window.is_final_invoke && report.failure.is_none() {
        eprintln!("{} to {}: {totals:?}", window.start, window.end);
    }
    Ok(report.response().with_state(&totals)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    // A panic's message may quote a record.
    install_panic_hook();
    let mut payload = Vec::new();
    match std::env::args_os().nth(1) {
        Some(path) => payload = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => drop(std::io::stdin().read_to_end(&mut payload)?),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let response = runtime.block_on(function(&payload, Duration::from_secs(10)))?;
    println!("{}", String::from_utf8_lossy(&response));
    Ok(())
}
