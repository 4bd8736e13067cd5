use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use modstream_ledger::SCHEMA;
use modstream_platform::memory::{
    Config, EventSource, Filter, FunctionError, MemoryClock, MemoryObjects, MemoryStream, MemoryTable, MemoryTopic,
    OnBatchFailure, Subscription,
};
use modstream_platform::table::Item;

use crate::world::{Drained, Notice, StoredRecord, Which, World};

/// The world in this process. Make it inside a runtime; where that is paused, time is virtual.
pub struct MemoryWorld {
    comments: MemoryStream,
    predictions: MemoryStream,
    table: MemoryTable,
    objects: MemoryObjects,
    alerts: MemoryTopic,
    inbox: Subscription,
    received: Mutex<Vec<Notice>>,
    clock: MemoryClock,
    batch_size: usize,
}

/// When the memory world begins.
const START: &str = "2026-01-05T10:00:00Z";
/// Long enough for every scenario; what is older is given up, so that a function which never succeeds ends the test.
const OLDEST: Duration = Duration::from_secs(60 * 60);

impl MemoryWorld {
    /// An empty world whose streams have this many shards, and whose event sources send at most so many records at once.
    pub fn new(shards: usize, batch_size: usize) -> Self {
        let clock = MemoryClock::starting_at(START.parse().expect("a time"));
        let alerts = MemoryTopic::new("alerts");
        MemoryWorld {
            comments: MemoryStream::new("comments", shards, clock),
            predictions: MemoryStream::new("predictions", shards, clock),
            table: MemoryTable::new("table", SCHEMA, clock),
            objects: MemoryObjects::new(),
            inbox: alerts.subscribe(Filter::new()),
            alerts,
            received: Mutex::default(),
            clock,
            batch_size,
        }
    }

    fn memory_stream(&self, which: Which) -> &MemoryStream {
        match which {
            Which::Comments => &self.comments,
            Which::Predictions => &self.predictions,
        }
    }
}

impl World for MemoryWorld {
    type Stream = MemoryStream;
    type Table = MemoryTable;
    type Objects = MemoryObjects;
    type Topic = MemoryTopic;
    type Clock = MemoryClock;

    fn stream(&self, which: Which) -> MemoryStream {
        self.memory_stream(which).clone()
    }

    fn table(&self) -> MemoryTable {
        self.table.clone()
    }

    fn objects(&self) -> MemoryObjects {
        self.objects.clone()
    }

    fn alerts(&self) -> MemoryTopic {
        self.alerts.clone()
    }

    fn clock(&self) -> MemoryClock {
        self.clock
    }

    async fn records(&self, which: Which) -> Vec<StoredRecord> {
        let stream = self.memory_stream(which);
        let mut all = Vec::new();
        for shard_id in stream.shard_ids() {
            let records = stream.get_records(&shard_id, None, usize::MAX).expect("the shard is there");
            all.extend(records.iter().map(|record| StoredRecord {
                shard_id: shard_id.clone(),
                sequence_number: record.sequence_number.clone(),
                partition_key: record.partition_key.clone(),
                data: record.data.clone(),
            }));
        }
        all
    }

    async fn notices(&self) -> Vec<Notice> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(new) = self.inbox.try_receive() {
            received.push(Notice { body: new.body, attributes: new.attributes });
        }
        received.clone()
    }

    async fn items(&self) -> Vec<Item> {
        self.table.items()
    }

    async fn versions(&self, key: &str) -> Vec<Vec<u8>> {
        self.objects.versions(key)
    }

    async fn run<F, R>(&self, which: Which, function: F, feed: impl Future<Output = ()>) -> Drained
    where
        F: Fn(Vec<u8>) -> R,
        R: Future<Output = Result<Vec<u8>, String>>,
    {
        let config = Config {
            batch_size: self.batch_size,
            on_batch_failure: OnBatchFailure::Bisect,
            max_record_age: Some(OLDEST),
            ..Config::for_function("scenario")
        };
        let source = EventSource::new(self.stream(which), self.clock, config);
        let function = |payload| {
            let answer = function(payload);
            async move { answer.await.map_err(FunctionError) }
        };
        let statistics = source.run(function, feed).await;
        Drained {
            retries: statistics.retries,
            given_up: statistics.discarded_records,
            last_error: statistics.last_function_error.map(|error| error.0),
        }
    }
}
