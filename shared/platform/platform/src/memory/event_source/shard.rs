use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use kinesis_batch::{SourceRecord, payload};
use md5::{Digest, Md5};

use super::on_failure::{Condition, Discarded, LastAnswer};
use super::verdict::{Verdict, of_response};
use super::{Config, FunctionError, OnBatchFailure, Statistics};
use crate::deliver::Backoff;
use crate::memory::changes::Ended;
use crate::memory::stream::shard_id;
use crate::memory::{MemoryStream, StreamRecord};
use crate::{Clock, Condition as Write};

/// The [limit](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) of an invocation's payload.
const MAX_PAYLOAD_BYTES: usize = 6 << 20;
/// The bytes that a record's JSON takes besides its data and partition key, with room to spare.
const RECORD_FRAME_BYTES: usize = 1 << 10;

/// One shard's side of a mapping; with a parallelization factor, that of one of its lanes: what owns a part of its keys.
pub(super) struct Shard<'a, C> {
    stream: &'a MemoryStream,
    clock: &'a C,
    config: &'a Config,
    index: usize,
    lane: usize,
    id: String,
    statistics: Statistics,
}

/// A batch, or what is left of one.
struct Part {
    records: Vec<Arc<StreamRecord>>,
    invocations: u32,
    retries: u32,
    last_answer: LastAnswer,
}

impl<'a, C: Clock> Shard<'a, C> {
    pub(super) fn new(stream: &'a MemoryStream, clock: &'a C, config: &'a Config, index: usize, lane: usize) -> Self {
        Shard { stream, clock, config, index, lane, id: shard_id(index), statistics: Statistics::default() }
    }

    pub(super) async fn run<F, R>(mut self, function: &F, ended: &Ended) -> Statistics
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let mut checkpoint: Option<String> = None;
        while let Some(records) = self.next_batch(checkpoint.as_deref(), ended).await {
            checkpoint = records.last().map(|record| record.sequence_number.clone()).or(checkpoint);
            self.statistics.batches += 1;
            self.statistics.records += records.len() as u64;
            self.process(records, function).await;
        }
        self.statistics
    }

    /// Reads the records after the checkpoint, at least one. Returns none once the shard is drained and no more will
    /// come, because it is closed or the end was announced.
    async fn next_batch(&self, checkpoint: Option<&str>, ended: &Ended) -> Option<Vec<Arc<StreamRecord>>> {
        let mut read = loop {
            // This is asked before reading, so that what is put before the end is read.
            let no_more = ended.has_come() || self.stream.is_closed(self.index);
            let read = self.read(checkpoint);
            if !read.records.is_empty() {
                break read;
            }
            if no_more {
                return None;
            }
            tokio::select! {
                biased;
                () = self.more(checkpoint) => {}
                () = ended.wait() => {}
            }
        };
        if self.config.batching_window.is_zero() {
            return Some(read.records);
        }
        let mut window = std::pin::pin!(self.clock.sleep(self.config.batching_window));
        while !read.full {
            let last = read.records.last().map(|record| record.sequence_number.clone());
            tokio::select! {
                biased;
                () = ended.wait() => break,
                () = &mut window => break,
                () = self.more(last.as_deref()) => {
                    read = self.read(checkpoint);
                    if self.stream.is_closed(self.index) {
                        break;
                    }
                }
            }
        }
        Some(read.records)
    }

    /// Returns when there are records after this one, or the shard is closed.
    async fn more(&self, after: Option<&str>) {
        let is_closed = || self.stream.is_closed(self.index);
        self.stream.arrivals().until(|| is_closed() || !self.next_records(after, 1).is_empty()).await;
    }

    fn next_records(&self, after: Option<&str>, limit: usize) -> Vec<Arc<StreamRecord>> {
        let lanes = self.config.parallelization_factor.max(1);
        let is_ours = |record: &StreamRecord| lanes == 1 || lane_of(&record.partition_key, lanes) == self.lane;
        self.stream.read_where(self.index, after, limit, is_ours)
    }

    fn read(&self, checkpoint: Option<&str>) -> Read {
        let limit = self.config.batch_size.max(1);
        let mut records = self.next_records(checkpoint, limit);
        let mut bytes = 0;
        let fitting = records.iter().take_while(|record| {
            // A character of a key takes up to six bytes in JSON.
            bytes += record.data.len().div_ceil(3) * 4 + record.partition_key.len() * 6 + RECORD_FRAME_BYTES;
            bytes <= MAX_PAYLOAD_BYTES
        });
        let fitting = fitting.count();
        let full = records.len() == limit || fitting < records.len();
        records.truncate(fitting);
        Read { records, full }
    }

    async fn process<F, R>(&mut self, records: Vec<Arc<StreamRecord>>, function: &F)
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let mut backoff = Backoff::seeded_by(0, records.first().map_or("", |record| &record.sequence_number));
        // The parts are a stack with the earliest records on top.
        let mut parts = vec![Part { records, invocations: 0, retries: 0, last_answer: LastAnswer::NotInvoked }];
        while let Some(mut part) = parts.pop() {
            self.discard_expired(&mut part);
            if part.records.is_empty() {
                continue;
            }
            match self.invoke(&mut part, function).await {
                Verdict::Done => {
                    backoff.reset();
                    continue;
                }
                Verdict::FailedFrom(position) => drop(part.records.drain(..position)),
                Verdict::Failed if self.config.on_batch_failure == OnBatchFailure::Bisect && part.records.len() > 1 => {
                    let second = part.records.split_off(part.records.len() / 2);
                    parts.push(Part { records: second, ..part });
                    parts.push(part);
                    self.clock.sleep(backoff.next_wait()).await;
                    continue;
                }
                Verdict::Failed => {}
            }
            if self.config.max_retry_attempts.is_some_and(|most| part.retries >= most) {
                self.discard(&part, Condition::RetryAttemptsExhausted);
                continue;
            }
            part.retries += 1;
            parts.push(part);
            self.clock.sleep(backoff.next_wait()).await;
        }
    }

    async fn invoke<F, R>(&mut self, part: &mut Part, function: &F) -> Verdict
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        if part.invocations > 0 {
            self.statistics.retries += 1;
        }
        part.invocations += 1;
        let payload = self.payload(&part.records);
        let call = AssertUnwindSafe(async { function(payload).await }).catch_unwind().await;
        match call.unwrap_or_else(|_| Err(FunctionError("the function panicked".to_owned()))) {
            Ok(response) => {
                part.last_answer = LastAnswer::Response;
                of_response(&response, &part.records)
            }
            Err(error) => {
                part.last_answer = LastAnswer::FunctionError;
                self.statistics.last_function_error = Some(error);
                Verdict::Failed
            }
        }
    }

    fn payload(&self, records: &[Arc<StreamRecord>]) -> Vec<u8> {
        let sources: Vec<SourceRecord<'_>> = records
            .iter()
            .map(|record| SourceRecord {
                event_source_arn: self.stream.arn(),
                shard_id: &self.id,
                sequence_number: &record.sequence_number,
                partition_key: &record.partition_key,
                arrived_seconds: record.arrived.as_millisecond() as f64 / 1000.0,
                data: &record.data,
            })
            .collect();
        payload::encode(&sources)
    }

    fn discard_expired(&mut self, part: &mut Part) {
        let most = self.config.max_record_age.unwrap_or(Duration::MAX).min(self.stream.retention());
        let now = self.clock.now();
        let expired = |record: &StreamRecord| age(record, now) > most;
        let kept = part.records.iter().position(|record| !expired(record)).unwrap_or(part.records.len());
        if kept > 0 {
            let rest = part.records.split_off(kept);
            self.discard(part, Condition::RecordAgeExpired);
            part.records = rest;
        }
    }

    fn discard(&mut self, part: &Part, condition: Condition) {
        self.statistics.discarded_batches += 1;
        self.statistics.discarded_records += part.records.len() as u64;
        let Some(bucket) = &self.config.on_failure else { return };
        let discarded = Discarded {
            function_name: &self.config.function_name,
            stream_arn: self.stream.arn(),
            shard_id: &self.id,
            records: &part.records,
            payload: &self.payload(&part.records),
            condition,
            invocations: part.invocations,
            last_answer: part.last_answer,
            now: self.clock.now(),
        };
        bucket.write(&discarded.key(), discarded.invocation_record().into(), &Write::Always);
    }
}

struct Read {
    records: Vec<Arc<StreamRecord>>,
    /// Whether the batch takes no more records.
    full: bool,
}

/// The lane that a key's records take. Lambda does not say which; any that depends on the key alone will do.
fn lane_of(key: &str, lanes: usize) -> usize {
    let digest = Md5::digest(key.as_bytes());
    usize::from(digest[15]) % lanes
}

fn age(record: &StreamRecord, now: Timestamp) -> Duration {
    // A record from the future has no age.
    Duration::try_from(now.duration_since(record.arrived)).unwrap_or(Duration::ZERO)
}
