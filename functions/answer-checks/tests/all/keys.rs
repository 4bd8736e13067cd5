//! Who is let in.

use std::time::Duration;

use modstream_platform::{CallErrorKind, Clock as _};
use serde_json::json;

use crate::world::World;

const ANALYZE: &str = "/v1alpha1/comments:analyze";
const SUGGEST: &str = "/v1alpha1/comments:suggestscore";

#[tokio::test(start_paused = true)]
async fn without_any_key_nobody_is_let_in_and_every_answer_says_how_one_is_made() {
    let world = World::with_models().await;
    let function = world.function(&[]);
    for (path, role, status) in [
        ("/v1/check", "check", 401),
        ("/v1/comments", "send", 401),
        (ANALYZE, "check", 400),
        (SUGGEST, "feedback", 400),
        ("/v1/moderations", "check", 401),
    ] {
        for key in ["", "a-key-of-somebodys", "ms_000000000000_x"] {
            let answer = function.post(path, key, &json!({ "body": "x" })).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            assert!(answer.body.contains(&format!("modstream key create --role {role}")), "{path}: {answer:?}");
        }
    }
    assert_eq!(world.sent(), [""; 0]);
    // What says how to ask is for everybody.
    assert_eq!(function.get("/openapi.json").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_is_let_in_by_nobody_half_a_minute_later_and_is_read_no_more_often_than_that() {
    let world = World::with_models().await;
    let function = world.function(&[]);
    let key = world.key_for("check", 6_000).await;
    let status = async || function.post("/v1/check", &key.key, &json!({ "body": "x" })).await.status;
    for _ in 0..20 {
        assert_eq!(status().await, 200);
    }
    assert_eq!(world.asked("GetObject keys/"), 1);
    // Whoever knows a key's name has no key.
    let forged = format!("{}x", key.key);
    assert_eq!(function.post("/v1/check", &forged, &json!({ "body": "x" })).await.status, 401);
    assert!(world.store().revoke(&key.record.id).await.expect("revoked"));
    world.clock.sleep(Duration::from_secs(31)).await;
    assert_eq!(status().await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_made_later_is_let_in_at_once() {
    let world = World::with_models().await;
    let function = world.function(&[]);
    assert_eq!(function.post("/v1/check", "", &json!({ "body": "x" })).await.status, 401);
    let key = world.key("check").await;
    assert_eq!(function.post("/v1/check", &key, &json!({ "body": "x" })).await.status, 200);
    // It is no key that is missing altogether any more.
    let other = function.post("/v1/check", "ms_000000000000_x", &json!({ "body": "x" })).await;
    assert_eq!((other.status, &other.json()["error"]), (401, &json!("invalid_api_key")));
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_its_keys_and_says_how_long_to_wait() {
    let world = World::with_models().await;
    let function = world.function(&[]);
    let (few, many) = (world.key_for("check,feedback", 3).await.key, world.key("check").await);
    let check = async |key: &str| function.post("/v1/check", key, &json!({ "body": "x" })).await;
    for _ in 0..3 {
        assert_eq!(check(&few).await.status, 200);
    }
    let over = check(&few).await;
    assert_eq!((over.status, &over.json()["error"]), (429, &json!("rate_limit_exceeded")));
    assert_eq!(over.header("retry-after").as_deref(), Some("20"));
    assert_eq!(check(&many).await.status, 200);
    world.clock.sleep(Duration::from_secs(20)).await;
    assert_eq!(check(&few).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn keys_that_may_not_be_read_are_not_there_or_do_not_answer_are_three_things() {
    let world = World::with_models().await;
    let key = world.key("check,send,feedback").await;
    for (kind, status, word) in [
        (CallErrorKind::Denied, 500, "log"),
        (CallErrorKind::Unavailable, 503, "again"),
        (CallErrorKind::OutcomeUnknown, 503, "again"),
    ] {
        for path in ["/v1/check", "/v1/comments", ANALYZE, SUGGEST, "/v1/moderations"] {
            let function = world.function(&[]);
            world.faults.fail("keys/", kind);
            let answer = function.post(path, &key, &json!({ "body": "x" })).await;
            assert_eq!(answer.status, status, "{path}, {kind}: {answer:?}");
            assert_eq!(answer.header("retry-after").is_some(), status == 503, "{answer:?}");
            assert!(answer.body.contains(word) && !answer.body.contains("arn:aws"), "{answer:?}");
            world.faults.end();
        }
    }
    let function = world.function(&[]);
    assert_eq!(function.post("/v1/check", "ms_000000000000_x", &json!({ "body": "x" })).await.status, 401);
    assert_eq!(function.post("/v1/check", &key, &json!({ "body": "x" })).await.status, 200);
    assert_eq!(world.sent(), [""; 0]);
}
