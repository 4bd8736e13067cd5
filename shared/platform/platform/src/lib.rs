//! What the functions need of a platform: [`Stream`], [`Objects`], [`Table`](table::Table), [`Topic`],
//! [`Secrets`] and [`Clock`].
//!
//! A trait method is one call to the service behind it, with that service's limits and failures, so that the rules about
//! retries ([`deliver`]) are written and tested once, above them, for every world.
//!
//! [`memory`] is a world that lives in this process. It ships: the first command runs on it, and so do replay, the fault
//! simulation and the load test. `sqlite` is one that lives in a file, and `aws` is AWS, each behind the feature of its name.

#[cfg(feature = "aws")]
pub mod aws;
mod changes;
mod clock;
pub mod deliver;
pub mod environment;
pub mod event_source;
pub mod listing;
pub mod memory;
mod publications;
mod shards;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

pub use bytes::Bytes;
pub use clock::SystemClock;
use jiff::Timestamp;
use plain_text::{as_xml, is_xml};

/// A record to put on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutRecord {
    /// The partition key, of 1 to 256 characters. Records of one key keep their order.
    pub partition_key: String,
    /// The payload, of at most 1 MiB together with the key.
    pub data: Vec<u8>,
}

impl PutRecord {
    /// The size that counts against [`MAX_RECORD_BYTES`] and [`MAX_PUT_BYTES`]: data and partition key, in bytes.
    pub fn size(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// What became of one record of a [`Stream::put_records`] call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The record is on the stream, durably.
    Stored {
        /// The shard that took it.
        shard_id: String,
        /// The record's place in the shard.
        sequence_number: String,
    },
    /// The record is not on the stream and is to be put again (`ProvisionedThroughputExceededException`,
    /// `InternalFailure`).
    Failed {
        /// The service's error code.
        code: String,
        /// The service's words.
        message: String,
    },
}

/// The most records of one [`Stream::put_records`] call.
pub const MAX_PUT_RECORDS: usize = 500;
/// The most bytes of one [`Stream::put_records`] call, partition keys included.
pub const MAX_PUT_BYTES: usize = 5 << 20;
/// The most bytes of one record, partition key included.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// The most characters of a partition key.
pub const MAX_KEY_CHARS: usize = 256;

/// A sharded, ordered, replayable stream: Kinesis Data Streams.
pub trait Stream: Send + Sync {
    /// The stream's name.
    fn name(&self) -> &str;

    /// Makes one [PutRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html) call.
    /// Returns an outcome a record, in order. Some may fail while others are stored, and the call itself does not order
    /// them.
    fn put_records(&self, records: &[PutRecord]) -> impl Future<Output = Result<Vec<PutOutcome>, CallError>> + Send;
}

/// An object's entity tag, which changes with its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub String);

/// The answer to [`Objects::get`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The object.
    Object {
        /// The object's content.
        bytes: Vec<u8>,
        /// The object's tag.
        etag: ETag,
    },
    /// The object still has the tag that was named (304).
    NotModified,
    /// There is no such object (404). That it may not be read is an error: see [`Fetched::without_object`].
    Missing,
}

impl Fetched {
    /// What an answer to GetObject says that holds no object, by its status and the service's code; none where it is an error.
    ///
    /// Only 404 says that an object is missing. 403 says that the caller may not know: whoever took that for missing would send
    /// again what was sent, and delete what is still needed. S3 answers 403 of a missing object, too, to a caller without
    /// `s3:ListBucket` ([GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)), so every caller needs
    /// that permission.
    pub fn without_object(status: u16, code: Option<&str>) -> Option<Self> {
        match (status, code) {
            (304, _) => Some(Fetched::NotModified),
            (404, None | Some("NoSuchKey" | "NotFound")) => Some(Fetched::Missing),
            _ => None,
        }
    }
}

/// The condition under which [`Objects::put`] writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The object is written in any case.
    Always,
    /// The object is written only where the key holds none (`If-None-Match: *`).
    Absent,
    /// The object is written only where the one there has this tag (`If-Match`).
    Matches(ETag),
}

/// The answer to [`Objects::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The object is written, and has this tag.
    Done(ETag),
    /// Nothing is written, because the condition does not hold (412).
    ConditionFailed,
    /// Nothing is written, because another write of the key is under way (409): try again.
    Conflict,
}

/// A bucket of objects: S3.
pub trait Objects: Send + Sync {
    /// Reads an object, unless it still has the tag `unless`.
    fn get(&self, key: &str, unless: Option<&ETag>) -> impl Future<Output = Result<Fetched, CallError>> + Send;

    /// Writes an object under a condition. The content is shared, not copied, by whoever asks again.
    fn put(
        &self,
        key: &str,
        bytes: Bytes,
        condition: Condition,
    ) -> impl Future<Output = Result<Written, CallError>> + Send;

    /// Lists all keys that start with `prefix`, in order.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// One of the contents that a key has had, in a bucket with versioning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The object's key.
    pub key: String,
    /// The version's name, within the key.
    pub version_id: String,
    /// Whether this is the version that [`Objects::get`] finds.
    pub is_latest: bool,
    /// The version's tag; none where it is no content but the mark of a deletion.
    pub etag: Option<ETag>,
}

/// A page of a listing of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions, by key, the newest of a key first.
    pub versions: Vec<ObjectVersion>,
    /// Where the next page begins; none where this is the last one.
    pub next: Option<VersionCursor>,
}

/// Where a listing of versions goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionCursor {
    /// The key behind which it goes on.
    pub key: String,
    /// The version of the key behind which it goes on; none where it is behind all of them.
    pub version_id: Option<String>,
}

/// A bucket that keeps what was overwritten or deleted, and can be made to forget it.
pub trait VersionedObjects: Objects {
    /// Lists versions of the keys that start with `prefix`, a page a call: by key, the newest of a key first.
    fn list_versions(
        &self,
        prefix: &str,
        after: Option<&VersionCursor>,
    ) -> impl Future<Output = Result<VersionPage, CallError>> + Send;

    /// Reads a version's content; none where there is no such version any more. A missing permission is an error.
    fn get_version(
        &self,
        key: &str,
        version_id: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;

    /// Deletes a version for good, and succeeds also where there is none.
    fn delete_version(&self, key: &str, version_id: &str) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// A message to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The message's name within its call.
    pub id: String,
    /// The subject of an email: ASCII in one line, at most [`MAX_SUBJECT_CHARS`] characters.
    pub subject: Option<String>,
    /// The text that subscribers get.
    pub body: String,
    /// The texts of subscribers by `email` or `sms` that get another one, by the protocol's name
    /// ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html), `MessageStructure`).
    pub by_protocol: BTreeMap<String, String>,
    /// The attributes that subscriptions filter by.
    pub attributes: BTreeMap<String, String>,
}

impl Message {
    /// The text as a call carries it: a JSON object of all texts where protocols have texts of their own.
    pub fn content(&self) -> Cow<'_, str> {
        if self.by_protocol.is_empty() {
            return Cow::Borrowed(&self.body);
        }
        let default = [("default", self.body.as_str())];
        let own = self.by_protocol.iter().map(|(protocol, text)| (protocol.as_str(), text.as_str()));
        let texts: BTreeMap<&str, &str> = own.chain(default).collect();
        Cow::Owned(serde_json::to_string(&texts).unwrap_or_default())
    }

    /// The message as topics take it. Where XML can't carry a character of a text, U+FFFD stands in its place; an encoded event
    /// has none, since what would be one stands there as an escape. Values of attributes have neither these nor
    /// control characters, and at most [`MAX_ATTRIBUTE_CHARS`] characters; without a value, or with a name that SNS doesn't take,
    /// there is no attribute.
    #[must_use]
    pub fn cleaned(mut self) -> Self {
        let clean = |text: &mut String| {
            if let Cow::Owned(cleaned) = as_xml(text) {
                *text = cleaned;
            }
        };
        clean(&mut self.body);
        self.by_protocol.values_mut().for_each(clean);
        self.attributes.retain(|name, value| {
            if value.chars().any(|c| c.is_control() || !is_xml(c)) {
                value.retain(|c| !c.is_control() && is_xml(c));
            }
            if let Some((end, _)) = value.char_indices().nth(MAX_ATTRIBUTE_CHARS) {
                value.truncate(end);
            }
            !value.is_empty() && is_attribute_name(name)
        });
        self
    }

    /// The size that counts against [`MAX_PUBLISH_BYTES`]: content, attribute names, types and values, in bytes.
    pub fn size(&self) -> usize {
        self.content().len()
            + self.attributes.iter().map(|(name, value)| name.len() + "String".len() + value.len()).sum::<usize>()
    }
}

/// Whether SNS takes an attribute of this name
/// ([SNS](https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html)).
pub(crate) fn is_attribute_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    (1..=256).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.")
}

/// What became of one message of a [`Topic::publish_batch`] call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// The topic took the message.
    Published {
        /// The service's id of the message.
        message_id: String,
    },
    /// The topic did not take the message.
    Failed {
        /// Whether the fault is the sender's, which is permanent, and not the service's, which passes.
        sender_fault: bool,
        /// The service's error code.
        code: String,
        /// The service's words.
        message: String,
    },
}

/// The most messages of one [`Topic::publish_batch`] call.
pub const MAX_PUBLISH_MESSAGES: usize = 10;
/// The most characters of an attribute's value: as many as an alert shows of a name.
pub const MAX_ATTRIBUTE_CHARS: usize = 300;
/// The most characters of a message's subject.
pub const MAX_SUBJECT_CHARS: usize = 99;
/// The most bytes of one [`Topic::publish_batch`] call, and of one message.
pub const MAX_PUBLISH_BYTES: usize = 256 << 10;

/// A topic with subscriptions: SNS.
pub trait Topic: Send + Sync {
    /// Makes one [PublishBatch](https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html) call. Returns an
    /// outcome a message, in order.
    fn publish_batch(
        &self,
        messages: &[Message],
    ) -> impl Future<Output = Result<Vec<PublishOutcome>, CallError>> + Send;
}

/// Which of a secret's values is meant: a secret gets a new one from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The current value, `AWSCURRENT`.
    Current,
    /// The value before the current one, `AWSPREVIOUS`.
    Previous,
}

/// Secrets: AWS Secrets Manager.
pub trait Secrets: Send + Sync {
    /// Reads a secret's text, by its name or ARN
    /// ([GetSecretValue](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html)); none where
    /// the secret, or a value of this stage, is not there.
    fn secret(&self, id: &str, stage: Stage) -> impl Future<Output = Result<Option<String>, CallError>> + Send;
}

/// The time, and waiting for it.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// What the waits between attempts are drawn from, besides what is attempted: the same number makes the same waits. Clocks of
    /// a world that must repeat itself have the same; those of instances beside each other have different ones, so that not all
    /// of them come back at once.
    fn jitter(&self) -> u64 {
        0
    }

    /// Returns after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// A call that failed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{service} {operation}: {kind}: {message}")]
pub struct CallError {
    /// The service, for example `kinesis`.
    pub service: &'static str,
    /// The operation, for example `PutRecords`.
    pub operation: &'static str,
    /// The kind of failure, which says what to do.
    pub kind: CallErrorKind,
    /// The service's words.
    pub message: String,
}

/// What a failed call means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    /// The service had too much to do, or is down for the moment. Nothing was done: try again later.
    Unavailable,
    /// There was no answer, so it may or may not have been done. Trying again may repeat it.
    OutcomeUnknown,
    /// The stream, bucket, table or topic is not there, or may not be used. The records are fine: an operator must act.
    Denied,
    /// The service refuses what an entry of the call holds. Which one is not said: without it the rest succeeds, and it alone is
    /// refused again.
    Refused,
    /// The service says that the request is wrong, and not that an entry of it is: any request fails so.
    Invalid,
}

impl CallErrorKind {
    /// Whether the same call may succeed within this invocation.
    pub fn is_transient(self) -> bool {
        matches!(self, CallErrorKind::Unavailable | CallErrorKind::OutcomeUnknown)
    }
}

impl fmt::Display for CallErrorKind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            CallErrorKind::Unavailable => "unavailable",
            CallErrorKind::OutcomeUnknown => "no answer, outcome unknown",
            CallErrorKind::Denied => "missing or not permitted",
            CallErrorKind::Refused => "refused for what it holds",
            CallErrorKind::Invalid => "invalid request",
        })
    }
}
