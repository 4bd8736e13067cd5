//! The files of `schemas/released/`: the schemas of what is in production. What they allow and promise stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use modstream_events::Data;
use schemars::JsonSchema;
use serde_json::Value;

use crate::changes::breaking_changes;
use crate::types::for_each_type;
use crate::{schema, validator};

fn in_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn json_file(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()).collect()
}

fn has_not_changed_since_its_release<T: Data + JsonSchema>() {
    let released = json_file(&in_crate(&format!("schemas/released/{}.json", T::TYPE)));
    let changes = breaking_changes(&released, &schema::<T>());
    assert!(
        changes.is_empty(),
        "within {} only words may change and optional fields may come; docs/decisions/0010-event-versions.md says how a \
         next version is made:\n{}",
        T::TYPE,
        changes.join("\n")
    );
}

#[test]
fn within_a_version_no_field_was_removed_narrowed_or_newly_required() {
    for_each_type!(has_not_changed_since_its_release());
}

fn add_type<T: Data>(types: &mut BTreeSet<String>) {
    types.insert(T::TYPE.to_owned());
}

#[test]
fn every_schema_is_of_a_version_that_is_still_known() {
    let mut types = BTreeSet::new();
    for_each_type!(add_type(&mut types));
    for folder in ["schemas", "schemas/released"] {
        let of_files: BTreeSet<String> = files_in(&in_crate(folder))
            .iter()
            .map(|path| path.file_stem().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned())
            .collect();
        assert_eq!(of_files, types, "events/{folder}");
    }
}

fn fixtures_follow_their_schema<T: Data + JsonSchema>() {
    let validator = validator::<T>();
    for path in files_in(&in_crate(&format!("fixtures/{}", T::TYPE))) {
        validator.validate(&json_file(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn every_fixture_follows_the_schema_of_its_version() {
    for_each_type!(fixtures_follow_their_schema());
}

/// The fields that a schema names below `path`, as paths; a list's are those of its items.
fn add_fields(root: &Value, schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        add_fields(root, target, path, fields);
    }
    if let Some(items) = schema.get("items") {
        add_fields(root, items, path, fields);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        add_fields(root, property, &path, fields);
        fields.insert(path);
    }
}

fn add_fields_there(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}/{name}");
                add_fields_there(value, &path, fields);
                fields.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_fields_there(item, path, fields)),
        _ => {}
    }
}

fn fixtures_have_every_field<T: Data + JsonSchema>() {
    let (schema, mut fields, mut there) = (schema::<T>(), BTreeSet::new(), BTreeSet::new());
    add_fields(&schema, &schema, "", &mut fields);
    for path in files_in(&in_crate(&format!("fixtures/{}", T::TYPE))) {
        add_fields_there(&json_file(&path), "", &mut there);
    }
    let missing: Vec<&String> = fields.difference(&there).collect();
    assert!(missing.is_empty(), "no fixture of {} has {missing:?}", T::TYPE);
}

#[test]
fn the_fixtures_of_a_version_have_every_field_of_it() {
    for_each_type!(fixtures_have_every_field());
}
