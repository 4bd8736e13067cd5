//! What the functions make of calls, units and bytes, counted: `infra/calls.json`.
//!
//! `cargo xtask costs` computes the bill from it, and tests of the functions count what is made and compare. So code that makes
//! more fails a test, and so does a file that says more than is made: the bill is of this code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

const TEXT: &str = include_str!("../../../../infra/calls.json");

static COUNTED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).expect("infra/calls.json is JSON"));

/// How much more than what is made the file may say: what is made follows from samples.
const MOST_ABOVE: f64 = 0.05;

/// The number at a JSON pointer of the file.
///
/// # Panics
/// Where there is none.
#[track_caller]
pub fn counted(pointer: &str) -> f64 {
    let found = COUNTED.pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("infra/calls.json has no number at {pointer}"))
}

/// Fails where more is made than the file says, or the file says clearly more than is made.
///
/// # Panics
/// In these cases, and where the file has no such number.
#[track_caller]
pub fn assert_counted(pointer: &str, made: f64) {
    let said = counted(pointer);
    assert!(
        made <= said,
        "{made} is made, and infra/calls.json says {said} at {pointer}: make less, or the bill is higher"
    );
    let most = made * (1.0 + MOST_ABOVE);
    assert!(said <= most, "infra/calls.json says {said} at {pointer}, and {made} is made: say less, the bill is lower");
}

/// Fails where other calls are made than the file says.
///
/// # Panics
/// In that case, and where the file has no such calls.
#[track_caller]
pub fn assert_calls<K: Into<String>>(pointer: &str, made: impl IntoIterator<Item = (K, u64)>) {
    let said = COUNTED.pointer(pointer).and_then(Value::as_object);
    let said = said.unwrap_or_else(|| panic!("infra/calls.json has no calls at {pointer}"));
    let said: BTreeMap<String, Option<u64>> = said.iter().map(|(name, calls)| (name.clone(), calls.as_u64())).collect();
    let made: BTreeMap<String, Option<u64>> =
        made.into_iter().map(|(name, calls)| (name.into(), Some(calls))).collect();
    assert_eq!(made, said, "what is made, and what infra/calls.json says at {pointer}");
}
