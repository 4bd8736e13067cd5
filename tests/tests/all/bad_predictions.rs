//! Bad records on the stream of predictions.

use modstream_events::ids;
use modstream_tests::{BadSample, MemoryWorld, SOURCE, System, Which, bad_predictions, comment_event_id};
use publish_alerts::Condition;

use crate::{alerted, details_that_quote, key, put, put_prediction};

const GOOD: usize = 40;

/// Every third prediction alerts, and the seventh of all comes twice.
async fn mixed(bad: &[BadSample]) -> MemoryWorld {
    let world = MemoryWorld::new(1, 200);
    for number in 0..bad.len().max(GOOD) {
        if number < GOOD {
            put_prediction(&world, number, if number % 3 == 0 { 0.95 } else { 0.2 }).await;
        }
        if number == 7 {
            put_prediction(&world, 6, 0.95).await;
        }
        if let Some(bad) = bad.get(number) {
            put(&world, Which::Predictions, &key(number), bad.data.clone()).await;
        }
    }
    world
}

async fn publish_killed_at(bad: &[BadSample], step: Option<u64>) -> u64 {
    let system = System::new(mixed(bad).await, &[]);
    if let Some(step) = step {
        system.faults.kill_at(step);
    }
    let drained = system.publish().await;
    assert_eq!(drained.last_error.as_deref(), step.map(|_| "killed"));
    assert_eq!(drained.given_up, 0);
    let audit = alerted(&system, Condition::Probability(0.5)).await;
    let mut wanted: Vec<String> = (0..GOOD)
        .step_by(3)
        .map(|number| ids::alert(SOURCE, &comment_event_id(number), "default").to_string())
        .collect();
    let mut found = audit.alert_ids();
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
    if step.is_none() {
        assert_eq!(audit.notices.len(), wanted.len(), "without a fault there is one message an alert");
    }
    for bad in bad {
        let record = audit.predictions.iter().find(|record| record.data == bad.data).expect("it is on the stream");
        let entry = audit.quarantined("predictions", record).unwrap_or_else(|| panic!("{}: not kept", bad.name));
        assert_eq!(entry["data"]["reason"], bad.reason.as_str(), "{}: {entry}", bad.name);
    }
    system.faults.steps()
}

#[tokio::test(start_paused = true)]
async fn a_publisher_killed_at_any_await_publishes_each_alert_under_one_id_and_never_after_it_is_recorded_as_sent() {
    let bad = bad_predictions(1000);
    assert!(bad.len() >= 20, "{} kinds", bad.len());
    let steps = publish_killed_at(&bad, None).await;
    assert!(steps > 100, "{steps} steps");
    for step in 0..steps {
        publish_killed_at(&bad, Some(step)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again_it_still_ends() {
    let bad = bad_predictions(1000);
    let system = System::new(mixed(&bad).await, &[]);
    for step in (0..600).step_by(19) {
        system.faults.kill_at(step);
    }
    assert_eq!(system.publish().await.given_up, 0);
    alerted(&system, Condition::Probability(0.5)).await;
}

#[tokio::test(start_paused = true)]
async fn no_reason_given_for_a_bad_record_quotes_it() {
    let bad = bad_predictions(1000);
    let system = System::new(mixed(&bad).await, &[]);
    system.publish().await;
    let audit = alerted(&system, Condition::Probability(0.5)).await;
    assert_eq!(details_that_quote(&audit, "predictions", &audit.predictions), crate::NONE);
}
