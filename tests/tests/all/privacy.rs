//! What stays out of the log.

use std::time::Duration;

use modstream_platform::CallErrorKind;
use modstream_tests::{
    Fault, MemoryWorld, Operation, PRIVATE, System, Which, bad_comments, bad_predictions, install, model_files,
};

use crate::logged::Logged;
use crate::{key, put, put_comment, put_corpus, put_prediction};

#[test]
fn a_line_that_holds_a_comments_text_would_be_seen_and_another_threads_is_not() {
    let logged = Logged::start();
    let log = |body: &str| tracing::trace!(event = "leak", body);
    log(PRIVATE);
    std::thread::scope(|scope| drop(scope.spawn(|| log("of another thread"))));
    assert_eq!(logged.text(), format!("event=\"leak\" body={PRIVATE:?} \n"));
}

#[tokio::test(start_paused = true)]
async fn no_log_line_and_no_error_holds_a_comments_text_or_author() {
    let logged = Logged::start();
    let world = MemoryWorld::new(2, 30);
    install(&world, &model_files()).await;
    for number in 0..40 {
        put_comment(&world, number).await;
        put_prediction(&world, number, 0.95).await;
    }
    for (number, bad) in bad_comments(1000).into_iter().enumerate() {
        put(&world, Which::Comments, &key(number), bad.data).await;
    }
    for (number, bad) in bad_predictions(1000).into_iter().enumerate() {
        put(&world, Which::Predictions, &key(number), bad.data).await;
    }
    let system = System::new(world, &[]);
    for operation in [
        Operation::PutRecords,
        Operation::PutObject,
        Operation::GetObject,
        Operation::ReadItems,
        Operation::WriteItems,
        Operation::PublishBatch,
    ] {
        system.faults.down(operation, Duration::from_secs(45));
        system.faults.next(operation, [Fault::Works, Fault::Fails(CallErrorKind::Denied), Fault::AnswerLost]);
    }
    system.faults.kill_at(300);
    let mut errors = Vec::new();
    errors.extend(system.score().await.last_error);
    errors.extend(system.publish().await.last_error);
    for corpus in [
        format!("{{\"author\":\"{PRIVATE}\",\"body\":[\"{PRIVATE}\"]}}\n"),
        format!("{{\"body\":\"{PRIVATE}\"}}\n{PRIVATE}\n"),
        format!("{PRIVATE}\n"),
        format!("author,body,removed\n{PRIVATE},{PRIVATE},{PRIVATE}\n"),
    ] {
        put_corpus(&system.world, corpus.as_bytes()).await;
        errors.push(system.generate("{}", "r").await.expect_err("a bad corpus"));
    }
    assert!(errors.len() >= 4, "each bad corpus is an error: {errors:?}");
    let log = logged.text();
    // A scenario that logs nothing, or whose log is not seen, holds nothing back.
    for seen in [
        "event=\"batch_done\" function=\"score-comments\"",
        "event=\"batch_done\" function=\"publish-alerts\"",
        "event=\"batch_interrupted\" function=\"score-comments\"",
        "event=\"batch_interrupted\" function=\"publish-alerts\"",
        "event=\"record_quarantined\" stream=\"comments\"",
        "event=\"record_quarantined\" stream=\"predictions\"",
        "event=\"alert_resumed\"",
        "event=\"model_loaded\"",
    ] {
        assert!(log.contains(seen), "the scenario logs no {seen}:\n{log}");
    }
    let quarantined = log.matches("event=\"record_quarantined\"").count();
    let bad = bad_comments(1000).len() + bad_predictions(1000).len();
    assert!(quarantined >= bad, "{quarantined} lines about {bad} bad records");
    assert!(!log.contains(PRIVATE), "{log}");
    assert!(!errors.concat().contains(PRIVATE), "{errors:?}");
}
