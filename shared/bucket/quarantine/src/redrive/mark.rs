use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The prefix of all marks.
pub const MARKS: &str = "redriven/";

/// The content of a mark: where a record went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The object that held the record.
    pub key: String,
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
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text always serialises into memory")
    }
}

/// The mark of a quarantined record lies at the key of its object below `redriven/`. A batch has a mark for each record, in a
/// folder of that name: one may be put back and the next fail.
pub fn mark_key(key: &str, record_of_batch: Option<&str>) -> String {
    let stem = key.strip_suffix(".json").unwrap_or(key);
    match record_of_batch {
        None => format!("{MARKS}{stem}.json"),
        Some(sequence_number) => format!("{MARKS}{stem}/{sequence_number}.json"),
    }
}
