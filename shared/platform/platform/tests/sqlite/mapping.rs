//! A mapping over a stream in a file: what is done is not done again, and what was cut short left nothing.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use kinesis_batch::{Batch, BatchResponse};
use modstream_platform::event_source::{Config, End, EventSource, FunctionError, OnBatchFailure};
use modstream_platform::memory::MemoryClock;
use modstream_platform::sqlite::{Database, SqliteObjects, SqliteStream};
use modstream_platform::{Objects as _, PutRecord, Stream as _};

use crate::{folder, record, serve};

struct World {
    database: Database,
    input: SqliteStream,
    output: SqliteStream,
}

async fn world(database: Database) -> World {
    let input = SqliteStream::open(&database, "in", 1).await.expect("opens");
    let output = SqliteStream::open(&database, "out", 1).await.expect("opens").with_checkpoint();
    World { database, input, output }
}

fn config() -> Config<SqliteObjects> {
    Config { batch_size: 4, on_batch_failure: OnBatchFailure::Bisect, ..Config::for_function("copy") }
}

fn texts(stream: &SqliteStream) -> Vec<String> {
    let records = stream.records(None, 1_000).expect("reads");
    records.into_iter().map(|(_, record)| String::from_utf8(record.data.clone()).expect("text")).collect()
}

fn records(payload: &[u8]) -> (Vec<String>, Vec<PutRecord>) {
    let batch = Batch::parse(payload).expect("a batch");
    let mut data = Vec::new();
    let numbers = batch.records.iter().map(|record| record.sequence_number.to_string()).collect();
    let records = batch.records.iter().map(|record| {
        record.decode_into(&mut data).expect("base64");
        PutRecord { partition_key: record.partition_key.to_string(), data: data.clone() }
    });
    (numbers, records.collect())
}

fn response(response: &BatchResponse) -> Result<Vec<u8>, FunctionError> {
    Ok(serde_json::to_vec(response).expect("JSON"))
}

async fn fill(input: &SqliteStream) -> Vec<String> {
    let all: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let records: Vec<_> = all.iter().map(|text| record(text, text)).collect();
    input.put_records(&records).await.expect("puts");
    all
}

#[tokio::test]
async fn a_copy_has_each_record_once_whatever_its_function_answers() {
    let folder = folder();
    let World { input, output, .. } = world(serve(folder.path())).await;
    let all = fill(&input).await;
    let invocation = Cell::new(0);
    let function = |payload: Vec<u8>| {
        let number = invocation.replace(invocation.get() + 1);
        let output = output.clone();
        async move {
            let (numbers, records) = records(&payload);
            // All of them are put, whatever is answered then.
            output.put_records(&records).await.expect("puts");
            match number % 5 {
                0 => Err(FunctionError("broken".to_owned())),
                1 => response(&BatchResponse::failed_from(numbers[numbers.len() / 2].clone())),
                2 => response(&BatchResponse::failed_from("unknown")),
                3 => panic!("on purpose"),
                _ => response(&BatchResponse::success()),
            }
        }
    };
    let statistics = EventSource::new(input, MemoryClock::system(), config()).run_until_drained(function).await;
    assert_eq!((texts(&output), statistics.records, statistics.discarded_records), (all, 10, 0));
}

#[tokio::test]
async fn a_run_goes_on_where_the_one_before_was_left() {
    let folder = folder();
    let seen = RefCell::new(Vec::new());
    let mut all = Vec::new();
    for round in 0..3 {
        let World { input, database, .. } = world(serve(folder.path())).await;
        if round < 2 {
            all.extend(fill(&input).await);
        }
        let function = |payload: Vec<u8>| {
            let (_, records) = records(&payload);
            let texts = records.into_iter().map(|record| String::from_utf8(record.data).expect("text"));
            seen.borrow_mut().extend(texts);
            async { response(&BatchResponse::success()) }
        };
        // As many lanes as one asks for: there is one a shard.
        let config = Config { parallelization_factor: 1 + round, ..config() };
        EventSource::new(input, MemoryClock::system(), config).run_until_drained(function).await;
        drop(database);
    }
    let mut seen = seen.into_inner();
    seen.sort();
    all.sort();
    assert_eq!(seen, all);
}

/// Else whoever reads long texts would have as many megabytes in memory as a payload may have on AWS, several times over.
#[tokio::test]
async fn a_payload_is_small_whatever_its_records_are_and_a_full_one_waits_for_no_window() {
    let folder = folder();
    let World { input, .. } = world(serve(folder.path())).await;
    let large = "x".repeat(600 << 10);
    let largest = "x".repeat((1 << 20) - 1);
    for text in [&large, &large, &large, &largest, &large] {
        input.put_records(&[record("k", text)]).await.expect("puts");
    }
    let (sizes, payloads) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let function = |payload: Vec<u8>| {
        payloads.borrow_mut().push(payload.len());
        sizes.borrow_mut().push(records(&payload).0.len());
        async { response(&BatchResponse::success()) }
    };
    let config = Config { batch_size: 500, batching_window: Duration::from_secs(3_600), ..config() };
    // Nobody says that no more will come: the window would be waited out.
    let stop = async {
        while sizes.borrow().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        End::AfterBatch
    };
    EventSource::new(input.clone(), MemoryClock::system(), config.clone()).run_until(&function, stop).await;
    EventSource::new(input, MemoryClock::system(), config).run_until_drained(&function).await;
    assert_eq!(sizes.into_inner(), [2, 1, 1, 1]);
    assert!(payloads.into_inner().iter().all(|bytes| *bytes <= 2 << 20));
}

#[tokio::test]
async fn a_mapping_that_is_stopped_ends_after_its_batch_and_leaves_the_rest() {
    let folder = folder();
    let World { input, output, .. } = world(serve(folder.path())).await;
    fill(&input).await;
    let (began, begun) = tokio::sync::oneshot::channel();
    let began = Cell::new(Some(began));
    let function = |payload: Vec<u8>| {
        if let Some(began) = began.take() {
            began.send(()).expect("somebody waits");
        }
        let output = output.clone();
        async move {
            // Whoever stops it has its turn.
            tokio::task::yield_now().await;
            output.put_records(&records(&payload).1).await.expect("puts");
            response(&BatchResponse::success())
        }
    };
    let stop = async {
        begun.await.expect("begins");
        End::AfterBatch
    };
    EventSource::new(input.clone(), MemoryClock::system(), config()).run_until(function, stop).await;
    assert_eq!(texts(&output), ["0", "1", "2", "3"]);
    assert_eq!(input.behind().expect("reads")[0].1.records, 6);
}

#[tokio::test]
async fn what_is_given_up_lies_in_the_bucket_before_it_counts_as_done() {
    let folder = folder();
    let World { input, database, .. } = world(serve(folder.path())).await;
    fill(&input).await;
    let bucket = SqliteObjects::new(database);
    let config = Config { max_retry_attempts: Some(0), on_failure: Some(bucket.clone()), ..config() };
    let function = |_| async { response(&BatchResponse::failed_from("unknown")) };
    let config = Config { on_batch_failure: OnBatchFailure::Retry, ..config };
    let statistics = EventSource::new(input.clone(), MemoryClock::system(), config).run_until_drained(function).await;
    assert_eq!(statistics.discarded_records, 10);
    assert_eq!(bucket.list("aws/lambda/copy/").await.expect("reads").len(), 3);
    assert_eq!(input.behind().expect("reads")[0].1.records, 0);
}
