//! The archiver over the memory world. Time is virtual.

use std::time::Duration;

use archive_comments::{ArchiveComments, Config};
use jiff::Timestamp;
use kinesis_batch::{BatchResponse, SourceRecord, payload};
use modstream_archive::{Content, decode};
use modstream_platform::environment::{Environment, VariableError};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, Written};

const KEY: &str = "archive/comments/2026-01-05T10/shardId-000000000000/7-9-7bc59c70.jsonl.zst";

/// A bucket that is down.
struct Down;

impl Down {
    fn error<T>(operation: &'static str) -> Result<T, CallError> {
        let message = "slow down".to_owned();
        Err(CallError { service: "s3", operation, kind: CallErrorKind::Unavailable, message })
    }
}

impl Objects for Down {
    async fn get(&self, _: &str, _: Option<&ETag>) -> Result<Fetched, CallError> {
        Self::error("GetObject")
    }

    async fn put(&self, _: &str, _: Bytes, _: Condition) -> Result<Written, CallError> {
        Self::error("PutObject")
    }

    async fn list(&self, _: &str) -> Result<Vec<String>, CallError> {
        Self::error("ListObjectsV2")
    }
}

fn clock() -> MemoryClock {
    MemoryClock::starting_at("2026-01-05T10:00:00Z".parse::<Timestamp>().expect("a time"))
}

fn batch(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records = records.iter().map(|(sequence_number, data)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "k",
        arrived_seconds: 1_767_607_200.5,
        data,
    });
    payload::encode(&records.collect::<Vec<_>>())
}

fn three() -> Vec<u8> {
    batch(&[("7", b"{\"specversion\":\"1.0\"}"), ("8", b"\xF3\x89\x9A\xC2 an aggregate"), ("9", b"")])
}

async fn handle<O: Objects>(objects: O, payload: &[u8]) -> BatchResponse {
    let clock = clock();
    let deadline = clock.now() + Duration::from_secs(10);
    ArchiveComments::new(objects, clock).handle(payload, deadline).await.expect("a batch")
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_archived_whole_whatever_it_holds_and_its_repeat_writes_nothing() {
    let objects = MemoryObjects::new();
    for _ in 0..2 {
        assert_eq!(handle(objects.clone(), &three()).await, BatchResponse::success());
    }
    assert_eq!(objects.list("").await.expect("lists"), [KEY]);
    let [object] = &objects.versions(KEY)[..] else { panic!("one version") };
    let (header, records) = decode(object).expect("reads");
    assert_eq!((header.stream.as_str(), header.records), ("comments", 3));
    let data = records.into_iter().map(|record| record.content);
    let sent = [&b"{\"specversion\":\"1.0\"}"[..], b"\xF3\x89\x9A\xC2 an aggregate", b""];
    assert!(data.eq(sent.map(|data| Content::Data(data.to_vec()))));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_down_sends_the_whole_batch_again() {
    assert_eq!(handle(Down, &three()).await, BatchResponse::failed_from("7"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_shards_batch_is_not_archived_in_part() {
    let objects = MemoryObjects::new();
    let unordered = batch(&[("8", b"{}"), ("7", b"{}")]);
    assert_eq!(handle(objects.clone(), &unordered).await, BatchResponse::failed_from("8"));
    assert!(objects.list("").await.expect("lists").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_records_is_done_and_no_batch_is_an_error() {
    assert_eq!(handle(Down, &batch(&[])).await, BatchResponse::success());
    let function = ArchiveComments::new(Down, clock());
    let error = function.handle(b"{}", Timestamp::MAX).await.expect_err("no batch");
    assert!(error.to_string().contains("check that the event source mapping names a Kinesis stream"), "{error}");
}

#[test]
fn a_missing_bucket_says_what_to_set() {
    let read = |value: Option<&'static str>| -> Result<Config, VariableError> {
        Config::read(Environment::new(&|name| value.filter(|_| name == "BUCKET").map(str::to_owned)))
    };
    assert_eq!(read(Some("b")).expect("good settings"), Config { bucket: "b".to_owned() });
    assert_eq!(
        read(None).expect_err("none").to_string(),
        "the environment variable BUCKET is missing: set it to the name of the bucket that holds the archive, for example BUCKET=modstream-123456789012"
    );
}
