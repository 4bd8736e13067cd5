//! What may not change within a version. Only words may, and optional fields may come: then an old event follows the new
//! schema, and an old reader understands a new event.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What a schema says to people.
const WORDS: [&str; 5] = ["$comment", "$defs", "description", "examples", "title"];

/// What differs between the schema of a version as it was released and as it is now, but for words and new optional fields.
pub(crate) fn breaking_changes(released: &Value, current: &Value) -> Vec<String> {
    let mut comparison = Comparison { released, current, changes: Vec::new() };
    comparison.schemas("", released, current);
    comparison.changes
}

struct Comparison<'a> {
    released: &'a Value,
    current: &'a Value,
    changes: Vec<String>,
}

impl Comparison<'_> {
    /// Compares two schemas of the value at `path`.
    fn schemas(&mut self, path: &str, released: &Value, current: &Value) {
        let (Value::Object(released), Value::Object(current)) = (released, current) else {
            return self.same(path, "schema", Some(released), Some(current));
        };
        let (released, current) = (resolved(self.released, released), resolved(self.current, current));
        let keywords: BTreeSet<&String> = released.keys().chain(current.keys()).collect();
        for keyword in keywords {
            let (was, is) = (released.get(keyword), current.get(keyword));
            match (keyword.as_str(), was, is) {
                (word, _, _) if WORDS.contains(&word) => {}
                ("properties", was, is) => self.properties(path, was, is),
                ("required" | "enum" | "type", was, is) => self.sets(path, keyword, was, is),
                (_, Some(Value::Array(was)), Some(Value::Array(is))) if was.len() == is.len() => {
                    for (index, (was, is)) in was.iter().zip(is).enumerate() {
                        self.schemas(&format!("{path}/{keyword}/{index}"), was, is);
                    }
                }
                (_, Some(was @ Value::Object(_)), Some(is @ Value::Object(_))) => {
                    self.schemas(&format!("{path}/{keyword}"), was, is);
                }
                (_, was, is) => self.same(path, keyword, was, is),
            }
        }
    }

    fn properties(&mut self, path: &str, released: Option<&Value>, current: Option<&Value>) {
        for (name, was) in released.and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{path}/{name}");
            match current.and_then(|properties| properties.get(name)) {
                Some(is) => self.schemas(&path, was, is),
                None => self.changes.push(format!("{path} was removed")),
            }
        }
    }

    /// Compares what is one value or a list whose order says nothing.
    fn sets(&mut self, path: &str, keyword: &str, released: Option<&Value>, current: Option<&Value>) {
        let set = |value: Option<&Value>| -> BTreeSet<String> {
            match value {
                Some(Value::Array(values)) => values.iter().map(Value::to_string).collect(),
                value => value.iter().map(ToString::to_string).collect(),
            }
        };
        let (was, is) = (set(released), set(current));
        for (only, what) in [(was.difference(&is), "no longer has"), (is.difference(&was), "now has")] {
            self.changes.extend(only.map(|value| format!("{path}: `{keyword}` {what} {value}")));
        }
    }

    fn same(&mut self, path: &str, keyword: &str, released: Option<&Value>, current: Option<&Value>) {
        if released != current {
            let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            self.changes.push(format!("{path}: `{keyword}` was {}, is {}", text(released), text(current)));
        }
    }
}

/// A schema with what it refers to in place of the reference.
fn resolved(root: &Value, schema: &Map<String, Value>) -> Map<String, Value> {
    let mut schema = schema.clone();
    while let Some(Value::String(reference)) = schema.remove("$ref") {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)).and_then(Value::as_object);
        let target = target.unwrap_or_else(|| panic!("{reference} is not in the schema"));
        for (keyword, value) in target {
            schema.entry(keyword.clone()).or_insert_with(|| value.clone());
        }
    }
    schema
}

mod tests {
    use serde_json::json;

    use super::*;

    fn released() -> Value {
        json!({
            "$defs": {
                "Part": {
                    "type": "object",
                    "properties": { "name": { "type": "string" } },
                    "required": ["name"]
                },
                "Kind": {
                    "oneOf": [
                        { "const": "low", "description": "Look when there is time.", "type": "string" },
                        { "const": "high", "description": "Look first.", "type": "string" }
                    ]
                }
            },
            "title": "example.thing.v1",
            "type": "object",
            "properties": {
                "type": { "const": "example.thing.v1", "type": "string" },
                "text": { "type": "string", "minLength": 1, "maxLength": 40, "description": "A text." },
                "share": { "type": "number", "minimum": 0, "maximum": 1 },
                "count": { "type": ["integer", "string"] },
                "level": { "enum": ["low", "high"] },
                "kind": { "$ref": "#/$defs/Kind" },
                "part": { "$ref": "#/$defs/Part", "description": "A part." },
                "parts": { "type": "array", "items": { "$ref": "#/$defs/Part" } },
                "extra": { "type": "object", "additionalProperties": { "type": "string" } },
                "any": {}
            },
            "required": ["type", "text", "part"]
        })
    }

    /// The changes from [`released`] to the schema that has `value` at `pointer`; without the keyword where there is no value.
    fn changes_with(pointer: &str, value: Option<Value>) -> Vec<String> {
        let mut current = released();
        let (parent, keyword) = pointer.rsplit_once('/').expect("a pointer");
        match (current.pointer_mut(parent).expect("a parent"), value) {
            (Value::Object(object), Some(value)) => drop(object.insert(keyword.to_owned(), value)),
            (Value::Object(object), None) => drop(object.remove(keyword).expect("the keyword was there")),
            (Value::Array(list), Some(value)) => list[keyword.parse::<usize>().expect("an index")] = value,
            (Value::Array(list), None) => drop(list.remove(keyword.parse().expect("an index"))),
            (other, _) => panic!("{other} has no parts"),
        }
        breaking_changes(&released(), &current)
    }

    #[track_caller]
    fn assert_caught(pointer: &str, value: impl Into<Option<Value>>, change: &str) {
        assert_eq!(changes_with(pointer, value.into()), [change], "{pointer}");
    }

    #[test]
    fn a_schema_has_not_changed_from_itself() {
        assert_eq!(breaking_changes(&released(), &released()), [""; 0]);
    }

    #[test]
    fn other_words_are_no_breaking_change() {
        for pointer in ["/title", "/description", "/properties/text/description", "/$defs/Kind/oneOf/0/description"] {
            assert_eq!(changes_with(pointer, Some(json!("Other words."))), [""; 0], "{pointer}");
        }
    }

    #[test]
    fn a_new_optional_field_is_no_breaking_change() {
        for pointer in ["/properties/new", "/$defs/Part/properties/new"] {
            assert_eq!(changes_with(pointer, Some(json!({ "type": "string" }))), [""; 0], "{pointer}");
        }
    }

    #[test]
    fn another_order_of_what_has_none_is_no_breaking_change() {
        assert_eq!(changes_with("/required", Some(json!(["part", "type", "text"]))), [""; 0]);
        assert_eq!(changes_with("/properties/count/type", Some(json!(["string", "integer"]))), [""; 0]);
        assert_eq!(changes_with("/properties/level/enum", Some(json!(["high", "low"]))), [""; 0]);
    }

    #[test]
    fn a_definition_that_moves_into_its_place_is_no_breaking_change() {
        let part = released()["$defs"]["Part"].clone();
        assert_eq!(changes_with("/properties/part", Some(part)), [""; 0]);
    }

    #[test]
    fn a_removed_field_is_caught() {
        assert_caught("/properties/share", None, "/share was removed");
        assert_eq!(
            changes_with("/$defs/Part/properties/name", None),
            ["/part/name was removed", "/parts/items/name was removed"]
        );
        let all = released()["properties"].as_object().expect("properties").len();
        assert_eq!(changes_with("/properties", None).len(), all);
    }

    #[test]
    fn a_renamed_field_is_caught() {
        let mut current = released();
        let properties = current["properties"].as_object_mut().expect("properties");
        let share = properties.remove("share").expect("it was there");
        properties.insert("ratio".to_owned(), share);
        assert_eq!(breaking_changes(&released(), &current), ["/share was removed"]);
    }

    #[test]
    fn a_newly_required_field_is_caught_old_or_new() {
        let required = json!(["type", "text", "part", "share"]);
        assert_caught("/required", required, ": `required` now has \"share\"");
        let mut current = released();
        current["properties"]["new"] = json!({ "type": "string" });
        current["required"] = json!(["type", "text", "part", "new"]);
        assert_eq!(breaking_changes(&released(), &current), [": `required` now has \"new\""]);
        assert_caught("/properties/extra/required", json!(["a"]), "/extra: `required` now has \"a\"");
    }

    #[test]
    fn a_field_that_may_now_be_missing_is_caught() {
        assert_caught("/required", json!(["type", "part"]), ": `required` no longer has \"text\"");
        assert_eq!(changes_with("/required", None).len(), 3);
    }

    #[test]
    fn a_narrowed_widened_or_other_type_is_caught() {
        assert_caught("/properties/count/type", json!("integer"), "/count: `type` no longer has \"string\"");
        assert_caught("/properties/text/type", json!(["string", "null"]), "/text: `type` now has \"null\"");
        assert_caught("/properties/any/type", json!("string"), "/any: `type` now has \"string\"");
        assert_caught("/properties/text/type", None, "/text: `type` no longer has \"string\"");
        assert_eq!(
            changes_with("/properties/share/type", Some(json!("integer"))),
            ["/share: `type` no longer has \"number\"", "/share: `type` now has \"integer\""]
        );
    }

    #[test]
    fn values_of_an_enumeration_that_go_or_come_are_caught() {
        assert_caught("/properties/level/enum", json!(["low"]), "/level: `enum` no longer has \"high\"");
        assert_caught("/properties/level/enum", json!(["low", "high", "top"]), "/level: `enum` now has \"top\"");
        assert_caught("/properties/text/enum", json!(["a"]), "/text: `enum` now has \"a\"");
        assert_caught("/$defs/Kind/oneOf/1/const", json!("top"), "/kind/oneOf/1: `const` was \"high\", is \"top\"");
        assert_eq!(changes_with("/$defs/Kind/oneOf/1", None).len(), 1, "a value less");
        assert_caught(
            "/properties/type/const",
            json!("example.thing.v2"),
            "/type: `const` was \"example.thing.v1\", is \"example.thing.v2\"",
        );
    }

    #[test]
    fn bounds_that_move_come_or_go_are_caught() {
        assert_caught("/properties/share/minimum", json!(0.1), "/share: `minimum` was 0, is 0.1");
        assert_caught("/properties/share/maximum", json!(0.9), "/share: `maximum` was 1, is 0.9");
        assert_caught("/properties/share/exclusiveMinimum", json!(0), "/share: `exclusiveMinimum` was nothing, is 0");
        assert_caught("/properties/share/maximum", None, "/share: `maximum` was 1, is nothing");
        assert_caught("/properties/text/minLength", json!(2), "/text: `minLength` was 1, is 2");
        assert_caught("/properties/text/maxLength", json!(39), "/text: `maxLength` was 40, is 39");
        assert_caught("/properties/parts/minItems", json!(1), "/parts: `minItems` was nothing, is 1");
        assert_caught("/properties/parts/uniqueItems", json!(true), "/parts: `uniqueItems` was nothing, is true");
    }

    #[test]
    fn a_pattern_or_a_format_is_caught() {
        assert_caught("/properties/text/pattern", json!("^a"), "/text: `pattern` was nothing, is \"^a\"");
        assert_caught("/properties/text/format", json!("uri"), "/text: `format` was nothing, is \"uri\"");
    }

    #[test]
    fn an_object_that_closes_is_caught() {
        assert_caught("/additionalProperties", json!(false), ": `additionalProperties` was nothing, is false");
        let caught = changes_with("/$defs/Part/unevaluatedProperties", Some(json!(false)));
        assert_eq!(caught[0], "/part: `unevaluatedProperties` was nothing, is false");
    }

    #[test]
    fn what_is_narrowed_inside_of_lists_and_maps_is_caught() {
        assert_caught(
            "/properties/parts/items",
            json!(false),
            "/parts: `items` was {\"$ref\":\"#/$defs/Part\"}, is false",
        );
        assert_caught(
            "/properties/extra/additionalProperties/maxLength",
            json!(9),
            "/extra/additionalProperties: `maxLength` was nothing, is 9",
        );
    }

    #[test]
    fn a_keyword_that_nobody_thought_of_is_caught() {
        assert_caught("/properties/share/multipleOf", json!(0.5), "/share: `multipleOf` was nothing, is 0.5");
        assert_caught("/not", json!({ "required": ["share"] }), ": `not` was nothing, is {\"required\":[\"share\"]}");
    }
}
