use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Data, MAX_RECORD_BYTES};

/// Why a record can never be handled, whatever is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The record's data is no base64 (Lambda never sends that; a hand-made payload may).
    NotBase64,
    /// Several records in one, as the Kinesis Producer Library packs them.
    KplAggregate,
    /// The bytes are no UTF-8.
    NotUtf8,
    /// The text is no JSON.
    NotJson,
    /// JSON, but not a CloudEvent: an attribute is missing or of the wrong form.
    NotAnEvent,
    /// A CloudEvent of another specification version than 1.0.
    WrongSpecVersion,
    /// An event of another type than this stream carries.
    WrongType,
    /// The right type in a version that this release does not know.
    UnknownVersion,
    /// `data` is not what the type promises.
    InvalidData,
    /// A comment without `body`, or with `body` null.
    MissingBody,
    /// Larger than a record or message may be.
    TooLarge,
    /// Handling it panicked.
    Panicked,
    /// The topic refused the message for good (`SenderFault`).
    Refused,
}

impl Reason {
    /// As it stands in events, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NotBase64 => "not_base64",
            Reason::KplAggregate => "kpl_aggregate",
            Reason::NotUtf8 => "not_utf8",
            Reason::NotJson => "not_json",
            Reason::NotAnEvent => "not_an_event",
            Reason::WrongSpecVersion => "wrong_spec_version",
            Reason::WrongType => "wrong_type",
            Reason::UnknownVersion => "unknown_version",
            Reason::InvalidData => "invalid_data",
            Reason::MissingBody => "missing_body",
            Reason::TooLarge => "too_large",
            Reason::Panicked => "panicked",
            Reason::Refused => "refused",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

/// A record that goes to quarantine: the reason, and a sentence for whoever looks at it. Neither quotes a comment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct BadRecord {
    /// The kind of fault.
    pub reason: Reason,
    /// What was found and what to do about it.
    pub detail: String,
}

impl BadRecord {
    /// A bad record with its reason and a sentence.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        BadRecord { reason, detail: detail.into() }
    }

    pub(crate) fn missing_body() -> Self {
        Self::new(Reason::MissingBody, "the comment has no `body`, or `body` is null; an empty text would be fine")
    }

    /// A record or message of `bytes` bytes, which is over [`MAX_RECORD_BYTES`].
    pub fn too_large(bytes: usize) -> Self {
        Self::new(Reason::TooLarge, format!("{bytes} bytes, a record holds at most {MAX_RECORD_BYTES}"))
    }
}

/// The magic bytes of a [KPL aggregate](https://github.com/awslabs/kinesis-aggregation/blob/master/aggregation-format.md).
const KPL_MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

pub(crate) fn not_text(bytes: &[u8], error: &std::str::Utf8Error) -> BadRecord {
    if bytes.starts_with(&KPL_MAGIC) {
        return BadRecord::new(
            Reason::KplAggregate,
            "a Kinesis Producer Library aggregate: set AggregationEnabled=false in the producer",
        );
    }
    BadRecord::new(Reason::NotUtf8, format!("not UTF-8 from byte {} on", error.valid_up_to()))
}

/// The slow path: finds the one thing to say about a record that did not decode.
pub(crate) fn explain<T: Data>(text: &str, error: Option<&serde_json::Error>) -> BadRecord {
    if text.trim().is_empty() {
        return BadRecord::new(Reason::NotJson, "the record is empty");
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return BadRecord::new(Reason::NotJson, position(&error)),
    };
    let Value::Object(event) = &value else {
        return BadRecord::new(Reason::NotAnEvent, format!("{}, not an object", kind_of(&value)));
    };
    for attribute in ["specversion", "id", "source", "type", "time"] {
        match event.get(attribute) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::String(_)) => return not_an_event(format!("the attribute `{attribute}` is empty")),
            Some(other) => return not_an_event(format!("the attribute `{attribute}` is {}, not text", kind_of(other))),
            None => return not_an_event(format!("the attribute `{attribute}` is missing")),
        }
    }
    if event["specversion"] != "1.0" {
        return BadRecord::new(Reason::WrongSpecVersion, "`specversion` is not 1.0");
    }
    let (found, wanted) = (event["type"].as_str().unwrap_or_default(), T::TYPE);
    if found != wanted {
        let family = |kind: &str| kind.rsplit_once(".v").map(|(family, _)| family.to_owned());
        return if family(found) == family(wanted) {
            BadRecord::new(Reason::UnknownVersion, format!("this release reads `{wanted}` only"))
        } else {
            BadRecord::new(Reason::WrongType, format!("this stream carries `{wanted}`"))
        };
    }
    if event["time"].as_str().is_none_or(|time| time.parse::<jiff::Timestamp>().is_err()) {
        return not_an_event("the attribute `time` is no RFC 3339 time with an offset".to_owned());
    }
    match event.get("data") {
        None => BadRecord::new(Reason::InvalidData, "`data` is missing"),
        Some(data @ Value::Object(_)) => BadRecord::new(
            Reason::InvalidData,
            error.map_or_else(|| format!("`data` is {}", kind_of(data)), without_content),
        ),
        Some(other) => BadRecord::new(Reason::InvalidData, format!("`data` is {}, not an object", kind_of(other))),
    }
}

fn not_an_event(detail: String) -> BadRecord {
    BadRecord::new(Reason::NotAnEvent, detail)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn position(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "the JSON ends too early" } else { "no JSON" };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// serde's message without the value it may quote: details are logged, comments are not.
fn without_content(error: &serde_json::Error) -> String {
    format!("a field of `data` has the wrong form, at line {} column {}", error.line(), error.column())
}
