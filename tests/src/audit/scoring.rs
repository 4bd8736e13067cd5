//! Comments in, predictions or quarantine out.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_events::{Reason, ids};
use serde_json::Value;

use super::{Audit, distinct, parse, quarantine_key, text};
use crate::world::StoredRecord;

/// (source, id) of an event.
type EventKey = (String, String);

impl Audit {
    /// What is broken of the promise that every comment event has a prediction (a deletion or a report itself) or, for each of its records that is bad, one
    /// object in quarantine.
    pub fn broken_in_scoring(&self) -> Vec<String> {
        let mut broken = self.broken_quarantine(&self.comments_stream, &self.comments);
        let answers = self.answers(&mut broken);
        for record in &self.comments {
            let event = parse(&record.data);
            let answered = event.as_ref().and_then(event_key).is_some_and(|key| answers.contains(&key));
            let kept = self.objects.contains_key(&quarantine_key(&self.comments_stream, record));
            let is_elsewhere = self.is_settled_elsewhere(&self.comments_stream, record);
            // In scenarios a bad record shares its event id with no good one.
            if answered == (kept || is_elsewhere) {
                let what = if kept { "both" } else { "neither" };
                broken.push(format!("comment record {}: {what} prediction and quarantine", record.sequence_number));
            }
        }
        let asked: BTreeSet<EventKey> =
            self.comments.iter().filter_map(|record| event_key(&parse(&record.data)?)).collect();
        broken.extend(answers.iter().filter(|key| !asked.contains(*key)).map(|key| format!("{key:?}: never asked")));
        if self.keeps_order {
            broken.extend(self.broken_order(&answers));
        }
        broken
    }

    /// The comment events that were answered.
    fn answers(&self, broken: &mut Vec<String>) -> BTreeSet<EventKey> {
        let mut answers = BTreeSet::new();
        for record in &self.predictions {
            // One that lies in quarantine is no prediction, unless the topic alone refused it.
            let kept = self.quarantined(&self.predictions_stream, record);
            if kept.is_some_and(|entry| text(&entry, "/data/reason") != Some(Reason::Refused.as_str())) {
                continue;
            }
            let Some(event) = parse(&record.data) else {
                broken.push(format!("prediction record {} is no JSON", record.sequence_number));
                continue;
            };
            if is_passed_on(&event) {
                answers.extend(event_key(&event));
                continue;
            }
            let field = |pointer: &str| text(&event, pointer).unwrap_or_default().to_owned();
            let comment = (field("/data/comment_event/source"), field("/data/comment_event/id"));
            let id = ids::prediction(&comment.0, &comment.1, &field("/data/model/version")).to_string();
            if field("/id") != id || field("/type") != "modstream.prediction.v1" {
                broken.push(format!("prediction {}: should be {id}", field("/id")));
            }
            answers.insert(comment);
        }
        answers
    }

    /// Comments of one partition key first appear as predictions in the order they came in.
    fn broken_order(&self, answers: &BTreeSet<EventKey>) -> Vec<String> {
        let mut came: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for record in &self.comments {
            if let Some(key) = parse(&record.data).as_ref().and_then(event_key).filter(|key| answers.contains(key)) {
                came.entry(&record.partition_key).or_default().push(key.1);
            }
        }
        let mut went: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for record in &self.predictions {
            let comment = |event: Value| {
                if is_passed_on(&event) {
                    return event_key(&event);
                }
                let field = |pointer: &str| Some(text(&event, pointer)?.to_owned());
                Some((field("/data/comment_event/source")?, field("/data/comment_event/id")?))
            };
            if let Some(key) = parse(&record.data).and_then(comment).filter(|key| answers.contains(key)) {
                went.entry(&record.partition_key).or_default().push(key.1);
            }
        }
        let first = |all: Option<Vec<String>>| distinct(all.unwrap_or_default().into_iter());
        let keys: BTreeSet<&str> = came.keys().chain(went.keys()).copied().collect();
        let differ = keys.into_iter().filter(|key| first(came.get(key).cloned()) != first(went.get(key).cloned()));
        differ.map(|key| format!("partition key {key}: another order, or other comments, than came in")).collect()
    }

    /// What is broken of the promise that a bad prediction lies in quarantine whole, once, with reason and position.
    pub fn broken_in_quarantine(&self) -> Vec<String> {
        self.broken_quarantine(&self.predictions_stream, &self.predictions)
    }

    /// What is broken of the promise that a record lies in quarantine whole, once, with reason and position.
    pub(super) fn broken_quarantine(&self, stream: &str, records: &[StoredRecord]) -> Vec<String> {
        let mut broken = Vec::new();
        let prefix = format!("quarantine/{stream}/");
        let by_key: BTreeMap<String, &StoredRecord> =
            records.iter().map(|record| (quarantine_key(stream, record), record)).collect();
        for (key, contents) in self.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            if key.starts_with(&format!("{prefix}unsent/")) {
                continue;
            }
            let (Some(record), Some(entry)) = (by_key.get(key), contents.last().and_then(|bytes| parse(bytes))) else {
                broken.push(format!("{key}: of no record, or no event"));
                continue;
            };
            let position = [
                ("/data/origin/stream", stream),
                ("/data/origin/shard_id", &record.shard_id),
                ("/data/origin/sequence_number", &record.sequence_number),
                ("/data/origin/partition_key", &record.partition_key),
            ];
            let id = ids::quarantined(stream, &record.shard_id, &record.sequence_number).to_string();
            let whole = text(&entry, "/data/payload") == Some(&STANDARD.encode(&record.data));
            let placed = position.iter().all(|(pointer, wanted)| text(&entry, pointer) == Some(wanted));
            let said = text(&entry, "/data/reason").is_some() && text(&entry, "/data/detail").is_some();
            if !(whole && placed && said && text(&entry, "/id") == Some(&id)) {
                broken.push(format!("{key}: payload, position, reason or id is not the record's: {entry}"));
            }
            if contents.iter().any(|content| content != &contents[0]) {
                broken.push(format!("{key}: a repeat wrote something else"));
            }
        }
        broken
    }
}

/// Whether this is no prediction, but goes on behind those of its comment.
fn is_passed_on(event: &Value) -> bool {
    let kind = text(event, "/type").unwrap_or_default();
    ["modstream.comment-deleted.v1", "modstream.comment-reported.v1"].contains(&kind)
}

fn event_key(event: &Value) -> Option<EventKey> {
    Some((text(event, "/source")?.to_owned(), text(event, "/id")?.to_owned()))
}
