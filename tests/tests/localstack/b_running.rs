//! Model and corpus are there, the mappings are on.

use std::collections::BTreeSet;
use std::process::Command;

use modstream_events::ids;
use modstream_platform::Objects;
use modstream_tests::localstack::{LocalWorld, said, until};
use modstream_tests::{
    Audit, MemoryWorld, System, Which, World, bad_comments, bad_predictions, comment_event, comment_event_id, install,
    model_files, prediction_event, samples_file,
};
use serde_json::Value;

use crate::{LIMIT, deployed, generated, invocation, invoke, predictions, put, until_predicted};

fn set(ids: Vec<String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

async fn filled<W: World>(world: W) -> W {
    install(&world, &model_files()).await;
    let always = modstream_platform::Condition::Always;
    world.objects().put("corpus/comments.jsonl", samples_file().into(), always).await.expect("the bucket takes it");
    world
}

/// The handlers, in this process, over a world: comment, prediction and alert ids.
async fn whole_way<W: World>(world: W, schedule_event: &str, comments: u64) -> [BTreeSet<String>; 3] {
    let system = System::new(filled(world).await, &[("POLICY", "0.7")]);
    system.generate(&invocation(schedule_event, comments), "request-1").await.expect("generates");
    for drained in [system.score().await, system.publish().await] {
        assert_eq!((drained.given_up, drained.last_error), (0, None));
    }
    let audit = Audit::of(&system.world).await;
    let broken = [audit.broken_in_scoring(), audit.broken_in_alerting(publish_alerts::Condition::Probability(0.7))];
    assert_eq!(broken.concat(), [""; 0]);
    [set(audit.comment_ids()), set(audit.prediction_ids()), set(audit.alert_ids())]
}

/// The comment events on the stream. (An audit would take alerts off the queue that a later one is to find there.)
async fn comment_ids(world: &LocalWorld) -> BTreeSet<String> {
    let records = world.records(Which::Comments).await.into_iter();
    let events = records.filter_map(|record| serde_json::from_slice::<Value>(&record.data).ok());
    events.filter_map(|event| Some(event["id"].as_str()?.to_owned())).collect()
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn handlers_over_kinesis_s3_and_sns_give_the_ids_that_they_give_in_memory() {
    let (_, world) = deployed().await;
    let own = LocalWorld::new(world.sdk, "modstream-test-scenario", 3).await;
    let on_the_stack = Box::pin(whole_way(own, "e-scenario", 420)).await;
    assert_eq!(on_the_stack[0].len(), 420);
    assert!(!on_the_stack[2].is_empty());
    assert_eq!(whole_way(MemoryWorld::new(1, 100), "e-scenario", 420).await, on_the_stack);
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn a_thousand_comments_pass_the_deployed_functions_under_the_ids_of_the_memory_world() {
    let (stack, world) = deployed().await;
    let answer = invoke(&stack, &world, "generate-comments", &invocation("e-thousand", 1000)).await;
    assert_eq!(answer.expect("generates")["comments"], 1000);
    let comments = generated("e-thousand", 1000);
    until_predicted(&world, &comments).await;

    let [in_memory, predicted, _] = whole_way(MemoryWorld::new(2, 100), "e-thousand", 1000).await;
    assert_eq!(set(comments.clone()), in_memory);
    let found = predictions(&world).await;
    assert_eq!(comments.iter().flat_map(|id| found[id].clone()).collect::<BTreeSet<_>>(), predicted);

    // A repeat of the schedule event, as Lambda's own: no new id.
    let before = (found.len(), comment_ids(&world).await.len());
    let answer = invoke(&stack, &world, "generate-comments", &invocation("e-thousand", 1000)).await;
    assert_eq!(answer.expect("generates")["comments"], 1000);
    put(&world, Which::Comments, vec![("k".to_owned(), comment_event(9_000))]).await;
    until_predicted(&world, &[comment_event_id(9_000)]).await;
    let after = (predictions(&world).await.len(), comment_ids(&world).await.len());
    assert_eq!(after, (before.0 + 1, before.1 + 1));
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn bad_records_of_every_kind_end_in_quarantine_and_good_ones_pass() {
    let (_, world) = deployed().await;
    let kinds = [
        (Which::Comments, "comments", bad_comments(20_000)),
        (Which::Predictions, "predictions", bad_predictions(30_000)),
    ];
    for (which, name, bad) in kinds {
        assert!(bad.len() >= 20);
        let mut records = Vec::new();
        for (number, bad) in bad.iter().enumerate() {
            let key = format!("k{}", number % 5);
            records.push((key.clone(), bad.data.clone()));
            records.push((
                key,
                match which {
                    Which::Comments => comment_event(10_000 + number),
                    Which::Predictions => prediction_event(11_000 + number, 0.95),
                },
            ));
        }
        if which == Which::Predictions {
            // What the good ones are about.
            let about = (0..bad.len()).map(|number| (format!("k{}", number % 5), comment_event(11_000 + number)));
            put(&world, Which::Comments, about.collect()).await;
        }
        put(&world, which, records).await;
        let stream = match which {
            Which::Comments => world.names.comments.clone(),
            Which::Predictions => world.names.predictions.clone(),
        };
        let prefix = format!("quarantine/{stream}/");
        until(&format!("{} bad {name} are in quarantine", bad.len()), LIMIT, async || {
            let kept = world.objects().list(&prefix).await.ok()?;
            (kept.len() == bad.len()).then_some(())
        })
        .await;
        let records = world.records(which).await;
        for bad in &bad {
            let record = records.iter().find(|record| record.data == bad.data).expect("it is on the stream");
            let key = format!("{prefix}{}/{}.json", record.shard_id, record.sequence_number);
            let kept = world.versions(&key).await;
            let entry: Value =
                serde_json::from_slice(kept.last().unwrap_or_else(|| panic!("{}: not kept", bad.name))).expect("JSON");
            assert_eq!(entry["data"]["reason"], bad.reason.as_str(), "{}: {entry}", bad.name);
        }
        if which == Which::Comments {
            let good: Vec<String> = (0..bad.len()).map(|number| comment_event_id(10_000 + number)).collect();
            until_predicted(&world, &good).await;
        }
    }
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn a_sample_payload_invokes_a_deployed_function() {
    let (stack, world) = deployed().await;
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/samples");
    let mut command = Command::new(&stack.cargo_lambda);
    command.args(["lambda", "invoke", "--remote", "--endpoint-url", &stack.endpoint, "--region", "us-east-1"]);
    command.args(["--data-file", &format!("{samples}/generate.json"), &stack.function("generate-comments")]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let before = world.records(Which::Comments).await.len();
    let output = command.output().expect("cargo-lambda runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("\"comments\":10"), "{output:?}");
    assert!(world.records(Which::Comments).await.len() >= before + 10);
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn live_comments_enter_with_the_command() {
    let (stack, world) = deployed().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("live.jsonl");
    let lines: String = (0..50)
        .map(|number| format!("{{\"id\":\"live{number}\",\"subreddit\":\"science\",\"body\":\"live {number}\"}}\n"))
        .collect();
    std::fs::write(&file, lines).expect("written");
    for _ in 0..2 {
        let sent =
            said(stack.modstream().args(["send", "--source", "urn:example:live", "--json", "--input"]).arg(&file));
        let sent: Value = serde_json::from_str(&sent).expect("a line of JSON");
        assert_eq!(sent["sent"], 50, "{sent}");
    }
    let sent: Vec<String> = (0..50)
        .map(|number| {
            let version = ids::text_version(&format!("live {number}"), 0);
            ids::comment("urn:example:live", &format!("live{number}"), &version).to_string()
        })
        .collect();
    until_predicted(&world, &sent).await;
}
