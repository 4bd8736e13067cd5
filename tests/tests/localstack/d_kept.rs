//! What all of it left behind: every promise, over the whole run.

use std::collections::BTreeSet;

use modstream_tests::Audit;
use modstream_tests::localstack::until;
use publish_alerts::Condition;
use serde_json::Value;

use crate::{LIMIT, SOME_ALERTS, deployed};

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn nothing_is_lost_nothing_is_doubled_and_subscribers_get_what_they_asked_for() {
    let (stack, world) = deployed().await;
    let audit = until("all comments are predicted and all alerts are out", LIMIT, async || {
        let audit = Audit::of(&world).await;
        let broken = [audit.broken_in_scoring(), audit.broken_in_alerting(Condition::Probability(0.7))].concat();
        for promise in broken.iter().take(5) {
            eprintln!("not yet: {promise}");
        }
        broken.is_empty().then_some(audit)
    })
    .await;
    assert!(audit.comment_ids().len() > 1000);

    let version = &audit.notices[0].attributes["model_version"];
    assert!(version.len() == 64, "{version}");
    let urgent: BTreeSet<String> = audit
        .notices
        .iter()
        .filter(|notice| {
            let is = |name: &str, value: &str| notice.attributes.get(name).is_some_and(|found| found == value);
            is("subreddit", "science") && is("severity", "high")
        })
        .map(|notice| id(&notice.body))
        .collect();
    let queue = format!("{}/000000000000/{SOME_ALERTS}", stack.endpoint);
    let subscribed: BTreeSet<String> =
        world.sdk.receive_all(&queue).await.iter().map(|notice| id(&notice.body)).collect();
    assert!(!urgent.is_empty() && urgent.len() < audit.alert_ids().len());
    assert_eq!(subscribed, urgent);
}

fn id(body: &str) -> String {
    let event: Value = serde_json::from_str(body).expect("an alert is JSON");
    event["id"].as_str().expect("an id").to_owned()
}
