//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

mod costs;

use std::path::Path;

use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_archive-comments");

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples").join(name)).expect("a sample")
}

#[test]
fn a_batch_is_archived_and_no_log_line_quotes_it() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap =
        Bootstrap::start(PROGRAM, "archive-comments", &lambda, &aws, &[("BUCKET", "bucket")]).expect("starts");
    let payload = sample("comments-batch.json");
    for request in ["request-1", "request-2"] {
        assert_eq!(lambda.invoke(request, &payload), Ended::Response(json!({"batchItemFailures": []})));
    }
    let keys = aws.keys("bucket");
    let [key] = &keys[..] else { panic!("one object: {keys:?}") };
    assert!(key.starts_with("archive/") && key.ends_with(".jsonl.zst"), "{key}");
    let line = bootstrap.wait_for_line(|line| line.contains("batch_archived") && line.contains("request-2"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!((&event["key"], &event["repeated"]), (&json!(key), &json!(true)));
}

#[test]
fn without_a_bucket_it_does_not_start() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap = Bootstrap::start(PROGRAM, "archive-comments", &lambda, &aws, &[]).expect("starts");
    let finished = bootstrap.wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    assert!(line.contains("start_failed") && line.contains("the environment variable BUCKET is missing"), "{line}");
}
