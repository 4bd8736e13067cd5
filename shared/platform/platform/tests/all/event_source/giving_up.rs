//! Batches that are given up.

use std::time::Duration;

use modstream_platform::memory::{Config, MemoryObjects, MemoryStream, OnBatchFailure};
use modstream_platform::{Clock, Fetched, Objects, Stream};

use super::{broken, config, data, done, failed_from, run_over, stream_of};
use crate::world::{clock, record};

#[tokio::test(start_paused = true)]
async fn bisecting_leaves_one_record_to_give_up_and_the_rest_in_order() {
    let clock = clock();
    let texts = ["0", "1", "2", "poison", "4", "5", "6"];
    let stream = stream_of(clock, &texts).await;
    let bucket = MemoryObjects::new();
    let config = Config {
        on_batch_failure: OnBatchFailure::Bisect,
        max_retry_attempts: Some(1),
        on_failure: Some(bucket.clone()),
        ..config()
    };
    let poisoned = |payload: &[u8]| data(payload).contains(&"poison".to_owned());
    let (got, statistics) =
        run_over(stream, clock, config, |_, payload| if poisoned(payload) { broken() } else { done() }).await;
    let passed: Vec<String> =
        got.iter().filter(|batch| !batch.contains(&"poison".to_owned())).flatten().cloned().collect();
    assert_eq!(passed, ["0", "1", "2", "4", "5", "6"]);
    assert_eq!(got.iter().filter(|batch| *batch == &["poison"]).count(), 2, "once, and one retry");
    assert_eq!((statistics.discarded_batches, statistics.discarded_records), (1, 1));
    assert_eq!(bucket.list("aws/lambda/").await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_given_up_lies_at_the_destination_with_its_payload() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1", "2"]).await;
    let numbers: Vec<String> = stream.records().iter().map(|record| record.sequence_number.clone()).collect();
    let bucket = MemoryObjects::new();
    let config = Config { batch_size: 2, max_retry_attempts: Some(2), on_failure: Some(bucket.clone()), ..config() };
    let (got, statistics) = run_over(stream, clock, config, |n, _| if n < 3 { broken() } else { done() }).await;
    assert_eq!(
        got,
        [vec!["0", "1"], vec!["0", "1"], vec!["0", "1"], vec!["2"]],
        "three attempts, then the shard goes on"
    );
    assert_eq!((statistics.discarded_batches, statistics.discarded_records), (1, 2));

    let keys = bucket.list("").await.unwrap();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    assert!(key.starts_with("aws/lambda/score/shardId-000000000000/2026/01/05/2026-01-05T10.00.0"), "{key}");
    assert!(key.ends_with(&format!("-{}.json", numbers[0])), "{key}");
    let Fetched::Object { bytes, .. } = bucket.get(key, None).await.unwrap() else { panic!("no object") };
    let kept: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(kept["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(kept["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(kept["requestContext"]["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:score");
    assert_eq!(kept["responseContext"]["functionError"], "Unhandled");
    let info = &kept["KinesisBatchInfo"];
    assert_eq!(
        (info["startSequenceNumber"].as_str(), info["endSequenceNumber"].as_str()),
        (Some(&*numbers[0]), Some(&*numbers[1]))
    );
    assert_eq!((info["batchSize"].as_u64(), info["shardId"].as_str()), (Some(2), Some("shardId-000000000000")));
    assert_eq!(info["streamArn"], "arn:aws:kinesis:us-east-1:000000000000:stream/comments");
    assert_eq!(info["approximateArrivalOfFirstRecord"], "2026-01-05T10:00:00Z");
    assert_eq!(data(kept["payload"].as_str().unwrap().as_bytes()), ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn progress_within_a_batch_does_not_renew_its_retries_and_only_the_rest_is_given_up() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1", "2", "3"]).await;
    let bucket = MemoryObjects::new();
    let config = Config { max_retry_attempts: Some(1), on_failure: Some(bucket.clone()), ..config() };
    let (got, statistics) = run_over(stream, clock, config, |_, payload| failed_from(payload, 1)).await;
    assert_eq!(got, [vec!["0", "1", "2", "3"], vec!["1", "2", "3"]]);
    assert_eq!((statistics.discarded_batches, statistics.discarded_records), (1, 2));
    let key = bucket.list("").await.unwrap().remove(0);
    let kept: serde_json::Value = serde_json::from_slice(&bucket.versions(&key)[0]).unwrap();
    assert_eq!(data(kept["payload"].as_str().unwrap().as_bytes()), ["2", "3"]);
    assert_eq!(kept["responseContext"]["functionError"], serde_json::Value::Null);
}

#[tokio::test(start_paused = true)]
async fn records_older_than_the_age_are_given_up_and_younger_ones_go_on() {
    let clock = clock();
    let stream = stream_of(clock, &["old"]).await;
    clock.sleep(Duration::from_secs(61)).await;
    stream.put_records(&[record("k", "young")]).await.unwrap();
    let bucket = MemoryObjects::new();
    let config = Config { max_record_age: Some(Duration::from_secs(60)), on_failure: Some(bucket.clone()), ..config() };
    let (got, statistics) = run_over(stream, clock, config, |_, _| done()).await;
    assert_eq!(got, [["young"]]);
    assert_eq!((statistics.discarded_batches, statistics.discarded_records, statistics.retries), (1, 1, 0));
    let key = bucket.list("").await.unwrap().remove(0);
    let kept: serde_json::Value = serde_json::from_slice(&bucket.versions(&key)[0]).unwrap();
    assert_eq!(kept["requestContext"]["condition"], "RecordAgeExpired");
    assert_eq!(kept["responseContext"], serde_json::Value::Null);
}

#[tokio::test(start_paused = true)]
async fn without_limits_a_batch_is_retried_until_the_stream_forgets_it() {
    let clock = clock();
    let stream = MemoryStream::with_retention("comments", 1, clock, Duration::from_secs(600));
    stream.put_records(&[record("k", "0")]).await.unwrap();
    let start = clock.now();
    let (got, statistics) = run_over(stream, clock, config(), |_, _| broken()).await;
    let waited = clock.now().duration_since(start).as_secs();
    assert!((600..605).contains(&waited), "{waited}");
    assert!((300..2000).contains(&got.len()), "{} attempts", got.len());
    assert_eq!(statistics.discarded_records, 1);
}
