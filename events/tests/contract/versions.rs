//! A type of three versions, read the way every type is: `docs/decisions/0010-event-versions.md` has the steps to a next one.

use std::borrow::Cow;

use modstream_events::{Comment, Data, Event, NoPrevious, Reason, Versioned, readable_types};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod v1 {
    use super::*;

    /// A temperature in Fahrenheit, as text.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct Reading<'a> {
        #[serde(borrow)]
        pub(super) place: Cow<'a, str>,
        pub(super) fahrenheit: String,
    }

    impl Data for Reading<'_> {
        const TYPE: &'static str = "example.reading.v1";
    }

    impl<'a> Versioned<'a> for Reading<'a> {
        type Previous = NoPrevious;

        fn upcast(previous: NoPrevious) -> Self {
            match previous {}
        }
    }
}

mod v2 {
    use super::*;

    /// In Celsius, where it is known.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct Reading<'a> {
        #[serde(borrow)]
        pub(super) place: Cow<'a, str>,
        pub(super) celsius: Option<f64>,
    }

    impl Data for Reading<'_> {
        const TYPE: &'static str = "example.reading.v2";
    }

    impl<'a> Versioned<'a> for Reading<'a> {
        type Previous = v1::Reading<'a>;

        fn upcast(previous: v1::Reading<'a>) -> Self {
            let fahrenheit = previous.fahrenheit.parse::<f64>().ok();
            Reading { place: previous.place, celsius: fahrenheit.map(|degrees| (degrees - 32.0) / 1.8) }
        }
    }
}

/// The place in two parts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading<'a> {
    #[serde(borrow)]
    town: Cow<'a, str>,
    #[serde(borrow)]
    street: Cow<'a, str>,
    celsius: Option<f64>,
}

impl Data for Reading<'_> {
    const TYPE: &'static str = "example.reading.v3";
}

impl<'a> Versioned<'a> for Reading<'a> {
    type Previous = v2::Reading<'a>;

    fn upcast(previous: v2::Reading<'a>) -> Self {
        let (town, street) = previous.place.split_once(", ").unwrap_or((&previous.place, ""));
        Reading { town: town.to_owned().into(), street: street.to_owned().into(), celsius: previous.celsius }
    }
}

fn event(version: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": "r-1", "source": "urn:example:sensor", "type": format!("example.reading.{version}"),
        "time": "2026-01-05T10:00:00.25Z", "data": data
    })
}

fn v1_event() -> Value {
    event("v1", &json!({ "place": "Ulm, Hafengasse", "fahrenheit": "50" }))
}

fn read(event: &Value) -> Result<Value, (Reason, String)> {
    let bytes = event.to_string();
    let event = Event::<Reading<'_>>::decode(bytes.as_bytes()).map_err(|bad| (bad.reason, bad.detail))?;
    Ok(serde_json::from_slice(&event.encode()).expect("JSON"))
}

#[test]
fn an_event_of_any_version_is_read_as_the_newest() {
    let newest = json!({ "town": "Ulm", "street": "Hafengasse", "celsius": 10.0 });
    let v2 = event("v2", &json!({ "place": "Ulm, Hafengasse", "celsius": 10.0 }));
    for event in [v1_event(), v2, event("v3", &newest)] {
        let read = read(&event).expect("it is readable");
        assert_eq!(read["data"], newest, "{event}");
        assert_eq!(read["type"], "example.reading.v3");
    }
}

#[test]
fn an_old_event_keeps_its_id_its_source_and_its_time() {
    let read = read(&v1_event()).expect("it is readable");
    for attribute in ["specversion", "id", "source", "time"] {
        assert_eq!(read[attribute], v1_event()[attribute], "{attribute}");
    }
}

#[test]
fn an_old_event_that_also_has_the_newest_form_is_read_by_its_type() {
    let both = json!({
        "place": "Ulm, Hafengasse", "fahrenheit": "50", "town": "Bonn", "street": "Am Hof", "celsius": 1.0
    });
    let read = read(&event("v1", &both)).expect("it is readable");
    assert_eq!((&read["data"]["town"], &read["data"]["celsius"]), (&json!("Ulm"), &json!(10.0)));
}

#[test]
fn texts_of_an_old_event_are_borrowed_from_the_record() {
    let bytes = event("v1", &json!({ "place": "Ulm", "fahrenheit": "50" })).to_string();
    let event = Event::<v2::Reading<'_>>::decode(bytes.as_bytes()).expect("it is readable");
    assert!(matches!((event.id, event.data.place), (Cow::Borrowed("r-1"), Cow::Borrowed("Ulm"))));
}

#[test]
fn a_version_newer_than_this_program_names_the_newest_it_reads_and_what_to_do() {
    for version in ["v4", "v10", "v340282366920938463463374607431768211456"] {
        let (reason, detail) = read(&event(version, &json!({}))).expect_err("nobody reads it here");
        assert_eq!(reason, Reason::UnknownVersion, "{version}");
        for part in ["written by a newer modstream", "up to `example.reading.v3`", "upgrade it first"] {
            assert!(detail.contains(part), "{version}: {detail}");
        }
    }
}

#[test]
fn a_version_before_the_first_was_never_written() {
    let (reason, detail) = read(&event("v0", &json!({}))).expect_err("nobody reads it");
    assert_eq!(reason, Reason::UnknownVersion);
    assert!(detail.contains("no modstream wrote this version"), "{detail}");
}

#[test]
fn another_type_is_a_wrong_one_whatever_its_version() {
    for kind in ["example.meter.v1", "example.reading", "example.reading.v", "example.reading.v1.1", "reading.v1"] {
        let mut other = v1_event();
        other["type"] = kind.into();
        let (reason, detail) = read(&other).expect_err("it is another type");
        assert_eq!(
            (reason, detail.as_str()),
            (Reason::WrongType, "this stream carries `example.reading.v3`"),
            "{kind}"
        );
    }
}

#[test]
fn a_broken_old_event_is_judged_by_its_own_version() {
    let (reason, detail) = read(&event("v1", &json!({ "place": "Ulm", "celsius": 10.0 }))).expect_err("it is broken");
    assert_eq!(reason, Reason::InvalidData);
    assert!(detail.contains("missing field `fahrenheit`"), "{detail}");
    let mut without_time = v1_event();
    without_time.as_object_mut().expect("an object").remove("time");
    assert_eq!(read(&without_time).expect_err("it is broken").0, Reason::NotAnEvent);
    let mut older_specification = v1_event();
    older_specification["specversion"] = json!("0.3");
    assert_eq!(read(&older_specification).expect_err("it is broken").0, Reason::WrongSpecVersion);
}

#[test]
fn an_event_with_two_types_is_none() {
    let two = v1_event().to_string().replacen('{', r#"{"type":"example.reading.v2","#, 1);
    let bad = Event::<Reading<'_>>::decode(two.as_bytes()).expect_err("a reader must not choose");
    assert_eq!((bad.reason, bad.detail.as_str()), (Reason::NotAnEvent, "`type` stands there twice"));
}

#[test]
fn the_types_that_are_readable_are_listed_newest_first() {
    assert_eq!(readable_types::<Reading<'_>>(), ["example.reading.v3", "example.reading.v2", "example.reading.v1"]);
    assert_eq!(readable_types::<Comment<'_>>(), [Comment::TYPE]);
    assert_eq!(readable_types::<NoPrevious>(), [NoPrevious::TYPE]);
}
