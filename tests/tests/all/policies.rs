//! Policies as a document, over the whole way from predictions to alerts.

use std::time::Duration;

use jiff::Timestamp;
use modstream_in_use::policies::{POINTER, PolicyStore};
use modstream_platform::{Condition, Objects, PutRecord, Stream};
use modstream_policy::Policies;
use modstream_tests::{Audit, LedgerAlert, MemoryWorld, System, Which, World, prediction_event};

use crate::{put_prediction, smoothly};

/// Puts a document into use.
async fn push(world: &MemoryWorld, text: &str) {
    let policies = Policies::parse(text).expect("good policies");
    let (objects, clock) = (world.objects(), world.clock());
    PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&policies).await.expect("it is pushed");
}

async fn put_predictions(world: &MemoryWorld, numbers: std::ops::Range<usize>) {
    let records: Vec<PutRecord> = numbers
        .map(|number| PutRecord { partition_key: format!("c{number}"), data: prediction_event(number, 0.9) })
        .collect();
    for call in records.chunks(500) {
        world.stream(Which::Predictions).put_records(call).await.expect("the stream takes it");
    }
}

/// How many alerts are recorded as sent, and how many as withheld.
async fn counts(world: &MemoryWorld) -> [usize; 2] {
    let alerts = Audit::of(world).await.alerts;
    let count = |is: fn(&LedgerAlert) -> bool| alerts.iter().filter(|alert| is(alert)).count();
    [count(|alert| alert.is_sent), count(|alert| alert.is_withheld)]
}

#[tokio::test(start_paused = true)]
async fn of_ten_thousand_alerts_over_four_shards_a_budget_lets_twenty_through_and_none_is_lost() {
    let system = System::new(MemoryWorld::new(4, 100), &[]);
    push(&system.world, "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 20").await;
    put_predictions(&system.world, 0..10_000).await;
    assert_eq!(system.publish().await, smoothly());
    assert_eq!(counts(&system.world).await, [20, 9_980]);
    assert_eq!(system.world.notices().await.len(), 20);
    // All of it once more, by new instances: nothing is sent again.
    system.redeploy();
    put_predictions(&system.world, 0..10_000).await;
    assert_eq!(system.publish().await, smoothly());
    assert_eq!((counts(&system.world).await, system.world.notices().await.len()), ([20, 9_980], 20));
}

#[tokio::test(start_paused = true)]
async fn while_predictions_flow_a_document_takes_effect_within_a_minute_and_a_damaged_one_never() {
    let system = System::new(MemoryWorld::new(1, 100), &[("POLICY", "0.95")]);
    let sleep = async |seconds: u64| tokio::time::sleep(Duration::from_secs(seconds)).await;
    let feed = async {
        put_prediction(&system.world, 0, 0.9).await;
        sleep(5).await;
        push(&system.world, "[default]\nthreshold = 0.8").await;
        sleep(60).await;
        put_prediction(&system.world, 1, 0.9).await;
        sleep(1).await;
        let garbage = b"{\"version\":\"none\"}".to_vec();
        system.world.objects().put(POINTER, garbage.into(), Condition::Always).await.expect("the bucket takes it");
        sleep(60).await;
        put_prediction(&system.world, 2, 0.9).await;
        sleep(1).await;
        push(&system.world, "[default]\nthreshold = 0.99").await;
        sleep(60).await;
        put_prediction(&system.world, 3, 0.9).await;
    };
    assert_eq!(system.publish_while(feed).await, smoothly());
    let audit = Audit::of(&system.world).await;
    let bodies: Vec<serde_json::Value> =
        audit.notices.iter().map(|notice| serde_json::from_str(&notice.body).expect("an event")).collect();
    let comments: Vec<&str> = bodies.iter().filter_map(|alert| alert["data"]["comment"]["id"].as_str()).collect();
    assert_eq!(comments, ["c1", "c2"]);
}
