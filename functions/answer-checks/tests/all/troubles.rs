//! What goes wrong behind an answer, and whose matter that is.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use modstream_platform::{CallErrorKind, Clock as _, Fetched, Objects as _};
use serde_json::{Value, json};

use crate::world::{World, payload};

const ANALYZE: &str = "/v1alpha1/comments:analyze";
const SUGGEST: &str = "/v1alpha1/comments:suggestscore";

fn analyzed() -> Value {
    json!({ "comment": { "text": "You are an idiot." }, "requestedAttributes": { "TOXICITY": {} }, "clientToken": "t" })
}

fn suggested() -> Value {
    json!({
        "comment": { "text": "x" }, "attributeScores": { "TOXICITY": { "summaryScore": { "value": 1 } } }, "clientToken": "t",
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_analysed_is_a_comment_once_and_its_answer_holds_without_the_stream() {
    let world = World::with_models().await;
    let (function, key) = (world.function(&[]), world.key("check").await);
    assert_eq!(function.post(ANALYZE, &key, &analyzed()).await.status, 200);
    assert_eq!(world.sent().len(), 1);
    assert_eq!(function.post(ANALYZE, &key, &analyzed()).await.status, 200);
    assert_eq!(world.sent()[0], world.sent()[1]);
    for kind in [CallErrorKind::Unavailable, CallErrorKind::OutcomeUnknown, CallErrorKind::Denied] {
        world.faults.fail("comments", kind);
        let began = world.clock.now();
        let answer = function.post(ANALYZE, &key, &analyzed()).await;
        assert_eq!((answer.status, &answer.json()["clientToken"]), (200, &json!("t")), "{kind}");
        // Whoever asks before posting does not wait for the stream.
        assert!(world.clock.now().duration_since(began).as_secs() <= 1);
        world.faults.end();
    }
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn feedback_is_an_object_of_the_bucket_or_has_no_answer() {
    let world = World::new();
    let (function, key) = (world.function(&[]), world.key("feedback").await);
    assert_eq!(function.post(SUGGEST, &key, &suggested()).await.status, 200);
    assert_eq!(function.post(SUGGEST, &key, &suggested()).await.status, 200);
    let kept = world.objects.list("feedback/").await.expect("lists");
    assert_eq!(kept.len(), 1, "the last word about a comment stands");
    assert!(matches!(world.objects.get(&kept[0], None).await, Ok(Fetched::Object { .. })));
    for (kind, status) in [(CallErrorKind::Unavailable, 503), (CallErrorKind::Denied, 500)] {
        world.faults.fail("feedback/", kind);
        assert_eq!(function.post(SUGGEST, &key, &suggested()).await.status, status);
        world.faults.end();
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_may_not_be_read_is_not_there_or_does_not_answer_is_told_apart() {
    let world = World::with_models().await;
    let key = world.key("check").await;
    let asks =
        [("/v1/check", json!({ "body": "x" })), (ANALYZE, analyzed()), ("/v1/moderations", json!({ "input": "x" }))];
    for (prefix, kind, status) in [
        ("models/rscience/", CallErrorKind::Denied, 500),
        ("models/rscience/", CallErrorKind::Unavailable, 503),
        ("policies/", CallErrorKind::Denied, 500),
        ("policies/", CallErrorKind::OutcomeUnknown, 503),
    ] {
        for (path, body) in &asks {
            let function = world.function(&[]);
            world.faults.fail(prefix, kind);
            let answer = function.post(path, &key, body).await;
            assert_eq!(answer.status, status, "{prefix}, {kind}, {path}: {answer:?}");
            assert!(!answer.body.contains("arn:aws") && !answer.body.contains("rscience"), "{answer:?}");
            world.faults.end();
            // It is looked for again by whoever asks next.
            assert_eq!(function.post(path, &key, body).await.status, 200);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_harm_model_a_check_is_answered_and_a_name_that_nothing_measures_is_not() {
    let world = World::new();
    world.promote(&["rscience"]).await;
    let (function, key) = (world.function(&[]), world.key("check").await);
    let check = function.post("/v1/check", &key, &json!({ "body": "x" })).await;
    assert_eq!((check.status, &check.json()["labels"]), (200, &json!([])));
    for (path, body) in [(ANALYZE, analyzed()), ("/v1/moderations", json!({ "input": "x" }))] {
        assert_eq!(function.post(path, &key, &body).await.status, 500, "{path}");
    }
    // Once there is one, it is found.
    world.promote(&["harm"]).await;
    world.clock.sleep(Duration::from_secs(61)).await;
    assert_eq!(function.post(ANALYZE, &key, &analyzed()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn corals_secret_may_change_and_is_missing_not_allowed_or_silent_apart() {
    let world = World::with_models().await;
    let body = include_str!("../../../../shared/pages/gateway/tests/coral.json");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let body = body["body"].as_str().expect("text");
    let signed = |secret: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let headers = [("content-type", "application/json"), ("x-coral-signature", &signature)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        payload("POST", "/coral/moderate", "", &headers, body, false)
    };
    let nobody_said = world.function(&[]).ask(&signed("one-secret")).await;
    assert_eq!((nobody_said.status, &nobody_said.json()["error"]), (503, &json!("no_secret")));
    let function = world.function(&[("CORAL_SECRET", "coral")]);
    assert_eq!(function.ask(&signed("one-secret")).await.status, 500, "the secret has no value");
    for (kind, status) in [(CallErrorKind::Denied, 500), (CallErrorKind::Unavailable, 503)] {
        world.faults.fail("coral", kind);
        let answer = function.ask(&signed("one-secret")).await;
        assert_eq!(answer.status, status);
        assert!(!answer.body.contains("arn:aws"), "{answer:?}");
        world.faults.end();
    }
    world.secrets.rotate("coral", "one-secret");
    assert_eq!(function.ask(&signed("one-secret")).await.status, 204);
    assert_eq!(function.ask(&signed("another")).await.status, 401);
    world.secrets.rotate("coral", "another");
    world.clock.sleep(Duration::from_secs(61)).await;
    // Coral changes its secret at another moment than we do.
    for secret in ["one-secret", "another"] {
        assert_eq!(function.ask(&signed(secret)).await.status, 204, "{secret}");
    }
    world.faults.fail("coral", CallErrorKind::Denied);
    world.clock.sleep(Duration::from_secs(61)).await;
    assert_eq!(function.ask(&signed("another")).await.status, 204, "what was read last still holds");
}
