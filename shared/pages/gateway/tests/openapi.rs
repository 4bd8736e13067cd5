//! The OpenAPI document that is served follows from the types, and is one.

use std::path::Path;

use modstream_gateway::openapi::document;
use serde_json::Value;

/// The line that writes the document anew, where a change is meant.
const UPDATE: &str = "MODSTREAM_UPDATE=1 cargo test -p modstream-gateway --features schema --test openapi";

#[test]
fn the_document_that_is_served_is_what_the_types_give() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&document()).expect("JSON"));
    if std::env::var_os("MODSTREAM_UPDATE").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let kept = std::fs::read_to_string(&path).expect("the document is there");
    assert!(kept == text, "openapi.json is not what the types give; where the change is meant: {UPDATE}");
}

#[test]
fn every_schema_is_one_and_every_reference_leads_to_one() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("within the document");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                left.extend(map.values());
            }
            Value::Array(list) => left.extend(list),
            _ => {}
        }
    }
}

#[test]
fn the_document_speaks_no_rust() {
    let text = document().to_string();
    for word in ["[`", "`]", "::", "IgnoredAny"] {
        assert!(!text.contains(word), "{word} stands in the document");
    }
}
