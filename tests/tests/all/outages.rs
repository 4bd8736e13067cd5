//! Services that fail in part, as a whole, or without an answer.

use std::time::Duration;

use modstream_events::ids;
use modstream_platform::CallErrorKind;
use modstream_tests::{
    Drained, Effect, Fault, MemoryWorld, Operation, SOURCE, System, Which, World, comment_event_id, install,
    model_files,
};
use publish_alerts::Condition;

use crate::{alerted, put, put_comment, put_prediction, scored, smoothly};

const ALERTING: Condition = Condition::Probability(0.5);

async fn comments(count: usize) -> System<MemoryWorld> {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    for number in 0..count {
        put_comment(&world, number).await;
    }
    System::new(world, &[])
}

async fn predictions(count: usize) -> System<MemoryWorld> {
    let world = MemoryWorld::new(1, 100);
    for number in 0..count {
        put_prediction(&world, number, 0.9).await;
    }
    System::new(world, &[])
}

#[tokio::test(start_paused = true)]
async fn entries_that_put_records_refuses_are_put_again_and_no_others() {
    let system = comments(30).await;
    let fails = [vec![true, false], vec![false, false, true], vec![true]].map(Fault::EntriesFail);
    system.faults.next(Operation::PutRecords, fails);
    assert_eq!(system.score().await, smoothly());
    let audit = scored(&system).await;
    assert_eq!(audit.predictions.len(), 30, "what was stored is not put again");
}

#[tokio::test(start_paused = true)]
async fn messages_that_publish_batch_refuses_for_the_moment_are_published_again_and_no_others() {
    let system = predictions(30).await;
    let fails = [vec![true, false], vec![false, false, true], vec![true]].map(Fault::EntriesFail);
    system.faults.next(Operation::PublishBatch, fails);
    assert_eq!(system.publish().await, smoothly());
    let audit = alerted(&system, ALERTING).await;
    assert_eq!(audit.notices.len(), 30, "what was published is not published again");
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_as_a_whole_cost_time_and_nothing_else() {
    for kind in [CallErrorKind::Unavailable, CallErrorKind::Denied, CallErrorKind::Invalid] {
        for operation in [Operation::PutRecords, Operation::PutObject] {
            let system = comments(30).await;
            put(&system.world, Which::Comments, "k", b"bad".to_vec()).await;
            system.faults.next(operation, [Fault::Fails(kind), Fault::Works, Fault::Fails(kind)]);
            assert_eq!(system.score().await.given_up, 0);
            let audit = scored(&system).await;
            assert_eq!((audit.prediction_ids().len(), audit.objects.len()), (30, 1), "{operation:?} {kind:?}");
        }
        for operation in [Operation::PublishBatch, Operation::WriteItems, Operation::ReadItems, Operation::GetObject] {
            let system = predictions(30).await;
            system.faults.next(operation, [Fault::Fails(kind), Fault::Works, Fault::Fails(kind)]);
            assert_eq!(system.publish().await.given_up, 0);
            let audit = alerted(&system, ALERTING).await;
            assert_eq!(audit.notices.len(), 30, "{operation:?} {kind:?}: published once each");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_repeats_events_under_the_ids_they_had() {
    let system = comments(30).await;
    system.faults.next(Operation::PutRecords, [Fault::AnswerLost, Fault::AnswerLost]);
    assert_eq!(system.score().await, smoothly());
    let audit = scored(&system).await;
    assert!(audit.predictions.len() > 30);
    assert_eq!(audit.prediction_ids().len(), 30);
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_published_again_only_after_a_call_whose_outcome_is_unknown() {
    let system = predictions(30).await;
    // The second of three calls.
    system.faults.next(Operation::PublishBatch, [Fault::Works, Fault::AnswerLost]);
    assert_eq!(system.publish().await, smoothly());
    let audit = alerted(&system, ALERTING).await;
    assert_eq!((audit.alert_ids().len(), audit.notices.len()), (30, 40), "ten messages went twice");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_write_without_an_answer_counts_as_done() {
    // Before publishing, and after.
    for first in [0, 10] {
        let system = predictions(10).await;
        system.faults.next(Operation::WriteItems, vec![Fault::Works; first]);
        system.faults.next(Operation::WriteItems, vec![Fault::AnswerLost; 10]);
        assert_eq!(system.publish().await, smoothly());
        assert_eq!(alerted(&system, ALERTING).await.notices.len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_that_cannot_be_kept_waits_for_the_bucket_and_holds_back_only_what_follows() {
    let system = comments(4).await;
    put(&system.world, Which::Comments, "k", b"bad".to_vec()).await;
    put_comment(&system.world, 5).await;
    system.faults.down(Operation::PutObject, Duration::from_secs(90));
    let drained = system.score().await;
    assert!(drained.retries > 0 && drained.given_up == 0, "{drained:?}");
    let audit = scored(&system).await;
    assert_eq!((audit.prediction_ids().len(), audit.objects.len()), (5, 1));
    // What stands before the bad record was not sent again, what stands after it was.
    let times = |number: usize| {
        let id = comment_event_id(number);
        audit.predictions.iter().filter(|record| String::from_utf8_lossy(&record.data).contains(&id)).count()
    };
    assert_eq!((times(0), times(3)), (1, 1));
    assert!(times(5) > 1);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_cannot_be_read_keeps_no_comment_waiting() {
    let system = comments(1).await;
    let feed = async {
        // The model was looked for at the start, and is looked for again after a minute: then the bucket is away.
        tokio::time::sleep(Duration::from_secs(30)).await;
        system.faults.down(Operation::GetObject, Duration::from_secs(600));
        for number in 1..10 {
            tokio::time::sleep(Duration::from_secs(35)).await;
            put_comment(&system.world, number).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(system.world.records(Which::Predictions).await.len(), number + 1, "scored within seconds");
        }
    };
    assert_eq!(system.score_while(feed).await, smoothly());
    scored(&system).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_topic_is_down_alerts_wait_and_then_each_is_published_once() {
    let system = predictions(25).await;
    system.faults.down(Operation::PublishBatch, Duration::from_secs(300));
    let drained = system.publish().await;
    assert!(drained.retries > 0 && drained.given_up == 0, "{drained:?}");
    assert_eq!(alerted(&system, ALERTING).await.notices.len(), 25);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_could_not_be_recorded_as_sent_is_recorded_later() {
    let system = predictions(1).await;
    let works = || Fault::Works;
    let fails = || Fault::Fails(CallErrorKind::Denied);
    // It is made, and can't be recorded as sent.
    system.faults.next(Operation::WriteItems, [works(), fails()]);
    assert_eq!(system.publish().await, Drained { retries: 1, ..smoothly() });
    alerted(&system, ALERTING).await;
    let published = system.faults.effects().iter().filter(|it| matches!(it, Effect::Published { .. })).count();
    assert_eq!(published, 2, "published, and not known to be: published again");
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_the_topic_refuses_for_good_is_quarantined_and_the_batch_goes_on() {
    let system = predictions(30).await;
    let alert = |number| ids::alert(SOURCE, &comment_event_id(number), "default").to_string();
    for number in [0, 9, 17] {
        system.faults.refuse(alert(number));
    }
    assert_eq!(system.publish().await, smoothly());
    let audit = alerted(&system, ALERTING).await;
    assert_eq!(audit.notices.len(), 27);
    let refused: Vec<_> =
        audit.predictions.iter().filter_map(|record| audit.quarantined("predictions", record)).collect();
    assert_eq!(refused.len(), 3);
    for entry in refused {
        assert_eq!(entry["data"]["reason"], "refused");
        assert_eq!(entry["data"]["detail"], "the topic refuses the alert: InvalidParameter: planned");
    }
    assert!(!audit.alert_ids().contains(&alert(9)));
}
