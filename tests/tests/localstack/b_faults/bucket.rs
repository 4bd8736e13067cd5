use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modstream_tests::Operation;
use modstream_tests::localstack::{Call, Mishap, Refusal};

use super::Run;

/// A bucket that holds anything can't be deleted, so it is the proxy that says it is gone.
#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn what_needs_a_bucket_that_is_gone_waits_until_it_is_back() {
    let gone = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&gone);
    let plan = move |call: &Call<'_>| match call.operation {
        // Comments must come from somewhere.
        _ if call.function == "generate-comments" => Mishap::None,
        Some(Operation::PutRecords | Operation::PublishBatch | Operation::ReadItems | Operation::WriteItems) => {
            Mishap::None
        }
        _ if seen.load(Ordering::SeqCst) => Mishap::Refused(Refusal::Gone),
        _ => Mishap::None,
    };
    let mut run = Run::start("bucket", Arc::new(plan)).await;
    let comments = run.send(run.all * 3 / 10).await;
    run.until_predicted(&comments).await;

    gone.store(true, Ordering::SeqCst);
    // A scorer that runs needs no bucket for good comments, and a publisher that runs none for alerts: they lie in the table, and
    // it looks for other policies once in a while.
    let comments = run.send(run.all * 2 / 10).await;
    run.until_predicted(&comments).await;
    // One that starts does, for its model.
    assert!(run.twin.kill("score-comments") > 0, "no scorer runs");
    let before = run.twin.tally.of("score-comments refused");
    run.send_bad().await;
    run.send(run.all * 2 / 10).await;
    run.until("scorers are refused", async |run| run.twin.tally.of("score-comments refused") >= before + 3).await;

    gone.store(false, Ordering::SeqCst);
    run.send(run.all * 3 / 10).await;
    run.until_alerted().await;
    let refused = ["score-comments refused", "publish-alerts refused"].map(|what| run.twin.tally.of(what));
    run.settle(&format!("bucket gone under traffic and back: {} calls refused", refused.iter().sum::<u64>())).await;
}
