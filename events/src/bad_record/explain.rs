//! The slow path: finds the one thing to say about a record that did not decode. What it says quotes no value of the record.

use json_text::{Repeated, repeated_key};
use serde::Deserialize as _;

use super::{BadRecord, Reason};
use crate::data::Data;
use crate::lenient::BODY_IS_NO_TEXT;
use crate::outline::{Fields, Shape};
use crate::sizes::MAX_NAME_BYTES;
use crate::versioned::split_version;

/// The magic bytes of a [KPL aggregate](https://github.com/awslabs/kinesis-aggregation/blob/master/aggregation-format.md).
const KPL_MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

pub(crate) fn not_text(bytes: &[u8], error: &std::str::Utf8Error) -> BadRecord {
    if bytes.starts_with(&KPL_MAGIC) {
        return BadRecord::new(
            Reason::KplAggregate,
            "a Kinesis Producer Library aggregate: set AggregationEnabled=false in the producer",
        );
    }
    BadRecord::new(Reason::NotUtf8, format!("not UTF-8 from byte {} on", error.valid_up_to()))
}

/// `error` is what serde said, where it said anything.
pub(crate) fn explain<T: Data>(text: &str, error: Option<&serde_json::Error>) -> BadRecord {
    let fields = match fields(text) {
        Ok(fields) => fields,
        Err(bad) => return bad,
    };
    // Version and type come first: they say how the rest is to be read.
    for attribute in ["specversion", "type", "id", "source", "time"] {
        let value = match fields.the_one(attribute) {
            Err(bad) => return bad,
            // To CloudEvents, null is the same as nothing.
            Ok(None | Some(Shape::Null)) => return not_an_event(format!("the attribute `{attribute}` is missing")),
            Ok(Some(Shape::Text(text))) if text.is_empty() => {
                return not_an_event(format!("the attribute `{attribute}` is empty"));
            }
            Ok(Some(Shape::Text(text))) => text.as_str(),
            // It is read as its digits, which are neither none nor too many.
            Ok(Some(Shape::Number)) if matches!(attribute, "id" | "source") => continue,
            Ok(Some(other)) => return not_an_event(format!("the attribute `{attribute}` is {other}, not text")),
        };
        match attribute {
            "specversion" if value != "1.0" => {
                return BadRecord::new(Reason::WrongSpecVersion, "`specversion` is not 1.0");
            }
            "type" if value != T::TYPE => return wrong_type(value, T::TYPE),
            "id" | "source" if value.len() > MAX_NAME_BYTES => {
                let bytes = value.len();
                return not_an_event(format!(
                    "the attribute `{attribute}` has {bytes} bytes, {MAX_NAME_BYTES} are allowed"
                ));
            }
            "time" if value.parse::<jiff::Timestamp>().is_err() => {
                return not_an_event("the attribute `time` is no RFC 3339 time with an offset");
            }
            _ => {}
        }
    }
    if let Err(bad) = fields.the_one("datacontenttype") {
        return bad;
    }
    let detail = match fields.the_one("data") {
        Err(bad) => return bad,
        Ok(Some(Shape::Object)) => {
            error.map_or_else(|| "`data` has the wrong form".to_owned(), |error| without_content(text, error))
        }
        Ok(Some(other)) => format!("`data` is {other}, not an object"),
        Ok(None) if fields.has("data_base64") => {
            "`data` is missing: send JSON there instead of `data_base64`".to_owned()
        }
        Ok(None) => "`data` is missing".to_owned(),
    };
    BadRecord::new(Reason::InvalidData, detail)
}

fn fields(text: &str) -> Result<Fields, BadRecord> {
    if text.trim().is_empty() {
        return Err(BadRecord::new(Reason::NotJson, "the record is empty"));
    }
    let not_json = |what: &str, error: &serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        BadRecord::new(Reason::NotJson, format!("{what}, at line {line} column {column}"))
    };
    let no_json =
        |error| not_json(if serde_json::Error::is_eof(&error) { "the JSON ends too early" } else { "no JSON" }, &error);
    let mut json = serde_json::Deserializer::from_str(text);
    let shape = Shape::deserialize(&mut json).map_err(no_json)?;
    json.end().map_err(|error| not_json("something follows the JSON, but a record holds one event", &error))?;
    match shape {
        Shape::Object => serde_json::from_str(text).map_err(no_json),
        other => Err(not_an_event(format!("{other}, not an object"))),
    }
}

impl Fields {
    /// A field's value, where it has one. A reader must not choose between two.
    fn the_one(&self, name: &str) -> Result<Option<&Shape>, BadRecord> {
        let mut values = self.0.iter().filter(|field| field.0 == name).map(|field| &field.1);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(not_an_event(format!("`{name}` stands there twice"))),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.0 == name)
    }
}

fn not_an_event(detail: impl Into<String>) -> BadRecord {
    BadRecord::new(Reason::NotAnEvent, detail)
}

/// The type of the event, where the text is JSON with one.
pub(crate) fn kind(text: &str) -> Option<String> {
    match fields(text).ok()?.the_one("type") {
        Ok(Some(Shape::Text(kind))) => Some(kind.clone()),
        _ => None,
    }
}

fn wrong_type(found: &str, wanted: &str) -> BadRecord {
    match (split_version(found), split_version(wanted)) {
        (Some((family, found)), Some((wanted_family, newest))) if family == wanted_family => {
            unknown_version(found, newest, wanted)
        }
        _ => BadRecord::new(Reason::WrongType, format!("this stream carries `{wanted}`")),
    }
}

/// Both versions are digits; too many of them for a number are a later version than any.
fn unknown_version(found: &str, newest: &str, wanted: &str) -> BadRecord {
    let [found, newest] = [found, newest].map(|version| version.parse().unwrap_or(u64::MAX));
    let detail = if found > newest {
        format!("written by a newer modstream, this one reads up to `{wanted}`: upgrade it first, then redrive")
    } else {
        format!("no modstream wrote this version, they begin at 1; this one reads up to `{wanted}`")
    };
    BadRecord::new(Reason::UnknownVersion, detail)
}

/// serde's message without the value it may quote: details are logged, comments are not. The names of fields are ours.
fn without_content(text: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next())
        && let Some(Repeated { first, second, .. }) = repeated_key(text, |path| {
            let is_in_list = path.iter().any(|key| key.ends_with(']'));
            path.len() > 1 && path[0] == "data" && path.last().is_some_and(|key| key == name) && !is_in_list
        })
    {
        return format!("`data`: `{name}` stands there twice, at {first} and {second}");
    }
    if message.starts_with("missing field") {
        return format!("`data`: {message}");
    }
    let which = if message.starts_with(BODY_IS_NO_TEXT) { format!(": {BODY_IS_NO_TEXT}") } else { String::new() };
    format!("a field of `data` has the wrong form, at line {} column {}{which}", error.line(), error.column())
}
