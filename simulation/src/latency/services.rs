//! Stream, bucket, table and topic that take their time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use modstream_events::{Alert, Event};
use modstream_platform::memory::{MemoryObjects, MemoryStream, MemoryTable, MemoryTopic};
use modstream_platform::table::{
    self, Batch, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, Condition, ETag, Fetched, Message, Objects, PublishOutcome, PutOutcome, PutRecord, Stream, Topic,
    Written,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::assumed::{self, Takes};
use crate::faults::lock;

tokio::task_local! {
    /// The processor of the execution environment that runs.
    pub(super) static CORE: Core;
}

/// What an execution environment has of a processor: one thing after another.
pub(super) struct Core {
    memory: f64,
    free: Mutex<Instant>,
}

impl Core {
    pub(super) fn of(memory: f64) -> Self {
        Core { memory, free: Mutex::new(Instant::now()) }
    }

    /// When so much CPU time is used, after what came before.
    fn reserve(&self, seconds: f64) -> Instant {
        let mut free = lock(&self.free);
        *free = (*free).max(Instant::now()) + Duration::from_secs_f64(assumed::on(self.memory, seconds));
        *free
    }
}

/// Uses CPU time of the environment. Outside of an invocation nobody asks.
pub(super) async fn compute(seconds: f64) {
    if let Ok(done) = CORE.try_with(|core| core.reserve(seconds)) {
        sleep_until(done).await;
    }
}

async fn call() {
    compute(assumed::CALL_CPU).await;
}

/// A source of latencies that follows from a seed.
#[derive(Clone)]
pub(super) struct Chance(Arc<Mutex<fastrand::Rng>>);

impl Chance {
    pub(super) fn of(seed: u64) -> Self {
        Chance(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    pub(super) async fn wait(&self, takes: Takes) {
        let time = takes.sample(&mut lock(&self.0));
        sleep(time).await;
    }

    pub(super) fn share(&self) -> f64 {
        lock(&self.0).f64()
    }
}

/// When something happened to each comment, by its number.
#[derive(Clone, Default)]
pub(super) struct Times(Arc<Mutex<Vec<(usize, Instant)>>>);

impl Times {
    fn note(&self, key: &str) {
        if let Some(number) = number(key) {
            lock(&self.0).push((number, Instant::now()));
        }
    }

    pub(super) fn take(&self) -> Vec<(usize, Instant)> {
        std::mem::take(&mut lock(&self.0))
    }
}

pub(super) fn key(number: usize) -> String {
    format!("k{number:07}")
}

fn number(key: &str) -> Option<usize> {
    key.strip_prefix('k')?.parse().ok()
}

/// A stream of one shard, with a shard's limits.
#[derive(Clone)]
pub(super) struct Shard {
    stream: MemoryStream,
    chance: Chance,
    left: Arc<Mutex<Left>>,
    refused: Arc<Mutex<u64>>,
    pub(super) stored: Times,
}

/// What the shard takes right now.
struct Left {
    records: f64,
    bytes: f64,
    at: Instant,
}

impl Shard {
    pub(super) fn over(stream: MemoryStream, chance: Chance) -> Self {
        let left = Left { records: assumed::SHARD_RECORDS, bytes: assumed::SHARD_BYTES, at: Instant::now() };
        Shard { stream, chance, left: Arc::new(Mutex::new(left)), refused: Arc::default(), stored: Times::default() }
    }

    /// How often it refused a record.
    pub(super) fn refused(&self) -> u64 {
        *lock(&self.refused)
    }

    fn takes(&self, record: &PutRecord) -> bool {
        let mut left = lock(&self.left);
        let now = Instant::now();
        let passed = (now - left.at).as_secs_f64();
        left.at = now;
        left.records = (left.records + passed * assumed::SHARD_RECORDS).min(assumed::SHARD_RECORDS);
        left.bytes = (left.bytes + passed * assumed::SHARD_BYTES).min(assumed::SHARD_BYTES);
        let bytes = record.size() as f64;
        let takes = left.records >= 1.0 && left.bytes >= bytes;
        if takes {
            left.records -= 1.0;
            left.bytes -= bytes;
        } else {
            *lock(&self.refused) += 1;
        }
        takes
    }

    /// Puts a record at once, if the shard takes it.
    pub(super) async fn put(&self, record: PutRecord) -> Result<(), PutRecord> {
        if !self.takes(&record) {
            return Err(record);
        }
        let stored = self.stream.put_records(std::slice::from_ref(&record)).await;
        stored.map(drop).map_err(|_| record)
    }
}

impl Stream for Shard {
    fn name(&self) -> &str {
        self.stream.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        call().await;
        self.chance.wait(assumed::PUT_RECORDS).await;
        let are_taken: Vec<bool> = records.iter().map(|record| self.takes(record)).collect();
        let taken: Vec<PutRecord> =
            records.iter().zip(&are_taken).filter(|(_, taken)| **taken).map(|(record, _)| record.clone()).collect();
        let mut stored = match taken.as_slice() {
            [] => Vec::new().into_iter(),
            taken => self.stream.put_records(taken).await?.into_iter(),
        };
        taken.iter().for_each(|record| self.stored.note(&record.partition_key));
        let refused = || PutOutcome::Failed {
            code: "ProvisionedThroughputExceededException".to_owned(),
            message: "the shard takes no more for now".to_owned(),
        };
        let outcome = |taken: bool| if taken { stored.next() } else { None };
        Ok(are_taken.into_iter().map(outcome).map(|outcome| outcome.unwrap_or_else(refused)).collect())
    }
}

/// A bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) objects: MemoryObjects,
    pub(super) chance: Chance,
}

impl Objects for Bucket {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        call().await;
        self.chance.wait(assumed::GET_OBJECT).await;
        self.objects.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        call().await;
        self.chance.wait(assumed::PUT_OBJECT).await;
        self.objects.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        call().await;
        self.chance.wait(assumed::GET_OBJECT).await;
        self.objects.list(prefix).await
    }
}

/// A table.
#[derive(Clone)]
pub(super) struct State {
    pub(super) table: MemoryTable,
    pub(super) chance: Chance,
    pub(super) write: Takes,
    pub(super) writes: Arc<Mutex<u64>>,
}

impl State {
    async fn read(&self) {
        call().await;
        self.chance.wait(assumed::GET_ITEM).await;
    }

    async fn write(&self) {
        call().await;
        *lock(&self.writes) += 1;
        self.chance.wait(self.write).await;
    }
}

impl Table for State {
    fn name(&self) -> &str {
        self.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.read().await;
        self.table.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.read().await;
        self.table.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.read().await;
        self.table.query(query).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.write().await;
        self.table.put(item, condition).await
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        self.write().await;
        self.table.update(key, update, condition).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.write().await;
        self.table.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.write().await;
        self.table.transact(token, writes).await
    }
}

/// A topic.
#[derive(Clone)]
pub(super) struct Alerts {
    pub(super) topic: MemoryTopic,
    pub(super) chance: Chance,
    pub(super) published: Times,
}

impl Topic for Alerts {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        call().await;
        self.chance.wait(assumed::PUBLISH_BATCH).await;
        let outcomes = self.topic.publish_batch(messages).await?;
        for message in messages {
            let alert = Event::<'_, Alert<'_>>::decode(message.body.as_bytes()).ok();
            if let Some(key) = alert.as_ref().and_then(|alert| alert.data.comment.id.as_deref()) {
                self.published.note(key);
            }
        }
        Ok(outcomes)
    }
}
