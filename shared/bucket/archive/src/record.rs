use jiff::Timestamp;

/// A record of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRecord {
    /// The record's place in the shard.
    pub sequence_number: String,
    /// The key that the record had on the stream; empty where it is forgotten.
    pub partition_key: String,
    /// When the stream took the record, to the millisecond.
    pub arrived: Timestamp,
    /// What the record carried.
    pub content: Content,
}

/// What a record carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The record's data, byte for byte.
    Data(Vec<u8>),
    /// The data was removed at this time.
    Forgotten(Timestamp),
}
