use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modstream_tests::localstack::{Call, LocalWorld, Mishap, Refusal};
use modstream_tests::{Operation, World};

use super::Run;

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn alerts_wait_for_a_topic_that_is_deleted_and_made_again() {
    // A topic without its subscription would take messages that nobody gets.
    let being_made = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&being_made);
    let plan = move |call: &Call<'_>| match call.operation {
        Some(Operation::PublishBatch) if seen.load(Ordering::SeqCst) => Mishap::Refused(Refusal::Gone),
        _ => Mishap::None,
    };
    let mut run = Run::start("topic", Arc::new(plan)).await;
    run.send(run.all * 3 / 10).await;
    run.until_alerted().await;
    // The stack delivers after it has answered.
    run.until("the messages are delivered", async |run| run.world().notices().await.len() >= run.due()).await;

    let LocalWorld { sdk, names, .. } = &run.twin.world;
    let (sdk, names) = (sdk.clone(), names.clone());
    sdk.sns.delete_topic().topic_arn(&names.topic_arn).send().await.expect("deletes");
    run.send(run.all * 4 / 10).await;
    run.send_bad().await;
    run.until("publishers are refused", async |run| run.twin.tally.of("PublishBatch answered 404") >= 3).await;

    being_made.store(true, Ordering::SeqCst);
    let name = names.topic_arn.rsplit(':').next().expect("a name");
    assert_eq!(sdk.make_topic(name).await, names.topic_arn);
    sdk.subscribe(&names.topic_arn, &names.queue_url, None).await;
    being_made.store(false, Ordering::SeqCst);
    run.send(run.all * 3 / 10).await;
    run.until_alerted().await;
    let refused = run.twin.tally.of("PublishBatch answered 404") + run.twin.tally.of("publish-alerts refused");
    run.settle(&format!("topic deleted under traffic and made again: {refused} calls refused")).await;
}
