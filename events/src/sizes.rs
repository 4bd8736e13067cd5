//! The sizes that the contract allows.

/// The most a Kinesis record may hold, data and partition key together, in bytes
/// ([PutRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html), where a stream is not set to more).
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The most bytes of an event's `id` and `source`: they go on into other events, and into alerts, which must fit a message.
pub const MAX_NAME_BYTES: usize = 1_024;
