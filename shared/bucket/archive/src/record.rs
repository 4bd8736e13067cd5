use jiff::Timestamp;

/// A record of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRecord {
    /// Its place in the shard.
    pub sequence_number: String,
    /// The key it had on the stream; empty where it is forgotten.
    pub partition_key: String,
    /// When the stream took it, to the millisecond.
    pub arrived: Timestamp,
    /// What it carried.
    pub content: Content,
}

/// What a record carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its data, byte for byte.
    Data(Vec<u8>),
    /// Nothing any more: removed at this time.
    Forgotten(Timestamp),
}
