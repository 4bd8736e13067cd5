//! Bad records on the stream of comments.

use modstream_tests::{BadSample, MemoryWorld, System, Which, bad_comments, install, model_files};

use crate::{details_that_quote, key, put, put_comment, scored};

const GOOD: usize = 36;

/// Good and bad records by turns.
async fn mixed(bad: &[BadSample]) -> MemoryWorld {
    let world = MemoryWorld::new(1, 200);
    install(&world, &model_files()).await;
    for number in 0..bad.len().max(GOOD) {
        if number < GOOD {
            put_comment(&world, number).await;
        }
        if let Some(bad) = bad.get(number) {
            put(&world, Which::Comments, &key(number), bad.data.clone()).await;
        }
    }
    world
}

/// Scores while a process is killed at a step; how many steps it took.
async fn score_killed_at(bad: &[BadSample], step: Option<u64>) -> u64 {
    let system = System::new(mixed(bad).await, &[]);
    if let Some(step) = step {
        system.faults.kill_at(step);
    }
    let drained = system.score().await;
    assert_eq!(drained.last_error.as_deref(), step.map(|_| "killed"));
    assert_eq!(drained.given_up, 0);
    let audit = scored(&system).await;
    assert_eq!(audit.prediction_ids().len(), GOOD);
    assert_eq!(audit.objects.len(), bad.len());
    for bad in bad {
        let record = audit.comments.iter().find(|record| record.data == bad.data).expect("it is on the stream");
        let entry = audit.quarantined("comments", record).unwrap_or_else(|| panic!("{}: not kept", bad.name));
        assert_eq!(entry["data"]["reason"], bad.reason.as_str(), "{}: {entry}", bad.name);
    }
    system.faults.steps()
}

#[tokio::test(start_paused = true)]
async fn a_scorer_killed_at_any_await_leaves_each_good_comment_predicted_and_each_bad_record_quarantined_once() {
    let bad = bad_comments(1000);
    assert!(bad.len() >= 20, "{} kinds", bad.len());
    let steps = score_killed_at(&bad, None).await;
    assert!(steps > 100, "{steps} steps");
    for step in 0..steps {
        score_killed_at(&bad, Some(step)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_reason_given_for_a_bad_record_quotes_it() {
    let bad = bad_comments(1000);
    let system = System::new(mixed(&bad).await, &[]);
    system.score().await;
    let audit = scored(&system).await;
    assert_eq!(details_that_quote(&audit, "comments", &audit.comments), crate::NONE);
}
