//! Decisions and changes on the stream of predictions, as in a deployment that gives decisions no shards of their own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use modstream_decisions::{Announced, Decisions};
use modstream_events::{Cause, DecisionEvent, PredictionEvent};
use modstream_in_use::history::Prepared;
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{AlertKey, Ledger, List};
use modstream_platform::{CallErrorKind, Objects as _, PutRecord, Stream as _};
use modstream_policy::Policies;
use modstream_tests::{Fault, MemoryWorld, Operation, System, Which, World as _, unpacked};
use publish_alerts::Condition;
use serde_json::Value;

use crate::pages::Pages;
use crate::{alerted, put_prediction, smoothly};

/// The alerts there are, oldest first.
async fn alerts(world: &MemoryWorld) -> Vec<AlertKey> {
    let (table, clock) = (world.table(), world.clock());
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let between = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let made = ledger.made_between(List::Standing, between, None).await.expect("it answers").found;
    made.into_iter().map(|alert| alert.key).collect()
}

/// Policies come into use, and the stream does not take the event about it: the sweep of `digest-alerts` puts it there.
async fn policies_change(system: &System<MemoryWorld>) {
    let (table, objects, clock) = (system.world.table(), system.world.objects(), system.world.clock());
    let stream = system.world.stream(Which::Predictions);
    let store = PolicyStore::new(&objects, &clock, Timestamp::MAX);
    let policies = Policies::parse("[default]\nthreshold = 0.5").expect("good policies");
    let prepared = store.prepare(&policies, &Cause::default()).await.expect("it answers");
    let Prepared::Move(prepared) = prepared else { panic!("other policies") };
    system.faults.next(Operation::PutRecords, [Fault::Fails(CallErrorKind::Invalid)]);
    let announced = Decisions::new(&table, &system.faults.over(stream.clone()), &clock, Timestamp::MAX)
        .announce(prepared.event(), store.commit(&prepared))
        .await;
    assert_eq!(announced.expect("it answers"), Announced::Unsent);
    let swept = Decisions::new(&table, &stream, &clock, Timestamp::MAX).sweep(&objects).await.expect("it sweeps");
    assert_eq!((swept.sent, swept.left), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn decisions_and_changes_between_predictions_reach_their_readers_and_are_no_alerts() {
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    let stream = system.world.stream(Which::Predictions);
    let pages = Pages::with_stream(stream.clone(), &system.world.table(), system.world.clock(), &system.uses);
    let mut decided = BTreeSet::new();
    for number in 0..6 {
        put_prediction(&system.world, number, 0.9).await;
        // Of all that is on the stream by now, in its order.
        assert_eq!(system.publish().await, smoothly());
        for alert in alerts(&system.world).await {
            if decided.insert(alert.id.clone()) {
                assert_eq!(pages.post("/decide", &pages.form(&alert, 0)).await.status, 303);
            }
        }
        if number == 3 {
            policies_change(&system).await;
        }
    }
    system.redeploy();
    assert_eq!(system.publish().await, smoothly());

    // Predictions are alerts, and nothing else is, nor is anything in quarantine.
    let audit = alerted(&system, Condition::Probability(0.5)).await;
    assert_eq!((audit.predictions.len(), audit.alert_ids().len(), decided.len()), (6, 6, 6));
    assert_eq!(system.world.objects().list("quarantine/").await.expect("lists"), [""; 0]);

    // A reader of decisions finds each that is recorded, between the predictions, and the change of the policies.
    let records = system.world.records(Which::Predictions).await;
    assert_eq!(records.len(), 13);
    let (mut found, mut changes) = (BTreeSet::new(), 0);
    for record in &records {
        match (PredictionEvent::decode(&record.data), DecisionEvent::decode(&record.data)) {
            (Ok(PredictionEvent::Beside(event)), Ok(again)) => {
                assert_eq!(event, again);
                match event {
                    DecisionEvent::Decided(event) => drop(found.insert(event.data.alert_id.into_owned())),
                    DecisionEvent::PoliciesChanged(_) => changes += 1,
                    other => panic!("nobody did that: {other:?}"),
                }
            }
            (Ok(PredictionEvent::Predicted(_)), Err(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((&found, changes), (&decided, 1));
    let kept = system.world.items().await.into_iter().filter(|item| item.key.sort.starts_with("decision#"));
    let kept: Vec<Value> =
        kept.map(|item| serde_json::from_slice(&unpacked(&item, "event")).expect("an event")).collect();
    let sent =
        |event: &Value| records.iter().any(|record| serde_json::from_slice(&record.data).ok().as_ref() == Some(event));
    assert!(kept.len() == 6 && kept.iter().all(sent), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn what_only_says_that_it_is_a_decision_is_a_bad_record() {
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    let data = br#"{"specversion":"1.0","id":"1","source":"s","time":"2026-01-05T10:00:00Z","type":"modstream.decision.v1","data":{}}"#;
    let record = PutRecord { partition_key: "k".to_owned(), data: data.to_vec() };
    system.world.stream(Which::Predictions).put_records(&[record]).await.expect("the stream takes it");
    assert_eq!(system.publish().await, smoothly());
    let kept = system.world.objects().list("quarantine/predictions/").await.expect("lists");
    let [key] = &kept[..] else { panic!("one object: {kept:?}") };
    let entry: Value = serde_json::from_slice(&system.world.versions(key).await[0]).expect("an event");
    assert_eq!(entry["data"]["reason"], "wrong_type");
}
