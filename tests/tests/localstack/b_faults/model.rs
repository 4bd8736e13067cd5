use std::sync::{Arc, Mutex, PoisonError};

use modstream_classifier::artifact::{MANIFEST, Manifest, ModelFiles, TENSORS};
use modstream_platform::{Condition, Objects};
use modstream_tests::localstack::{Call, LocalWorld, Mishap};
use modstream_tests::{MODEL_NAME, World, harsher, install, model_files};

use super::{LOOK, Run};

fn version(files: &ModelFiles) -> String {
    let (_, manifest) = files.iter().find(|(name, _)| *name == MANIFEST).expect("a model has one");
    Manifest::from_bytes(manifest).expect("a manifest").version
}

/// Promotes a model with a damaged file. The command would refuse to push it.
async fn promote_damaged(world: &LocalWorld, files: &ModelFiles) {
    let put = async |key: String, bytes: Vec<u8>| {
        // An idle connection may be closed at the moment it is used: who gets no answer asks again, as the command does.
        while let Err(error) = world.objects().put(&key, bytes.clone().into(), Condition::Always).await {
            assert!(error.kind.is_transient(), "the bucket takes it: {error:?}");
        }
    };
    let version = version(files);
    for (name, bytes) in files.iter() {
        let mut bytes = bytes.to_vec();
        if name == TENSORS {
            bytes[100] ^= 1;
        }
        put(format!("models/{MODEL_NAME}/{version}/{name}"), bytes).await;
    }
    put(format!("models/{MODEL_NAME}/current.json"), format!("{{\"version\":\"{version}\"}}").into_bytes()).await;
}

/// Sends a few comments a second until it is so. A scorer looks for another model once a minute, and only when it works.
async fn send_until(run: &mut Run, what: &str, is: impl AsyncFn(&Run) -> bool) {
    let started = std::time::Instant::now();
    loop {
        run.look().await;
        if is(run).await {
            return;
        }
        assert!(started.elapsed() < run.limit(), "waited {:?} until {what}; {}", run.limit(), run.state());
        let most = if run.sent.len() as u64 * 10 < run.all * 9 { run.all / 200 } else { 1 };
        run.send(most).await;
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn a_damaged_model_that_is_promoted_under_traffic_is_refused_and_a_good_one_is_used() {
    let (bad, good) = (harsher(&model_files(), 1.0), harsher(&model_files(), 2.0));
    let (old, bad_version, good_version) = (version(&model_files()), version(&bad), version(&good));
    let fetched = Arc::new(Mutex::new(0_u64));
    let (seen, damaged) = (Arc::clone(&fetched), format!("/models/{MODEL_NAME}/{bad_version}/{TENSORS}"));
    let plan = move |call: &Call<'_>| {
        let is_damaged = call.request.method == "GET" && call.request.target.contains(&damaged);
        *seen.lock().unwrap_or_else(PoisonError::into_inner) += u64::from(is_damaged);
        Mishap::None
    };
    let fetches = || *fetched.lock().unwrap_or_else(PoisonError::into_inner);
    let mut run = Run::start("model", Arc::new(plan)).await;
    run.send_bad().await;
    let comments = run.send(run.all / 5).await;
    run.until_predicted(&comments).await;

    promote_damaged(run.world(), &bad).await;
    send_until(&mut run, "the damaged model is fetched", async |_| fetches() > 0).await;
    let comments = run.send(run.all / 10).await;
    run.until_predicted(&comments).await;
    let by =
        |run: &Run, wanted: &str| run.predicted.values().flatten().filter(|(version, _)| version == wanted).count();
    let (kept, every) = (by(&run, &old), run.predicted.values().flatten().count());
    assert_eq!(kept, every, "the old model scores on");

    assert_eq!(install(run.world(), &good).await, good_version);
    send_until(&mut run, "the good model is used", async |run| by(run, &good_version) > 0).await;
    let left = run.all.saturating_sub(run.sent.len() as u64).max(run.all / 20);
    let comments = run.send(left).await;
    run.until_predicted(&comments).await;
    let last: Vec<&str> =
        comments.iter().flat_map(|id| &run.predicted[id]).map(|(version, _)| version.as_str()).collect();
    assert!(last.iter().all(|version| *version == good_version), "{last:?}");
    assert_eq!(by(&run, &bad_version), 0);
    let (old, new, fetches) = (by(&run, &old), by(&run, &good_version), fetches());
    run.settle(&format!(
        "damaged model fetched {fetches} times, then a good one: {old} scored by the old, {new} by the new"
    ))
    .await;
}
