//! What an invocation calls and logs, which is paid for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counted_calls::{assert_calls, assert_counted};
use kinesis_batch::{SourceRecord, payload as payloads};
use modstream_stub_server::{Ended, FakeAws, Lambda};
use serde_json::{Value, json};

use crate::{sample, start};

/// Batches under ids as long as Lambda's.
const IDS: [&str; 3] = [
    "6bd2b1a5-0d1c-4b0a-9d5e-000000000001",
    "6bd2b1a5-0d1c-4b0a-9d5e-000000000002",
    "6bd2b1a5-0d1c-4b0a-9d5e-000000000003",
];

/// A batch of so many predictions about different comments, of this probability.
fn batch(predictions: usize, probability: f64) -> Vec<u8> {
    let payload: Value = serde_json::from_slice(&sample("predictions-batch.json")).expect("JSON");
    let data = payload["Records"][0]["kinesis"]["data"].as_str().expect("text");
    let event: Value = serde_json::from_slice(&STANDARD.decode(data).expect("base64")).expect("JSON");
    let records: Vec<(String, Vec<u8>)> = (0..predictions)
        .map(|number| {
            let mut event = event.clone();
            event["id"] = json!(format!("prediction-{probability}-{number}"));
            event["data"]["comment"]["id"] = json!(format!("c{probability}-{number}"));
            event["data"]["comment_event"]["id"] = json!(format!("event-{probability}-{number}"));
            event["data"]["probability"] = json!(probability);
            (format!("49{number:054}"), event.to_string().into_bytes())
        })
        .collect();
    let records = records.iter().map(|(sequence_number, data)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/modstream-predictions",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "k",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    payloads::encode(&records.collect::<Vec<_>>())
}

#[test]
fn calls_and_log_are_those_of_the_bill() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap = start(&lambda, &aws, "0.5");
    let calls_of = |id: &str, payload: &[u8]| {
        let before = aws.requests().len();
        assert_eq!(lambda.invoke(id, payload), Ended::Response(json!({"batchItemFailures": []})));
        let mut calls: BTreeMap<String, u64> = BTreeMap::new();
        for request in aws.requests().into_iter().skip(before) {
            *calls.entry(request.operation()).or_default() += 1;
        }
        calls
    };
    // The first batch also looks at the policies in use, which is done again a minute later.
    calls_of(IDS[0], &batch(1, 0.1));
    assert_calls("/publish-alerts/calls_a_batch", calls_of(IDS[1], &batch(100, 0.2)));
    assert_calls("/publish-alerts/calls_ten_alerts", calls_of(IDS[2], &batch(10, 0.9)));
    bootstrap.terminate().expect("asked");
    let finished = bootstrap.wait().expect("ends");
    for id in &IDS[1..] {
        assert_counted("/publish-alerts/log_bytes", finished.log_bytes_of(id) as f64);
    }
}
