//! What all of it left behind: every promise, over the whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use jiff::Timestamp;
use modstream_archive::{Content, Reader};
use modstream_tests::localstack::{LocalWorld, Stack, refused, said, until};
use modstream_tests::{Audit, Which, World};
use publish_alerts::Condition;
use serde_json::Value;

use crate::{LIMIT, SOME_ALERTS, b_moderated, deployed};

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn nothing_is_lost_nothing_is_doubled_and_subscribers_get_what_they_asked_for() {
    let (stack, world) = deployed().await;
    let audit = until("all comments are predicted and all alerts are out", LIMIT, async || {
        let mut audit = Audit::of(&world).await;
        audit.may_withhold.extend(b_moderated::SUBREDDITS.map(str::to_owned));
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

/// What the archive holds, by shard and sequence number.
async fn archived(world: &LocalWorld) -> BTreeMap<(String, String), Content> {
    let (objects, clock) = (world.objects(), world.clock());
    let stream = &world.names.comments;
    let mut reader = Reader::open(&objects, &clock, stream, Timestamp::MIN, Timestamp::MAX).await.expect("lists");
    let mut all = BTreeMap::new();
    while let Some(stored) = reader.next().await.expect("reads") {
        let position = (stored.shard_id, stored.record.sequence_number);
        assert_eq!(all.insert(position, stored.record.content), None, "each once");
    }
    assert_eq!(reader.unreadable(), []);
    all
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn the_archive_holds_what_the_stream_carried_good_and_bad() {
    let (_, world) = deployed().await;
    until("all records are archived as they came", LIMIT, async || {
        let records = world.records(Which::Comments).await;
        let archived = archived(&world).await;
        records
            .into_iter()
            .all(|record| {
                let position = (record.shard_id, record.sequence_number);
                archived.get(&position) == Some(&Content::Data(record.data))
            })
            .then_some(())
    })
    .await;
}

fn forget(stack: &Stack, comment: &str) -> Command {
    let mut command = stack.modstream();
    command.args(["forget", "--comment", comment, "--yes", "--json"]);
    command
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn what_somebody_wrote_is_forgotten_with_the_command() {
    let (stack, world) = deployed().await;
    let of_live7 = |content: &&Content| match content {
        Content::Data(data) => data.windows(9).any(|text| text == b"\"live 7\"}" || text == b"\"live 7\","),
        Content::Forgotten(_) => false,
    };
    assert_eq!(archived(&world).await.values().filter(of_live7).count(), 2, "it was sent twice");
    let forgotten: Value = serde_json::from_str(&said(&mut forget(&stack, "live7"))).expect("a line of JSON");
    assert_eq!(forgotten["places"]["archive/"]["records"], 2, "{forgotten}");
    assert_eq!(forgotten["streams"].as_array().map(Vec::len), Some(2), "{forgotten}");
    let after = archived(&world).await;
    assert_eq!(after.values().filter(of_live7).count(), 0);
    assert_eq!(after.values().filter(|content| matches!(content, Content::Forgotten(_))).count(), 2);

    let again = refused(&mut forget(&stack, "live7"));
    let again: Value = serde_json::from_str(&again).expect("a line of JSON");
    assert!(again["error"].as_str().is_some_and(|error| error.starts_with("nothing of the comment live7")), "{again}");
}
