//! Every kind of record that can't be handled, and the reason it goes to quarantine with.

use modstream_events::{BadRecord, Comment, Data, Event, MAX_RECORD_BYTES, Prediction, Reason};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::whole_events::{alert_event, comment_event, prediction_event};

/// Stands wherever a user's text may stand. No detail may quote it.
const MARKER: &str = "Zq7SecretZq7";

type Decode = fn(&[u8]) -> Result<(), BadRecord>;

fn as_comment(bytes: &[u8]) -> Result<(), BadRecord> {
    Event::<Comment<'_>>::decode(bytes).map(drop)
}

/// As far as scoring needs it.
fn as_comment_with_body(bytes: &[u8]) -> Result<(), BadRecord> {
    Event::<Comment<'_>>::decode(bytes)?.data.body().map(drop)
}

fn as_prediction(bytes: &[u8]) -> Result<(), BadRecord> {
    Event::<Prediction<'_>>::decode(bytes).map(drop)
}

fn marked(comment: &mut Value) {
    for field in ["author", "body", "permalink", "flair"] {
        comment[field] = json!(format!("{MARKER} {field}"));
    }
}

fn comment() -> Value {
    let mut event: Value = serde_json::from_slice(&comment_event().encode()).expect("JSON");
    marked(&mut event["data"]);
    event["extension"] = json!(MARKER);
    event
}

fn prediction() -> Value {
    let mut event: Value = serde_json::from_slice(&prediction_event().encode()).expect("JSON");
    marked(&mut event["data"]["comment"]);
    event["data"]["terms"][0]["term"] = json!(MARKER);
    event["extension"] = json!(MARKER);
    event
}

/// `event` with the value at `pointer` replaced, or added to its object.
fn with(event: &Value, pointer: &str, value: impl Into<Value>) -> Vec<u8> {
    let mut event = event.clone();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    event.pointer_mut(parent).expect("a field's object")[field] = value.into();
    event.to_string().into_bytes()
}

fn without(event: &Value, pointer: &str) -> Vec<u8> {
    let mut event = event.clone();
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    let object = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("a field's object");
    object.remove(field).expect("the field was there");
    event.to_string().into_bytes()
}

/// `event` with one more field, which may be there already, at its very beginning.
fn prefixed(event: &Value, field: &str) -> Vec<u8> {
    event.to_string().replacen('{', &format!("{{{field},"), 1).into_bytes()
}

fn utf16(text: &str, byte_order_mark: bool) -> Vec<u8> {
    let mark = byte_order_mark.then_some(0xFEFF);
    mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

type Row = (&'static str, Vec<u8>, Reason);

/// In the order in which the type has them.
fn attributes_as_a_list(event: &Value) -> Vec<u8> {
    let names = ["specversion", "id", "source", "type", "time", "datacontenttype", "data"];
    Value::from(names.map(|name| event[name].clone()).to_vec()).to_string().into_bytes()
}

/// What is wrong with the record or the event, whatever it carries.
fn envelopes(event: &Value, another_streams: Vec<u8>) -> Vec<Row> {
    let text = event.to_string();
    let kind = event["type"].as_str().expect("a type");
    let newer = kind.replace(".v1", ".v2");
    let cut = text.len() - 10;
    let mut not_utf8 = text.clone().into_bytes();
    not_utf8[cut] = 0xFF;
    let mut kpl = vec![0xF3, 0x89, 0x9A, 0xC2];
    kpl.extend_from_slice(text.as_bytes());
    vec![
        ("not UTF-8", not_utf8, Reason::NotUtf8),
        ("UTF-16 with its mark", utf16(&text, true), Reason::NotUtf8),
        ("UTF-16 without its mark", utf16(&text.replace(|c: char| !c.is_ascii(), ""), false), Reason::NotJson),
        ("gzip", vec![0x1f, 0x8b, 0x08, 0x00], Reason::NotUtf8),
        ("a KPL aggregate", kpl, Reason::KplAggregate),
        ("the magic of a KPL aggregate", vec![0xF3, 0x89, 0x9A, 0xC2], Reason::KplAggregate),
        ("empty", Vec::new(), Reason::NotJson),
        ("blank", b" \r\n\t".to_vec(), Reason::NotJson),
        ("NUL bytes", vec![0; 16], Reason::NotJson),
        ("NUL bytes behind", format!("{text}\0\0").into_bytes(), Reason::NotJson),
        ("truncated", text.as_bytes()[..cut].to_vec(), Reason::NotJson),
        ("an open brace", b"{".to_vec(), Reason::NotJson),
        ("plain text", format!("{MARKER} hello").into_bytes(), Reason::NotJson),
        ("single quotes", text.replace('"', "'").into_bytes(), Reason::NotJson),
        ("two events", format!("{text}\n{text}").into_bytes(), Reason::NotJson),
        ("base64 of base64", b"eyJzcGVjdmVyc2lvbiI6IjEuMCJ9".to_vec(), Reason::NotJson),
        ("endless nesting", "[".repeat(300_000).into_bytes(), Reason::NotJson),
        ("a deep list", nested(200_000).into_bytes(), Reason::NotAnEvent),
        ("a number", b"42".to_vec(), Reason::NotAnEvent),
        ("a list", format!("[{text}]").into_bytes(), Reason::NotAnEvent),
        ("text", json!(MARKER).to_string().into_bytes(), Reason::NotAnEvent),
        ("the attributes as a list", attributes_as_a_list(event), Reason::NotAnEvent),
        ("null", b"null".to_vec(), Reason::NotAnEvent),
        ("true", b"true".to_vec(), Reason::NotAnEvent),
        ("an empty object", b"{}".to_vec(), Reason::NotAnEvent),
        ("the data alone", event["data"].to_string().into_bytes(), Reason::NotAnEvent),
        ("no specversion", without(event, "/specversion"), Reason::NotAnEvent),
        ("no id", without(event, "/id"), Reason::NotAnEvent),
        ("no source", without(event, "/source"), Reason::NotAnEvent),
        ("no type", without(event, "/type"), Reason::NotAnEvent),
        ("no time", without(event, "/time"), Reason::NotAnEvent),
        ("specversion a number", with(event, "/specversion", 1), Reason::NotAnEvent),
        ("id a boolean", with(event, "/id", true), Reason::NotAnEvent),
        ("id null", with(event, "/id", Value::Null), Reason::NotAnEvent),
        ("id empty", with(event, "/id", ""), Reason::NotAnEvent),
        ("source a list", with(event, "/source", json!([MARKER])), Reason::NotAnEvent),
        ("source empty", with(event, "/source", ""), Reason::NotAnEvent),
        ("type an object", with(event, "/type", json!({})), Reason::NotAnEvent),
        ("time a number", with(event, "/time", 1_767_607_200), Reason::NotAnEvent),
        ("time a word", with(event, "/time", MARKER), Reason::NotAnEvent),
        ("time without an offset", with(event, "/time", "2026-01-05T10:00:00"), Reason::NotAnEvent),
        ("time of no calendar", with(event, "/time", "2026-02-30T10:00:00Z"), Reason::NotAnEvent),
        ("two ids", prefixed(event, r#""id":"other""#), Reason::NotAnEvent),
        ("two datas", prefixed(event, r#""data":{}"#), Reason::NotAnEvent),
        ("specversion 0.3", with(event, "/specversion", "0.3"), Reason::WrongSpecVersion),
        ("specversion 1.1", with(event, "/specversion", "1.1"), Reason::WrongSpecVersion),
        ("another type", with(event, "/type", MARKER), Reason::WrongType),
        ("another type with a version", with(event, "/type", "com.example.comment.v1"), Reason::WrongType),
        ("a type that goes on", with(event, "/type", format!("{kind}ote")), Reason::WrongType),
        ("another stream's event", another_streams, Reason::WrongType),
        ("an alert", alert_event().encode(), Reason::WrongType),
        ("a newer version", with(event, "/type", newer.as_str()), Reason::UnknownVersion),
        (
            "a newer version of another form",
            json!({"specversion": "1.0", "id": "1", "source": "s", "type": newer, "data": [MARKER]}).to_string().into(),
            Reason::UnknownVersion,
        ),
        ("no data", without(event, "/data"), Reason::InvalidData),
        (
            "data as base64",
            prefixed(&serde_json::from_slice(&without(event, "/data")).expect("JSON"), r#""data_base64":"e30=""#),
            Reason::InvalidData,
        ),
        ("data null", with(event, "/data", Value::Null), Reason::InvalidData),
        ("data a list", with(event, "/data", json!([MARKER])), Reason::InvalidData),
        ("data a list of its fields", with(event, "/data", values(&event["data"])), Reason::InvalidData),
        ("data text", with(event, "/data", MARKER), Reason::InvalidData),
        ("data text of JSON", with(event, "/data", event["data"].to_string()), Reason::InvalidData),
        ("too large", with(event, "/padding", MARKER.repeat(MAX_RECORD_BYTES / MARKER.len())), Reason::TooLarge),
    ]
}

/// An object's values as a list.
fn values(object: &Value) -> Value {
    object.as_object().expect("an object").values().cloned().collect()
}

/// What is wrong with a comment, at `at`.
fn comments(event: &Value, at: &str) -> Vec<Row> {
    let field = |name: &str, value: Value| with(event, &format!("{at}/{name}"), value);
    let raw = |value: &str| {
        let text = String::from_utf8(field("body", json!("@raw@"))).expect("UTF-8");
        text.replace(r#""@raw@""#, value).into_bytes()
    };
    vec![
        ("body a number", field("body", json!(7)), Reason::InvalidData),
        ("body a list", field("body", json!([MARKER])), Reason::InvalidData),
        ("body true", field("body", json!(true)), Reason::InvalidData),
        ("body nested deep", raw(&nested(200_000)), Reason::InvalidData),
        ("two bodies", raw(&format!(r#""{MARKER}","body":"{MARKER}""#)), Reason::InvalidData),
        ("body with a bare line break", raw("\"a\nb\""), Reason::NotJson),
        ("body a fraction", field("body", json!(0.5)), Reason::InvalidData),
        ("body an object", field("body", json!({ "text": MARKER })), Reason::InvalidData),
        ("two ids", raw(r#""b","id":"one","id":"two""#), Reason::InvalidData),
        ("two times", raw(r#""b","created_utc":1,"created_utc":2"#), Reason::InvalidData),
        ("two ids, one with an escape", raw(r#""b","id":"one","\u0069d":"two""#), Reason::InvalidData),
        ("two ids beside half a character", raw(r#""\ud83d","id":"one","id":"two""#), Reason::InvalidData),
    ]
}

fn assert_rows(decode: Decode, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (what, bytes, reason) in rows {
        match decode(&bytes) {
            Ok(()) => wrong.push(format!("{what}: decodes")),
            Err(bad) if bad.reason != reason => wrong.push(format!("{what}: {bad}, not {reason}")),
            Err(bad) if bad.detail.contains(MARKER) => wrong.push(format!("{what}: quotes the record: {bad}")),
            Err(bad) if bad.detail.is_empty() || bad.detail.len() > 120 => wrong.push(format!("{what}: {bad}")),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn bad_comments() -> Vec<Row> {
    let event = comment();
    let mut rows = envelopes(&event, prediction().to_string().into_bytes());
    rows.extend(comments(&without_id_and_time(&event, "/data"), "/data"));
    rows
}

fn bad_predictions() -> Vec<Row> {
    let event = prediction();
    let mut rows = envelopes(&event, comment().to_string().into_bytes());
    rows.extend(comments(&without_id_and_time(&event, "/data/comment"), "/data/comment"));
    for field in ["probability", "log_odds", "intercept", "other"] {
        rows.push(("a missing number", without(&event, &format!("/data/{field}")), Reason::InvalidData));
        rows.push(("a number as text", with(&event, &format!("/data/{field}"), "0.5"), Reason::InvalidData));
        rows.push(("a number that is none", with(&event, &format!("/data/{field}"), Value::Null), Reason::InvalidData));
    }
    for field in ["comment", "comment_event", "terms", "model", "operating_point"] {
        rows.push(("a missing part", without(&event, &format!("/data/{field}")), Reason::InvalidData));
        rows.push(("a part as text", with(&event, &format!("/data/{field}"), MARKER), Reason::InvalidData));
        rows.push(("a part null", with(&event, &format!("/data/{field}"), Value::Null), Reason::InvalidData));
    }
    rows.extend([
        (
            "a reference as a list",
            with(&event, "/data/comment_event", json!(["s", "1", "2026-01-05T10:00:00Z"])),
            Reason::InvalidData,
        ),
        ("a model as a list", with(&event, "/data/model", json!(["rscience", MARKER])), Reason::InvalidData),
        ("a term as a list", with(&event, "/data/terms", json!([[MARKER, 1.0]])), Reason::InvalidData),
        ("a point as a list", with(&event, "/data/operating_point", json!([0.9, 0.1, 0.1, 0.1])), Reason::InvalidData),
        ("a comment as a list", with(&event, "/data/comment", json!([MARKER])), Reason::InvalidData),
        ("no source", without(&event, "/data/comment_event/source"), Reason::InvalidData),
        ("a bad time", with(&event, "/data/comment_event/time", MARKER), Reason::InvalidData),
        ("a term without its share", without(&event, "/data/terms/0/contribution"), Reason::InvalidData),
        ("terms as an object", with(&event, "/data/terms", json!({MARKER: 1.0})), Reason::InvalidData),
        ("no precision", without(&event, "/data/operating_point/precision"), Reason::InvalidData),
        ("version a number", with(&event, "/data/model/version", 1), Reason::InvalidData),
    ]);
    rows
}

fn without_id_and_time(event: &Value, at: &str) -> Value {
    let without = |event: &Value, field: &str| without(event, &format!("{at}/{field}"));
    let event = serde_json::from_slice(&without(event, "created_utc")).expect("JSON");
    serde_json::from_slice(&without(&event, "id")).expect("JSON")
}

#[test]
fn every_bad_comment_record_has_its_reason_and_no_detail_quotes_it() {
    assert_rows(as_comment, bad_comments());
}

#[test]
fn every_bad_prediction_record_has_its_reason_and_no_detail_quotes_it() {
    assert_rows(as_prediction, bad_predictions());
}

#[test]
fn a_comment_without_body_is_bad_where_it_is_scored() {
    let event = comment();
    let rows = vec![
        ("no body", without(&event, "/data/body"), Reason::MissingBody),
        ("body null", with(&event, "/data/body", Value::Null), Reason::MissingBody),
        ("a comment without fields", with(&event, "/data", json!({})), Reason::MissingBody),
    ];
    assert!(rows.iter().all(|(_, bytes, _)| as_comment(bytes).is_ok()), "nothing is dropped on the way in");
    assert_rows(as_comment_with_body, rows);
}

#[test]
fn what_the_rows_break_is_whole_before() {
    assert_eq!(as_comment_with_body(comment().to_string().as_bytes()), Ok(()));
    assert_eq!(as_prediction(prediction().to_string().as_bytes()), Ok(()));
}

#[test]
fn a_detail_names_what_to_correct() {
    let (comment, prediction) = (comment(), prediction());
    let twice = r#"{"specversion":"1.0","id":"1","source":"s","type":"modstream.comment.v1","time":"2026-01-05T10:00:00Z",
        "data":{"x":{"body":1},"x":{},"body":"é","id":"k","body":"b"}}"#;
    let rows: [(Decode, Vec<u8>, &str); 11] = [
        (as_comment, b" ".to_vec(), "empty"),
        (as_comment, vec![0xF3, 0x89, 0x9A, 0xC2], "AggregationEnabled=false"),
        (as_comment, format!("{comment}{comment}").into_bytes(), "a record holds one event"),
        (as_comment, without(&comment, "/source"), "the attribute `source` is missing"),
        (as_comment, with(&comment, "/type", "modstream.comment.v9"), Comment::TYPE),
        (as_comment, prefixed(&comment, r#""id":"x""#), "`id` stands there twice"),
        (as_comment, with(&comment, "/data/body", 1), "a field of `data` has the wrong form, at line 1 column"),
        (as_comment, with(&comment, "/data/body", 1), ": `body` is not text"),
        (as_comment, twice.into(), "`data`: `body` stands there twice, at line 2 column 39 and line 2 column 59"),
        (as_prediction, without(&prediction, "/data/probability"), "missing field `probability`"),
        (as_prediction, prefixed(&prediction, r#""data":1"#), "`data` stands there twice"),
    ];
    for (decode, bytes, part) in rows {
        let detail = decode(&bytes).expect_err(part).detail;
        assert!(detail.contains(part), "{detail} lacks {part}");
    }
}

proptest! {
    #[test]
    fn no_damage_panics_or_gets_the_text_into_a_detail(
        at in any::<prop::sample::Index>(),
        length in 0..40_usize,
        put in prop::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"\"\\{}[]:,0ez-".to_vec())], 0..8),
        which in any::<bool>(),
    ) {
        let (event, decode) = if which { (comment(), as_comment_with_body as Decode) } else { (prediction(), as_prediction as Decode) };
        let mut bytes = event.to_string().into_bytes();
        let from = at.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, put);
        if let Err(bad) = decode(&bytes) {
            prop_assert!(!bad.detail.contains("Secret"), "{}", bad);
        }
    }

    #[test]
    fn any_bytes_decode_or_say_why_not(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(as_comment(&bytes).is_err());
        prop_assert!(as_prediction(&bytes).is_err());
    }
}
