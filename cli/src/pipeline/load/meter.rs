//! What the functions of this process do: the size of their batches, and how long they are at it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use kinesis_batch::Batch;
use serde_json::{Value, json};

/// One function's invocations.
#[derive(Debug, Default)]
pub(crate) struct Meter(RefCell<Invocations>);

/// What was seen of a function's invocations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invocations {
    pub(crate) count: u64,
    pub(crate) records: u64,
    /// The records of the largest batch.
    pub(crate) largest: u64,
    pub(crate) busy: Duration,
}

impl Meter {
    /// Runs one invocation.
    pub(crate) async fn invocation<T>(&self, payload: &[u8], invoke: impl Future<Output = T>) -> T {
        let records = Batch::parse(payload).map_or(0, |batch| batch.records.len() as u64);
        let started = Instant::now();
        let answer = invoke.await;
        let mut seen = self.0.borrow_mut();
        seen.busy += started.elapsed();
        seen.count += 1;
        seen.records += records;
        seen.largest = seen.largest.max(records);
        answer
    }

    pub(crate) fn seen(&self) -> Invocations {
        self.0.borrow().clone()
    }
}

impl Invocations {
    /// The mean number of a batch's records.
    pub(crate) fn mean(&self) -> f64 {
        self.records as f64 / self.count.max(1) as f64
    }

    /// The share of its time that a shard's function was at work: at 1, there is no more to be had of it.
    pub(crate) fn saturation(&self, shards: usize, of: Duration) -> f64 {
        self.busy.as_secs_f64() / (of.as_secs_f64() * shards as f64).max(f64::MIN_POSITIVE)
    }

    pub(crate) fn json(&self, shards: usize, of: Duration) -> Value {
        let round = |number: f64| (number * 1e3).round() / 1e3;
        json!({
            "batches": self.count,
            "mean": round(self.mean()),
            "largest": self.largest,
            "saturation": round(self.saturation(shards, of)),
        })
    }
}
