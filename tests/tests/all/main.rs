//! What the system promises, whatever goes wrong on the way. Time is virtual.

mod audit_sees;
mod bad_comments;
mod bad_predictions;
mod bodies;
mod denied;
mod digests;
mod forgotten;
mod generator;
mod harm;
mod hot_swap;
mod interleavings;
mod logged;
mod new_model;
mod one_stream;
mod out_of_reach;
mod outages;
mod pages;
mod permitted;
mod policies;
mod privacy;
mod sizes;
mod whole_way;

use digest_alerts::{Config, DigestAlerts, Links};
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemoryTopic};
use modstream_platform::table::Table;
use modstream_platform::{Objects, PutRecord, Stream};
use modstream_tests::{Audit, Drained, PRIVATE, StoredRecord, System, Which, World, comment_event, prediction_event};
use publish_alerts::Condition;

/// Puts a record on a stream.
async fn put<W: World>(world: &W, which: Which, key: &str, data: Vec<u8>) {
    let record = PutRecord { partition_key: key.to_owned(), data };
    world.stream(which).put_records(&[record]).await.expect("the stream takes it");
}

/// Puts a made-up comment on its stream, under one of five partition keys.
async fn put_comment<W: World>(world: &W, number: usize) {
    put(world, Which::Comments, &key(number), comment_event(number)).await;
}

/// Puts a made-up prediction on its stream, under one of five partition keys.
async fn put_prediction<W: World>(world: &W, number: usize, probability: f64) {
    put(world, Which::Predictions, &key(number), prediction_event(number, probability)).await;
}

fn key(number: usize) -> String {
    format!("k{}", number % 5)
}

async fn put_corpus<W: World>(world: &W, lines: &[u8]) {
    let always = modstream_platform::Condition::Always;
    world.objects().put("corpus/comments.jsonl", lines.to_vec().into(), always).await.expect("the bucket takes it");
}

/// An instance of the digests' function over a table.
fn digest_function<B: Table>(
    topic: MemoryTopic,
    table: B,
    clock: MemoryClock,
) -> DigestAlerts<MemoryTopic, B, MemoryClock> {
    let config = Config::read(Environment::new(&|name| {
        let topic = "arn:aws:sns:us-east-1:000000000000:d";
        let known = [("DIGESTS_TOPIC_ARN", topic), ("BUCKET", "b"), ("TABLE", "t")];
        known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }));
    DigestAlerts::new(&config.expect("good"), topic, table, clock, Links::none()).expect("good")
}

/// Asserts that nothing is broken in scoring, and gives what is there.
async fn scored<W: World>(system: &System<W>) -> Audit {
    let audit = Audit::of(&system.world).await;
    assert_eq!(audit.broken_in_scoring(), NONE);
    assert_eq!(system.late(), NONE);
    audit
}

/// Asserts that nothing is broken in alerting, and gives what is there.
async fn alerted<W: World>(system: &System<W>, condition: Condition) -> Audit {
    let audit = Audit::of(&system.world).await;
    assert_eq!(audit.broken_in_alerting(condition), NONE);
    assert_eq!(Audit::published_after_sent(&system.faults.effects()), NONE);
    assert_eq!(system.late(), NONE);
    audit
}

/// The sentences in quarantine that hold text of the record they are about.
fn details_that_quote(audit: &Audit, stream: &str, records: &[StoredRecord]) -> Vec<String> {
    let details =
        records.iter().filter_map(|record| Some(audit.quarantined(stream, record)?["data"]["detail"].to_string()));
    details.filter(|detail| detail.contains(PRIVATE)).collect()
}

const NONE: [&str; 0] = [];

/// An event source that had nothing to repeat.
fn smoothly() -> Drained {
    Drained::default()
}
