//! Generate, score, publish.

use std::collections::BTreeMap;

use modstream_tests::{Audit, MemoryWorld, System, World, install, model_files, samples_file};
use publish_alerts::Condition;

use crate::{alerted, put_corpus, scored, smoothly};

const SCHEDULED: &str = r#"{"version":"0","id":"e-1","detail-type":"Scheduled Event","source":"aws.events",
    "time":"2026-01-05T10:00:00Z","region":"us-east-1","resources":[],"detail":{}}"#;

/// All sample comments, once.
const ALL: &str = r#"{"id":"e-1","time":"2026-01-05T10:00:00Z","comments":420,"offset":0}"#;

async fn filled<W: World>(world: W) -> W {
    install(&world, &model_files()).await;
    put_corpus(&world, &samples_file()).await;
    world
}

/// All sample comments, the whole way through any world that was empty.
async fn whole_way<W: World>(world: W, policy: &str) -> (System<W>, Audit) {
    let system = System::new(filled(world).await, &[("POLICY", policy)]);
    let generated = system.generate(ALL, "request-1").await.expect("generates");
    assert_eq!((generated.comments, generated.quarantined), (420, 0));
    assert_eq!(system.score().await, smoothly());
    assert_eq!(system.publish().await, smoothly());
    let audit = scored(&system).await;
    (system, audit)
}

async fn run(shards: usize, batch_size: usize, policy: &str) -> (System<MemoryWorld>, Audit) {
    whole_way(MemoryWorld::new(shards, batch_size), policy).await
}

#[tokio::test(start_paused = true)]
async fn every_comment_becomes_one_prediction_and_those_that_meet_the_policy_one_alert_each() {
    for (policy, condition) in [
        ("0.5", Condition::Probability(0.5)),
        ("precision>=0.6", Condition::Precision(0.6)),
        ("share<=0.1", Condition::Share(0.1)),
    ] {
        let (system, _) = run(3, 100, policy).await;
        let audit = alerted(&system, condition).await;
        assert_eq!((audit.predictions.len(), audit.prediction_ids().len()), (420, 420));
        let alerts = audit.alert_ids().len();
        assert_eq!(audit.notices.len(), alerts, "one message each");
        assert!((10..410).contains(&alerts), "{policy}: {alerts} alerts");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_run_gives_the_same_ids_whatever_the_shards_and_batches() {
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let ids = |audit: &Audit| [audit.comment_ids(), audit.prediction_ids(), audit.alert_ids()].map(sorted);
    let (_, first) = run(1, 100, "0.5").await;
    let (_, second) = run(1, 100, "0.5").await;
    assert_eq!(first.alert_ids(), second.alert_ids());
    assert_eq!(ids(&first), ids(&second));
    let (_, other_shape) = run(4, 7, "0.5").await;
    assert_eq!(ids(&first), ids(&other_shape));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_schedule_event_adds_no_new_id_and_no_message() {
    let system = System::new(filled(MemoryWorld::new(2, 50)).await, &[]);
    let mut seen = Vec::new();
    for request in ["request-1", "request-2"] {
        system.generate(SCHEDULED, request).await.expect("generates");
        system.score().await;
        system.publish().await;
        let audit = alerted(&system, Condition::Probability(0.5)).await;
        seen.push((audit.comment_ids(), audit.prediction_ids(), audit.notices.len()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0.len(), 120);
}

#[tokio::test(start_paused = true)]
async fn two_schedule_events_share_no_id() {
    let system = System::new(filled(MemoryWorld::new(1, 100)).await, &[]);
    for payload in [SCHEDULED.to_owned(), SCHEDULED.replace("e-1", "e-2")] {
        system.generate(&payload, "request-1").await.expect("generates");
    }
    system.score().await;
    let audit = scored(&system).await;
    assert_eq!((audit.comment_ids().len(), audit.prediction_ids().len()), (240, 240));
}

#[tokio::test(start_paused = true)]
async fn comments_of_one_partition_key_keep_their_order() {
    // The same row twice is the same partition key twice.
    let system = System::new(filled(MemoryWorld::new(2, 10)).await, &[]);
    let payload = r#"{"id":"e-1","time":"2026-01-05T10:00:00Z","comments":900,"offset":0,"spread_seconds":0}"#;
    system.generate(payload, "request-1").await.expect("generates");
    system.score().await;
    let audit = scored(&system).await;
    let mut by_key: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &audit.predictions {
        *by_key.entry(&record.partition_key).or_default() += 1;
    }
    assert_eq!((by_key.len(), by_key.values().max()), (420, Some(&3)));
}
