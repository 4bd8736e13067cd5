//! PutRecords.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_platform::aws::{Clients, SystemClock};
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::{CallErrorKind, Clock, PutOutcome, PutRecord, Stream};
use modstream_stub_server::{Request, StubServer};
use serde_json::Value;

use crate::world::{LONG, World, config, json};

fn record(key: &str, data: &[u8]) -> PutRecord {
    PutRecord { partition_key: key.to_owned(), data: data.to_vec() }
}

fn records(count: usize) -> Vec<PutRecord> {
    (0..count).map(|n| record(&format!("k{n}"), b"x")).collect()
}

fn stored(sequence_number: &str) -> PutOutcome {
    PutOutcome::Stored { shard_id: "shardId-000000000000".into(), sequence_number: sequence_number.into() }
}

const STORED: &str = r#"{"ShardId":"shardId-000000000000","SequenceNumber":"495"}"#;
const THROTTLED: &str = r#"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000000"}"#;

fn answer(entries: &[&str]) -> String {
    let failed = entries.iter().filter(|entry| entry.contains("ErrorCode")).count();
    format!(r#"{{"FailedRecordCount":{failed},"Records":[{}]}}"#, entries.join(","))
}

#[tokio::test]
async fn the_request_carries_stream_keys_and_data_as_base64() {
    let world = World::new([json(200, &answer(&[STORED, STORED]))]);
    let data = [0_u8, 159, 146, 150, b'"'];
    world.stream().put_records(&[record("k1", &data), record("é", b"")]).await.expect("answered");
    let [request] = &world.server.requests()[..] else { panic!("one request") };
    assert_eq!(request.header("x-amz-target"), Some("Kinesis_20131202.PutRecords"));
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body["StreamName"], "comments");
    assert_eq!(body["Records"][0]["PartitionKey"], "k1");
    assert_eq!(body["Records"][0]["Data"], STANDARD.encode(data));
    assert_eq!(body["Records"][1]["PartitionKey"], "é");
}

#[tokio::test]
async fn each_record_gets_its_own_outcome_in_order() {
    let internal = r#"{"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."}"#;
    let world = World::new([json(200, &answer(&[STORED, THROTTLED, internal, STORED]))]);
    let outcomes = world.stream().put_records(&records(4)).await.expect("answered");
    let failed = |code: &str, message: &str| PutOutcome::Failed { code: code.into(), message: message.into() };
    let throttled = "Rate exceeded for shard shardId-000000000000";
    assert_eq!(
        outcomes,
        [
            stored("495"),
            failed("ProvisionedThroughputExceededException", throttled),
            failed("InternalFailure", "Internal service failure."),
            stored("495"),
        ]
    );
}

#[tokio::test]
async fn a_record_is_stored_only_if_the_answer_says_so_and_nothing_else() {
    let both = r#"{"ShardId":"shardId-000000000000","SequenceNumber":"495","ErrorCode":"InternalFailure"}"#;
    let world = World::new([json(200, &answer(&[STORED, "{}", both]))]);
    let outcomes = world.stream().put_records(&records(3)).await.expect("answered");
    let code = |outcome: &PutOutcome| match outcome {
        PutOutcome::Stored { .. } => None,
        PutOutcome::Failed { code, .. } => Some(code.clone()),
    };
    let codes: Vec<_> = outcomes.iter().map(code).collect();
    assert_eq!(codes, [None, Some("NoOutcome".to_owned()), Some("InternalFailure".to_owned())]);
}

#[tokio::test]
async fn failed_entries_are_sent_again_and_only_those() {
    let world = World::new([json(200, &answer(&[STORED, THROTTLED, STORED])), json(200, &answer(&[STORED]))]);
    let deadline = SystemClock.now() + Duration::from_secs(60);
    let deliveries = put_all(&world.stream(), &SystemClock, deadline, records(3)).await;
    assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Stored { .. })), "{deliveries:?}");
    let keys = |body: &[u8]| -> Vec<String> {
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let records = body["Records"].as_array().expect("a list");
        records.iter().map(|record| record["PartitionKey"].as_str().expect("text").to_owned()).collect()
    };
    let sent: Vec<_> = world.server.requests().iter().map(|request| keys(&request.body)).collect();
    assert_eq!(sent, [vec!["k0", "k1", "k2"], vec!["k1"]]);
}

#[tokio::test]
async fn what_a_refusal_of_the_whole_call_means_follows_from_its_code() {
    use CallErrorKind::{Denied, Invalid, Refused, Unavailable};
    for (status, code, kind) in [
        (400, "ProvisionedThroughputExceededException", Unavailable),
        (400, "LimitExceededException", Unavailable),
        (400, "KMSThrottlingException", Unavailable),
        (400, "ThrottlingException", Unavailable),
        (500, "InternalFailure", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
        (400, "ResourceNotFoundException", Denied),
        (400, "AccessDeniedException", Denied),
        (400, "KMSDisabledException", Denied),
        (400, "ExpiredTokenException", Denied),
        (400, "UnrecognizedClientException", Denied),
        (403, "MissingAuthenticationTokenException", Denied),
        (400, "InternalFailure", Unavailable),
        (400, "IncompleteSignatureException", Denied),
        (400, "KMSInvalidStateException", Denied),
        (400, "KMSOptInRequired", Denied),
        (400, "ValidationException", Refused),
        (400, "InvalidArgumentException", Refused),
        (413, "RequestEntityTooLargeException", Refused),
        (400, "SerializationException", Invalid),
        (400, "UnknownOperationException", Invalid),
    ] {
        let world = World::new([json(status, &format!(r#"{{"__type":"{code}","message":"the service's words"}}"#))]);
        let error = world.stream().put_records(&records(1)).await.expect_err("refused");
        assert_eq!(error.kind, kind, "{status} {code}");
        assert_eq!((error.service, error.operation), ("kinesis", "PutRecords"));
        assert_eq!(error.message, format!("{code}: the service's words"));
        // The SDK itself retries nothing: `deliver` does.
        assert_eq!(world.server.requests().len(), 1, "{status} {code}");
    }
}

/// As Kinesis answers where a constraint is broken: the words name the member.
fn validation(value: &str, member: &str) -> String {
    let words = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z0-9_.-]+"
    );
    serde_json::json!({ "__type": "ValidationException", "message": words }).to_string()
}

#[tokio::test]
async fn a_call_that_is_refused_for_a_record_is_split_down_to_it_and_the_others_are_stored() {
    let server = StubServer::start(|request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let records = body["Records"].as_array().expect("a list");
        let bad = STANDARD.encode("bad");
        match records.iter().position(|record| record["Data"] == bad.as_str()) {
            // Words that quote a value must not be taken for words about the stream.
            Some(at) => json(400, &validation("at 'streamName'", &format!("records.{}.member.data", at + 1))).into(),
            None => json(200, &answer(&vec![STORED; records.len()])).into(),
        }
    });
    let server = server.expect("a port");
    let stream = Clients::new(&config(&server.url()), LONG).expect("has a region").stream("comments");
    let mut records = records(20);
    for bad in [3, 4, 17] {
        records[bad].data = b"bad".to_vec();
    }
    let deliveries = put_all(&stream, &SystemClock, SystemClock.now() + Duration::from_secs(60), records).await;
    for (at, delivery) in deliveries.iter().enumerate() {
        match delivery {
            Delivery::Refused { message } => {
                assert!([3, 4, 17].contains(&at) && message.contains("Validation"), "{at}");
            }
            Delivery::Stored { .. } => assert!(![3, 4, 17].contains(&at), "{at}"),
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_that_is_about_the_stream_refuses_no_record() {
    for member in ["streamName", "streamARN"] {
        let world = World::new([json(400, &validation("no stream!", member))]);
        let deadline = SystemClock.now() + Duration::from_secs(60);
        let deliveries = put_all(&world.stream(), &SystemClock, deadline, records(20)).await;
        assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Failed(_))), "{deliveries:?}");
        assert_eq!(world.server.requests().len(), 1);
    }
}
