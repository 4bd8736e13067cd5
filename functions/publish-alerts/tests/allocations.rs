//! A fresh alert is encoded once and shared from then on. A program of its own, since it replaces the allocator.

use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{SourceRecord, payload};
use modstream_events::{Comment, Event, EventRef, MAX_BODY_CHARS, ModelRef, OperatingPoint, Prediction};
use modstream_platform::Clock;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTable, MemoryTopic};
use publish_alerts::{Config, Policy, PublishAlerts, Severities};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ALERTS: usize = 64;

fn prediction(number: usize, body: &str, time: Timestamp) -> Vec<u8> {
    let prediction = Prediction {
        comment: Comment { body: Some(body.into()), ..Comment::default() },
        version: None,
        comment_event: EventRef { source: "urn:example:forum".into(), id: format!("e-{number}").into(), time },
        probability: 0.8,
        log_odds: 1.4,
        intercept: 1.4,
        terms: Vec::new(),
        other: 0.0,
        model: ModelRef { name: "m".into(), version: "f".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.7, recall: 0.2, share: 0.06, base_rate: 0.3 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    Event::new(format!("p-{number}"), "urn:modstream:score-comments", time, prediction).encode()
}

/// How many bytes are allocated to publish alerts about comments with this body.
async fn bytes_for(body: &str) -> usize {
    let time: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
    let predictions: Vec<Vec<u8>> = (0..ALERTS).map(|number| prediction(number, body, time)).collect();
    let numbers: Vec<String> = (0..ALERTS).map(|number| format!("49{number:054}")).collect();
    let records = predictions.iter().zip(&numbers).map(|(data, sequence_number)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/predictions",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "c1",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    let payload = payload::encode(&records.collect::<Vec<_>>());
    let config = Config {
        alerts_topic_arn: "arn".to_owned(),
        table: "table".to_owned(),
        bucket: "bucket".to_owned(),
        policy: Policy::parse("0").expect("a policy"),
        severities: Severities::default(),
        links: None,
    };
    let clock = MemoryClock::starting_at(time);
    let function = PublishAlerts::new(
        &config,
        MemoryTopic::new("alerts"),
        MemoryTable::new("table", modstream_ledger::SCHEMA, clock),
        MemoryObjects::new(),
        clock,
    );
    let deadline = clock.now() + Duration::from_secs(10);

    let profiler = dhat::Profiler::builder().testing().build();
    let response = function.handle(&payload, deadline).await.expect("a batch");
    let bytes = dhat::HeapStats::get().total_bytes;
    drop(profiler);
    assert_eq!(serde_json::to_string(&response).expect("a response"), r#"{"batchItemFailures":[]}"#);
    bytes as usize
}

/// Reading a text with escapes allocates it three times over: were the alert read again, this would be seen. The function reads
/// the prediction, looks for phrases in the text's normal form, which is made once, owns the alert, encodes it into a buffer that
/// grows, and makes the message: some nine times the text.
#[tokio::test(start_paused = true)]
async fn a_fresh_alert_is_not_read_again_and_its_text_is_not_copied_for_each_call() {
    let long = "Is the sample \"large\" enough?\n".repeat(MAX_BODY_CHARS / 30);
    let allocated = bytes_for(&long).await - bytes_for("").await;
    let times = allocated as f64 / (ALERTS * long.len()) as f64;
    assert!(times < 10.0, "{times} times the text is allocated");
}
