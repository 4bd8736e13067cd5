use std::collections::BTreeMap;
use std::sync::Arc;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{Database, DatabaseError, SqliteStream};
use crate::event_source::StreamRecord;
use crate::publications::{check, refusal};
use crate::{CallError, Message, PublishOutcome, PutOutcome, PutRecord, Stream, Topic};

/// A topic that is an outbox: what is published stands on a stream, and each subscriber reads it from where it left off, so that
/// nobody who is away misses anything. A message whose id is there already is not added again.
#[derive(Clone, Debug)]
pub struct SqliteTopic {
    stream: SqliteStream,
}

/// A message as it stands in the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The message's name.
    pub id: String,
    /// The subject of an email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The message's text.
    pub body: String,
    /// The texts of protocols that have their own, by protocol.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_protocol: BTreeMap<String, String>,
    /// The message's attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Published {
    /// Reads a record of the outbox.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(record: &StreamRecord) -> serde_json::Result<Self> {
        serde_json::from_slice(&record.data)
    }
}

impl SqliteTopic {
    /// Opens a topic; makes it where it is not there.
    ///
    /// # Errors
    /// Where it can't be made.
    pub async fn open(database: &Database, name: &str) -> Result<Self, DatabaseError> {
        let stream = SqliteStream::open(database, name, 1).await?;
        Ok(SqliteTopic { stream: stream.identified_by(|record| Some(Md5::digest(&record.partition_key).into())) })
    }

    /// What was published, for a subscriber to read.
    pub fn outbox(&self) -> &SqliteStream {
        &self.stream
    }

    /// The messages after a place of the outbox, at most so many, each with its place.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn after(&self, place: Option<&str>, limit: usize) -> Result<Vec<Arc<StreamRecord>>, DatabaseError> {
        let records = self.stream.records(place, limit)?;
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }
}

impl Topic for SqliteTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        check(messages)?;
        let refusals: Vec<Option<PublishOutcome>> = messages.iter().map(refusal).collect();
        let taken = messages.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
        let record = |(message, _): (&Message, _)| {
            let Message { id, subject, body, by_protocol, attributes } = message.clone();
            let published = Published { id: id.clone(), subject, body, by_protocol, attributes };
            PutRecord { partition_key: id, data: serde_json::to_vec(&published).unwrap_or_default() }
        };
        let records: Vec<PutRecord> = taken.map(record).collect();
        let mut stored = match records.is_empty() {
            true => Vec::new(),
            false => self.stream.put_records(&records).await?,
        }
        .into_iter();
        let outcome = |refusal: Option<PublishOutcome>| {
            refusal.or_else(|| match stored.next()? {
                PutOutcome::Stored { sequence_number, .. } => {
                    Some(PublishOutcome::Published { message_id: sequence_number })
                }
                PutOutcome::Failed { code, message } => {
                    Some(PublishOutcome::Failed { sender_fault: false, code, message })
                }
            })
        };
        Ok(refusals.into_iter().map_while(outcome).collect())
    }
}
