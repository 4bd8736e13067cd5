//! The event source mapping: what a function is given, and what follows from its answer.

mod answers;
mod batches;
mod giving_up;
mod resharding;

use kinesis_batch::{Batch, BatchResponse};
use modstream_platform::Stream;
use modstream_platform::memory::{Config, EventSource, FunctionError, MemoryClock, MemoryStream, Statistics};

use crate::world::{Log, record};

type Answer = Result<Vec<u8>, FunctionError>;

/// The data of a payload's records.
fn data(payload: &[u8]) -> Vec<String> {
    let batch = Batch::parse(payload).unwrap();
    let mut bytes = Vec::new();
    let texts = batch.records.iter().map(|record| {
        record.decode_into(&mut bytes).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    });
    texts.collect()
}

fn sequence_number(payload: &[u8], position: usize) -> String {
    Batch::parse(payload).unwrap().records[position].sequence_number.to_string()
}

fn failed_from(payload: &[u8], position: usize) -> Answer {
    Ok(serde_json::to_vec(&BatchResponse::failed_from(sequence_number(payload, position))).unwrap())
}

fn done() -> Answer {
    Ok(br#"{"batchItemFailures":[]}"#.to_vec())
}

fn broken() -> Answer {
    Err(FunctionError("broken".into()))
}

/// A stream of one shard with these records.
async fn stream_of(clock: MemoryClock, texts: &[&str]) -> MemoryStream {
    let stream = MemoryStream::new("comments", 1, clock);
    for text in texts {
        stream.put_records(&[record("k", *text)]).await.unwrap();
    }
    stream
}

fn config() -> Config {
    Config::for_function("score")
}

/// Runs a function that answers by the number of its invocation, from 0; what each invocation got.
async fn run_over(
    stream: MemoryStream,
    clock: MemoryClock,
    config: Config,
    answer: impl Fn(usize, &[u8]) -> Answer,
) -> (Vec<Vec<String>>, Statistics) {
    run_while(stream, clock, config, answer, std::future::ready(())).await
}

/// The same while `feed` works on the stream.
async fn run_while(
    stream: MemoryStream,
    clock: MemoryClock,
    config: Config,
    answer: impl Fn(usize, &[u8]) -> Answer,
    feed: impl Future<Output = ()>,
) -> (Vec<Vec<String>>, Statistics) {
    let log = Log::default();
    let function = |payload: Vec<u8>| {
        let invocation = log.push(data(&payload)) - 1;
        let answer = answer(invocation, &payload);
        async move {
            tokio::task::yield_now().await;
            answer
        }
    };
    let statistics = EventSource::new(stream, clock, config).run(function, feed).await;
    (log.entries(), statistics)
}
