//! The example, as its documentation runs it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Cargo builds a package's examples with its tests, beside the folder of the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join(format!("meter_readings{}", std::env::consts::EXE_SUFFIX))
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/meter_readings.json")
}

fn answer(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_sample_is_billed_up_to_the_first_failure_and_its_state_counts_just_that() {
    let output = Command::new(program()).arg(sample()).output().unwrap();
    let expected = serde_json::json!({
        "batchItemFailures": [{ "itemIdentifier": "49660100000000000000000000000000000000000000000000001006" }],
        "state": { "m-1": 5.75, "m-2": 0.5 },
    });
    assert_eq!(answer(&output), expected);
    let done = String::from_utf8(output.stderr).unwrap();
    assert_eq!(done.matches("billing: ").count(), 2, "{done}");
    assert_eq!(done.matches("quarantine/readings/shardId-000000000006/").count(), 2, "{done}");
}

#[test]
fn standard_input_will_do() {
    let mut child =
        Command::new(program()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"Records":[]}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(answer(&output), serde_json::json!({ "batchItemFailures": [] }));
}
