//! The schedule is on too.

use std::time::Duration;

use modstream_classifier::artifact::{MANIFEST, Manifest, TENSORS};
use modstream_platform::{Condition, Objects};
use modstream_tests::localstack::{LocalWorld, until};
use modstream_tests::{MODEL_NAME, Which, World, harsher, model_files};
use serde_json::Value;

use crate::{deployed, now};

/// The times of the predictions that came after, and their models' versions.
async fn predicted_since(world: &LocalWorld, since: jiff::Timestamp) -> Vec<(jiff::Timestamp, String)> {
    let events = world.records(Which::Predictions).await.into_iter();
    events
        .filter_map(|record| serde_json::from_slice::<Value>(&record.data).ok())
        // Decisions are on the same stream.
        .filter(|event| event["type"] == "modstream.prediction.v1")
        .filter_map(|event| {
            let time = event["time"].as_str()?.parse().ok()?;
            (time > since).then(|| Some((time, event["data"]["model"]["version"].as_str()?.to_owned())))?
        })
        .collect()
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn the_rule_fires_by_itself_and_a_bad_model_promoted_meanwhile_changes_nothing_until_it_is_mended() {
    let (_, world) = deployed().await;
    let since = now();
    let first = until("comments come by themselves", Duration::from_secs(150), async || {
        predicted_since(&world, since).await.into_iter().next()
    })
    .await;
    let good = first.1;

    let bad = harsher(&model_files(), 1.0);
    let (_, manifest) = bad.iter().find(|(name, _)| *name == MANIFEST).expect("a model has one");
    let version = Manifest::from_bytes(manifest).expect("a manifest").version;
    assert_ne!(version, good);
    for (name, bytes) in bad.iter() {
        let mut bytes = bytes.to_vec();
        if name == TENSORS {
            bytes[100] ^= 1;
        }
        let key = format!("models/{MODEL_NAME}/{version}/{name}");
        world.objects().put(&key, bytes.into(), Condition::Always).await.expect("the bucket takes it");
    }
    let pointer = format!("models/{MODEL_NAME}/current.json");
    let content = format!("{{\"version\":\"{version}\"}}").into_bytes();
    world.objects().put(&pointer, content.into(), Condition::Always).await.expect("the bucket takes it");
    // The pointer is looked at once a minute, so by then it was.
    let moved = now();
    let looked = moved + Duration::from_secs(65);
    let after =
        until("comments are scored after the scorer has looked at the pointer", Duration::from_secs(150), async || {
            let after = predicted_since(&world, looked).await;
            (!after.is_empty()).then_some(after)
        })
        .await;
    assert!(after.iter().all(|(_, version)| *version == good), "{after:?}");

    // The pointer still names it: once its file is mended it is used, so it was looked at all along.
    let (_, tensors) = bad.iter().find(|(name, _)| *name == TENSORS).expect("a model has them");
    let key = format!("models/{MODEL_NAME}/{version}/{TENSORS}");
    world.objects().put(&key, tensors.to_vec().into(), Condition::Always).await.expect("the bucket takes it");
    until("the mended model is used", Duration::from_secs(150), async || {
        predicted_since(&world, looked).await.into_iter().find(|(_, used)| *used == version)
    })
    .await;
}
