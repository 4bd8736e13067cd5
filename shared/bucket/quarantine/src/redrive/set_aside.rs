//! Objects of what was set aside, read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kinesis_batch::Batch;
use modstream_events::{BadRecord, CommentEvent, Event, PredictionEvent, Quarantined, Reason};
use modstream_platform::table::Key;
use serde::Deserialize;
use serde_json::Value;

use super::mark::mark_key;

/// The prefix of quarantined records.
pub const QUARANTINE: &str = "quarantine/";
/// The prefix under which Lambda keeps what it gave up. Lambda chooses it.
pub const GIVEN_UP: &str = "aws/lambda/";
/// The prefix under which Lambda keeps asynchronous invocations that it gave up.
pub const INVOCATIONS: &str = "aws/lambda/async/";

/// What an object holds.
pub(crate) struct SetAside {
    pub(crate) since: Timestamp,
    /// The reason of a quarantined record.
    pub(crate) reason: Option<Reason>,
    /// The records in their order.
    pub(crate) records: Vec<Record>,
}

/// A record that was set aside.
pub(crate) struct Record {
    pub(crate) stream: String,
    pub(crate) sequence_number: String,
    pub(crate) partition_key: String,
    /// None where it is no base64.
    pub(crate) data: Option<Vec<u8>>,
    /// Where its mark is, once it is put back.
    pub(crate) mark: Key,
}

impl SetAside {
    /// Reads an object, or says in what it is not ours.
    pub(crate) fn read(key: &str, bytes: &[u8]) -> Result<Self, String> {
        if key.starts_with(QUARANTINE) { quarantined(key, bytes) } else { given_up(key, bytes) }
    }
}

fn quarantined(key: &str, bytes: &[u8]) -> Result<SetAside, String> {
    let event: Event<'_, Quarantined<'_>> =
        Event::decode(bytes).map_err(|bad| format!("no quarantine entry: {}", bad.detail))?;
    let entry = event.data;
    let own = entry.key();
    if own != key {
        return Err(format!("the entry of another place, {own}"));
    }
    let origin = entry.origin;
    let record = Record {
        stream: origin.stream.into_owned(),
        sequence_number: origin.sequence_number.into_owned(),
        partition_key: origin.partition_key.into_owned(),
        data: STANDARD.decode(entry.payload.as_bytes()).ok(),
        mark: mark_key(key, None),
    };
    Ok(SetAside { since: origin.arrived, reason: Some(entry.reason), records: vec![record] })
}

/// Lambda's [invocation record](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html), as far as
/// it is needed.
#[derive(Deserialize)]
struct InvocationRecord {
    timestamp: Timestamp,
    #[serde(rename = "KinesisBatchInfo")]
    batch: BatchInfo,
    payload: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo {
    shard_id: String,
    stream_arn: String,
}

fn given_up(key: &str, bytes: &[u8]) -> Result<SetAside, String> {
    let no_batch = |detail: &str| format!("no batch that Lambda gave up: {detail}");
    // serde's own messages may quote what they found.
    let kept: InvocationRecord = serde_json::from_slice(bytes)
        .map_err(|_| no_batch("`timestamp`, `KinesisBatchInfo` or `payload` is missing or of another form"))?;
    // Lambda writes the payload as text; some stacks write it as it is.
    let payload = match kept.payload {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let batch = Batch::parse(payload.as_bytes()).map_err(|error| no_batch(&error.to_string()))?;
    let is_of = |record: &kinesis_batch::Record<'_>| {
        record.event_source_arn == kept.batch.stream_arn && record.shard_id == kept.batch.shard_id
    };
    if batch.records.is_empty() || !batch.records.iter().all(is_of) {
        return Err(no_batch("its payload holds no records, or some of another shard than `KinesisBatchInfo` names"));
    }
    let records = batch.records.iter().map(|record| {
        let mut data = Vec::new();
        Record {
            stream: record.stream().to_owned(),
            sequence_number: record.sequence_number.to_string(),
            partition_key: record.partition_key.to_string(),
            data: record.decode_into(&mut data).ok().map(|()| data),
            mark: mark_key(key, Some(&record.sequence_number)),
        }
    });
    Ok(SetAside { since: kept.timestamp, reason: None, records: records.collect() })
}

/// Whether a stream takes this now.
pub(crate) fn check_comment(data: &[u8]) -> Result<(), BadRecord> {
    CommentEvent::decode(data)?.into_version().map_or(Ok(()), |said| said.comment.body().map(|_| ()))
}

/// Whether a stream takes this now.
pub(crate) fn check_prediction(data: &[u8]) -> Result<(), BadRecord> {
    PredictionEvent::decode(data).map(|_| ())
}
