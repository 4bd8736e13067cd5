use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::record::ArchivedRecord;
use crate::sequence;

/// The prefix of all archive objects.
pub const PREFIX: &str = "archive/";

const SUFFIX: &str = ".jsonl.zst";
const BATCH_DIGITS: usize = 8;

/// What an object's key says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The name of the stream.
    pub stream: String,
    /// The hour, UTC, in which the first record arrived: `2026-01-05T10`.
    pub hour: String,
    /// The id of the shard.
    pub shard_id: String,
    /// The first record's sequence number.
    pub first: String,
    /// The last record's sequence number.
    pub last: String,
    /// Eight hexadecimal digits of the SHA-256 of all its sequence numbers, a line each: batches of one shard may begin and end
    /// alike and differ between, when the parallelization factor changes.
    pub batch: String,
}

impl Key {
    /// Reads a key; none where it is another object's.
    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split('/');
        let [stream, hour, shard_id, range] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let mut range = range.split('-');
        let [first, last, batch] = [range.next()?, range.next()?, range.next()?];
        let valid = parts.next().is_none()
            && range.next().is_none()
            && batch.len() == BATCH_DIGITS
            && batch.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && is_name(stream)
            && is_name(shard_id)
            && is_hour(hour)
            && sequence::is_valid(first)
            && sequence::is_valid(last);
        valid.then(|| Key {
            stream: stream.to_owned(),
            hour: hour.to_owned(),
            shard_id: shard_id.to_owned(),
            first: first.to_owned(),
            last: last.to_owned(),
            batch: batch.to_owned(),
        })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Key { stream, hour, shard_id, first, last, batch } = self;
        write!(to, "{PREFIX}{stream}/{hour}/{shard_id}/{first}-{last}-{batch}{SUFFIX}")
    }
}

/// What tells batches apart that begin and end alike.
pub(crate) fn batch_of(records: &[ArchivedRecord]) -> String {
    let numbers: Vec<&str> = records.iter().map(|record| record.sequence_number.as_str()).collect();
    let mut digest = hex::encode(Sha256::digest(numbers.join("\n")));
    digest.truncate(BATCH_DIGITS);
    digest
}

/// The hour that a time lies in, as keys have it.
pub(crate) fn hour_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H").to_string()
}

/// The prefix of all keys of a stream.
pub(crate) fn stream_prefix(stream: &str) -> String {
    format!("{PREFIX}{stream}/")
}

/// The prefix of all keys of a stream and an hour.
pub(crate) fn hour_prefix(stream: &str, hour: &str) -> String {
    format!("{PREFIX}{stream}/{hour}/")
}

/// What Kinesis allows in names, so that a key has the parts it seems to have.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn is_hour(text: &str) -> bool {
    text.len() == "2026-01-05T10".len()
        && text
            .bytes()
            .zip(*b"0000-00-00T00")
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form })
}
