//! What an invocation calls, keeps and logs, which is paid for.

use std::collections::BTreeMap;

use counted_calls::{assert_calls, assert_counted};
use kinesis_batch::{SourceRecord, payload as payloads};
use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda};
use serde_json::{Value, json};

use crate::{PROGRAM, sample};

/// An id as long as Lambda's.
const ID: &str = "6bd2b1a5-0d1c-4b0a-9d5e-000000000001";
/// What comes in half a minute at 10 comments a second.
const COMMENTS: usize = 300;

#[test]
fn calls_what_is_kept_and_log_are_those_of_the_bill() {
    let samples = String::from_utf8(sample("comments.jsonl")).expect("text");
    let comments: Vec<(String, Vec<u8>)> = samples
        .lines()
        .take(COMMENTS)
        .enumerate()
        .map(|(number, line)| {
            let comment: Value = serde_json::from_str(line).expect("a comment");
            let event = json!({
                "specversion": "1.0", "id": format!("6bd2b1a5-0d1c-5b0a-9d5e-{number:012}"),
                "source": "urn:modstream:generate-comments", "type": "modstream.comment.v1",
                "time": format!("2026-01-05T10:00:{:02}Z", number / 10), "datacontenttype": "application/json",
                "data": comment,
            });
            (format!("49{number:054}"), event.to_string().into_bytes())
        })
        .collect();
    let records = comments.iter().map(|(sequence_number, data)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/modstream-comments",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "k",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    let payload = payloads::encode(&records.collect::<Vec<_>>());

    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap =
        Bootstrap::start(PROGRAM, "archive-comments", &lambda, &aws, &[("BUCKET", "bucket")]).expect("starts");
    assert_eq!(lambda.invoke(ID, &payload), Ended::Response(json!({"batchItemFailures": []})));
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    for request in aws.requests() {
        *calls.entry(request.operation()).or_default() += 1;
    }
    assert_calls("/archive-comments/calls_a_batch", calls);
    let keys = aws.keys("bucket");
    let [key] = &keys[..] else { panic!("one object: {keys:?}") };
    let kept = aws.object("bucket", key).expect("it is there").len();
    assert_counted("/archive-comments/stored_bytes_a_comment", kept as f64 / COMMENTS as f64);
    bootstrap.terminate().expect("asked");
    assert_counted("/archive-comments/log_bytes", bootstrap.wait().expect("ends").log_bytes_of(ID) as f64);
}
