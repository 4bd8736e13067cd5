//! The event source mapping of a stream: runs a function over its shards, as Lambda does.
//!
//! It knows a stream as a [`Source`]. One that keeps checkpoints is gone on with where it was left, and what an invocation put
//! on streams of the same world is written in one step with its checkpoint: an invocation that is cut short leaves nothing.

mod on_failure;
mod shard;
mod source;
mod verdict;

use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};

use crate::changes::Ended;
use crate::{Clock, Objects};
use shard::Shard;

pub use source::{Gathered, Reader, Source, SourceShard, StreamRecord};

/// The region and account of ARNs that are nobody's: LocalStack's.
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCOUNT: &str = "000000000000";

/// The settings of an [`EventSource`], named as in
/// [CreateEventSourceMapping](https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html).
#[derive(Clone)]
pub struct Config<O> {
    /// The function's name, as it stands in invocation records.
    pub function_name: String,
    /// How many batches of a shard are under way at once, at least 1. Records of one partition key stay in order.
    pub parallelization_factor: usize,
    /// The most records of a batch, at least 1. A payload is 6 MiB at most in any case.
    pub batch_size: usize,
    /// How long a batch that is not full waits for more records.
    pub batching_window: Duration,
    /// What happens to a batch that failed as a whole.
    pub on_batch_failure: OnBatchFailure,
    /// How often a batch is sent again before it is given up; where it is not set, until its records expire.
    pub max_retry_attempts: Option<u32>,
    /// How old a record may get before it is given up. The stream's retention is a limit in any case.
    pub max_record_age: Option<Duration>,
    /// The bucket that keeps the invocation records, payloads included, of batches that are given up.
    pub on_failure: Option<O>,
}

/// What happens to a batch that failed as a whole: a function error, or a response that names no record of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBatchFailure {
    /// The batch is sent again.
    Retry,
    /// The batch is split in two, down to single records (`BisectBatchOnFunctionError`). A split is no retry.
    Bisect,
}

impl<O> Config<O> {
    /// Lambda's defaults for a function: one batch of 100 a shard at once, no window, retries until the records expire,
    /// no destination.
    pub fn for_function(name: &str) -> Self {
        Config {
            function_name: name.to_owned(),
            parallelization_factor: 1,
            batch_size: 100,
            batching_window: Duration::ZERO,
            on_batch_failure: OnBatchFailure::Retry,
            max_retry_attempts: None,
            max_record_age: None,
            on_failure: None,
        }
    }
}

/// A function that failed as a whole: the error it returned. A panic counts as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(pub String);

/// What an [`EventSource`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The number of batches that were read from the stream.
    pub batches: u64,
    /// The number of records that were read from the stream.
    pub records: u64,
    /// The number of invocations with records that had been sent before.
    pub retries: u64,
    /// The number of batches, or parts of one, that were given up; they lie at the destination, if there is one.
    pub discarded_batches: u64,
    /// The number of records that were given up.
    pub discarded_records: u64,
    /// The last error of the function, of the last shard that had one.
    pub last_function_error: Option<FunctionError>,
}

impl Statistics {
    fn plus(self, other: Statistics) -> Statistics {
        Statistics {
            batches: self.batches + other.batches,
            records: self.records + other.records,
            retries: self.retries + other.retries,
            discarded_batches: self.discarded_batches + other.discarded_batches,
            discarded_records: self.discarded_records + other.discarded_records,
            last_function_error: other.last_function_error.or(self.last_function_error),
        }
    }
}

/// Reads a stream from its oldest record on (`TRIM_HORIZON`) and sends a function its batches: one at a time a shard (or as many
/// as the parallelization factor says), shards concurrently, a child shard after its parents, with `ReportBatchItemFailures` on.
///
/// - An empty or null list of failures, and an empty or null response: the batch is done.
/// - Failures of known records: everything from the lowest on is sent again.
/// - An empty or unknown identifier, a response of another form, a function error, a panic: the whole batch failed, see
///   [`OnBatchFailure`].
/// - Past [`Config::max_retry_attempts`] or [`Config::max_record_age`] what is left of the batch is given up: its invocation
///   record goes to [`Config::on_failure`], and the shard goes on. Progress within a batch does not renew its retries.
///
/// The rules are Lambda's
/// ([partial batch response](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html),
/// [discarded batches](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html)); between attempts it
/// waits as [`Backoff`](crate::deliver::Backoff) does.
#[derive(Clone)]
pub struct EventSource<S, O, C> {
    stream: S,
    clock: C,
    config: Config<O>,
}

/// How a mapping ends that is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All that is on the stream is done or given up.
    Drained,
    /// The batches that are under way are done, or have failed once more: they come again.
    AfterBatch,
}

impl<S: Source, O: Objects, C: Clock> EventSource<S, O, C> {
    /// Makes the mapping of `stream`. A run starts after the stream's checkpoint, else from its oldest record.
    pub fn new(stream: S, clock: C, config: Config<O>) -> Self {
        EventSource { stream, clock, config }
    }

    /// Runs the function over what is on the stream now, and returns when all of it is done or given up.
    ///
    /// The function gets a payload's bytes and answers with a response's.
    pub async fn run_until_drained<F, R>(&self, function: F) -> Statistics
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        self.run(function, std::future::ready(())).await
    }

    /// Runs the function while others put records on the stream. When `no_more` completes it drains the stream, without
    /// waiting for full batches, and returns.
    pub fn run<F, R>(&self, function: F, no_more: impl Future<Output = ()>) -> impl Future<Output = Statistics>
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        self.run_until(function, no_more.map(|()| End::Drained))
    }

    /// Runs the function while others put records on the stream, until it is asked to end, and how.
    pub async fn run_until<F, R>(&self, function: F, asked: impl Future<Output = End>) -> Statistics
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let (ended, stopped) = (Ended::default(), Ended::default());
        let announce = async {
            if asked.await == End::AfterBatch {
                stopped.announce();
            }
            ended.announce();
        };
        let ends = shard::Ends { ended: &ended, stopped: &stopped };
        let (statistics, ()) = join(self.shards(&function, ends), announce).await;
        statistics
    }

    /// Runs all shards, also those that others make meanwhile: each after its parents are done.
    async fn shards<F, R>(&self, function: &F, ends: shard::Ends<'_>) -> Statistics
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, FunctionError>>,
    {
        let mut all = Statistics::default();
        let mut is_started: Vec<bool> = Vec::new();
        let mut is_done: Vec<bool> = Vec::new();
        let mut running = FuturesUnordered::new();
        loop {
            let shards = self.stream.shards();
            is_started.resize(shards.len(), false);
            is_done.resize(shards.len(), false);
            for (index, SourceShard { parents, .. }) in shards.iter().enumerate() {
                if !is_started[index] && parents.iter().all(|parent| is_done[*parent]) {
                    is_started[index] = true;
                    let shard = |lane| Shard::new(&self.stream, &self.clock, &self.config, index, lane);
                    let lanes: Vec<_> = (0..self.stream.lanes(self.config.parallelization_factor))
                        .map(|lane| shard(lane).run(function, ends))
                        .collect();
                    running.push(async move { (index, join_all(lanes).await) });
                }
            }
            tokio::select! {
                biased;
                done = running.next() => {
                    // All shards that run are done, and none waits for them.
                    let Some((index, lanes)) = done else { return all };
                    is_done[index] = true;
                    all = lanes.into_iter().fold(all, Statistics::plus);
                }
                () = self.stream.changed(|| self.stream.shard_count() > is_started.len()) => {}
            }
        }
    }
}
