//! The content of an object: to bytes and back.

use std::borrow::Cow;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::ArchiveError;
use crate::key::{Key, batch_of, hour_of, is_name, span_of};
use crate::record::{ArchivedRecord, Content};
use crate::sequence;

/// The format that this crate reads and writes.
pub const FORMAT: &str = "modstream-archive/1";

/// zstd's own default. Part of the format only in so far as the same batch gives the same bytes.
const LEVEL: i32 = 3;

/// The maximum size of an object once unpacked, far above what the 6 MiB of a Lambda payload can become.
const MAX_UNPACKED: usize = 64 << 20;

/// The first line of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// The name of the stream.
    pub stream: String,
    /// The id of the shard.
    pub shard_id: String,
    /// The first record's sequence number.
    pub first: String,
    /// The last record's sequence number.
    pub last: String,
    /// How many there are.
    pub records: usize,
    /// The SHA-256 of all bytes after the header's newline, unpacked; hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
    #[serde(with = "milliseconds")]
    arrived: Timestamp,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    data: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Timestamp>,
}

/// Times always with three digits after the second.
mod milliseconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{time:.3}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(from)
    }
}

/// The object of these records: its key and its bytes.
///
/// # Errors
/// Where they are none, not in ascending order, or name a position that Kinesis does not.
pub fn encode(stream: &str, shard_id: &str, records: &[ArchivedRecord]) -> Result<(Key, Vec<u8>), ArchiveError> {
    let ([first, ..], [.., last]) = (records, records) else {
        return Err(ArchiveError::Empty);
    };
    let named = is_name(stream) && is_name(shard_id);
    if !named || !records.iter().all(|record| sequence::is_valid(&record.sequence_number)) {
        return Err(ArchiveError::Position);
    }
    if !is_ordered(records) {
        return Err(ArchiveError::Unordered);
    }
    let mut lines = Vec::new();
    for record in records {
        write_line(&mut lines, record);
    }
    let header = Header {
        format: FORMAT.to_owned(),
        stream: stream.to_owned(),
        shard_id: shard_id.to_owned(),
        first: first.sequence_number.clone(),
        last: last.sequence_number.clone(),
        records: records.len(),
        sha256: sha256(&lines),
    };
    let mut bytes = serde_json::to_vec(&header).expect("text and numbers always serialise into memory");
    bytes.push(b'\n');
    bytes.append(&mut lines);
    if bytes.len() > MAX_UNPACKED {
        return Err(ArchiveError::TooLarge { limit: MAX_UNPACKED });
    }
    let key = Key {
        stream: header.stream,
        hour: hour_of(first.arrived),
        shard_id: header.shard_id,
        first: header.first,
        last: header.last,
        batch: batch_of(records),
        span: span_of(records),
    };
    Ok((key, pack(&bytes)))
}

/// Reads an object's bytes, and believes them only where format, checksum, number and order are right.
///
/// # Errors
/// Where they are not what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<(Header, Vec<ArchivedRecord>), ArchiveError> {
    let unpacked = unpack(bytes)?;
    let end = unpacked.iter().position(|byte| *byte == b'\n').ok_or(ArchiveError::NoHeader)?;
    let (head, lines) = (&unpacked[..end], &unpacked[end + 1..]);
    let header = read_header(head)?;
    if header.sha256 != sha256(lines) {
        return Err(ArchiveError::Checksum);
    }
    let mut records = Vec::new();
    for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        records.push(read_line(line).ok_or(ArchiveError::Line { line: index + 2 })?);
    }
    if records.len() != header.records {
        return Err(ArchiveError::Count { said: header.records, found: records.len() });
    }
    let ([first, ..], [.., last]) = (records.as_slice(), records.as_slice()) else {
        return Err(ArchiveError::Empty);
    };
    let placed = first.sequence_number == header.first && last.sequence_number == header.last;
    if !placed || !records.iter().all(|record| sequence::is_valid(&record.sequence_number)) {
        return Err(ArchiveError::Misplaced);
    }
    if !is_ordered(&records) {
        return Err(ArchiveError::Unordered);
    }
    Ok((header, records))
}

fn read_header(line: &[u8]) -> Result<Header, ArchiveError> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
    }
    // First the format alone: another one's header has other fields.
    let Named { format } = serde_json::from_slice(line).map_err(|_| ArchiveError::NoHeader)?;
    if format != FORMAT {
        return Err(ArchiveError::Format { found: format.chars().take(64).collect() });
    }
    serde_json::from_slice(line).map_err(|_| ArchiveError::NoHeader)
}

fn write_line(lines: &mut Vec<u8>, record: &ArchivedRecord) {
    let mut line = Line {
        sequence_number: record.sequence_number.as_str().into(),
        partition_key: record.partition_key.as_str().into(),
        arrived: record.arrived,
        event: None,
        data: None,
        forgotten: None,
    };
    match &record.content {
        Content::Data(data) => match verbatim(data) {
            Some(event) => line.event = Some(event),
            None => line.data = Some(STANDARD.encode(data).into()),
        },
        Content::Forgotten(when) => line.forgotten = Some(*when),
    }
    serde_json::to_writer(&mut *lines, &line).expect("text always serialises into memory");
    lines.push(b'\n');
}

/// The data as it can stand within a line: a JSON object without a newline, and nothing around it.
fn verbatim(data: &[u8]) -> Option<&RawValue> {
    let bare = data.first() == Some(&b'{') && data.last() == Some(&b'}') && !data.contains(&b'\n');
    if !bare {
        return None;
    }
    serde_json::from_slice(data).ok()
}

fn read_line(line: &[u8]) -> Option<ArchivedRecord> {
    let Line { sequence_number, partition_key, arrived, event, data, forgotten } =
        serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let content = match (event, data, forgotten) {
        (Some(event), None, None) => Content::Data(event.get().as_bytes().to_vec()),
        (None, Some(data), None) => Content::Data(STANDARD.decode(data.as_bytes()).ok()?),
        (None, None, Some(when)) => Content::Forgotten(when),
        _ => return None,
    };
    Some(ArchivedRecord {
        sequence_number: sequence_number.into_owned(),
        partition_key: partition_key.into_owned(),
        arrived,
        content,
    })
}

fn is_ordered(records: &[ArchivedRecord]) -> bool {
    records.is_sorted_by(|one, other| sequence::compare(&one.sequence_number, &other.sequence_number).is_lt())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).expect("memory for a compressor");
    // The header is not under its own checksum, so the frame gets one.
    compressor.include_checksum(true).expect("a parameter that zstd has");
    compressor.compress(bytes).expect("compressing into memory as large as it can become")
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let decoder = zstd::Decoder::with_buffer(bytes).map_err(|_| ArchiveError::NotZstd)?;
    let mut unpacked = Vec::new();
    decoder.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut unpacked).map_err(|_| ArchiveError::NotZstd)?;
    if unpacked.len() > MAX_UNPACKED {
        return Err(ArchiveError::TooLarge { limit: MAX_UNPACKED });
    }
    Ok(unpacked)
}
