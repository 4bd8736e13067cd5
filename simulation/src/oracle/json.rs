//! Reading JSON as it lies there.

use serde_json::Value;

pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

pub(super) fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

pub(super) fn time(value: &Value, pointer: &str) -> Option<jiff::Timestamp> {
    text(value, pointer)?.parse().ok()
}
