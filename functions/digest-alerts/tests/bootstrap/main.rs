//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

use counted_calls::assert_counted;
use modstream_ledger::SCHEMA;
use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda};
use serde_json::Value;

/// An id as long as Lambda's.
const ID: &str = "6bd2b1a5-0d1c-4b0a-9d5e-000000000001";
const PROGRAM: &str = env!("CARGO_BIN_EXE_digest-alerts");
const VARIABLES: [(&str, &str); 3] =
    [("BUCKET", "bucket"), ("TABLE", "table"), ("DIGESTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:digests")];

#[test]
fn a_scheduled_event_without_alerts_sends_nothing_and_says_so() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    for index in SCHEMA.indexes {
        aws.put_index(index.name, index.sort);
    }
    let bootstrap = Bootstrap::start(PROGRAM, "digest-alerts", &lambda, &aws, &VARIABLES).expect("starts");
    let Ended::Response(answer) = lambda.invoke(ID, br#"{"time":"2026-01-05T10:06:00Z"}"#) else { panic!("an answer") };
    assert_eq!((&answer["start"], &answer["digests"]), (&"2026-01-05T10:00:00Z".into(), &0.into()));
    let line = bootstrap.wait_for_line(|line| line.contains("digests_done"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!(event["digests"], 0);
    bootstrap.terminate().expect("asked");
    assert_counted("/digest-alerts/log_bytes", bootstrap.wait().expect("ends").log_bytes_of(ID) as f64);
}

#[test]
fn without_a_topic_it_does_not_start() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap = Bootstrap::start(PROGRAM, "digest-alerts", &lambda, &aws, &VARIABLES[..2]).expect("starts");
    let finished = bootstrap.wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    assert!(line.contains("start_failed") && line.contains("DIGESTS_TOPIC_ARN is missing"), "{line}");
}
