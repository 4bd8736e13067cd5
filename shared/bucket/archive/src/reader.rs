use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

use crate::key::{batch_of, day_prefix, hour_of, span_of, stream_prefix};
use crate::sequence::{Sequence, compare};
use crate::{ArchiveError, ArchivedRecord, Content, Key, decode};

/// How long a call is tried.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How many days are listed at once.
const CONCURRENT_LISTINGS: usize = 16;
/// A range of more days is found by listing the whole stream: about the objects of 90 days are to be expected there.
const MAX_DAYS_LISTED: i64 = 90;
const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// An object lies in its first record's hour. The others were on the stream with it, so they arrived as much earlier or later at
/// most as a stream keeps records: seven days, the most that the deployment allows.
const OTHERS_WITHIN_DAYS: i64 = 7;

/// A record of the archive, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The stream's shard.
    pub shard_id: String,
    /// The record.
    pub record: ArchivedRecord,
}

/// An object whose records are missing from what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The object's key.
    pub key: String,
    /// What is wrong with it.
    pub error: ArchiveError,
}

/// Reads the records of a stream that arrived in a time range: by shard, then by sequence number, each once. It holds the
/// keys of the range and the records of objects that overlap in memory, no more.
///
/// An object that can't be read costs its own records alone: look at [`unreadable`](Reader::unreadable) at the end.
#[derive(Debug)]
pub struct Reader<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    from: Timestamp,
    to: Timestamp,
    shards: VecDeque<Shard>,
    /// Records of the first shard that objects to come may have, too.
    waiting: BTreeMap<Sequence, ArchivedRecord>,
    unreadable: Vec<Unreadable>,
    objects_read: usize,
}

/// A shard's objects that are not read yet, by first sequence number.
#[derive(Debug)]
struct Shard {
    shard_id: String,
    keys: VecDeque<Key>,
}

impl<'a, O: Objects, C: Clock> Reader<'a, O, C> {
    /// Finds the objects of `stream` with records that arrived from `from` on and before `to`.
    ///
    /// # Errors
    /// Where the bucket can't be listed.
    pub async fn open(
        objects: &'a O,
        clock: &'a C,
        stream: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Self, DeliveryError> {
        let mut shards: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        let (first_hour, last_hour) = (hour_of(from), hour_of(just_before(to)));
        for key in listed(objects, clock, stream, from, to).await? {
            shards.entry(key.shard_id.clone()).or_default().push(key);
        }
        let shards =
            shards.into_iter().map(|(shard_id, keys)| Shard { shard_id, keys: wanted(keys, &first_hour, &last_hour) });
        Ok(Reader {
            objects,
            clock,
            from,
            to,
            shards: shards.filter(|shard| !shard.keys.is_empty()).collect(),
            waiting: BTreeMap::new(),
            unreadable: Vec::new(),
            objects_read: 0,
        })
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// Where the bucket can't be read. An object that is damaged is no such error.
    pub async fn next(&mut self) -> Result<Option<Stored>, DeliveryError> {
        loop {
            let Some(shard) = self.shards.front_mut() else {
                return Ok(None);
            };
            let settled = match (self.waiting.first_key_value(), shard.keys.front()) {
                (Some((number, _)), Some(key)) => compare(&number.0, &key.first) == Ordering::Less,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => {
                    self.shards.pop_front();
                    continue;
                }
            };
            if settled && let Some((_, record)) = self.waiting.pop_first() {
                return Ok(Some(Stored { shard_id: shard.shard_id.clone(), record }));
            }
            if let Some(key) = shard.keys.front().cloned() {
                self.load(&key).await?;
                // Only now, so that a failed call can be tried again.
                if let Some(shard) = self.shards.front_mut() {
                    shard.keys.pop_front();
                }
            }
        }
    }

    /// The objects that could not be read so far.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// How many objects were read so far.
    pub fn objects_read(&self) -> usize {
        self.objects_read
    }

    async fn load(&mut self, key: &Key) -> Result<(), DeliveryError> {
        let name = key.to_string();
        let fetched = get(self.objects, self.clock, deadline(self.clock), &name, None).await?;
        let records = match fetched {
            Fetched::Object { bytes, .. } => belonging(key, &bytes),
            Fetched::NotModified | Fetched::Missing => Err(ArchiveError::Gone),
        };
        match records {
            Ok(records) => {
                self.objects_read += 1;
                let range = self.from..self.to;
                for record in records.into_iter().filter(|record| range.contains(&record.arrived)) {
                    self.keep(record);
                }
            }
            Err(error) => self.unreadable.push(Unreadable { key: name, error }),
        }
        Ok(())
    }

    fn keep(&mut self, record: ArchivedRecord) {
        let forgotten = matches!(record.content, Content::Forgotten(_));
        let number = Sequence(record.sequence_number.clone());
        // What is forgotten in one object is forgotten, should another still hold it.
        if forgotten || !self.waiting.contains_key(&number) {
            self.waiting.insert(number, record);
        }
    }
}

/// The records, if the object is the one that its key says.
fn belonging(key: &Key, bytes: &[u8]) -> Result<Vec<ArchivedRecord>, ArchiveError> {
    let (header, records) = decode(bytes)?;
    let hour = records.first().map(|record| hour_of(record.arrived));
    let belongs = header.stream == key.stream
        && header.shard_id == key.shard_id
        && header.first == key.first
        && header.last == key.last
        && batch_of(&records) == key.batch
        && hour.as_ref() == Some(&key.hour)
        // Names of an earlier version say nothing about it.
        && (key.span.is_none() || key.span == span_of(&records));
    if belongs { Ok(records) } else { Err(ArchiveError::Misplaced) }
}

async fn listed<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    stream: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Key>, DeliveryError> {
    let prefixes = prefixes(stream, from, to);
    let lists = prefixes.iter().map(|prefix| list(objects, clock, deadline(clock), prefix));
    let keys: Vec<Vec<String>> = stream::iter(lists).buffered(CONCURRENT_LISTINGS).try_collect().await?;
    Ok(keys.iter().flatten().filter_map(|key| Key::parse(key)).collect())
}

/// What the keys of objects with records of the range may begin with.
fn prefixes(stream: &str, from: Timestamp, to: Timestamp) -> Vec<String> {
    if from >= to {
        return Vec::new();
    }
    let first = days_since_1970(from) - OTHERS_WITHIN_DAYS;
    let last = days_since_1970(just_before(to)) + OTHERS_WITHIN_DAYS;
    if last - first > MAX_DAYS_LISTED {
        return vec![stream_prefix(stream)];
    }
    let days = (first..=last).filter_map(|day| Timestamp::from_second(day * SECONDS_A_DAY).ok());
    days.map(|day| day_prefix(stream, day)).collect()
}

fn days_since_1970(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SECONDS_A_DAY)
}

fn just_before(time: Timestamp) -> Timestamp {
    time.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}

/// The objects of a shard that may hold records of the range, by first sequence number.
///
/// Their names say from which hour to which hour their records arrived. Those of an earlier version say only when the first one
/// did: of these an object before the range counts, too, if it ends after the last of them begins.
fn wanted(mut keys: Vec<Key>, first_hour: &str, last_hour: &str) -> VecDeque<Key> {
    keys.sort_by(|one, other| compare(&one.first, &other.first));
    let is_before = |key: &Key| key.span.is_none() && key.hour.as_str() < first_hour;
    let last_start = keys.iter().rfind(|key| is_before(key)).map(|key| key.first.clone());
    let may_reach = |key: &Key| {
        is_before(key) && last_start.as_ref().is_none_or(|start| compare(&key.last, start) == Ordering::Greater)
    };
    keys.into_iter().filter(|key| key.reaches(first_hour, last_hour) || may_reach(key)).collect()
}

fn deadline<C: Clock>(clock: &C) -> Timestamp {
    clock.now().saturating_add(READ_TIMEOUT).unwrap_or(Timestamp::MAX)
}
