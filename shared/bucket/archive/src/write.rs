use jiff::Timestamp;
use kinesis_batch::Record;
use modstream_platform::deliver::{PutIfAbsent, put_if_absent};
use modstream_platform::{Clock, Objects};

use crate::{ArchiveError, ArchivedRecord, Content, Key, WriteError, encode};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// The key of the object.
    pub key: Key,
    /// How many bytes the object has, packed.
    pub bytes: usize,
    /// Whether this call wrote it.
    pub outcome: PutIfAbsent,
}

/// Archives a batch: all its records in one object, whatever they hold. An object that is there already is left as it is: it is
/// this batch, or what was left of it when a person was forgotten.
///
/// # Errors
/// Where the records are not one shard's in order, or the object is not known to be there by the deadline.
pub async fn write<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    records: &[Record<'_>],
) -> Result<Archived, WriteError> {
    let first = records.first().ok_or(ArchiveError::Empty)?;
    let same = |record: &Record<'_>| record.shard_id == first.shard_id && record.stream() == first.stream();
    if !records.iter().all(same) {
        return Err(ArchiveError::Unordered.into());
    }
    let archived: Vec<ArchivedRecord> = records.iter().map(archived).collect();
    let (key, object) = encode(first.stream(), &first.shard_id, &archived)?;
    let bytes = object.len();
    let outcome = put_if_absent(objects, clock, deadline, &key.to_string(), object).await?;
    Ok(Archived { key, bytes, outcome })
}

fn archived(record: &Record<'_>) -> ArchivedRecord {
    let mut data = Vec::new();
    if record.decode_into(&mut data).is_err() {
        // Lambda never sends that. Kept as it came, for it is not for the archive to judge.
        data = record.encoded.as_bytes().to_vec();
    }
    ArchivedRecord {
        sequence_number: record.sequence_number.to_string(),
        partition_key: record.partition_key.to_string(),
        arrived: timestamp(record.arrived_seconds),
        content: Content::Data(data),
    }
}

/// Seconds since 1970, to the millisecond; the epoch itself where they are no time of a year with four digits, as keys have it.
fn timestamp(seconds: f64) -> Timestamp {
    let milliseconds = (seconds * 1e3).round();
    if (-6e13..=2.5e14).contains(&milliseconds) {
        Timestamp::from_millisecond(milliseconds as i64).unwrap_or_default()
    } else {
        Timestamp::default()
    }
}
