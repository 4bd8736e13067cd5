use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use kinesis_batch::{SourceRecord, payload};
use md5::{Digest, Md5};

use super::on_failure::{Condition, Discarded, LastAnswer};
use super::source::{Gathered as _, Reader, Source, StreamRecord};
use super::verdict::{Verdict, of_response};
use super::{Config, FunctionError, OnBatchFailure, Statistics};
use crate::changes::Ended;
use crate::deliver::Backoff;
use crate::shards::shard_id;
use crate::{Bytes, Clock, Condition as Write, Objects, Written};

/// The bytes that a record's JSON takes besides its data and partition key, with room to spare.
const RECORD_FRAME_BYTES: usize = 1 << 10;

/// One shard's side of a mapping; with a parallelization factor, that of one of its lanes: what owns a part of its keys.
pub(super) struct Shard<'a, S, O, C> {
    stream: &'a S,
    clock: &'a C,
    config: &'a Config<O>,
    index: usize,
    lane: usize,
    id: String,
    statistics: Statistics,
}

/// What ends a shard's side of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    /// No more records come: what is there is still done.
    pub(super) ended: &'a Ended,
    /// What is there is left to the next run.
    pub(super) stopped: &'a Ended,
}

/// A batch, or what is left of one.
struct Part {
    records: Vec<Arc<StreamRecord>>,
    invocations: u32,
    retries: u32,
    last_answer: LastAnswer,
}

impl<'a, S: Source, O: Objects, C: Clock> Shard<'a, S, O, C> {
    pub(super) fn new(stream: &'a S, clock: &'a C, config: &'a Config<O>, index: usize, lane: usize) -> Self {
        Shard { stream, clock, config, index, lane, id: shard_id(index), statistics: Statistics::default() }
    }

    pub(super) async fn run<F, R>(mut self, function: &F, ends: Ends<'_>) -> Statistics
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let mut checkpoint = tokio::select! {
            biased;
            () = ends.stopped.wait() => return self.statistics,
            checkpoint = self.stream.checkpoint(self.reader()) => checkpoint,
        };
        while let Some(records) = self.next_batch(checkpoint.as_deref(), ends).await {
            checkpoint = records.last().map(|record| record.sequence_number.clone()).or(checkpoint);
            self.statistics.batches += 1;
            self.statistics.records += records.len() as u64;
            self.process(records, function, ends).await;
        }
        self.statistics
    }

    fn lanes(&self) -> usize {
        self.stream.lanes(self.config.parallelization_factor)
    }

    fn reader(&self) -> Reader<'a> {
        Reader { function: &self.config.function_name, shard: self.index, lane: self.lane, lanes: self.lanes() }
    }

    /// Reads the records after the checkpoint, at least one. Returns none once the shard is drained and no more will
    /// come, because it is closed or the end was announced.
    async fn next_batch(&self, checkpoint: Option<&str>, ends: Ends<'_>) -> Option<Vec<Arc<StreamRecord>>> {
        let Ends { ended, stopped } = ends;
        let mut read = loop {
            if stopped.has_come() {
                return None;
            }
            // This is asked before reading, so that what is put before the end is read.
            let no_more = ended.has_come() || !self.stream.is_open(self.index);
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
                    if !self.stream.is_open(self.index) {
                        break;
                    }
                }
            }
        }
        Some(read.records)
    }

    /// Returns when there are records after this one, or the shard is closed.
    async fn more(&self, after: Option<&str>) {
        let is_closed = || !self.stream.is_open(self.index);
        self.stream.changed(|| is_closed() || !self.next_records(after, 1).is_empty()).await;
    }

    fn next_records(&self, after: Option<&str>, limit: usize) -> Vec<Arc<StreamRecord>> {
        let lanes = self.lanes();
        let is_ours = |key: &str| lanes == 1 || lane_of(key, lanes) == self.lane;
        self.stream.read_where(self.index, after, limit, is_ours)
    }

    fn read(&self, checkpoint: Option<&str>) -> Read {
        let limit = self.config.batch_size.max(1);
        let mut records = self.next_records(checkpoint, limit);
        let (mut bytes, most) = (0, self.stream.max_payload_bytes());
        let fitting = records.iter().take_while(|record| {
            // A character of a key takes up to six bytes in JSON.
            bytes += record.data.len().div_ceil(3) * 4 + record.partition_key.len() * 6 + RECORD_FRAME_BYTES;
            bytes <= most
        });
        let fitting = fitting.count();
        let full = records.len() == limit || fitting < records.len();
        records.truncate(fitting);
        Read { records, full }
    }

    async fn process<F, R>(&mut self, records: Vec<Arc<StreamRecord>>, function: &F, ends: Ends<'_>)
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let mut backoff = Backoff::seeded_by(0, records.first().map_or("", |record| &record.sequence_number));
        // The parts are a stack with the earliest records on top.
        let mut parts = vec![Part { records, invocations: 0, retries: 0, last_answer: LastAnswer::NotInvoked }];
        while let Some(mut part) = parts.pop() {
            if !self.discard_expired(&mut part, ends).await {
                return;
            }
            if part.records.is_empty() {
                continue;
            }
            let (mut verdict, gathered) = self.invoke(&mut part, function).await;
            if verdict == Verdict::Done {
                if self.done(&part.records, gathered).await {
                    backoff.reset();
                    continue;
                }
                // Nothing was written: it comes again, as after an answer that was lost.
                verdict = Verdict::FailedFrom(0);
            } else if let Verdict::FailedFrom(position @ 1..) = verdict {
                if gathered.is_empty() {
                    if self.done(&part.records[..position], gathered).await {
                        drop(part.records.drain(..position));
                    }
                } else {
                    // What was gathered may be of records behind the failure, too. What is before it goes on its own.
                    let rest = part.records.split_off(position);
                    parts.push(Part { records: rest, ..part });
                    parts.push(Part { invocations: 0, ..part });
                    continue;
                }
            }
            if ends.stopped.has_come() {
                return;
            }
            if verdict == Verdict::Failed
                && self.config.on_batch_failure == OnBatchFailure::Bisect
                && part.records.len() > 1
            {
                let second = part.records.split_off(part.records.len() / 2);
                parts.push(Part { records: second, ..part });
                parts.push(part);
                self.pause(&mut backoff, ends).await;
                continue;
            }
            if self.config.max_retry_attempts.is_some_and(|most| part.retries >= most) {
                if !self.discard(&part, Condition::RetryAttemptsExhausted, ends).await {
                    return;
                }
                continue;
            }
            part.retries += 1;
            parts.push(part);
            self.pause(&mut backoff, ends).await;
        }
    }

    /// Waits between attempts. Returns at once where no other will be made.
    async fn pause(&self, backoff: &mut Backoff, ends: Ends<'_>) {
        tokio::select! {
            biased;
            () = ends.stopped.wait() => {}
            () = self.clock.sleep(backoff.next_wait()) => {}
        }
    }

    /// Records that these are done. There is at least one.
    async fn done(&self, records: &[Arc<StreamRecord>], gathered: S::Gathered) -> bool {
        let Some(last) = records.last() else { return true };
        self.stream.done(self.reader(), &last.sequence_number, gathered).await
    }

    async fn invoke<F, R>(&mut self, part: &mut Part, function: &F) -> (Verdict, S::Gathered)
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        if part.invocations > 0 {
            self.statistics.retries += 1;
        }
        part.invocations += 1;
        let payload = self.payload(&part.records);
        let call = async {
            let call = AssertUnwindSafe(async { function(payload).await }).catch_unwind().await;
            call.unwrap_or_else(|_| Err(FunctionError("the function panicked".to_owned())))
        };
        // A large future, which each that waits for it would hold.
        let (answer, gathered) = self.stream.gathering(Box::pin(call)).await;
        let verdict = match answer {
            Ok(response) => {
                part.last_answer = LastAnswer::Response;
                of_response(&response, &part.records)
            }
            Err(error) => {
                part.last_answer = LastAnswer::FunctionError;
                self.statistics.last_function_error = Some(error);
                Verdict::Failed
            }
        };
        (verdict, gathered)
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

    /// Gives up what is too old. Returns whether it is given up.
    async fn discard_expired(&mut self, part: &mut Part, ends: Ends<'_>) -> bool {
        let most = self.config.max_record_age.unwrap_or(Duration::MAX).min(self.stream.keeps_for());
        let now = self.clock.now();
        let expired = |record: &StreamRecord| age(record, now) > most;
        let kept = part.records.iter().position(|record| !expired(record)).unwrap_or(part.records.len());
        if kept > 0 {
            let rest = part.records.split_off(kept);
            if !self.discard(part, Condition::RecordAgeExpired, ends).await {
                return false;
            }
            part.records = rest;
        }
        true
    }

    /// Gives records up, and returns whether they are. Where the bucket does not take them, they are not: it is tried until it
    /// does, or the mapping is stopped.
    async fn discard(&mut self, part: &Part, condition: Condition, ends: Ends<'_>) -> bool {
        self.statistics.discarded_batches += 1;
        self.statistics.discarded_records += part.records.len() as u64;
        let mut backoff = Backoff::seeded_by(0, &self.id);
        if let Some(bucket) = &self.config.on_failure {
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
            let (key, record) = (discarded.key(), Bytes::from(discarded.invocation_record()));
            while !matches!(bucket.put(&key, record.clone(), Write::Always).await, Ok(Written::Done(_))) {
                self.pause(&mut backoff, ends).await;
                if ends.stopped.has_come() {
                    return false;
                }
            }
        }
        while !self.done(&part.records, S::Gathered::default()).await {
            self.pause(&mut backoff, ends).await;
            if ends.stopped.has_come() {
                return false;
            }
        }
        true
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
