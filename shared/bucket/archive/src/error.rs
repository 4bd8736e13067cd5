use modstream_platform::deliver::DeliveryError;
use plain_text::counted;

/// Bytes that are no archive object, or records that make none. Quotes no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The object can't be unpacked.
    #[error("it is no whole zstd frame: the object is damaged or was written by something else")]
    NotZstd,
    /// No batch is as large.
    #[error("it unpacks to more than {limit} bytes, which no batch has: it was written by something else")]
    TooLarge {
        /// The most there may be.
        limit: usize,
    },
    /// The first line is no header.
    #[error("its first line is no archive header: it was written by something else")]
    NoHeader,
    /// The object is of another format.
    #[error("its format is `{found}` and this program reads `modstream-archive/1`: use the release that wrote it")]
    Format {
        /// What the header says.
        found: String,
    },
    /// The records are not the ones that were written.
    #[error("its records do not have the checksum that its header says: the object is damaged")]
    Checksum,
    /// Another number of records than the header says.
    #[error("it holds {} and its header says {said}: the object is damaged", counted(*found, "record"))]
    Count {
        /// The number of records that the header gives.
        said: usize,
        /// The number of records that are there.
        found: usize,
    },
    /// A line that is no record.
    #[error("line {line} is no archived record: the object is damaged or was written by something else")]
    Line {
        /// The line's number; the header is line 1.
        line: usize,
    },
    /// Header, key and records name different positions.
    #[error(
        "key, header and records name different streams, shards or sequence numbers: the object is not where it belongs"
    )]
    Misplaced,
    /// There are no records.
    #[error("there are no records: an archive object holds at least one")]
    Empty,
    /// Records that do not follow one another in one shard.
    #[error(
        "the records are not one shard's in ascending order: archive the batches of a Kinesis event source mapping"
    )]
    Unordered,
    /// Names that make no key.
    #[error(
        "a stream, shard or sequence number is none that Kinesis gives: archive the batches of a Kinesis event source mapping"
    )]
    Position,
    /// The object was listed, and was gone when it was to be read.
    #[error("it was deleted while the archive was read, as objects past their age are: read again")]
    Gone,
}

/// Why a batch is not archived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The batch's records make no object.
    #[error("{0}")]
    Records(#[from] ArchiveError),
    /// The object could not be written by the deadline.
    #[error("{0}")]
    Delivery(#[from] DeliveryError),
}
