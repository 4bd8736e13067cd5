use std::borrow::Cow;

use modstream_events::{Comment, Event, MAX_RECORD_BYTES, Prediction, Reason};
use serde_json::{Value, json};

use crate::whole_events::{comment_event, prediction_event};

fn comment_json() -> Value {
    serde_json::from_slice(&comment_event().encode()).expect("JSON")
}

fn with_data(data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"1","source":"urn:example:forum","type":"modstream.comment.v1","time":"2026-01-05T10:00:00Z","data":{data}}}"#
    )
}

fn decoded(record: &str) -> Event<'_, Comment<'_>> {
    Event::decode(record.as_bytes()).unwrap_or_else(|bad| panic!("{record}: {bad}"))
}

#[test]
fn unknown_fields_and_extension_attributes_are_passed_over() {
    let mut event = comment_json();
    for (name, value) in [
        ("traceparent", json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        ("subject", json!("k3f9a01")),
        ("dataschema", json!("urn:modstream:schema:modstream.comment.v1")),
        ("sequence", json!(7)),
        ("sampled", json!(true)),
        ("none", Value::Null),
    ] {
        event[name] = value;
    }
    event["data"]["gildings"] = json!({"gid_1": [1, 2.5, null]});
    event["data"]["edited"] = json!(false);
    event["data"]["removed"] = json!(true);
    assert_eq!(decoded(&event.to_string()), comment_event());
}

#[test]
fn an_unknown_field_may_nest_as_deep_as_a_record_allows() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let record = with_data(&format!(r#"{{"body":"b","all_awardings":{deep}}}"#));
    assert_eq!(decoded(&record).data.body(), Ok("b"));
}

#[test]
fn the_content_type_may_be_missing_or_null() {
    for edit in [
        |event: &mut Value| event["datacontenttype"] = Value::Null,
        |event: &mut Value| {
            event.as_object_mut().expect("an object").remove("datacontenttype");
        },
    ] {
        let mut event = comment_json();
        edit(&mut event);
        assert_eq!(decoded(&event.to_string()).datacontenttype, "application/json");
    }
}

#[test]
fn an_empty_and_a_blank_body_are_bodies() {
    for body in ["", " ", "\n\t\u{a0}"] {
        let record = with_data(&json!({ "body": body }).to_string());
        assert_eq!(decoded(&record).data.body(), Ok(body));
    }
}

#[test]
fn a_comment_without_a_body_travels_but_has_none_to_score() {
    for data in ["{}", r#"{"body":null}"#, r#"{"id":"k1","author":null}"#] {
        let record = with_data(data);
        let event = decoded(&record);
        assert_eq!(event.data.body().map_err(|bad| bad.reason), Err(Reason::MissingBody), "{data}");
    }
}

#[test]
fn numbers_are_read_in_every_form_that_dumps_have() {
    for (value, number) in [
        ("1514764800", Some(1_514_764_800)),
        ("1514764800.0", Some(1_514_764_800)),
        ("1514764800.9", Some(1_514_764_800)),
        ("1.5147648e9", Some(1_514_764_800)),
        (r#""1514764800""#, Some(1_514_764_800)),
        (r#"" 1514764800.0 ""#, Some(1_514_764_800)),
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("-0.5", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("3.0", Some(3)),
        (r#""-3""#, Some(-3)),
        (r#""""#, None),
        (r#"" ""#, None),
        ("null", None),
    ] {
        let record = with_data(&format!(r#"{{"body":"b","created_utc":{value}}}"#));
        assert_eq!(decoded(&record).data.created_utc, number, "created_utc {value}");
        let record = with_data(&format!(r#"{{"body":"b","score":{value}}}"#));
        assert_eq!(decoded(&record).data.score, number, "score {value}");
    }
}

#[test]
fn texts_without_escapes_are_borrowed_from_the_record() {
    let record = comment_event().encode();
    let event: Event<'_, Comment<'_>> = Event::decode(&record).expect("decodes");
    let range = record.as_ptr_range();
    let Comment { id, parent_id, link_id, subreddit, author, body, permalink, .. } = event.data;
    for text in
        [Some(event.id), Some(event.source), Some(event.kind), id, parent_id, link_id, subreddit, author, permalink]
    {
        let Some(Cow::Borrowed(text)) = text else { panic!("{text:?} is not borrowed") };
        assert!(range.contains(&text.as_ptr()));
    }
    assert!(matches!(body, Some(Cow::Owned(_))), "this body has escapes");
}

#[test]
fn a_predictions_texts_are_borrowed_too() {
    let record = prediction_event().encode();
    let event: Event<'_, Prediction<'_>> = Event::decode(&record).expect("decodes");
    let Prediction { comment_event, terms, model, comment, .. } = event.data;
    let mut texts = vec![comment_event.source, comment_event.id, model.name, model.version];
    texts.extend(terms.into_iter().map(|term| term.term));
    texts.extend(comment.author);
    assert!(texts.iter().all(|text| matches!(text, Cow::Borrowed(_))), "{texts:?}");
}

#[test]
fn a_comment_of_its_own_outlives_the_record() {
    let owned: Comment<'static> = {
        let record = comment_event().encode();
        Event::<Comment<'_>>::decode(&record).expect("decodes").data.into_owned()
    };
    assert_eq!(owned, comment_event().data);
}

#[test]
fn a_record_may_be_as_large_as_kinesis_takes_and_not_larger() {
    let empty = with_data(r#"{"body":""}"#).len();
    for (bytes, reason) in [(MAX_RECORD_BYTES, Ok(())), (MAX_RECORD_BYTES + 1, Err(Reason::TooLarge))] {
        let record = with_data(&format!(r#"{{"body":"{}"}}"#, "a".repeat(bytes - empty)));
        assert_eq!(record.len(), bytes);
        let found = Event::<Comment<'_>>::decode(record.as_bytes()).map(drop).map_err(|bad| bad.reason);
        assert_eq!(found, reason);
    }
}
