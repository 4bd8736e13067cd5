//! Records that can never be handled, of every kind. Those that hold text hold [`PRIVATE`](crate::PRIVATE).

use modstream_events::Reason;
use serde_json::{Value, json};

use crate::samples::{PRIVATE, comment_event, prediction_event};

/// A record that can never be handled.
#[derive(Clone, Debug)]
pub struct BadSample {
    /// What is wrong with it.
    pub name: &'static str,
    /// The record's data.
    pub data: Vec<u8>,
    /// What quarantine must say.
    pub reason: Reason,
}

/// Bad records for the stream of comments; the event ids are those of made-up comments from `first` on.
pub fn bad_comments(first: usize) -> Vec<BadSample> {
    let mut all = bad_bytes();
    all.extend(bad_events(&|number| comment_event(first + number), "modstream.comment"));
    let edits: [(&str, Reason, Edit); 10] = [
        ("no body", Reason::MissingBody, |event| drop(data(event).remove("body"))),
        ("body null", Reason::MissingBody, |event| set(event, "body", Value::Null)),
        ("body a number", Reason::InvalidData, |event| set(event, "body", json!(7))),
        ("body a list", Reason::InvalidData, |event| set(event, "body", json!([PRIVATE]))),
        ("body an object", Reason::InvalidData, |event| set(event, "body", json!({ "text": PRIVATE }))),
        ("body true", Reason::InvalidData, |event| set(event, "body", json!(true))),
        ("body false", Reason::InvalidData, |event| set(event, "body", json!(false))),
        ("body a fraction", Reason::InvalidData, |event| set(event, "body", json!(0.5))),
        ("body an empty list", Reason::InvalidData, |event| set(event, "body", json!([]))),
        ("a prediction", Reason::WrongType, |event| event["type"] = json!("modstream.prediction.v1")),
    ];
    all.extend(edited(&edits, 500, &|number| comment_event(first + number)));
    let twice = String::from_utf8(comment_event(first + 600)).expect("text");
    let twice = twice.replacen("\"body\":", &format!("\"body\":\"{PRIVATE}\",\"body\":"), 1);
    all.push(BadSample { name: "body twice", data: twice.into_bytes(), reason: Reason::InvalidData });
    all
}

/// Bad records for the stream of predictions; the comment events' ids are those of made-up comments from `first` on.
pub fn bad_predictions(first: usize) -> Vec<BadSample> {
    let mut all = bad_bytes();
    let event = |number| prediction_event(first + number, 0.95);
    all.extend(bad_events(&event, "modstream.prediction"));
    // Producers may leave it out, and this project's own functions do not.
    let edits: [(&str, Reason, Edit); 16] = [
        ("no time", Reason::NotAnEvent, |event| without(event, "time")),
        ("time without an offset", Reason::NotAnEvent, |event| event["time"] = json!("2026-01-05T10:00:00")),
        ("time a number", Reason::NotAnEvent, |event| event["time"] = json!(1_767_607_200)),
        ("time no time", Reason::NotAnEvent, |event| event["time"] = json!(PRIVATE)),
        ("a comment", Reason::WrongType, |event| event["type"] = json!("modstream.comment.v1")),
        ("no comment", Reason::InvalidData, |event| drop(data(event).remove("comment"))),
        ("comment a text", Reason::InvalidData, |event| set(event, "comment", json!(PRIVATE))),
        ("no comment event", Reason::InvalidData, |event| drop(data(event).remove("comment_event"))),
        ("comment event without a time", Reason::InvalidData, |event| {
            set(event, "comment_event", json!({ "source": "s", "id": "i" }));
        }),
        ("no probability", Reason::InvalidData, |event| drop(data(event).remove("probability"))),
        ("probability a text", Reason::InvalidData, |event| set(event, "probability", json!(PRIVATE))),
        ("probability null", Reason::InvalidData, |event| set(event, "probability", Value::Null)),
        ("terms null", Reason::InvalidData, |event| set(event, "terms", Value::Null)),
        ("no model", Reason::InvalidData, |event| drop(data(event).remove("model"))),
        ("no operating point", Reason::InvalidData, |event| drop(data(event).remove("operating_point"))),
        ("precision null", Reason::InvalidData, |event| event["data"]["operating_point"]["precision"] = Value::Null),
    ];
    all.extend(edited(&edits, 500, &event));
    all
}

/// An event's values in the order of its fields.
fn event_as_list() -> Vec<u8> {
    let data = json!({ "body": PRIVATE });
    json!(["1.0", "e", "s", "modstream.comment.v1", "2026-01-05T10:00:00Z", "application/json", data])
        .to_string()
        .into_bytes()
}

/// What is no event at all.
fn bad_bytes() -> Vec<BadSample> {
    let json_of = |value: Value| value.to_string().into_bytes();
    let kpl = [&[0xF3, 0x89, 0x9A, 0xC2][..], PRIVATE.as_bytes(), &[0x0A, 0xFF]].concat();
    let table = [
        ("empty", Vec::new(), Reason::NotJson),
        ("blank", b" \n\t ".to_vec(), Reason::NotJson),
        ("plain text", PRIVATE.as_bytes().to_vec(), Reason::NotJson),
        ("not UTF-8", [PRIVATE.as_bytes(), &[0xFF, 0xFE]].concat(), Reason::NotUtf8),
        ("half a character", [PRIVATE.as_bytes(), &[0xE2, 0x82]].concat(), Reason::NotUtf8),
        ("gzip", vec![0x1F, 0x8B, 0x08, 0x00, 0xAB], Reason::NotUtf8),
        ("a KPL aggregate", kpl, Reason::KplAggregate),
        ("null", b"null".to_vec(), Reason::NotAnEvent),
        ("a number", b"42".to_vec(), Reason::NotAnEvent),
        ("a text", json_of(json!(PRIVATE)), Reason::NotAnEvent),
        ("a list of texts", json_of(json!([PRIVATE])), Reason::NotAnEvent),
        ("an empty object", b"{}".to_vec(), Reason::NotAnEvent),
        ("a bare comment", json_of(json!({ "id": "c", "body": PRIVATE })), Reason::NotAnEvent),
        ("an event as a list", event_as_list(), Reason::NotAnEvent),
        ("lists too deep", vec![b'['; 1000], Reason::NotJson),
    ];
    table.into_iter().map(|(name, data, reason)| BadSample { name, data, reason }).collect()
}

/// Events whose frame is wrong.
fn bad_events(event: &dyn Fn(usize) -> Vec<u8>, family: &str) -> Vec<BadSample> {
    let edits: [(&str, Reason, Edit); 18] = [
        ("no id", Reason::NotAnEvent, |event| without(event, "id")),
        ("id empty", Reason::NotAnEvent, |event| event["id"] = json!("")),
        ("id a boolean", Reason::NotAnEvent, |event| event["id"] = json!(true)),
        ("no source", Reason::NotAnEvent, |event| without(event, "source")),
        ("source empty", Reason::NotAnEvent, |event| event["source"] = json!("")),
        ("no type", Reason::NotAnEvent, |event| without(event, "type")),
        ("type null", Reason::NotAnEvent, |event| event["type"] = Value::Null),
        ("no specversion", Reason::NotAnEvent, |event| without(event, "specversion")),
        ("another specversion", Reason::WrongSpecVersion, |event| event["specversion"] = json!("0.3")),
        ("a reserved type", Reason::WrongType, |event| event["type"] = json!("modstream.decision.v1")),
        ("another system's type", Reason::WrongType, |event| event["type"] = json!("com.example.thing")),
        ("no data", Reason::InvalidData, |event| without(event, "data")),
        ("data null", Reason::InvalidData, |event| event["data"] = Value::Null),
        ("data a text", Reason::InvalidData, |event| event["data"] = json!(PRIVATE)),
        ("data an empty list", Reason::InvalidData, |event| event["data"] = json!([])),
        ("data a list", Reason::InvalidData, |event| event["data"] = json!([PRIVATE, PRIVATE])),
        ("data a number", Reason::InvalidData, |event| event["data"] = json!(1)),
        ("data in base64", Reason::InvalidData, |event| {
            without(event, "data");
            event["data_base64"] = json!("e30=");
        }),
    ];
    let mut all = edited(&edits, 0, event);
    let next_version = rewrite(&event(100), |event| event["type"] = json!(format!("{family}.v2")));
    all.push(BadSample { name: "the next version", data: next_version, reason: Reason::UnknownVersion });
    let whole = event(101);
    let texts: [(&'static str, Vec<u8>, Reason); 5] = [
        ("cut off", whole[..whole.len() - 9].to_vec(), Reason::NotJson),
        ("two events in one", [&whole[..], b"\n", &whole].concat(), Reason::NotJson),
        ("two byte order marks", ["\u{FEFF}\u{FEFF}".as_bytes(), &whole[..]].concat(), Reason::NotJson),
        ("a bare control character", replaced(&whole, PRIVATE, "\u{1}"), Reason::NotJson),
        ("half an escape", replaced(&whole, PRIVATE, "\\ud8"), Reason::NotJson),
    ];
    all.extend(texts.map(|(name, data, reason)| BadSample { name, data, reason }));
    all
}

type Edit = fn(&mut Value);

fn edited(edits: &[(&'static str, Reason, Edit)], first: usize, event: &dyn Fn(usize) -> Vec<u8>) -> Vec<BadSample> {
    let numbered = edits.iter().enumerate();
    let samples = numbered.map(|(number, (name, reason, edit))| BadSample {
        name,
        data: rewrite(&event(first + number), edit),
        reason: *reason,
    });
    samples.collect()
}

fn rewrite(data: &[u8], edit: impl Fn(&mut Value)) -> Vec<u8> {
    let mut event = serde_json::from_slice(data).expect("an event");
    edit(&mut event);
    event.to_string().into_bytes()
}

fn replaced(data: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(data.to_vec()).expect("text").replace(from, to).into_bytes()
}

fn without(event: &mut Value, attribute: &str) {
    event.as_object_mut().expect("an object").remove(attribute);
}

fn data(event: &mut Value) -> &mut serde_json::Map<String, Value> {
    event["data"].as_object_mut().expect("an object")
}

fn set(event: &mut Value, field: &str, value: Value) {
    event["data"][field] = value;
}
