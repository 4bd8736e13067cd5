//! Reads back what a system left behind, and says which promises are broken.
//!
//! It reads JSON, not the contract's types, so that a fault in those is seen.

mod alerts;
mod read;
mod scoring;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::{Notice, StoredRecord, World};

/// What a system left behind.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What the comments' stream is called, also below `quarantine/`.
    pub comments_stream: String,
    /// What the predictions' stream is called.
    pub predictions_stream: String,
    /// The comments' stream.
    pub comments: Vec<StoredRecord>,
    /// The predictions' stream.
    pub predictions: Vec<StoredRecord>,
    /// Every object under `quarantine/`: its contents, oldest first.
    pub objects: BTreeMap<String, Vec<Vec<u8>>>,
    /// The alerts of the ledger.
    pub alerts: Vec<LedgerAlert>,
    /// What the topic took.
    pub notices: Vec<Notice>,
    /// Stream and sequence number of bad records that were given up: they lie in an on-failure object, payload and all.
    pub settled_elsewhere: BTreeSet<(String, String)>,
    /// Whether order within a key is promised: not after records that were given up are put back behind later ones.
    pub keeps_order: bool,
    /// The subreddits whose policies may withhold alerts. `POLICY` alone withholds none.
    pub may_withhold: BTreeSet<String>,
}

/// An alert as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAlert {
    /// The alert's id.
    pub id: String,
    /// Its event, encoded.
    pub event: Vec<u8>,
    /// Whether it is recorded as sent.
    pub is_sent: bool,
    /// Whether it is recorded as withheld.
    pub is_withheld: bool,
}

impl Audit {
    /// Reads everything back.
    pub async fn of<W: World>(world: &W) -> Self {
        read::all(world).await
    }

    /// The ids of the prediction events, in order of their records, each once.
    pub fn prediction_ids(&self) -> Vec<String> {
        distinct(self.predictions.iter().filter_map(|record| Some(text(&parse(&record.data)?, "/id")?.to_owned())))
    }

    /// The ids of the comment events, in order of their records, each once.
    pub fn comment_ids(&self) -> Vec<String> {
        distinct(self.comments.iter().filter_map(|record| Some(text(&parse(&record.data)?, "/id")?.to_owned())))
    }

    /// The ids of the alerts that were published, in order of their first message, each once.
    pub fn alert_ids(&self) -> Vec<String> {
        distinct(
            self.notices.iter().filter_map(|notice| Some(text(&parse(notice.body.as_bytes())?, "/id")?.to_owned())),
        )
    }

    /// The quarantined event of a record, if there is one.
    pub fn quarantined(&self, stream: &str, record: &StoredRecord) -> Option<Value> {
        parse(self.objects.get(&quarantine_key(stream, record))?.last()?)
    }
}

impl Audit {
    fn is_settled_elsewhere(&self, stream: &str, record: &StoredRecord) -> bool {
        self.settled_elsewhere.contains(&(stream.to_owned(), record.sequence_number.clone()))
    }
}

fn quarantine_key(stream: &str, record: &StoredRecord) -> String {
    format!("quarantine/{stream}/{}/{}.json", record.shard_id, record.sequence_number)
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// As functions read it: what can't be read as it stands is repaired.
fn parse(bytes: &[u8]) -> Option<Value> {
    let repaired = || serde_json::from_str(&json_text::repaired(std::str::from_utf8(bytes).ok()?, |_, _| false)?).ok();
    serde_json::from_slice(bytes).ok().or_else(repaired)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}
