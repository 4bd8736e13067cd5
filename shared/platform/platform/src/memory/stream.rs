use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::{MemoryClock, lock};
use crate::changes::Changes;
use crate::event_source::{ACCOUNT, REGION, Source, SourceShard, StreamRecord};
use crate::shards::{check, equal_ranges, hash, sequence_number, shard_id};
use crate::{CallError, CallErrorKind, Clock, PutOutcome, PutRecord, Stream};

/// A sharded stream. A key goes to the open shard that owns its MD5, as in
/// [Kinesis](https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html#partition-key), and sequence numbers have 56
/// digits, so they grow as text too.
///
/// It can be [resharded](https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html): the parents
/// are closed, their records stay, and the children take what comes.
#[derive(Clone)]
pub struct MemoryStream {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    arn: String,
    clock: MemoryClock,
    retention: Duration,
    content: Mutex<Content>,
    /// Tells whoever waits that there is more.
    arrivals: Changes,
}

struct Content {
    next_number: u128,
    shards: Vec<Shard>,
}

struct Shard {
    /// The hashes that the shard owns.
    hashes: RangeInclusive<u128>,
    parents: Vec<usize>,
    is_open: bool,
    records: VecDeque<Arc<StreamRecord>>,
}

impl Shard {
    fn open(hashes: RangeInclusive<u128>, parents: Vec<usize>) -> Self {
        Shard { hashes, parents, is_open: true, records: VecDeque::new() }
    }
}

/// The retention of a Kinesis stream where none is set.
const DEFAULT_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

impl MemoryStream {
    /// Makes a stream that keeps records for 24 hours, with at least one shard.
    pub fn new(name: &str, shards: usize, clock: MemoryClock) -> Self {
        Self::with_retention(name, shards, clock, DEFAULT_RETENTION)
    }

    /// Makes a stream that keeps records for `retention`.
    pub fn with_retention(name: &str, shards: usize, clock: MemoryClock, retention: Duration) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            arn: format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"),
            clock,
            retention,
            content: Mutex::new(Content {
                next_number: 0,
                shards: equal_ranges(shards.max(1)).map(|hashes| Shard::open(hashes, Vec::new())).collect(),
            }),
            arrivals: Changes::default(),
        };
        MemoryStream { shared: Arc::new(shared) }
    }

    /// The stream's ARN, as it stands in payloads.
    pub fn arn(&self) -> &str {
        &self.shared.arn
    }

    /// How long a record is kept.
    pub fn retention(&self) -> Duration {
        self.shared.retention
    }

    /// The shards' ids, in order; closed shards too.
    pub fn shard_ids(&self) -> Vec<String> {
        (0..lock(&self.shared.content).shards.len()).map(shard_id).collect()
    }

    /// Reads up to `limit` records of a shard, in order: those after a sequence number, or from the oldest that is kept
    /// (`TRIM_HORIZON`).
    ///
    /// # Errors
    /// [`CallError`] where there is no such shard.
    pub fn get_records(
        &self,
        shard: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<StreamRecord>>, CallError> {
        Ok(self.read(self.shard_index(shard)?, after, limit))
    }

    /// Returns when [`get_records`](Self::get_records) has something to give.
    ///
    /// # Errors
    /// [`CallError`] where there is no such shard.
    pub async fn wait_for_records(&self, shard: &str, after: Option<&str>) -> Result<(), CallError> {
        let shard = self.shard_index(shard)?;
        self.wait(shard, after).await;
        Ok(())
    }

    /// All records that are kept, of all shards, in the order of their sequence numbers.
    pub fn records(&self) -> Vec<Arc<StreamRecord>> {
        let shards = self.shard_ids().len();
        let mut all: Vec<_> = (0..shards).flat_map(|shard| self.read(shard, None, usize::MAX)).collect();
        all.sort_by(|one, other| one.sequence_number.cmp(&other.sequence_number));
        all
    }

    /// How many records are kept, of all shards.
    pub fn len(&self) -> usize {
        let now = self.shared.clock.now();
        let mut content = lock(&self.shared.content);
        content
            .shards
            .iter_mut()
            .map(|shard| {
                self.trim(&mut shard.records, now);
                shard.records.len()
            })
            .sum()
    }

    /// Whether no record is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes an open shard; its two children own half of its hashes each.
    ///
    /// # Errors
    /// [`CallError`] where there is no such open shard, or it owns one hash alone.
    pub fn split_shard(&self, shard: &str) -> Result<[String; 2], CallError> {
        let index = self.shard_index(shard)?;
        let mut content = lock(&self.shared.content);
        let hashes = content.shards[index].hashes.clone();
        if !content.shards[index].is_open || hashes.start() == hashes.end() {
            return Err(self.refused("SplitShard", &format!("{shard} is closed, or can't be split")));
        }
        let middle = hashes.start() + (hashes.end() - hashes.start()) / 2;
        content.shards[index].is_open = false;
        let first = content.shards.len();
        content.shards.push(Shard::open(*hashes.start()..=middle, vec![index]));
        content.shards.push(Shard::open(middle + 1..=*hashes.end(), vec![index]));
        drop(content);
        self.shared.arrivals.announce();
        Ok([shard_id(first), shard_id(first + 1)])
    }

    /// Closes two open shards that own neighbouring hashes; their child owns the hashes of both.
    ///
    /// # Errors
    /// [`CallError`] where they are no such shards.
    pub fn merge_shards(&self, shard: &str, adjacent: &str) -> Result<String, CallError> {
        let (one, other) = (self.shard_index(shard)?, self.shard_index(adjacent)?);
        let mut content = lock(&self.shared.content);
        let (a, b) = (content.shards[one].hashes.clone(), content.shards[other].hashes.clone());
        let (low, high) = if a.start() < b.start() { (a, b) } else { (b, a) };
        let are_open = content.shards[one].is_open && content.shards[other].is_open;
        if !are_open || low.end().checked_add(1) != Some(*high.start()) {
            return Err(self.refused("MergeShards", &format!("{shard} and {adjacent} are no open neighbours")));
        }
        content.shards[one].is_open = false;
        content.shards[other].is_open = false;
        let child = content.shards.len();
        content.shards.push(Shard::open(*low.start()..=*high.end(), vec![one, other]));
        drop(content);
        self.shared.arrivals.announce();
        Ok(shard_id(child))
    }

    /// The shards that take records, by the hashes they own: of these, neighbours can be merged.
    pub fn open_shards(&self) -> Vec<String> {
        let content = lock(&self.shared.content);
        let mut open: Vec<usize> = (0..content.shards.len()).filter(|index| content.shards[*index].is_open).collect();
        open.sort_by_key(|index| *content.shards[*index].hashes.start());
        open.into_iter().map(shard_id).collect()
    }

    fn read(&self, shard: usize, after: Option<&str>, limit: usize) -> Vec<Arc<StreamRecord>> {
        self.read_where(shard, after, limit, |_| true)
    }

    async fn wait(&self, shard: usize, after: Option<&str>) {
        self.shared.arrivals.until(|| !self.read(shard, after, 1).is_empty()).await;
    }

    fn trim(&self, records: &mut VecDeque<Arc<StreamRecord>>, now: Timestamp) {
        let kept = |record: &StreamRecord| record.arrived.checked_add(self.shared.retention).is_ok_and(|end| now < end);
        while records.front().is_some_and(|record| !kept(record)) {
            records.pop_front();
        }
    }

    fn refused(&self, operation: &'static str, detail: &str) -> CallError {
        let message = format!("InvalidArgumentException: the stream {}: {detail}", self.shared.name);
        CallError { service: "kinesis", operation, kind: CallErrorKind::Invalid, message }
    }

    fn shard_index(&self, shard: &str) -> Result<usize, CallError> {
        let index = self.shard_ids().iter().position(|id| id == shard);
        index.ok_or_else(|| CallError {
            service: "kinesis",
            operation: "GetRecords",
            kind: CallErrorKind::Denied,
            message: format!("ResourceNotFoundException: the stream {} has no shard {shard}", self.shared.name),
        })
    }
}

impl Source for MemoryStream {
    type Gathered = ();

    fn arn(&self) -> &str {
        &self.shared.arn
    }

    fn keeps_for(&self) -> Duration {
        self.shared.retention
    }

    fn shards(&self) -> Vec<SourceShard> {
        let content = lock(&self.shared.content);
        let shard = |shard: &Shard| SourceShard { parents: shard.parents.clone(), is_open: shard.is_open };
        content.shards.iter().map(shard).collect()
    }

    fn shard_count(&self) -> usize {
        lock(&self.shared.content).shards.len()
    }

    fn is_open(&self, shard: usize) -> bool {
        lock(&self.shared.content).shards.get(shard).is_none_or(|shard| shard.is_open)
    }

    fn read_where(
        &self,
        shard: usize,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Arc<StreamRecord>> {
        let now = self.shared.clock.now();
        let mut content = lock(&self.shared.content);
        let Some(Shard { records, .. }) = content.shards.get_mut(shard) else {
            return Vec::new();
        };
        self.trim(records, now);
        let from = after.map_or(0, |after| records.partition_point(|record| record.sequence_number.as_str() <= after));
        records.range(from..).filter(|record| wanted(&record.partition_key)).take(limit).cloned().collect()
    }

    async fn changed(&self, is_so: impl FnMut() -> bool) {
        self.shared.arrivals.until(is_so).await;
    }
}

impl Stream for MemoryStream {
    fn name(&self) -> &str {
        &self.shared.name
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        check(records)?;
        let now = self.shared.clock.now();
        let mut outcomes = Vec::with_capacity(records.len());
        {
            let mut content = lock(&self.shared.content);
            for record in records {
                let hash = hash(&record.partition_key);
                // The open shards own every hash.
                let owns = |shard: &Shard| shard.is_open && shard.hashes.contains(&hash);
                let shard = content.shards.iter().position(owns).unwrap_or_default();
                let sequence_number = sequence_number(content.next_number);
                content.next_number += 1;
                outcomes
                    .push(PutOutcome::Stored { shard_id: shard_id(shard), sequence_number: sequence_number.clone() });
                content.shards[shard].records.push_back(Arc::new(StreamRecord {
                    sequence_number,
                    partition_key: record.partition_key.clone(),
                    arrived: now,
                    data: record.data.clone(),
                }));
            }
            content.shards.iter_mut().for_each(|shard| self.trim(&mut shard.records, now));
        }
        self.shared.arrivals.announce();
        // A real call lets others run while it is under way.
        tokio::task::yield_now().await;
        Ok(outcomes)
    }
}
