//! The audit itself: it finds what is wrong.

use modstream_platform::table::{self, Item, Key, Table as _};
use modstream_platform::{Bytes, Condition as Write, Objects, Topic};
use modstream_tests::{Audit, MadeUp, MemoryWorld, System, Which, World, install, model_files, prediction_event};
use publish_alerts::Condition;

use crate::{put, put_comment, put_prediction};

const ALERTING: Condition = Condition::Probability(0.5);

async fn broken_in_scoring(world: &MemoryWorld) -> String {
    Audit::of(world).await.broken_in_scoring().join("\n")
}

async fn broken_in_alerting(world: &MemoryWorld) -> String {
    Audit::of(world).await.broken_in_alerting(ALERTING).join("\n")
}

async fn write(world: &MemoryWorld, key: &str) {
    world.objects().put(key, Bytes::from_static(b"{}"), Write::Always).await.expect("the bucket takes it");
}

#[tokio::test(start_paused = true)]
async fn a_comment_without_a_prediction() {
    let world = MemoryWorld::new(1, 100);
    put_comment(&world, 0).await;
    assert!(broken_in_scoring(&world).await.contains("neither prediction and quarantine"));
}

#[tokio::test(start_paused = true)]
async fn a_prediction_without_a_comment_or_under_another_id() {
    let world = MemoryWorld::new(1, 100);
    put_prediction(&world, 0, 0.9).await;
    assert!(broken_in_scoring(&world).await.contains("never asked"));
    let other = String::from_utf8(prediction_event(1, 0.9)).expect("text").replacen("\"id\":\"", "\"id\":\"x", 1);
    put(&world, Which::Predictions, "k", other.into_bytes()).await;
    assert!(broken_in_scoring(&world).await.contains("should be"));
}

#[tokio::test(start_paused = true)]
async fn predictions_of_one_key_in_another_order() {
    let world = MemoryWorld::new(1, 100);
    for number in [0, 5] {
        put_comment(&world, number).await;
    }
    for number in [5, 0] {
        put_prediction(&world, number, 0.9).await;
    }
    assert!(broken_in_scoring(&world).await.contains("another order"));
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_object_of_no_record() {
    let world = MemoryWorld::new(1, 100);
    write(&world, "quarantine/comments/shardId-000000000000/1.json").await;
    assert!(broken_in_scoring(&world).await.contains("of no record"));
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_object_that_is_not_its_record() {
    let world = MemoryWorld::new(1, 100);
    put(&world, Which::Comments, "k", b"bad".to_vec()).await;
    let records = world.records(Which::Comments).await;
    write(&world, &format!("quarantine/comments/{}/{}.json", records[0].shard_id, records[0].sequence_number)).await;
    assert!(broken_in_scoring(&world).await.contains("is not the record's"));
}

#[tokio::test(start_paused = true)]
async fn an_alert_too_few_too_many_and_one_without_a_ledger_entry() {
    let world = MemoryWorld::new(1, 100);
    put_prediction(&world, 0, 0.9).await;
    let broken = broken_in_alerting(&world).await;
    assert!(broken.contains("0 texts were published") && broken.contains("made false"), "{broken}");

    let world = MemoryWorld::new(1, 100);
    put_prediction(&world, 0, 0.1).await;
    let body = "{\"id\":\"a\"}".to_owned();
    let message = modstream_platform::Message { id: "a".into(), body, ..modstream_platform::Message::default() };
    world.alerts().publish_batch(&[message]).await.expect("the topic takes it");
    make(&world, "c", "a", &[]).await;
    let broken = broken_in_alerting(&world).await;
    assert!(broken.contains("published, and no prediction asks") && broken.contains("alert a: no prediction asks"));
    make(&world, "d", "a", &[]).await;
    assert!(broken_in_alerting(&world).await.contains("alert a: it lies in two places"));
}

/// Puts an alert into the ledger that has these attributes besides.
async fn make(world: &MemoryWorld, comment: &str, id: &str, attributes: &[&str]) {
    let item = Item::new(Key::new(format!("comment#{comment}"), format!("alert#{id}")))
        .with("event", b"{}".to_vec())
        .with("made", "2026-01-05T09:00:00.000000000Z")
        .with("in_made", "made")
        .with("severity", "high")
        .with("probability", "0.9");
    let item = attributes.iter().fold(item, |item, name| item.with(*name, "x"));
    world.table().put(&item, &table::Condition::Always).await.expect("the table takes it");
}

#[tokio::test(start_paused = true)]
async fn an_alert_withheld_where_no_policy_may_or_published_all_the_same() {
    let world = MemoryWorld::new(1, 100);
    put_prediction(&world, 0, 0.9).await;
    let id = MadeUp::new(0).alert_id();
    make(&world, "c", &id, &["withheld"]).await;
    assert!(broken_in_alerting(&world).await.contains("0 texts were published, not one"));

    let may = async || {
        let mut audit = Audit::of(&world).await;
        audit.may_withhold.insert("science".to_owned());
        audit.broken_in_alerting(ALERTING).join("\n")
    };
    assert_eq!(may().await, "");
    make(&world, "c", &id, &["withheld", "sent"]).await;
    assert!(may().await.contains("withheld, and published"));
}

#[tokio::test(start_paused = true)]
async fn nothing_where_nothing_is_wrong() {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    put_comment(&world, 0).await;
    let system = System::new(world, &[]);
    system.score().await;
    system.publish().await;
    assert_eq!(broken_in_scoring(&system.world).await + &broken_in_alerting(&system.world).await, "");
}
