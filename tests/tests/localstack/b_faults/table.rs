use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use modstream_tests::Operation;
use modstream_tests::localstack::{Call, Mishap, Refusal};

use super::Run;

/// What was in the table would be gone with it, so it is the proxy that says it is: as one that is being restored is.
#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn alerts_wait_for_a_table_that_is_gone_and_comes_back() {
    let gone = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&gone);
    let plan = move |call: &Call<'_>| match call.operation {
        Some(Operation::ReadItems | Operation::WriteItems) if seen.load(Ordering::SeqCst) => {
            Mishap::Refused(Refusal::Gone)
        }
        _ => Mishap::None,
    };
    let mut run = Run::start("table", Arc::new(plan)).await;
    run.send(run.all * 3 / 10).await;
    run.until_alerted().await;

    gone.store(true, Ordering::SeqCst);
    run.send_bad().await;
    // Scoring needs no table, and goes on.
    let comments = run.send(run.all * 4 / 10).await;
    run.until_predicted(&comments).await;
    run.until("publishers are refused", async |run| run.twin.tally.of("publish-alerts refused") >= 3).await;

    gone.store(false, Ordering::SeqCst);
    run.send(run.all * 3 / 10).await;
    run.until_alerted().await;
    let refused = run.twin.tally.of("publish-alerts refused");
    run.settle(&format!("table gone under traffic and back: {refused} calls refused")).await;
}
