//! The published JSON Schemas follow from the types, and events follow the schemas.

mod changes;
#[path = "../contract/golden.rs"]
mod golden;
mod released;
#[path = "../contract/types.rs"]
mod types;
#[path = "../contract/whole_events.rs"]
mod whole_events;

use jsonschema::Validator;
use modstream_events::{
    Alert, BreakerClosed, Comment, Data, Decision, Event, Feedback, ModelPromoted, PoliciesChanged, Prediction,
    Quarantined,
};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};
use types::for_each_type;
use whole_events::{
    alert_event, breaker_closed_event, comment_event, decision_event, feedback_event, model_promoted_event,
    policies_changed_event, prediction_event, quarantined_event,
};

fn schema<T: Data + JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(publish));
    let mut schema = settings.into_generator().into_root_schema_for::<Event<'_, T>>();
    schema.insert("$id".to_owned(), format!("urn:modstream:schema:{}", T::TYPE).into());
    schema.insert("title".to_owned(), T::TYPE.into());
    let mut schema = schema.to_value();
    schema.sort_all_objects();
    schema
}

/// Rust's ways out of a schema that others read.
fn publish(schema: &mut Schema) {
    // What is optional is left out, never written as null.
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    // Names of Rust's integers and floats; strict validators refuse formats they don't know.
    if schema.get("format").is_some_and(|format| ["int64", "uint32", "double"].iter().any(|name| format == name)) {
        schema.remove("format");
    }
    // Doc comments break lines inside a sentence.
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
}

fn validator<T: Data + JsonSchema>() -> Validator {
    let schema = schema::<T>();
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is one");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema compiles")
}

fn json<T: Data + serde::Serialize>(event: &Event<'_, T>) -> Value {
    serde_json::from_slice(&event.encode()).expect("JSON")
}

fn assert_file<T: Data + JsonSchema>() {
    golden::check(&format!("schemas/{}.json", T::TYPE), &golden::pretty(&schema::<T>()));
}

#[test]
fn every_schema_is_what_its_type_gives() {
    for_each_type!(assert_file());
}

fn names_its_type_and_version<T: Data + JsonSchema>() {
    let schema = schema::<T>();
    assert_eq!(schema["$id"], format!("urn:modstream:schema:{}", T::TYPE));
    assert_eq!(schema["title"], T::TYPE);
    assert_eq!(schema["properties"]["type"]["const"], T::TYPE);
    assert_eq!(schema["properties"]["specversion"]["const"], "1.0");
    assert_eq!(schema["properties"]["time"]["format"], "date-time");
    assert_eq!(schema["required"], json!(["specversion", "id", "source", "type", "time", "data"]));
}

#[test]
fn a_schema_names_its_type_and_the_version_of_the_specification() {
    for_each_type!(names_its_type_and_version());
}

#[test]
fn of_a_comment_only_the_body_is_required_and_nothing_is_null() {
    let schema = schema::<Comment<'_>>();
    let comment = &schema["$defs"]["Comment"];
    assert_eq!(comment["required"], json!(["body"]));
    for (name, property) in comment["properties"].as_object().expect("properties") {
        assert!(property["type"].is_string() && property["description"].is_string(), "{name}: {property}");
        assert!(property.get("default").is_none(), "{name}: {property}");
    }
}

fn speaks_no_rust<T: Data + JsonSchema>() {
    let text = schema::<T>().to_string();
    for word in ["[`", "`]", "::", "int64", "double", "null\""] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn no_schema_speaks_rust() {
    for_each_type!(speaks_no_rust());
}

#[test]
fn every_event_follows_its_schema() {
    for (validator, event) in [
        (validator::<Comment<'_>>(), json(&comment_event())),
        (validator::<Prediction<'_>>(), json(&prediction_event())),
        (validator::<Alert<'_>>(), json(&alert_event())),
        (validator::<Decision<'_>>(), json(&decision_event())),
        (validator::<Quarantined<'_>>(), json(&quarantined_event())),
        (validator::<Feedback<'_>>(), json(&feedback_event())),
        (validator::<ModelPromoted<'_>>(), json(&model_promoted_event())),
        (validator::<PoliciesChanged<'_>>(), json(&policies_changed_event())),
        (validator::<BreakerClosed<'_>>(), json(&breaker_closed_event())),
    ] {
        validator.validate(&event).unwrap_or_else(|error| panic!("{error}: {event}"));
    }
}

#[test]
fn the_least_comment_and_what_others_add_follow_the_schema() {
    let validator = validator::<Comment<'_>>();
    let mut event = json(&comment_event());
    event["data"] = json!({ "body": "" });
    event.as_object_mut().expect("an object").remove("datacontenttype");
    validator.validate(&event).expect("an empty body will do");
    event["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    event["data"]["gildings"] = json!({});
    validator.validate(&event).expect("extensions and unknown fields will do");
}

/// Where an event is broken, and what stands there then; nothing where the field is taken away.
type Break = (&'static str, Option<Value>);

const REQUIRED: [Break; 6] =
    [("/specversion", None), ("/id", None), ("/source", None), ("/type", None), ("/time", None), ("/data", None)];

fn assert_each_break_is_found(validator: &Validator, event: &Value, breaks: &[Break]) {
    let of_all = [
        ("/specversion", Some(json!("0.3"))),
        ("/id", Some(json!(""))),
        ("/id", Some(json!(7))),
        ("/source", Some(json!(""))),
        ("/source", Some(json!("not a uri"))),
        ("/type", Some(json!("modstream.comment.v2"))),
        ("/time", Some(json!("yesterday"))),
        ("/time", Some(json!(1_767_607_200))),
        ("/time", Some(Value::Null)),
        ("/data", Some(json!([]))),
        ("/data", Some(json!("text"))),
        ("/data", Some(Value::Null)),
    ];
    for (pointer, value) in REQUIRED.iter().chain(&of_all).chain(breaks) {
        let mut broken = event.clone();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let object = broken.pointer_mut(parent).expect("a field's object");
        match value {
            Some(value) => object[field] = value.clone(),
            None => drop(object.as_object_mut().and_then(|object| object.remove(field)).expect("the field was there")),
        }
        assert!(!validator.is_valid(&broken), "{pointer} as {value:?} follows the schema");
    }
}

#[test]
fn a_broken_comment_event_does_not_follow_the_schema() {
    let breaks = [
        ("/data/body", None),
        ("/data/body", Some(Value::Null)),
        ("/data/body", Some(json!(1))),
        ("/data/author", Some(Value::Null)),
        ("/data/id", Some(json!(1))),
        ("/data/score", Some(json!("3"))),
        ("/data/created_utc", Some(json!("2026-01-05"))),
    ];
    assert_each_break_is_found(&validator::<Comment<'_>>(), &json(&comment_event()), &breaks);
}

/// What predictions and alerts share.
fn breaks_of_a_prediction() -> Vec<Break> {
    vec![
        ("/data/comment", None),
        ("/data/comment/body", Some(json!(1))),
        ("/data/comment_event", None),
        ("/data/comment_event/time", Some(json!("yesterday"))),
        ("/data/probability", None),
        ("/data/probability", Some(json!(1.5))),
        ("/data/probability", Some(json!("0.9"))),
        ("/data/log_odds", Some(Value::Null)),
        ("/data/terms", Some(json!([{ "term": "a" }]))),
        ("/data/model/version", Some(json!("v1"))),
        ("/data/operating_point/precision", Some(json!(-0.1))),
        ("/data/operating_point/base_rate", None),
    ]
}

#[test]
fn a_broken_prediction_event_does_not_follow_the_schema() {
    let mut breaks = breaks_of_a_prediction();
    breaks.extend([("/data/intercept", None), ("/data/other", None)]);
    assert_each_break_is_found(&validator::<Prediction<'_>>(), &json(&prediction_event()), &breaks);
}

#[test]
fn a_broken_alert_event_does_not_follow_the_schema() {
    let mut breaks = breaks_of_a_prediction();
    breaks.extend([
        ("/data/severity", Some(json!("urgent"))),
        ("/data/policy", None),
        ("/data/policy/name", None),
        ("/data/prediction_id", None),
        ("/data/body_truncated", Some(json!("no"))),
    ]);
    assert_each_break_is_found(&validator::<Alert<'_>>(), &json(&alert_event()), &breaks);
}

#[test]
fn a_broken_decision_event_does_not_follow_the_schema() {
    let breaks = [
        ("/data/action", Some(json!("approve"))),
        ("/data/moderator", None),
        ("/data/number", Some(json!(0))),
        ("/data/alert_id", None),
        ("/data/alerted", Some(json!("yesterday"))),
        ("/data/comment_event/time", Some(json!("yesterday"))),
        ("/data/probability", Some(json!(1.5))),
        ("/data/exploration", Some(json!(-0.1))),
    ];
    assert_each_break_is_found(&validator::<Decision<'_>>(), &json(&decision_event()), &breaks);
}

#[test]
fn a_broken_event_about_a_change_does_not_follow_the_schema() {
    let breaks = [
        ("/data/cause", None),
        ("/data/cause", Some(json!("a reason"))),
        ("/data/cause/by", Some(json!(7))),
        ("/data/cause/reason", Some(Value::Null)),
    ];
    let numbered = [("/data/number", Some(json!(0))), ("/data/version", None), ("/data/previous", Some(json!(7)))];
    let numbered = [&breaks[..], &numbered].concat();
    let named = [&numbered[..], &[("/data/name", None)]].concat();
    assert_each_break_is_found(&validator::<ModelPromoted<'_>>(), &json(&model_promoted_event()), &named);
    assert_each_break_is_found(&validator::<PoliciesChanged<'_>>(), &json(&policies_changed_event()), &numbered);
    let opened = [("/data/breaker", None), ("/data/opened", Some(json!("yesterday")))];
    let opened = [&breaks[..], &opened].concat();
    assert_each_break_is_found(&validator::<BreakerClosed<'_>>(), &json(&breaker_closed_event()), &opened);
}

#[test]
fn broken_feedback_does_not_follow_the_schema() {
    let breaks = [
        ("/data/body", None),
        ("/data/attribute", None),
        ("/data/score", None),
        ("/data/score", Some(json!(1.5))),
        ("/data/score", Some(json!("1"))),
        ("/data/removed", Some(json!("yes"))),
        ("/data/id", Some(json!(42))),
        ("/data/subreddit", Some(Value::Null)),
    ];
    assert_each_break_is_found(&validator::<Feedback<'_>>(), &json(&feedback_event()), &breaks);
}

#[test]
fn a_broken_quarantined_event_does_not_follow_the_schema() {
    let breaks = [
        ("/data/reason", Some(json!("boredom"))),
        ("/data/reason", None),
        ("/data/detail", None),
        ("/data/payload", None),
        ("/data/payload", Some(json!([1, 2]))),
        ("/data/origin", None),
        ("/data/origin/sequence_number", None),
        ("/data/origin/arrived", Some(json!(1.5))),
    ];
    assert_each_break_is_found(&validator::<Quarantined<'_>>(), &json(&quarantined_event()), &breaks);
}
