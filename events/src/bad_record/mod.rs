pub(crate) mod explain;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sizes::MAX_RECORD_BYTES;

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
    /// JSON, but not a CloudEvent: an attribute is missing, there twice or of the wrong form.
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
    /// The topic or the stream refused it for good, for what it holds.
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
