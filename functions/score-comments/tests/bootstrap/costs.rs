//! What an invocation calls, puts on the stream and logs, which is paid for.

use std::collections::BTreeMap;

use counted_calls::{assert_calls, assert_counted};
use kinesis_batch::{SourceRecord, payload as payloads};
use modstream_events::{Comment, Event};
use modstream_stub_server::Ended;
use serde_json::json;

use crate::{Running, sample};

/// Ids as long as Lambda's.
const IDS: [&str; 2] = ["6bd2b1a5-0d1c-4b0a-9d5e-000000000001", "6bd2b1a5-0d1c-4b0a-9d5e-000000000002"];

#[test]
fn calls_records_and_log_are_those_of_the_bill() {
    let samples = String::from_utf8(sample("comments.jsonl")).expect("text");
    let time = "2026-01-05T10:00:00Z".parse().expect("a time");
    let comments: Vec<(String, String, Vec<u8>)> = samples
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let comment: Comment<'_> = serde_json::from_str(line).expect("a comment");
            let id = format!("6bd2b1a5-0d1c-5b0a-9d5e-{number:012}");
            let key = comment.id.as_deref().expect("an id").to_owned();
            (format!("49{number:054}"), key, Event::new(id, "urn:modstream:generate-comments", time, comment).encode())
        })
        .collect();
    let records = comments.iter().map(|(sequence_number, key, data)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/modstream-comments",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: key,
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    let payload = payloads::encode(&records.collect::<Vec<_>>());

    // As Terraform deploys it.
    let running = Running::start_with(&[("HARM_MODEL_NAME", "harm")], |_| None);
    let done = || Ended::Response(json!({"batchItemFailures": []}));
    // The first batch may also look at the model in use, which is done again a minute later.
    assert_eq!(running.lambda.invoke(IDS[0], &payload), done());
    let before = running.aws.requests().len();
    assert_eq!(running.lambda.invoke(IDS[1], &payload), done());
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    for request in running.aws.requests().into_iter().skip(before) {
        *calls.entry(request.operation()).or_default() += 1;
    }
    assert_calls("/score-comments/calls_a_batch", calls);

    let sizes = |all: Vec<usize>| all.iter().sum::<usize>() as f64 / all.len() as f64;
    let comments: Vec<usize> = comments.iter().map(|(_, key, data)| key.len() + data.len()).collect();
    let predictions: Vec<usize> =
        running.aws.records("predictions").iter().map(|(key, data)| key.len() + data.len()).collect();
    assert_eq!(predictions.len(), 2 * comments.len());
    assert_counted("/score-comments/comment_bytes", sizes(comments));
    assert_counted("/score-comments/prediction_bytes", sizes(predictions));

    running.bootstrap.terminate().expect("asked");
    assert_counted("/score-comments/log_bytes", running.bootstrap.wait().expect("ends").log_bytes_of(IDS[1]) as f64);
}
