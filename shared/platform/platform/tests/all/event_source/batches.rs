//! What a function is given, and when.

use std::time::Duration;

use modstream_platform::memory::{Config, EventSource, MemoryClock, MemoryStream, Statistics};
use modstream_platform::{Clock, Stream};

use super::{config, data, done, run_over, stream_of};
use crate::world::{Log, clock, record};

#[tokio::test(start_paused = true)]
async fn a_shards_records_come_in_order_and_in_batches() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1", "2", "3", "4"]).await;
    let config = Config { batch_size: 2, ..config() };
    let (got, statistics) = run_over(stream, clock, config, |_, _| done()).await;
    assert_eq!(got, [vec!["0", "1"], vec!["2", "3"], vec!["4"]]);
    assert_eq!(statistics, Statistics { batches: 3, records: 5, ..Statistics::default() });
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_stuck_does_not_hold_up_another() {
    let clock = clock();
    let stream = MemoryStream::new("comments", 2, clock);
    // MD5 of "a" starts with 0c, of "b" with 92.
    stream.put_records(&[record("a", "stuck"), record("b", "free")]).await.unwrap();
    let free_at = Log::default();
    let function = |payload: Vec<u8>| {
        let stuck = data(&payload) == ["stuck"];
        if !stuck {
            free_at.push(clock.now());
        }
        async move {
            if stuck {
                clock.sleep(Duration::from_secs(60)).await;
            }
            done()
        }
    };
    let start = clock.now();
    EventSource::new(stream, clock, config()).run_until_drained(function).await;
    assert_eq!(free_at.entries(), [start]);
}

#[tokio::test(start_paused = true)]
async fn one_batch_of_a_shard_is_under_way_at_a_time() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1", "2"]).await;
    let log = Log::default();
    let function = |payload: Vec<u8>| {
        let (log, text) = (log.clone(), data(&payload).join(""));
        async move {
            log.push(format!("{text} starts"));
            clock.sleep(Duration::from_secs(1)).await;
            log.push(format!("{text} ends"));
            done()
        }
    };
    EventSource::new(stream, clock, Config { batch_size: 1, ..config() }).run_until_drained(function).await;
    assert_eq!(log.entries(), ["0 starts", "0 ends", "1 starts", "1 ends", "2 starts", "2 ends"]);
}

/// Puts a record every second: ten of them.
async fn produce(stream: &MemoryStream, clock: MemoryClock) {
    for n in 0..10 {
        stream.put_records(&[record("k", n.to_string())]).await.unwrap();
        clock.sleep(Duration::from_secs(1)).await;
    }
}

async fn batches_with_window(window: Duration, batch_size: usize) -> Vec<Vec<String>> {
    let clock = clock();
    let stream = MemoryStream::new("comments", 1, clock);
    let log = Log::default();
    let function = |payload: Vec<u8>| {
        log.push(data(&payload));
        async { done() }
    };
    let config = Config { batching_window: window, batch_size, ..config() };
    let statistics = EventSource::new(stream.clone(), clock, config).run(function, produce(&stream, clock)).await;
    assert_eq!(statistics.records, 10);
    log.entries()
}

#[tokio::test(start_paused = true)]
async fn it_runs_beside_its_producers_until_no_more_will_come() {
    let batches = batches_with_window(Duration::ZERO, 100).await;
    assert_eq!(batches, (0..10).map(|n| vec![n.to_string()]).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_its_window() {
    let batches = batches_with_window(Duration::from_millis(3500), 100).await;
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait_for_its_window() {
    let batches = batches_with_window(Duration::from_secs(3600), 3).await;
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_payload_stays_below_six_mebibytes() {
    let clock = clock();
    let stream = MemoryStream::new("comments", 1, clock);
    for _ in 0..10 {
        stream.put_records(&[record("k", vec![b'x'; 1_000_000])]).await.unwrap();
    }
    let sizes = Log::default();
    let function = |payload: Vec<u8>| {
        sizes.push(payload.len());
        async { done() }
    };
    let config = Config { batching_window: Duration::from_secs(300), ..config() };
    EventSource::new(stream, clock, config).run_until_drained(function).await;
    assert_eq!(sizes.entries().len(), 3);
    assert!(sizes.entries().iter().all(|size| *size <= 6 << 20), "{:?}", sizes.entries());
}

#[tokio::test(start_paused = true)]
async fn what_the_function_gets_is_what_lambda_sends() {
    let clock = clock();
    let stream = stream_of(clock, &["0"]).await;
    let number = stream.records()[0].sequence_number.clone();
    let seen = Log::default();
    let function = |payload: Vec<u8>| {
        seen.push(serde_json::from_slice::<serde_json::Value>(&payload).unwrap());
        async { done() }
    };
    EventSource::new(stream, clock, config()).run_until_drained(function).await;
    let expected = serde_json::json!({ "Records": [{
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "sequenceNumber": number,
            "data": "MA==",
            "approximateArrivalTimestamp": 1_767_607_200.0,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("shardId-000000000000:{number}"),
        "eventName": "aws:kinesis:record",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
    }] });
    assert_eq!(seen.entries(), [expected]);
}

#[test]
fn it_can_run_on_any_thread_if_the_function_can() {
    fn sendable<T: Send>(_: T) {}
    let clock = clock();
    let source = EventSource::new(MemoryStream::new("comments", 1, clock), clock, config());
    sendable(source.run_until_drained(|_| async { done() }));
}
