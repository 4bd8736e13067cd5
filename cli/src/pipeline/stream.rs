//! Reading a stream, through reshardings.

use std::collections::HashSet;

use anyhow::Context as _;
use aws_sdk_kinesis::operation::get_records::{GetRecordsError, GetRecordsOutput};
use aws_sdk_kinesis::primitives::DateTime;
use aws_sdk_kinesis::types::{self, ShardIteratorType};
use futures_util::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use modstream_platform::CallError;

use crate::common::connection::failed;
use crate::pipeline::system::Record;

/// The most records of one call.
const MAX_RECORDS_PER_READ: i32 = 2_000;

/// From when on a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The stream is read from the oldest record that it still holds.
    Horizon,
    Now,
    At(Timestamp),
}

/// Reads all shards of a stream. Where a shard was closed, those that came of it are read once it is read to its end,
/// so records of one key keep their order.
pub(crate) struct Reader {
    client: aws_sdk_kinesis::Client,
    stream: String,
    from: From,
    open: Vec<OpenShard>,
    /// Every shard that was ever read, or was left out.
    known: HashSet<String>,
    ended: HashSet<String>,
}

struct OpenShard {
    id: String,
    /// The shard's iterator; none where it has to be asked for.
    iterator: Option<String>,
    /// The last record that was read.
    after: Option<String>,
    /// Where the shard begins while nothing was read of it.
    from: From,
}

/// What one look at every shard gave.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Whether that was all there is by now.
    pub(crate) is_at_end: bool,
    /// How far behind the end the shard is that is farthest behind.
    pub(crate) behind: SignedDuration,
}

/// What one look at a shard gave.
enum Look {
    Read(Box<GetRecordsOutput>),
    /// The iterator is too old: it holds for five minutes.
    Expired,
}

impl Reader {
    /// Begins to read a stream.
    pub(crate) async fn open(client: aws_sdk_kinesis::Client, stream: &str, from: From) -> anyhow::Result<Self> {
        let (open, known, ended) = Default::default();
        let mut reader = Reader { client, stream: stream.to_owned(), from, open, known, ended };
        let shards = reader.list().await?;
        let ids: HashSet<&str> = shards.iter().map(|shard| shard.shard_id.as_str()).collect();
        let mut first = Vec::new();
        for shard in &shards {
            let begins = match from {
                // What is closed gets nothing new.
                From::Now => is_open(shard),
                // Parents that the stream still holds come before their children.
                From::Horizon | From::At(_) => parents(shard).all(|parent| !ids.contains(parent)),
            };
            if begins {
                first.push(shard.shard_id.clone());
            }
            if begins || from == From::Now {
                reader.known.insert(shard.shard_id.clone());
            }
        }
        // Before anything else happens: that is what "now" means.
        let iterators = try_join_all(first.iter().map(|id| reader.iterator(id, None, from))).await?;
        reader.open = first
            .into_iter()
            .zip(iterators)
            .map(|(id, iterator)| OpenShard { id, iterator: Some(iterator), after: None, from })
            .collect();
        Ok(reader)
    }

    /// Looks at every shard once.
    pub(crate) async fn read(&mut self) -> anyhow::Result<Page> {
        for index in 0..self.open.len() {
            let OpenShard { id, iterator, after, from } = &self.open[index];
            if iterator.is_none() {
                let iterator = self.iterator(id, after.as_deref(), *from).await?;
                self.open[index].iterator = Some(iterator);
            }
        }
        let looks = join_all(self.open.iter().filter_map(|shard| Some(self.look(shard.iterator.clone()?)))).await;
        let mut page = Page { is_at_end: true, ..Page::default() };
        let mut has_closed = false;
        for (shard, look) in self.open.iter_mut().zip(looks) {
            let GetRecordsOutput { records, next_shard_iterator, millis_behind_latest, .. } =
                match look.with_context(|| unreadable(&self.stream))? {
                    Look::Read(output) => *output,
                    Look::Expired => {
                        shard.iterator = None;
                        (page.is_at_end, page.behind) = (false, SignedDuration::MAX);
                        continue;
                    }
                };
            let behind = SignedDuration::from_millis(millis_behind_latest.unwrap_or_default());
            page.behind = page.behind.max(behind);
            // Not "no records": while records come, there are always some.
            page.is_at_end &= behind.is_zero();
            if let Some(last) = records.last() {
                shard.after = Some(last.sequence_number.clone());
            }
            page.records.extend(records.into_iter().map(|record| of(&shard.id, record)));
            if next_shard_iterator.is_none() {
                has_closed = true;
                self.ended.insert(shard.id.clone());
            }
            shard.iterator = next_shard_iterator;
        }
        if has_closed {
            // What comes of a closed shard is all to be read yet.
            (page.is_at_end, page.behind) = (false, SignedDuration::MAX);
            let ended = &self.ended;
            self.open.retain(|shard| !ended.contains(&shard.id));
            self.open_children().await?;
        }
        Ok(page)
    }

    /// Begins with the shards whose parents are read to their ends.
    async fn open_children(&mut self) -> anyhow::Result<()> {
        for shard in self.list().await? {
            let is_read = |parent: &str| self.ended.contains(parent);
            // A merged shard has two parents; one that was never read is waited for by nobody.
            let waits = parents(&shard).any(|parent| self.open.iter().any(|open| open.id == parent));
            if !self.known.contains(&shard.shard_id) && parents(&shard).any(is_read) && !waits {
                self.known.insert(shard.shard_id.clone());
                let from = if self.from == From::Now { From::Horizon } else { self.from };
                self.open.push(OpenShard { id: shard.shard_id, iterator: None, after: None, from });
            }
        }
        Ok(())
    }

    async fn list(&self) -> anyhow::Result<Vec<types::Shard>> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = self.client.list_shards();
            // A token stands for the stream, too.
            let call = match next {
                None => call.stream_name(&self.stream),
                Some(token) => call.next_token(token),
            };
            let page = Box::pin(call.send()).await.map_err(failed("kinesis", "ListShards"));
            let page = page.with_context(|| unreadable(&self.stream))?;
            all.extend(page.shards.unwrap_or_default());
            next = page.next_token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    async fn iterator(&self, shard: &str, after: Option<&str>, from: From) -> anyhow::Result<String> {
        let call = self.client.get_shard_iterator().stream_name(&self.stream).shard_id(shard);
        let call = match (after, from) {
            (Some(after), _) => {
                call.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).starting_sequence_number(after)
            }
            (None, From::Horizon) => call.shard_iterator_type(ShardIteratorType::TrimHorizon),
            (None, From::Now) => call.shard_iterator_type(ShardIteratorType::Latest),
            (None, From::At(time)) => call
                .shard_iterator_type(ShardIteratorType::AtTimestamp)
                .timestamp(DateTime::from_millis(time.as_millisecond())),
        };
        let answer = Box::pin(call.send()).await.map_err(failed("kinesis", "GetShardIterator"));
        let answer = answer.with_context(|| unreadable(&self.stream))?;
        answer.shard_iterator.with_context(|| format!("{}: no shard iterator", unreadable(&self.stream)))
    }

    async fn look(&self, iterator: String) -> Result<Look, CallError> {
        let call = self.client.get_records().shard_iterator(iterator).limit(MAX_RECORDS_PER_READ);
        match Box::pin(call.send()).await {
            Ok(output) => Ok(Look::Read(Box::new(output))),
            Err(error) if error.as_service_error().is_some_and(GetRecordsError::is_expired_iterator_exception) => {
                Ok(Look::Expired)
            }
            Err(error) => Err(failed("kinesis", "GetRecords")(error)),
        }
    }
}

fn unreadable(stream: &str) -> String {
    format!("the stream {stream} can't be read")
}

fn parents(shard: &types::Shard) -> impl Iterator<Item = &str> {
    [&shard.parent_shard_id, &shard.adjacent_parent_shard_id].into_iter().filter_map(|parent| parent.as_deref())
}

fn is_open(shard: &types::Shard) -> bool {
    shard.sequence_number_range.as_ref().is_none_or(|range| range.ending_sequence_number.is_none())
}

fn of(shard: &str, record: types::Record) -> Record {
    let arrived =
        record.approximate_arrival_timestamp.and_then(|at| Timestamp::from_millisecond(at.to_millis().ok()?).ok());
    Record {
        place: format!("{shard}/{}", record.sequence_number),
        data: record.data.into_inner(),
        arrived: arrived.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::config::{BehaviorVersion, Credentials, Region};
    use modstream_stub_server::{Answer, Reply, StubServer};
    use serde_json::json;

    use super::*;

    /// A page of a stream with one shard, of which every call gives a record.
    async fn page(millis_behind: u64) -> Page {
        let server = StubServer::start(move |request| {
            let target = request.header("x-amz-target").unwrap_or_default();
            let answer = match target.rsplit('.').next() {
                Some("ListShards") => json!({ "Shards": [{
                    "ShardId": "shard-0",
                    "HashKeyRange": { "StartingHashKey": "0", "EndingHashKey": "1" },
                    "SequenceNumberRange": { "StartingSequenceNumber": "1" },
                }] }),
                Some("GetShardIterator") => json!({ "ShardIterator": "0" }),
                _ => json!({
                    "Records": [{ "SequenceNumber": "1", "PartitionKey": "k", "Data": "" }],
                    "NextShardIterator": "0",
                    "MillisBehindLatest": millis_behind,
                }),
            };
            Reply::from(Answer::new(200, answer.to_string()).header("Content-Type", "application/x-amz-json-1.1"))
        });
        let server = server.expect("a port");
        let config = aws_sdk_kinesis::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(server.url())
            .build();
        let client = aws_sdk_kinesis::Client::from_conf(config);
        let mut reader = Reader::open(client, "comments", From::Horizon).await.expect("opens");
        reader.read().await.expect("reads")
    }

    #[tokio::test]
    async fn the_end_is_reached_where_nothing_is_behind_although_records_come() {
        let (at_end, behind) = (page(0).await, page(7_000).await);
        assert!(at_end.is_at_end && at_end.records.len() == 1);
        assert!(!behind.is_at_end && behind.behind == SignedDuration::from_secs(7));
    }
}
