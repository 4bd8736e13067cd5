//! An event source mapping over a stream that is read through Kinesis' own calls: a batch at a time a shard, the lowest
//! reported failure and everything after it again.

use std::cell::Cell;
use std::time::Duration;

use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use kinesis_batch::{SourceRecord, payload};
use serde_json::Value;

use super::Sdk;
use crate::world::Drained;

const BATCH: usize = 100;
/// A batch that fails more often than this is given up.
const MOST_RETRIES: u64 = 50;
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run<F, R>(sdk: &Sdk, stream: &str, function: F, feed: impl Future<Output = ()>) -> Drained
where
    F: Fn(Vec<u8>) -> R,
    R: Future<Output = Result<Vec<u8>, String>>,
{
    let ended = Cell::new(false);
    let feed = async {
        feed.await;
        ended.set(true);
    };
    let shards = async {
        let mut all = Drained::default();
        let ids = sdk.shard_ids(stream).await;
        let mut places: Vec<Option<String>> = vec![None; ids.len()];
        loop {
            let last_round = ended.get();
            let mut handled = 0;
            for (id, place) in ids.iter().zip(&mut places) {
                handled += shard(sdk, stream, id, place, &function, &mut all).await;
            }
            if handled == 0 && last_round {
                return all;
            }
            if handled == 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    tokio::join!(feed, shards).1
}

/// Takes a shard on from its place as far as there is anything; how many records.
async fn shard<F, R>(
    sdk: &Sdk,
    stream: &str,
    id: &str,
    place: &mut Option<String>,
    function: &F,
    all: &mut Drained,
) -> usize
where
    F: Fn(Vec<u8>) -> R,
    R: Future<Output = Result<Vec<u8>, String>>,
{
    let from = match place {
        None => ShardIteratorType::TrimHorizon,
        Some(_) => ShardIteratorType::AfterSequenceNumber,
    };
    let iterator = sdk.iterator(stream, id, from, place.as_deref()).await;
    let records = sdk.read(&iterator).await.records;
    let count = records.len();
    for batch in records.chunks(BATCH) {
        let mut rest = batch;
        let mut attempts = 0;
        while !rest.is_empty() {
            if attempts > MOST_RETRIES {
                all.given_up += rest.len() as u64;
                break;
            }
            all.retries += u64::from(attempts > 0);
            attempts += 1;
            match function(encoded(stream, id, rest)).await {
                Ok(response) => rest = left(rest, &response),
                Err(error) => all.last_error = Some(error),
            }
        }
        *place = batch.last().map(|record| record.sequence_number.clone());
    }
    count
}

/// What must be sent again.
fn left<'a>(records: &'a [Record], response: &[u8]) -> &'a [Record] {
    let response: Value = serde_json::from_slice(response).expect("a response is JSON");
    let failed = response["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let lowest = failed.iter().map(|failure| {
        let named = failure["itemIdentifier"].as_str().unwrap_or_default();
        records.iter().position(|record| record.sequence_number == named).unwrap_or(0)
    });
    &records[lowest.min().unwrap_or(records.len())..]
}

fn encoded(stream: &str, shard_id: &str, records: &[Record]) -> Vec<u8> {
    let arn = format!("arn:aws:kinesis:us-east-1:000000000000:stream/{stream}");
    let sources: Vec<SourceRecord<'_>> = records
        .iter()
        .map(|record| SourceRecord {
            event_source_arn: &arn,
            shard_id,
            sequence_number: &record.sequence_number,
            partition_key: record.partition_key.as_deref().unwrap_or_default(),
            arrived_seconds: record.approximate_arrival_timestamp.map_or(0.0, |arrived| arrived.as_secs_f64()),
            data: record.data.as_ref(),
        })
        .collect();
    payload::encode(&sources)
}
