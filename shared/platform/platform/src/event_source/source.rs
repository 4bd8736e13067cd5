use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// The [limit](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) of an invocation's payload.
const MAX_PAYLOAD_BYTES: usize = 6 << 20;

/// A record on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// The record's place in its shard, and on the whole stream.
    pub sequence_number: String,
    /// The record's partition key.
    pub partition_key: String,
    /// When the stream took the record, to the millisecond.
    pub arrived: Timestamp,
    /// The record's data.
    pub data: Vec<u8>,
}

/// A shard, as a mapping sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceShard {
    /// The shards that it came of, by their positions: they are done before it begins.
    pub parents: Vec<usize>,
    /// Whether it takes more records.
    pub is_open: bool,
}

/// Which reader of a shard is meant: a mapping may read it in several lanes, each of which owns a part of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The shard's position.
    pub shard: usize,
    /// Which lane it is, from 0.
    pub lane: usize,
    /// How many lanes there are.
    pub lanes: usize,
}

/// What an invocation left to be written together with its checkpoint. Nothing of it is written by then.
pub trait Gathered: Default {
    /// Whether it left nothing.
    fn is_empty(&self) -> bool;
}

impl Gathered for () {
    fn is_empty(&self) -> bool {
        true
    }
}

/// A stream as a mapping reads it.
#[expect(async_fn_in_trait, reason = "a mapping runs a function on the thread that it is on")]
pub trait Source {
    /// What an invocation leaves to be written together with its checkpoint, where the world can do that.
    type Gathered: Gathered;

    /// The stream's ARN, as it stands in payloads.
    fn arn(&self) -> &str;

    /// How many bytes of a batch go into one payload, in base64. The largest record fits into it.
    fn max_payload_bytes(&self) -> usize {
        MAX_PAYLOAD_BYTES
    }

    /// How long a record is kept at most, whether or not it was read.
    fn keeps_for(&self) -> Duration;

    /// All shards, in order; closed ones too.
    fn shards(&self) -> Vec<SourceShard>;

    /// How many shards there are or were.
    fn shard_count(&self) -> usize {
        self.shards().len()
    }

    /// Whether a shard takes more records.
    fn is_open(&self, shard: usize) -> bool {
        self.shards().get(shard).is_none_or(|shard| shard.is_open)
    }

    /// Reads up to `limit` wanted records of a shard, in order: those after a sequence number, or from the oldest that is kept.
    /// Where they can't be read now there are none, and [`changed`](Self::changed) looks again.
    fn read_where(
        &self,
        shard: usize,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Arc<StreamRecord>>;

    /// Returns once `is_so` is true, which is asked now, and whenever there may be more records or shards.
    async fn changed(&self, is_so: impl FnMut() -> bool);

    /// How many lanes a shard may be read in, of so many that are wanted.
    fn lanes(&self, wanted: usize) -> usize {
        wanted.max(1)
    }

    /// The last record that a reader is done with; none where it begins with the oldest. Where it can't be told now, it is waited
    /// for: a guess would do things twice.
    async fn checkpoint(&self, _reader: Reader<'_>) -> Option<String> {
        None
    }

    /// Runs an invocation, and gathers what it leaves.
    async fn gathering<T>(&self, invocation: impl Future<Output = T>) -> (T, Self::Gathered) {
        (invocation.await, Self::Gathered::default())
    }

    /// Records that a reader is done with everything up to this record, together with what was gathered: both are written, or
    /// neither. Returns whether they are.
    async fn done(&self, _reader: Reader<'_>, _up_to: &str, _gathered: Self::Gathered) -> bool {
        true
    }
}
