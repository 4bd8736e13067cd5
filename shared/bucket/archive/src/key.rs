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
    /// From which hour to which hour its records arrived; none where all of them did in [`hour`](Key::hour). Kinesis does not
    /// promise that arrival ascends, so the first record's hour says nothing about the others'.
    pub span: Option<Span>,
}

/// Two hours, UTC, of which the first is not after the second: `2026-01-05T10`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The hour in which the earliest record arrived.
    pub earliest: String,
    /// The hour in which the latest record arrived.
    pub latest: String,
}

impl Key {
    /// Reads a key; none where it is another object's.
    pub fn parse(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split('/');
        let [stream, hour, shard_id, range] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let mut range = range.split('-');
        let [first, last, batch] = [range.next()?, range.next()?, range.next()?];
        let span = match (range.next(), range.next()) {
            (None, None) => None,
            (Some(earliest), Some(latest)) => Some(Span { earliest: spaced(earliest)?, latest: spaced(latest)? }),
            _ => return None,
        };
        let valid = parts.next().is_none()
            && range.next().is_none()
            && span.as_ref().is_none_or(|span| span.earliest <= span.latest)
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
            span,
        })
    }

    /// Whether the object may hold records that arrived from the one hour to the other. Of an object without a span it is known
    /// that all of its records arrived in its hour.
    pub(crate) fn reaches(&self, first_hour: &str, last_hour: &str) -> bool {
        let (earliest, latest) = match &self.span {
            Some(Span { earliest, latest }) => (earliest, latest),
            None => (&self.hour, &self.hour),
        };
        earliest.as_str() <= last_hour && latest.as_str() >= first_hour
    }
}

/// From which hour to which hour records arrived; none where all of them did in the first one's.
pub(crate) fn span_of(records: &[ArchivedRecord]) -> Option<Span> {
    let times = || records.iter().map(|record| record.arrived);
    let (first, earliest, latest) = (times().next()?, times().min()?, times().max()?);
    let span = Span { earliest: hour_of(earliest), latest: hour_of(latest) };
    let hour = hour_of(first);
    (span.earliest != hour || span.latest != hour).then_some(span)
}

/// The hour of a name's part, such as `20260105T10`: dashes divide the parts.
fn spaced(part: &str) -> Option<String> {
    if part.len() != "20260105T10".len() || !part.is_ascii() {
        return None;
    }
    let hour = format!("{}-{}-{}", &part[..4], &part[4..6], &part[6..]);
    is_hour(&hour).then_some(hour)
}

impl std::fmt::Display for Key {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Key { stream, hour, shard_id, first, last, batch, span } = self;
        write!(to, "{PREFIX}{stream}/{hour}/{shard_id}/{first}-{last}-{batch}")?;
        if let Some(Span { earliest, latest }) = span {
            write!(to, "-{}-{}", earliest.replace('-', ""), latest.replace('-', ""))?;
        }
        to.write_str(SUFFIX)
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

/// The prefix of all keys of a stream and the day, UTC, of a time.
pub(crate) fn day_prefix(stream: &str, time: Timestamp) -> String {
    format!("{PREFIX}{stream}/{}", time.strftime("%Y-%m-%dT"))
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
