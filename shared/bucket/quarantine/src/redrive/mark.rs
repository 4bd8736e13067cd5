use jiff::Timestamp;
use modstream_platform::table::{Item, Key};

/// What the partition of an object's marks begins with.
const REDRIVEN: &str = "redriven#";
/// The sort key of the mark of a quarantined record, whose object holds one.
const RECORD: &str = "record";

const TIME: &str = "time";
const STREAM: &str = "stream";
const SHARD_ID: &str = "shard_id";
const SEQUENCE_NUMBER: &str = "sequence_number";

/// That a record was put back, and where it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The mark's place: see [`mark_key`].
    pub key: Key,
    /// When it was put back.
    pub time: Timestamp,
    /// The stream that took it.
    pub stream: String,
    /// The shard that took it.
    pub shard_id: String,
    /// The record's sequence number there.
    pub sequence_number: String,
}

impl Mark {
    pub(crate) fn item(&self) -> Item {
        let Mark { key, time, stream, shard_id, sequence_number } = self;
        Item::new(key.clone())
            .with(TIME, time.to_string())
            .with(STREAM, stream.as_str())
            .with(SHARD_ID, shard_id.as_str())
            .with(SEQUENCE_NUMBER, sequence_number.as_str())
    }

    /// The mark that an item is; none where it is something else.
    pub fn of_item(item: &Item) -> Option<Self> {
        item.key.partition.strip_prefix(REDRIVEN)?;
        Some(Mark {
            key: item.key.clone(),
            time: item.text(TIME)?.parse().ok()?,
            stream: item.text(STREAM)?.to_owned(),
            shard_id: item.text(SHARD_ID)?.to_owned(),
            sequence_number: item.text(SEQUENCE_NUMBER)?.to_owned(),
        })
    }
}

/// The partition of the marks of what an object holds.
pub(crate) fn marks_of(object: &str) -> String {
    format!("{REDRIVEN}{object}")
}

/// The place of a record's mark, by the key of the object that holds the record. A batch has a mark for each record: one may be
/// put back and the next fail.
pub fn mark_key(object: &str, record_of_batch: Option<&str>) -> Key {
    Key::new(marks_of(object), record_of_batch.unwrap_or(RECORD))
}
