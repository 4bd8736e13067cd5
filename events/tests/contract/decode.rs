use std::borrow::Cow;

use modstream_events::{
    Comment, CommentDeleted, CommentEdited, CommentReported, Event, MAX_RECORD_BYTES, Prediction, Reason, ids,
};
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
fn counts_are_read_in_every_form_and_what_says_nothing_is_none() {
    for (value, number) in [
        ("1514764800", Some(1_514_764_800)),
        ("1514764800.9", Some(1_514_764_800)),
        ("1.5147648e9", Some(1_514_764_800)),
        (r#"" 1514764800.0 ""#, Some(1_514_764_800)),
        (r#""1.5147648e9""#, Some(1_514_764_800)),
        ("0", Some(0)),
        ("-0.5", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        (r#""-3""#, Some(-3)),
        (r#""""#, None),
        (r#""low""#, None),
        (r#""NaN""#, None),
        ("null", None),
        ("true", None),
        ("[1]", None),
        ("18446744073709551615", None),
        ("1e300", None),
        ("1e999", None),
        ("NaN", None),
    ] {
        let record = with_data(&format!(r#"{{"body":"b","score":{value}}}"#));
        assert_eq!(decoded(&record).data.score, number, "score {value}");
    }
}

#[test]
fn times_are_read_in_every_form_as_seconds_and_what_says_nothing_is_none() {
    let iso = |text: &str| format!("\"{text}\"");
    for (value, seconds) in [
        ("1767607200".to_owned(), Some(1_767_607_200)),
        ("1767607200.9".to_owned(), Some(1_767_607_200)),
        (iso(" 1767607200.0 "), Some(1_767_607_200)),
        (iso("1.7676072e9"), Some(1_767_607_200)),
        ("1767607200999".to_owned(), Some(1_767_607_200)),
        ("1767607200999999".to_owned(), Some(1_767_607_200)),
        ("1767607200999999999".to_owned(), Some(1_767_607_200)),
        ("1.767607200123e12".to_owned(), Some(1_767_607_200)),
        (iso("1767607200123456"), Some(1_767_607_200)),
        (iso("2026-01-05T10:00:00Z"), Some(1_767_607_200)),
        (iso("2026-01-05T10:00:00.000Z"), Some(1_767_607_200)),
        (iso("2026-01-05T11:00:00.999999+01:00"), Some(1_767_607_200)),
        (iso("2026-01-05t10:00:00+0000"), Some(1_767_607_200)),
        (iso("2026-01-05T10:00:00"), Some(1_767_607_200)),
        (iso("2026-01-05 10:00:00.5"), Some(1_767_607_200)),
        (iso("2026-01-05 10:00:00 UTC"), Some(1_767_607_200)),
        (iso("2026-01-05 10:00"), Some(1_767_607_200)),
        (iso("2026-01-05"), Some(1_767_571_200)),
        (iso("1969-12-31T23:59:59.5Z"), Some(-1)),
        ("-1".to_owned(), Some(-1)),
        ("0".to_owned(), Some(0)),
        ("-0.5".to_owned(), Some(-1)),
        ("99999999999".to_owned(), Some(99_999_999_999)),
        ("100000000000".to_owned(), Some(100_000_000)),
        ("4102444800".to_owned(), Some(4_102_444_800)),
        ("18446744073709551615".to_owned(), Some(18_446_744_073)),
        ("100000000000000000000".to_owned(), None),
        ("1e300".to_owned(), None),
        ("1e999".to_owned(), None),
        ("-Infinity".to_owned(), None),
        (iso("inf"), None),
        (iso("NaN"), None),
        (iso("9999-01-01T00:00:00Z"), None),
        (iso("2026-02-30T10:00:00Z"), None),
        (iso("yesterday"), None),
        (iso(""), None),
        (iso("\\ud83d"), None),
        ("false".to_owned(), None),
        ("true".to_owned(), None),
        ("null".to_owned(), None),
        ("[1]".to_owned(), None),
        (r#"{"$date":1}"#.to_owned(), None),
    ] {
        let record = with_data(&format!(r#"{{"body":"b","created_utc":{value},"edited":{value}}}"#));
        let comment = decoded(&record).data;
        assert_eq!(comment.created_utc, seconds, "created_utc {value}");
        // Data frames write Reddit's false and true as 0 and 1.
        assert_eq!(comment.edited, seconds.filter(|seconds| *seconds > 1), "edited {value}");
        assert_eq!(comment.body(), Ok("b"), "{value}");
    }
}

#[test]
fn numbers_are_taken_where_text_is_expected_and_what_says_nothing_is_none() {
    for (value, text) in [
        ("5977", Some("5977")),
        ("-1", Some("-1")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("-99999999999999999999", Some("-99999999999999999999")),
        ("5977.0", Some("5977.0")),
        ("5977.50", Some("5977.50")),
        ("-0", Some("-0")),
        ("1e3", Some("1e3")),
        ("1E+3", Some("1E+3")),
        ("1e400", Some("1e400")),
        ("1234567890123456789.5", Some("1234567890123456789.5")),
        (r#""t1_a""#, Some("t1_a")),
        (r#""\ud83d""#, Some("\u{FFFD}")),
        ("null", None),
        ("true", None),
        ("[\"a\"]", None),
        (r#"{"name":"a"}"#, None),
        ("NaN", None),
    ] {
        for field in ["id", "parent_id", "link_id", "subreddit", "author", "permalink"] {
            let record = with_data(&format!(r#"{{"body":"b","{field}":{value}}}"#));
            let Comment { id, parent_id, link_id, subreddit, author, permalink, .. } = decoded(&record).data;
            let read = [id, parent_id, link_id, subreddit, author, permalink].into_iter().flatten().next();
            assert_eq!(read.as_deref(), text, "{field} {value}");
        }
    }
}

#[test]
fn one_number_is_one_text_wherever_it_stands_and_numbers_stay_numbers() {
    let event = |kind: &str, data: &str| with_data(data).replace("modstream.comment.v1", kind);
    for (number, text) in
        [("7", "7"), ("7.0", "7.0"), ("-0", "-0"), ("1e3", "1e3"), ("99999999999999999999", "99999999999999999999")]
    {
        let record =
            event("modstream.comment-deleted.v1", &format!(r#"{{"id":{number},"subreddit":{number},"by":"author"}}"#));
        let CommentDeleted { id, subreddit, .. } = Event::decode(record.as_bytes()).expect(&record).data;
        assert_eq!((id.as_ref(), subreddit.as_deref()), (text, Some(text)));
        let record = event(
            "modstream.comment-reported.v1",
            &format!(r#"{{"id":{number},"reporter":{number},"reason":{number}}}"#),
        );
        let CommentReported { id, reporter, reason, .. } = Event::decode(record.as_bytes()).expect(&record).data;
        assert_eq!((id.as_ref(), reporter.as_deref(), reason.as_deref()), (text, Some(text), Some(text)));
        let data = format!(r#"{{"comment":{{"id":{number},"body":"b","score":2.5}},"version":{number}}}"#);
        let record = event("modstream.comment-edited.v1", &data);
        let CommentEdited { comment, version } = Event::decode(record.as_bytes()).expect(&record).data;
        assert_eq!((comment.id.as_deref(), comment.score, version.as_ref()), (Some(text), Some(2), text));
    }
    for nothing in ["null", "true", "[]"] {
        let record = event("modstream.comment-deleted.v1", &format!(r#"{{"id":{nothing},"by":"author"}}"#));
        assert!(Event::<CommentDeleted<'_>>::decode(record.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn a_number_is_an_attribute_and_a_content_type_that_is_none_says_nothing() {
    for (attribute, value, read) in [
        ("id", "7", ["7", "urn:example:forum"]),
        ("id", "1.50", ["1.50", "urn:example:forum"]),
        ("id", "12345678901234567890123", ["12345678901234567890123", "urn:example:forum"]),
        ("source", "7", ["k3f9a01", "7"]),
        ("specversion", "1.0", ["k3f9a01", "urn:example:forum"]),
        ("datacontenttype", "7", ["k3f9a01", "urn:example:forum"]),
        ("datacontenttype", "{\"a\":[1]}", ["k3f9a01", "urn:example:forum"]),
    ] {
        let mut event: Value = serde_json::from_str(&with_data(r#"{"body":"b"}"#)).expect("JSON");
        event["id"] = "k3f9a01".into();
        event[attribute] = "TAKEN".into();
        let record = event.to_string().replace("\"TAKEN\"", value);
        let Event { id, source, data, .. } = decoded(&record);
        assert_eq!(([id.as_ref(), source.as_ref()], data.body()), (read, Ok("b")), "{record}");
    }
}

#[test]
fn a_later_version_that_does_not_say_which_it_is_has_a_name_of_its_text_and_time() {
    let of_text = ids::text_version("b", 0);
    for (version, edited, name) in [
        ("", "", of_text.clone()),
        (r#","version":null"#, "", of_text.clone()),
        (r#","version":" ""#, "", of_text.clone()),
        (r#","version":{"a":1}"#, "", of_text.clone()),
        (r#","version":true"#, r#","edited":1767607500"#, ids::edit_version(1_767_607_500, &of_text)),
        (r#","version":"3""#, r#","edited":1767607500"#, "3".to_owned()),
    ] {
        let data = format!(r#"{{"comment":{{"id":"k","body":"b"{edited}}}{version}}}"#);
        let record = with_data(&data).replace("modstream.comment.v1", "modstream.comment-edited.v1");
        let read: Event<'_, CommentEdited<'_>> = Event::decode(record.as_bytes()).expect(&record);
        assert_eq!(read.data.version, name, "{data}");
    }
}

#[test]
fn a_byte_order_mark_costs_nothing() {
    let record = format!("\u{FEFF}{}", with_data("{\"body\":\"\u{FEFF}b\"}"));
    assert_eq!(decoded(&record).data.body(), Ok("\u{FEFF}b"));
}

#[test]
fn surrogates_of_three_bytes_are_read_as_escaped_ones_are() {
    let record = with_data(r#"{"body":"a HALF b PAIR"}"#);
    let (before, rest) = record.split_once("HALF").expect("there");
    let (between, after) = rest.split_once("PAIR").expect("there");
    let parts: [&[u8]; 5] =
        [before.as_bytes(), b"\xED\xA0\xBD", between.as_bytes(), b"\xED\xA0\xBD\xED\xB8\x80", after.as_bytes()];
    let bytes = parts.concat();
    let read: Event<'_, Comment<'_>> = Event::decode(&bytes).expect("decodes");
    assert_eq!(read.data.body(), Ok("a \u{FFFD} b \u{1F600}"));
}

#[test]
fn what_is_not_read_may_stand_there_twice() {
    let record = with_data(r#"{"x":1,"body":"b","x":2,"Body":"c","removed":1,"removed":0}"#);
    let record = record.replacen('{', r#"{"sequence":1,"sequence":2,"#, 1);
    assert_eq!(decoded(&record).data.body(), Ok("b"));
}

#[test]
fn half_a_surrogate_pair_costs_nothing_wherever_it_stands() {
    for (data, body) in [
        (r#"{"body":"it's summer \ud83d"}"#, "it's summer \u{FFFD}"),
        (r#"{"body":"\ude00\ud83d\ude00"}"#, "\u{FFFD}😀"),
        (r#"{"body":"b","author_flair_text":"\ud83d"}"#, "b"),
        (r#"{"\ud83d":1,"body":"b"}"#, "b"),
        (r#"{"body":"b","x":{"\udfff":["\ud800"]}}"#, "b"),
    ] {
        let record = with_data(data);
        assert_eq!(decoded(&record).data.body(), Ok(body), "{data}");
    }
    let record = with_data(r#"{"body":"b"}"#).replace("urn:example:forum", r"urn:\ud83d");
    assert_eq!(decoded(&record).source, "urn:\u{FFFD}");
}

#[test]
fn a_comment_has_the_fields_that_it_names() {
    let comment = Comment { edited: Some(2), ..comment_event().data };
    let Value::Object(fields) = serde_json::to_value(comment).expect("JSON") else { panic!("no object") };
    let mut names = Comment::FIELDS;
    names.sort_unstable();
    assert_eq!(fields.keys().collect::<Vec<_>>(), names);
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

#[test]
fn a_producers_event_needs_no_time() {
    let arrived: jiff::Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
    let event = with_data(r#"{"body":"b \ud83d","id":1e3,"parent_id":"t1"}"#);
    let mut value: serde_json::Value = serde_json::from_str(&with_data("{}")).expect("JSON");
    let time = value["time"].take().to_string();
    let with = |written: &str| event.replace(&format!("\"time\":{time}"), written);
    for (written, read) in [
        (r#""x":1"#, "2026-01-05T10:00:00Z"),
        (r#""time":null"#, "2026-01-05T10:00:00Z"),
        (r#""time":[1]"#, "2026-01-05T10:00:00Z"),
        (r#""time":"""#, "2026-01-05T10:00:00Z"),
        (r#""time":99999999999999999999999"#, "2026-01-05T10:00:00Z"),
        (r#""time":1767600000.75"#, "2026-01-05T08:00:00Z"),
        (r#""time":"1767600000""#, "2026-01-05T08:00:00Z"),
        (r#""time":"2026-01-05 08:00""#, "2026-01-05T08:00:00Z"),
        (r#""time":"2026-01-05T08:00:00.125Z""#, "2026-01-05T08:00:00.125Z"),
    ] {
        let record = with(written);
        let comment: Event<'_, Comment<'_>> = Event::decode_arrived(record.as_bytes(), arrived).expect(&record);
        assert_eq!(comment.time.to_string(), read, "{written}");
        assert_eq!((comment.data.body(), comment.data.id.as_deref()), (Ok("b \u{FFFD}"), Some("1e3")));
    }
    let twice = with(r#""time":1,"time":2"#);
    let bad = Event::<Comment<'_>>::decode_arrived(twice.as_bytes(), arrived).expect_err("one of two");
    assert_eq!(bad.to_string(), "not_an_event: `time` stands there twice");
    let no_data = with(r#""time":7"#).replace("\"data\"", "\"date\"");
    let bad = Event::<Comment<'_>>::decode_arrived(no_data.as_bytes(), arrived).expect_err("no data");
    assert_eq!(bad.to_string(), "invalid_data: `data` is missing");
}

#[test]
fn a_deletion_by_nobody_knows_whom_is_one() {
    let by = |by: &str| {
        let record = with_data(&format!(r#"{{"id":"k"{by}}}"#)).replace("comment.v1", "comment-deleted.v1");
        Event::<CommentDeleted<'_>>::decode(record.as_bytes()).expect(&record).data.by
    };
    for unknown in ["", r#","by":null"#, r#","by":"admin""#, r#","by":7"#, r#","by":["author"]"#, r#","by":"unknown""#]
    {
        assert_eq!(by(unknown), modstream_events::DeletedBy::Unknown, "{unknown}");
    }
    assert_eq!(by(r#","by":"Moderator""#), modstream_events::DeletedBy::Moderator);
}
