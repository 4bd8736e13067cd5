//! A Kinesis payload of 1,000 records in, as Lambda hands it over; predictions with their reasons on a stream out. Of all sample
//! comments, and of short, median and long ones.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kinesis_batch::{SourceRecord, payload as payloads};
use modstream_classifier::artifact::ModelFiles;
use modstream_events::{Comment, Event};
use modstream_in_use::models::ModelStore;
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream};
use score_comments::{Config, ScoreComments};

const START: &str = "2026-01-05T10:00:00Z";
const TIME: Duration = Duration::from_secs(10);
const RECORDS: usize = 1_000;

/// All comments; sixty each, as the classifier's benchmark has them: the shortest, those in the middle, and the longest, ten in
/// one.
fn by_length<'a>(mut all: Vec<Comment<'a>>) -> [(&'static str, Vec<Comment<'a>>); 4] {
    let samples = all.clone();
    all.sort_by_key(|comment| comment.body.as_ref().map_or(0, |body| body.len()));
    let middle = all.len() / 2;
    let ten_in_one = |ten: &[Comment<'a>]| {
        let bodies: Vec<&str> = ten.iter().filter_map(|comment| comment.body.as_deref()).collect();
        Comment { body: Some(bodies.join("\n\n").into()), ..ten[0].clone() }
    };
    let long = all[all.len() - 60..].chunks(10).map(ten_in_one).collect();
    let (short, median) = (all[..60].to_vec(), all[middle - 30..middle + 30].to_vec());
    [("sample", samples), ("short", short), ("median", median), ("long", long)]
}

/// Some comments, again and again.
fn payload(comments: &[Comment<'_>]) -> Vec<u8> {
    let start = START.parse().expect("a time");
    let events: Vec<(String, Vec<u8>)> = (0..RECORDS)
        .map(|number| {
            let comment = comments[number % comments.len()].clone();
            (format!("49{number:054}"), Event::new(format!("e-{number}"), "urn:example:forum", start, comment).encode())
        })
        .collect();
    let records = events.iter().map(|(sequence_number, data)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "c1",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    payloads::encode(&records.collect::<Vec<_>>())
}

fn handle(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let clock = MemoryClock::starting_at(START.parse().expect("a time"));
    let objects = MemoryObjects::new();
    let config = Config {
        predictions_stream: "predictions".to_owned(),
        bucket: "bucket".to_owned(),
        model_name: "rscience".to_owned(),
        harm_model_name: None,
        base_rate: None,
        top_terms: 5,
    };
    let deadline = clock.now() + TIME;
    runtime.block_on(async {
        for name in ["rscience", "harm"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name);
            let store = ModelStore::new(objects.clone(), clock, name);
            let pushed = store.push(&ModelFiles::read(folder).expect("the model"), deadline).await.expect("pushes");
            store.promote(&pushed.version, deadline).await.expect("promotes");
        }
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lines = std::fs::read_to_string(root.join("events/samples/comments.jsonl")).expect("samples");
    let comments = lines.lines().map(|line| serde_json::from_str(line).expect("a comment")).collect();
    let with_labels = Config { harm_model_name: Some("harm".to_owned()), ..config.clone() };
    let started = |config: &Config| {
        let stream = MemoryStream::new("predictions", 1, clock);
        let start = ScoreComments::start(config, stream, objects.clone(), clock, clock.now() + TIME);
        runtime.block_on(start).expect("starts")
    };
    let mut group = criterion.benchmark_group("payload to predictions");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, comments) in by_length(comments) {
        let payload = payload(&comments);
        for (what, config) in [("", &config), (", with labels", &with_labels)] {
            group.bench_function(format!("1,000 {name} comments{what}"), |bench| {
                bench.iter_batched(
                    || started(config),
                    |function| {
                        let response =
                            runtime.block_on(function.handle(&payload, clock.now() + TIME)).expect("a batch");
                        assert!(response.batch_item_failures.is_empty());
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3)).configure_from_args();
    targets = handle
}
criterion_main!(benches);
