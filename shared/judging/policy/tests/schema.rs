//! The published JSON Schema of the document follows from its types, and documents follow the schema.

use std::fs;
use std::path::Path;

use modstream_policy::{Document, Policies};
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Value, json};

const FILE: &str = "policies.schema.json";

fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(publish));
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("$id".to_owned(), "urn:modstream:schema:policies".into());
    schema.insert("title".to_owned(), "modstream policies".into());
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
    if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
        any.retain(|one| one.get("type").is_none_or(|kind| kind != "null"));
    }
    // One choice of choices is their choice.
    if let Some(Value::Array(choices)) = schema.get("anyOf").and_then(|any| any.pointer("/0/anyOf")).cloned()
        && schema.get("anyOf").and_then(Value::as_array).is_some_and(|any| any.len() == 1)
    {
        schema.insert("anyOf".to_owned(), choices.into());
    }
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

#[test]
fn the_schema_is_what_the_types_give() {
    let made = serde_json::to_string_pretty(&schema()).expect("serialises") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("MODSTREAM_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, &made).expect("the file can be written");
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == made,
        "shared/judging/policy/{FILE} is not what the types give. If the change is meant, run\n    \
         MODSTREAM_UPDATE=1 cargo test -p modstream-policy --features schema\nand look at the difference."
    );
}

#[test]
fn documents_follow_it_and_what_is_wrong_does_not() {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is one");
    let validator = jsonschema::options().build(&schema).expect("it compiles");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events/samples/policies.toml");
    let sample = Policies::parse(&fs::read_to_string(sample).expect("the sample")).expect("good policies");
    let sample: Value = serde_json::from_slice(&sample.canonical()).expect("JSON");
    validator.validate(&sample).unwrap_or_else(|error| panic!("{error}"));
    validator.validate(&json!({"default": {"threshold": 0.7}})).expect("the least document");
    let none = json!({"base_rate": "none", "max_alerts_per_hour": "none", "quiet_hours": "none"});
    validator.validate(&json!({"default": {"threshold": 0.7}, "subreddits": {"news": none}})).expect("none of these");
    for (pointer, value) in [
        ("/default/threshold", json!(2)),
        ("/default/base_rate", json!(1)),
        ("/default/exploration_share", json!(0.5)),
        ("/default/max_alerts_per_hour", json!(0)),
        ("/default/max_alerts_per_hour", json!("20")),
        ("/default/unknown", json!(0)),
        ("/subreddits/science/quiet_hours/from", json!("25:00")),
        ("/subreddits/askscience/channels", json!(["sms"])),
        ("/breaker/max_share", json!(0)),
        ("/breaker/window", json!(61)),
        ("/total", json!({})),
    ] {
        let mut broken = sample.clone();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        broken.pointer_mut(parent).expect("a part")[field] = value.clone();
        assert!(!validator.is_valid(&broken), "{pointer}: {value}");
    }
}
