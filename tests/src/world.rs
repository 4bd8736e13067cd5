use std::collections::BTreeMap;

use modstream_platform::table::{Item, Table};
use modstream_platform::{Clock, Objects, Stream, Topic};

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What the generator fills and the scorer reads.
    Comments,
    /// What the scorer fills and the publisher reads.
    Predictions,
}

/// A record as its stream has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its shard.
    pub shard_id: String,
    /// Its place there.
    pub sequence_number: String,
    /// Its partition key.
    pub partition_key: String,
    /// Its data.
    pub data: Vec<u8>,
}

/// A message as the alerts' topic delivered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub body: String,
    /// The attributes.
    pub attributes: BTreeMap<String, String>,
}

/// What an event source mapping did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Invocations with records that had been sent before.
    pub retries: u64,
    /// Records that were given up. The promises allow none.
    pub given_up: u64,
    /// The last error that a function returned.
    pub last_error: Option<String>,
}

/// Somewhere the system can run: two streams, a table, a bucket, a topic and a clock, and a way to look at what is there.
pub trait World: Send + Sync {
    /// Its streams.
    type Stream: Stream + Clone;
    /// Its table.
    type Table: Table + Clone;
    /// Its bucket.
    type Objects: Objects + Clone;
    /// Its topic.
    type Topic: Topic + Clone;
    /// Its clock.
    type Clock: Clock + Clone + 'static;

    /// A stream, to write to.
    fn stream(&self, which: Which) -> Self::Stream;
    /// The table.
    fn table(&self) -> Self::Table;
    /// The bucket.
    fn objects(&self) -> Self::Objects;
    /// The alerts' topic.
    fn alerts(&self) -> Self::Topic;
    /// The clock.
    fn clock(&self) -> Self::Clock;

    /// All records of a stream, each shard's in order.
    fn records(&self, which: Which) -> impl Future<Output = Vec<StoredRecord>> + Send;

    /// Every message that the topic took so far, in order.
    fn notices(&self) -> impl Future<Output = Vec<Notice>> + Send;

    /// All items of the table, in no order.
    fn items(&self) -> impl Future<Output = Vec<Item>> + Send;

    /// Every content that an object has had, oldest first. A bucket without versions knows the last alone.
    fn versions(&self, key: &str) -> impl Future<Output = Vec<Vec<u8>>> + Send;

    /// Runs a function over a stream, from its oldest record, as an event source mapping does, while `feed` puts records on
    /// it; returns when `feed` has ended and all is done. The function gets a payload's bytes and gives a response's.
    fn run<F, R>(&self, which: Which, function: F, feed: impl Future<Output = ()>) -> impl Future<Output = Drained>
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, String>>;
}
