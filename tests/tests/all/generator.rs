//! The generator when the stream or the corpus fails it.

use std::time::Duration;

use modstream_platform::CallErrorKind;
use modstream_tests::{Audit, Fault, MemoryWorld, Operation, System, samples_file};

use crate::put_corpus;

const PAYLOAD: &str = r#"{"id":"e-1","time":"2026-01-05T10:00:00Z","comments":120,"offset":0}"#;

async fn system() -> System<MemoryWorld> {
    let world = MemoryWorld::new(2, 100);
    put_corpus(&world, &samples_file()).await;
    System::new(world, &[])
}

async fn clean_run() -> Vec<Vec<u8>> {
    let system = system().await;
    system.generate(PAYLOAD, "request-1").await.expect("generates");
    events(&system).await
}

async fn events(system: &System<MemoryWorld>) -> Vec<Vec<u8>> {
    let audit = Audit::of(&system.world).await;
    let mut events: Vec<Vec<u8>> = audit.comments.into_iter().map(|record| record.data).collect();
    events.sort();
    events.dedup();
    events
}

#[tokio::test(start_paused = true)]
async fn entries_that_fail_are_sent_again_within_the_invocation() {
    let system = system().await;
    system.faults.next(Operation::PutRecords, vec![Fault::EntriesFail(vec![true, false]); 40]);
    let generated = system.generate(PAYLOAD, "request-1").await.expect("generates");
    assert_eq!(generated.comments, 120);
    assert_eq!(Audit::of(&system.world).await.comments.len(), 120, "none twice");
    assert_eq!(system.late(), crate::NONE);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_sent_is_counted_and_a_retry_sends_it_under_the_same_ids() {
    let system = system().await;
    system.faults.next(Operation::PutRecords, vec![Fault::Works; 10]);
    system.faults.next(Operation::PutRecords, vec![Fault::Fails(CallErrorKind::Denied); 4]);
    let error = system.generate(PAYLOAD, "request-1").await.expect_err("some are unsent");
    let sent = events(&system).await;
    let unsent = 120 - sent.len();
    assert!(unsent > 0 && !sent.is_empty());
    let cause = "kinesis PutRecords: missing or not permitted: planned";
    assert_eq!(error, format!("{unsent} of 120 comments were not sent: {cause}"));
    system.generate(PAYLOAD, "request-1").await.expect("the retry sends all");
    assert_eq!(events(&system).await, clean_run().await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stays_away_fails_the_invocation_by_its_deadline() {
    let system = system().await;
    system.faults.down(Operation::PutRecords, Duration::from_secs(600));
    let error = system.generate(PAYLOAD, "request-1").await.expect_err("none are sent");
    assert!(
        error.starts_with("120 of 120 comments were not sent: the deadline ran out; kinesis PutRecords"),
        "{error}"
    );
    assert_eq!(system.late(), crate::NONE);
}

#[tokio::test(start_paused = true)]
async fn a_generator_killed_at_any_await_is_repeated_without_a_new_id() {
    let wanted = clean_run().await;
    let all = {
        let system = system().await;
        system.generate(PAYLOAD, "request-1").await.expect("generates");
        system.faults.steps()
    };
    for step in 0..all {
        let system = system().await;
        system.faults.kill_at(step);
        assert_eq!(system.generate(PAYLOAD, "request-1").await.expect_err("it is killed"), "killed");
        system.generate(PAYLOAD, "request-1").await.expect("the retry sends all");
        assert_eq!(events(&system).await, wanted, "killed at step {step}");
    }
}
