//! The world on a local stack: LocalStack's Kinesis, S3, SNS and SQS, reached as AWS is.

mod browser;
mod event_source;
mod process;
mod proxy;
mod sdk;
mod stack;
mod table;
mod twin;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kinesis::types::ShardIteratorType;
use modstream_ledger::SCHEMA;
use modstream_platform::aws::{Clients, DynamoTable, KinesisStream, S3Objects, SnsTopic, SystemClock};
use modstream_platform::table::Item;
use tokio::sync::Mutex;

use crate::world::{Drained, Notice, StoredRecord, Which, World};
pub use browser::{Browser, Page};
pub use proxy::{Call, Mishap, Plan, Refusal, Tally};
pub use sdk::Sdk;
pub use stack::{Stack, refused, said, until};
pub use twin::Twin;

/// Two streams, a table, a bucket, a topic and a queue that hears all of it.
pub struct LocalWorld {
    /// How to reach the services themselves.
    pub sdk: Sdk,
    /// What everything is called.
    pub names: Names,
    clients: Clients,
    received: Mutex<Vec<Notice>>,
}

/// What a world's parts are called.
#[derive(Clone, Debug)]
pub struct Names {
    /// The comments' stream.
    pub comments: String,
    /// The predictions' stream.
    pub predictions: String,
    /// The table.
    pub table: String,
    /// The bucket.
    pub bucket: String,
    /// The alerts' topic.
    pub topic_arn: String,
    /// A queue with raw delivery of all alerts; its URL.
    pub queue_url: String,
}

/// How far a stream was read: the last sequence number of each shard.
pub type Places = BTreeMap<String, String>;

/// The longest that a call takes.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

impl LocalWorld {
    /// The world of these names, which are there.
    pub fn of(sdk: Sdk, names: Names) -> Self {
        let clients = Clients::new(&sdk.config, CALL_TIMEOUT).expect("the stack has a region");
        LocalWorld { sdk, names, clients, received: Mutex::default() }
    }

    /// A new, empty world, whose names begin with this.
    pub async fn new(sdk: Sdk, prefix: &str, shards: i32) -> Self {
        let names = Names {
            comments: sdk.make_stream(&format!("{prefix}-comments"), shards).await,
            predictions: sdk.make_stream(&format!("{prefix}-predictions"), shards).await,
            table: sdk.make_table(&format!("{prefix}-state")).await,
            bucket: sdk.make_bucket(prefix).await,
            topic_arn: sdk.make_topic(prefix).await,
            queue_url: sdk.make_queue(prefix).await,
        };
        sdk.subscribe(&names.topic_arn, &names.queue_url, None).await;
        LocalWorld::of(sdk, names)
    }

    /// The records that came after these places, each shard's in order. The places are moved on; without any, it begins with
    /// the oldest.
    pub async fn records_after(&self, which: Which, places: &mut Places) -> Vec<StoredRecord> {
        let stream = self.name(which);
        let mut all = Vec::new();
        for shard_id in self.sdk.shard_ids(stream).await {
            let place = places.get(&shard_id).map(String::as_str);
            let from = place.map_or(ShardIteratorType::TrimHorizon, |_| ShardIteratorType::AfterSequenceNumber);
            let mut iterator = self.sdk.iterator(stream, &shard_id, from, place).await;
            loop {
                let page = self.sdk.read(&iterator).await;
                let at_end = page.records.is_empty() && page.millis_behind_latest.unwrap_or_default() == 0;
                if let Some(last) = page.records.last() {
                    places.insert(shard_id.clone(), last.sequence_number.clone());
                }
                all.extend(page.records.into_iter().map(|record| StoredRecord {
                    shard_id: shard_id.clone(),
                    sequence_number: record.sequence_number,
                    partition_key: record.partition_key.unwrap_or_default(),
                    data: record.data.into_inner(),
                }));
                match page.next_shard_iterator.filter(|_| !at_end) {
                    Some(next) => iterator = next,
                    None => break,
                }
            }
        }
        all
    }

    fn name(&self, which: Which) -> &str {
        match which {
            Which::Comments => &self.names.comments,
            Which::Predictions => &self.names.predictions,
        }
    }
}

impl World for LocalWorld {
    type Stream = KinesisStream;
    type Table = DynamoTable;
    type Objects = S3Objects;
    type Topic = SnsTopic;
    type Clock = SystemClock;

    fn stream(&self, which: Which) -> KinesisStream {
        self.clients.stream(self.name(which))
    }

    fn table(&self) -> DynamoTable {
        self.clients.table(&self.names.table, SCHEMA)
    }

    fn objects(&self) -> S3Objects {
        self.clients.objects(&self.names.bucket)
    }

    fn alerts(&self) -> SnsTopic {
        self.clients.topic(&self.names.topic_arn)
    }

    fn clock(&self) -> SystemClock {
        SystemClock
    }

    async fn records(&self, which: Which) -> Vec<StoredRecord> {
        self.records_after(which, &mut Places::new()).await
    }

    async fn notices(&self) -> Vec<Notice> {
        let mut received = self.received.lock().await;
        received.extend(self.sdk.receive_all(&self.names.queue_url).await);
        received.clone()
    }

    async fn items(&self) -> Vec<Item> {
        self.sdk.items(&self.names.table).await
    }

    async fn versions(&self, key: &str) -> Vec<Vec<u8>> {
        self.sdk.versions(&self.names.bucket, key).await
    }

    async fn run<F, R>(&self, which: Which, function: F, feed: impl Future<Output = ()>) -> Drained
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, String>>,
    {
        event_source::run(&self.sdk, self.name(which), function, feed).await
    }
}

/// Message attributes, as text.
type Attributes = BTreeMap<String, String>;
