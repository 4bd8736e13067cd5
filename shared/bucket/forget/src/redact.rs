//! An object without what a person wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use modstream_archive::{ArchivedRecord, Content, Key, decode, encode};
use serde_json::{Map, Value, json};

use crate::{Area, Person};

/// What becomes of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The person has no text in it.
    Clean,
    /// The bytes have some in so many records; the rest stays.
    Holds { records: u64, rest: Vec<u8> },
    /// The object has another form than its place promises and may hold some: somebody must look.
    Unclear(String),
}

/// Looks at the content of an object of this place.
pub(crate) fn redact(place: Area, key: &str, person: &Person, now: Timestamp, bytes: &[u8]) -> Verdict {
    match place {
        Area::Archive => archive(key, person, now, bytes),
        Area::Quarantine => json_object(person, bytes, |event| quarantine(event, person, now)),
        // The table's items are no objects.
        Area::Ledger => Verdict::Clean,
        Area::GivenUp => json_object(person, bytes, |record| given_up(record, person, now)),
        Area::Feedback => json_object(person, bytes, |event| feedback(event, person, now)),
    }
}

fn archive(key: &str, person: &Person, now: Timestamp, bytes: &[u8]) -> Verdict {
    if Key::parse(key).is_none() {
        return unknown(person, bytes);
    }
    let (header, mut records) = match decode(bytes) {
        Ok(read) => read,
        Err(error) => return Verdict::Unclear(error.to_string()),
    };
    let mut forgotten = 0;
    for record in &mut records {
        let ArchivedRecord { partition_key, content, .. } = record;
        if matches!(content, Content::Data(data) if person.wrote(partition_key, data)) {
            partition_key.clear();
            *content = Content::Forgotten(now);
            forgotten += 1;
        }
    }
    if forgotten == 0 {
        return Verdict::Clean;
    }
    match encode(&header.stream, &header.shard_id, &records) {
        Ok((_, rest)) => Verdict::Holds { records: forgotten, rest },
        Err(error) => Verdict::Unclear(error.to_string()),
    }
}

/// Removes from JSON; `remove` says how many records it removed, or nothing where the form is another.
fn json_object(person: &Person, bytes: &[u8], remove: impl FnOnce(&mut Value) -> Option<u64>) -> Verdict {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return unknown(person, bytes);
    };
    match remove(&mut value) {
        None => unknown(person, bytes),
        Some(0) => Verdict::Clean,
        Some(records) => Verdict::Holds { records, rest: value.to_string().into_bytes() },
    }
}

fn unknown(person: &Person, bytes: &[u8]) -> Verdict {
    if person.is_in(bytes) {
        Verdict::Unclear("it has another form than the objects around it, and holds the name or the id".to_owned())
    } else {
        Verdict::Clean
    }
}

fn quarantine(event: &mut Value, person: &Person, now: Timestamp) -> Option<u64> {
    let data = event.get_mut("data")?.as_object_mut()?;
    if data.contains_key("forgotten") {
        return Some(0);
    }
    let payload = bytes_of(data.get("payload")?.as_str()?);
    let key = data.get("origin")?.get("partition_key")?.as_str()?;
    if !person.wrote(key, &payload) {
        return Some(0);
    }
    data.insert("payload".to_owned(), json!(""));
    data.get_mut("origin")?.as_object_mut()?.insert("partition_key".to_owned(), json!(""));
    mark(data, now);
    Some(1)
}

/// What somebody said of a comment: of it stays that there was something.
fn feedback(event: &mut Value, person: &Person, now: Timestamp) -> Option<u64> {
    let data = event.get_mut("data")?;
    let field = |name: &str| data[name].as_str();
    let theirs = match person {
        Person::Author(name) => field("author") == Some(name),
        Person::Comment(id) => field("id") == Some(id),
    };
    if !data.is_object() || !theirs {
        return data.is_object().then_some(0);
    }
    *data = json!({});
    mark(data.as_object_mut()?, now);
    Some(1)
}

/// Whether an alert's event still holds what this person wrote.
pub(crate) fn is_theirs(person: &Person, event: &[u8]) -> bool {
    let event: Value = serde_json::from_slice(event).unwrap_or_default();
    let data = &event["data"];
    let field = |name: &str| data["comment"][name].as_str();
    let theirs = match person {
        Person::Author(name) => field("author") == Some(name),
        Person::Comment(id) => field("id") == Some(id),
    };
    theirs && data.get("forgotten").is_none()
}

fn given_up(invocation: &mut Value, person: &Person, now: Timestamp) -> Option<u64> {
    let payload = invocation.as_object_mut()?.get_mut("payload")?;
    // Lambda writes it as text, some stacks as what it is.
    let Value::String(text) = payload else {
        return remove_records(payload, person, now);
    };
    let mut parsed: Value = serde_json::from_str(text).ok()?;
    let removed = remove_records(&mut parsed, person, now)?;
    if removed > 0 {
        *text = parsed.to_string();
    }
    Some(removed)
}

fn remove_records(payload: &mut Value, person: &Person, now: Timestamp) -> Option<u64> {
    let mut removed = 0;
    for record in payload.get_mut("Records")?.as_array_mut()? {
        let record = record.as_object_mut()?;
        let kinesis = record.get_mut("kinesis")?.as_object_mut()?;
        let data = bytes_of(kinesis.get("data")?.as_str()?);
        let key = kinesis.get("partitionKey")?.as_str()?;
        if person.wrote(key, &data) {
            kinesis.insert("data".to_owned(), json!(""));
            kinesis.insert("partitionKey".to_owned(), json!(""));
            mark(record, now);
            removed += 1;
        }
    }
    Some(removed)
}

fn mark(object: &mut Map<String, Value>, now: Timestamp) {
    object.insert("forgotten".to_owned(), json!(now));
}

/// Data that is no base64 was kept as it came.
fn bytes_of(data: &str) -> Vec<u8> {
    STANDARD.decode(data).unwrap_or_else(|_| data.as_bytes().to_vec())
}
