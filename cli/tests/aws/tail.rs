//! `modstream tail`.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_stub_server::{Answer, Reply, StubServer};
use serde_json::{Value, json};

use crate::command::{Aws, Run, repository};
use crate::services::{Services, TOPIC};

/// A prediction, as it stands on its stream.
fn prediction(subreddit: &str) -> Vec<u8> {
    let batch = std::fs::read(repository("events/samples/predictions-batch.json")).expect("a sample");
    let batch: Value = serde_json::from_slice(&batch).expect("JSON");
    let data = STANDARD.decode(batch["Records"][0]["kinesis"]["data"].as_str().expect("text")).expect("base64");
    let mut event: Value = serde_json::from_slice(&data).expect("JSON");
    event["data"]["comment"]["subreddit"] = subreddit.into();
    event["data"]["comment"]["body"] = "red \u{1b}[31malert\nnext line".into();
    serde_json::to_vec_pretty(&event).expect("JSON")
}

/// A stream of one shard that was split into two; the parent holds one record, each child another.
fn split_stream() -> StubServer {
    split_stream_of(prediction)
}

/// The same, of other records; they are told the shard's name.
fn split_stream_of(record: fn(&str) -> Vec<u8>) -> StubServer {
    let server = StubServer::start(move |request| {
        let operation = request.header("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let answer = match operation {
            "ListShards" => {
                let shard = |n: u8, parent: Option<&str>| {
                    json!({
                        "ShardId": format!("shard-{n}"),
                        "ParentShardId": parent,
                        "HashKeyRange": { "StartingHashKey": "0", "EndingHashKey": "1" },
                        "SequenceNumberRange": { "StartingSequenceNumber": "1" },
                    })
                };
                json!({ "Shards": [shard(0, None), shard(1, Some("shard-0")), shard(2, Some("shard-0"))] })
            }
            "GetShardIterator" => json!({ "ShardIterator": format!("{}@0", body["ShardId"].as_str().expect("text")) }),
            _ => {
                let iterator = body["ShardIterator"].as_str().expect("text");
                let (shard, place) = iterator.split_once('@').expect("ours");
                let record = json!({
                    "SequenceNumber": "1",
                    "PartitionKey": "k",
                    "Data": STANDARD.encode(record(shard)),
                    "ApproximateArrivalTimestamp": 1_767_607_200.0,
                });
                let next = (shard != "shard-0").then(|| format!("{shard}@1"));
                let records = if place == "0" { vec![record] } else { Vec::new() };
                json!({ "Records": records, "NextShardIterator": next, "MillisBehindLatest": 0 })
            }
        };
        Reply::from(Answer::new(200, answer.to_string()).header("Content-Type", "application/x-amz-json-1.1"))
    });
    server.expect("a port")
}

#[test]
fn predictions_come_a_line_each_and_a_split_shard_is_followed_to_its_children() {
    let stream = split_stream();
    let args = ["tail", "predictions", "--stream", "predictions", "--since", "TRIM_HORIZON"];
    let run = Aws::at(&stream.url()).run(&[&args[..], &["--limit", "3", "--json"]].concat());
    assert_eq!(run.status, Some(0), "{run:?}");
    let of = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["data"]["comment"]["subreddit"].as_str().expect("text").to_owned()
    };
    let mut shards: Vec<String> = run.stdout.lines().map(of).collect();
    assert_eq!(shards[0], "shard-0", "a parent comes before its children");
    shards.sort();
    assert_eq!(shards, ["shard-0", "shard-1", "shard-2"]);
}

#[test]
fn decisions_on_the_stream_are_neither_shown_nor_called_bad() {
    let stream = split_stream_of(|shard| match shard {
        "shard-2" => prediction(shard),
        _ => std::fs::read(repository("events/fixtures/modstream.decision.v1/whole.json")).expect("a fixture"),
    });
    let args = ["tail", "predictions", "--stream", "predictions", "--since", "TRIM_HORIZON", "--limit", "1", "--json"];
    let run = Aws::at(&stream.url()).run(&args);
    assert_eq!((run.status, run.stdout.lines().count(), run.stderr.as_str()), (Some(0), 1, ""), "{run:?}");
    assert!(run.stdout.contains("shard-2") && run.stdout.contains("modstream.prediction.v1"), "{run:?}");
}

#[test]
fn a_line_shows_nothing_that_moves_the_cursor_and_others_are_left_out() {
    let stream = split_stream();
    let args = ["tail", "predictions", "--stream", "predictions", "--since", "TRIM_HORIZON", "--limit", "1"];
    let run = Aws::at(&stream.url()).run(&[&args[..], &["--subreddit", "r/shard-2"]].concat());
    assert_eq!((run.status, run.stdout.lines().count()), (Some(0), 1), "{run:?}");
    assert!(run.stdout.contains("r/shard-2") && run.stdout.contains("next line"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
}

#[test]
fn alerts_come_through_a_queue_of_its_own_that_is_gone_at_the_end() {
    let services = Services::start();
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["tail", "alerts", "--topic", TOPIC, "--severity", "high", "--json"];
    let child = Aws::at(&services.url()).start(folder.path(), &args);
    let started = Instant::now();
    while services.count("ReceiveMessage") == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", services.state());
        std::thread::sleep(Duration::from_millis(20));
    }
    {
        let state = services.state();
        let name = state.ever.first().expect("a queue").clone();
        assert!(name.starts_with("modstream-alerts-tail-"), "{name}");
        assert_eq!(state.queues[&name]["MessageRetentionPeriod"], "60");
        assert!(state.queues[&name]["Policy"].contains(TOPIC));
        let (_, attributes) = state.subscriptions.first_key_value().expect("a subscription");
        assert_eq!(attributes["FilterPolicy"], "{\"severity\":[\"high\"]}");
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("signals");
    let run = Run::of(child);
    assert_eq!(run.status, Some(0), "{run:?}");
    let state = services.state();
    assert!(state.subscriptions.is_empty(), "{state:?}");
    assert_eq!(state.queues.keys().collect::<Vec<_>>(), ["moderators"]);
}

#[test]
fn a_breaker_that_opened_is_shown_between_the_alerts() {
    let services = Services::start();
    let opened = json!({
        "specversion": "1.0",
        "id": "0b5b7a2c-0d6e-5d3c-8d54-5b7a1f2a9e10",
        "source": "urn:modstream:publish-alerts",
        "type": "modstream.breaker-opened.v1",
        "time": "2026-01-05T10:07:00Z",
        "datacontenttype": "application/json",
        "data": {
            "text": "130 of 400 comments alerted. To publish alerts again before: modstream breaker close",
            "share": 0.325, "max_share": 0.2, "alerts": 130, "predictions": 400, "until": "2026-01-05T11:07:00Z",
        },
    });
    services.state().messages.push(opened.to_string());
    let run = Aws::at(&services.url()).run(&["tail", "alerts", "--topic", TOPIC, "--limit", "1"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    assert!(run.stdout.contains("breaker open") && run.stdout.contains("modstream breaker close"), "{run:?}");
}

#[test]
fn a_message_that_is_no_alert_is_said_and_the_rest_goes_on() {
    let services = Services::start();
    let alert = json!({ "no": "alert" }).to_string();
    services.state().messages.push(alert);
    let folder = tempfile::tempdir().expect("a folder");
    let child = Aws::at(&services.url()).start(folder.path(), &["tail", "alerts", "--topic", TOPIC, "--limit", "1"]);
    let started = Instant::now();
    while services.count("ReceiveMessage") < 2 {
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", services.state());
        std::thread::sleep(Duration::from_millis(20));
    }
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("signals");
    let run = Run::of(child);
    assert!(run.stdout.is_empty() && run.stderr.contains("a message that is no alert"), "{run:?}");
    assert_eq!((services.count("DeleteMessageBatch"), services.count("DeleteQueue")), (1, 1));
}
