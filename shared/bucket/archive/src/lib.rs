//! What a stream carried, kept for longer than the stream does: one object a batch, which never changes, at
//! `archive/<stream>/<hour>/<shard id>/<first sequence number>-<last sequence number>-<checksum of all>.jsonl.zst`.
//!
//! The hour is that of the arrival of the batch's first record. Where the others did not all arrive in it, the name goes on with
//! the hours of the earliest and the latest, as in `...-ad20437f-20260105T09-20260105T11.jsonl.zst`: arrival need not ascend. The
//! content is zstd of JSON Lines: a [`Header`] with the
//! SHA-256 of all that follows it, then a record a line:
//!
//! ```json
//! {"format":"modstream-archive/1","stream":"comments","shard_id":"shardId-000000000000","first":"7","last":"9","records":2,"sha256":"..."}
//! {"sequence_number":"7","partition_key":"k1","arrived":"2026-01-05T10:00:00.250Z","event":{"specversion":"1.0"}}
//! {"sequence_number":"9","partition_key":"k2","arrived":"2026-01-05T10:00:00.300Z","data":"bm8gSlNPTg=="}
//! ```
//!
//! Data that is a JSON object in one line stands there byte for byte (`event`), other data as base64 (`data`). A record whose
//! text was removed has `forgotten`, the time, in place of either, and an empty partition key.
//!
//! The same batch gives the same bytes. A batch that comes again in other bounds, as after a retry in halves, is another object
//! with the same records: a [`Reader`] drops repeats by shard and sequence number.

mod error;
mod format;
mod key;
mod reader;
mod record;
mod sequence;
mod write;

pub use error::{ArchiveError, WriteError};
pub use format::{FORMAT, Header, decode, encode};
pub use key::{Key, PREFIX, Span};
pub use reader::{Reader, Stored, Unreadable};
pub use record::{ArchivedRecord, Content};
pub use write::{Archived, write};
