//! Everything is provisioned, and the bucket is empty.

use crate::{ALL_ALERTS, SOME_ALERTS, deployed, invoke};

const BATCH: &str = include_str!("../../../events/samples/comments-batch.json");
const SCHEDULE: &str = include_str!("../../../events/samples/schedule.json");

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn functions_without_model_or_corpus_say_what_to_do() {
    let (stack, world) = deployed().await;
    for queue in [ALL_ALERTS, SOME_ALERTS] {
        world.sdk.make_queue(queue).await;
    }
    world.sdk.subscribe(&world.names.topic_arn, &world.names.queue_url, None).await;

    let said = invoke(&stack, &world, "score-comments", BATCH).await.expect_err("there is no model");
    assert!(said.contains("start_failed") && said.contains("push a model and promote it"), "{said}");
    let said = invoke(&stack, &world, "generate-comments", SCHEDULE).await.expect_err("there is no corpus");
    assert!(said.contains("corpus/comments.jsonl"), "{said}");
}
