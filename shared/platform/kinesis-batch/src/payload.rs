//! The [payload](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html) that Lambda sends a function for a batch of
//! Kinesis records.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{State, Window};

/// The records of one invocation: one shard's, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch<'a> {
    /// The records; a batch without any is valid.
    pub records: Vec<Record<'a>>,
    /// The window that the records belong to, where the mapping has a tumbling window.
    pub window: Option<Window<'a>>,
}

/// One record, whose data stays base64 until it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<'a> {
    /// The stream's ARN.
    pub event_source_arn: Cow<'a, str>,
    /// The shard's id: what stands before the colon of `eventID`.
    pub shard_id: Cow<'a, str>,
    /// The record's place in the shard: a decimal number of up to 128 digits.
    pub sequence_number: Cow<'a, str>,
    /// The partition key; records of one key are in order.
    pub partition_key: Cow<'a, str>,
    /// When the stream took the record, in seconds since 1970-01-01T00:00:00Z, to the millisecond.
    pub arrived_seconds: f64,
    /// The data, as base64.
    pub encoded: Cow<'a, str>,
}

/// The bytes are no batch of Kinesis records.
///
/// What to do: fail the invocation, so that the caller sees it. There is no record whose number a response could name, and
/// an answer without failures would tell Lambda that all is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The bytes are no JSON.
    ///
    /// What to do: Lambda only sends JSON, so look at who invokes the function by hand, and with what.
    #[error("the payload is no JSON (line {line}, column {column}): invoke the function with a Kinesis event")]
    NotJson {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// The bytes are JSON of another form.
    ///
    /// What to do: see that the event source mapping names a Kinesis stream, and no queue, table or schedule.
    #[error("the payload is no Kinesis event: {detail}; check that the event source mapping names a Kinesis stream")]
    NotKinesis {
        /// What is missing or where it differs; quotes no value.
        detail: String,
    },
}

/// A record's data is no base64. [`handle`](crate::handle) quarantines such a record: it never gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record's data is no base64; Lambda always encodes it, so look at whoever made the payload")]
pub struct NotBase64;

impl<'a> Batch<'a> {
    /// Reads a payload. The records borrow from it.
    ///
    /// # Errors
    /// [`PayloadError`] where the bytes are no JSON, or not what a Kinesis event source mapping sends.
    pub fn parse(payload: &'a [u8]) -> Result<Self, PayloadError> {
        let read: ReadPayload<'a> = serde_json::from_slice(payload).map_err(|error| explain(&error))?;
        let window = read.window.map(|bounds| Window {
            start: bounds.start,
            end: bounds.end,
            state: read.state.unwrap_or_default(),
            shard_id: read.shard_id,
            event_source_arn: read.event_source_arn,
            is_final_invoke: read.is_final_invoke_for_window,
            is_terminated_early: read.is_window_terminated_early,
        });
        Ok(Batch { records: read.records.into_iter().map(Record::from).collect(), window })
    }
}

fn explain(error: &serde_json::Error) -> PayloadError {
    let (line, column) = (error.line(), error.column());
    if !error.is_data() {
        return PayloadError::NotJson { line, column };
    }
    PayloadError::NotKinesis { detail: detail(error) }
}

/// What is wrong with JSON of another form, without a value of it.
pub(crate) fn detail(error: &serde_json::Error) -> String {
    // Other messages quote what they found. A missing field's name is ours.
    let text = error.to_string();
    match (error.line(), error.column()) {
        _ if text.starts_with("missing field") => text,
        (0, _) => "a value of another type than expected".to_owned(),
        (line, column) => format!("a value of another type than expected at line {line} column {column}"),
    }
}

impl Record<'_> {
    /// The stream's name, which is the last part of the ARN.
    pub fn stream(&self) -> &str {
        self.event_source_arn.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// Decodes the data into `data`, in place of what it holds.
    ///
    /// # Errors
    /// [`NotBase64`] where the data is none; `data` is then empty.
    pub fn decode_into(&self, data: &mut Vec<u8>) -> Result<(), NotBase64> {
        data.clear();
        STANDARD.decode_vec(self.encoded.as_bytes(), data).map_err(|_| {
            data.clear();
            NotBase64
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadPayload<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<ReadRecord<'a>>,
    #[serde(default, borrow)]
    window: Option<ReadWindow<'a>>,
    #[serde(default)]
    state: Option<State>,
    #[serde(default, borrow)]
    shard_id: Cow<'a, str>,
    #[serde(rename = "eventSourceARN", default, borrow)]
    event_source_arn: Cow<'a, str>,
    #[serde(default)]
    is_final_invoke_for_window: bool,
    #[serde(default)]
    is_window_terminated_early: bool,
}

#[derive(Deserialize)]
struct ReadWindow<'a> {
    #[serde(borrow)]
    start: Cow<'a, str>,
    #[serde(borrow)]
    end: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ReadRecord<'a> {
    #[serde(borrow)]
    kinesis: ReadKinesis<'a>,
    #[serde(rename = "eventID", borrow)]
    event_id: Cow<'a, str>,
    #[serde(rename = "eventSourceARN", borrow)]
    event_source_arn: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadKinesis<'a> {
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
    approximate_arrival_timestamp: f64,
}

impl<'a> From<ReadRecord<'a>> for Record<'a> {
    fn from(read: ReadRecord<'a>) -> Self {
        Record {
            event_source_arn: read.event_source_arn,
            shard_id: before_colon(read.event_id),
            sequence_number: read.kinesis.sequence_number,
            partition_key: read.kinesis.partition_key,
            arrived_seconds: read.kinesis.approximate_arrival_timestamp,
            encoded: read.kinesis.data,
        }
    }
}

fn before_colon(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.split_once(':').map_or(text, |(before, _)| before)),
        Cow::Owned(mut text) => {
            text.truncate(text.find(':').unwrap_or(text.len()));
            Cow::Owned(text)
        }
    }
}

/// A record as its stream has it, to be put into a payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceRecord<'a> {
    /// The stream's ARN.
    pub event_source_arn: &'a str,
    /// The shard's id, which holds no colon.
    pub shard_id: &'a str,
    /// The record's place in the shard.
    pub sequence_number: &'a str,
    /// The record's partition key.
    pub partition_key: &'a str,
    /// When the stream took the record, in seconds since 1970-01-01T00:00:00Z; finite.
    pub arrived_seconds: f64,
    /// The record's data.
    pub data: &'a [u8],
}

/// Encodes these records as the payload that Lambda sends, without `invokeIdentityArn`: there is no role.
pub fn encode(records: &[SourceRecord<'_>]) -> Vec<u8> {
    let payload = WritePayload { records: records.iter().map(write).collect() };
    serde_json::to_vec(&payload).expect("text and numbers always serialise into memory")
}

fn write<'a>(record: &SourceRecord<'a>) -> WriteRecord<'a> {
    WriteRecord {
        kinesis: WriteKinesis {
            kinesis_schema_version: "1.0",
            partition_key: record.partition_key,
            sequence_number: record.sequence_number,
            data: Encoded(record.data),
            approximate_arrival_timestamp: record.arrived_seconds,
        },
        event_source: "aws:kinesis",
        event_version: "1.0",
        event_id: format!("{}:{}", record.shard_id, record.sequence_number),
        event_name: "aws:kinesis:record",
        aws_region: record.event_source_arn.split(':').nth(3).unwrap_or_default(),
        event_source_arn: record.event_source_arn,
    }
}

#[derive(Serialize)]
struct WritePayload<'a> {
    #[serde(rename = "Records")]
    records: Vec<WriteRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WriteRecord<'a> {
    kinesis: WriteKinesis<'a>,
    event_source: &'static str,
    event_version: &'static str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    aws_region: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WriteKinesis<'a> {
    kinesis_schema_version: &'static str,
    partition_key: &'a str,
    sequence_number: &'a str,
    data: Encoded<'a>,
    approximate_arrival_timestamp: f64,
}

struct Encoded<'a>(&'a [u8]);

impl Serialize for Encoded<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(self.0, &STANDARD).fmt(to)
    }
}
