//! Comments in, and what becomes of those that the stream does not take.

use modstream_platform::CallErrorKind;
use serde_json::json;

use crate::world::World;

const LINES: &str = "application/x-ndjson";
const THREE: &str =
    "{\"id\":\"a\",\"body\":\"one\"}\n{\"id\":\"b\",\"body\":\"two\"}\n{\"id\":\"c\",\"body\":\"three\"}";

#[tokio::test(start_paused = true)]
async fn what_is_answered_with_202_is_on_the_stream_and_is_the_same_again() {
    let world = World::new();
    let (function, key) = (world.function(&[]), world.key("send").await);
    let once = function.post_text("/v1/comments", &key, LINES, THREE).await;
    assert_eq!((once.status, &once.json()["accepted"]), (202, &json!(3)));
    let ids = once.json()["ids"].clone();
    assert_eq!(ids, json!(world.sent()));
    // A stream knows no repeats; whoever reads it does, by the ids.
    let again = function.post_text("/v1/comments", &key, LINES, THREE).await;
    assert_eq!((again.status, &again.json()["ids"]), (202, &ids));
    assert_eq!(world.sent()[..3], world.sent()[3..]);
}

#[tokio::test(start_paused = true)]
async fn entries_that_are_throttled_are_put_again_and_each_is_there_once() {
    let world = World::new();
    let (function, key) = (world.function(&[]), world.key("send").await);
    world.throttle(2);
    let answer = function.post_text("/v1/comments", &key, LINES, THREE).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(3)), "{answer:?}");
    let (mut sent, mut named) = (world.sent(), answer.json()["ids"].as_array().expect("ids").clone());
    assert_eq!(sent.len(), 3);
    sent.sort();
    named.sort_by_key(|id| id.as_str().map(str::to_owned));
    assert_eq!(json!(sent), json!(named));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_fails_its_comments_and_tells_who_has_to_act() {
    for (kind, status) in [
        (CallErrorKind::Unavailable, 503),
        (CallErrorKind::OutcomeUnknown, 503),
        (CallErrorKind::Denied, 500),
        (CallErrorKind::Invalid, 500),
    ] {
        let world = World::new();
        let (function, key) = (world.function(&[]), world.key("send").await);
        world.faults.fail("comments", kind);
        let answer = function.post_text("/v1/comments", &key, LINES, &format!("nonsense\n{THREE}")).await;
        assert_eq!(answer.status, status, "{kind}: {answer:?}");
        let said = answer.json();
        assert_eq!((&said["accepted"], &said["ids"]), (&json!(0), &json!([])));
        let reasons: Vec<_> =
            said["refused"].as_array().expect("a list").iter().map(|entry| &entry["reason"]).collect();
        assert_eq!(reasons, ["not_json", "not_stored", "not_stored", "not_stored"]);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        assert!(!answer.body.contains("arn:aws"), "{answer:?}");
        world.faults.end();
        assert_eq!(function.post_text("/v1/comments", &key, LINES, THREE).await.status, 202);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_no_stream_takes_costs_itself_alone() {
    let world = World::new();
    let (function, key) = (world.function(&[]), world.key("send").await);
    let large = format!("{{\"id\":\"l\",\"body\":\"{}\"}}\n{THREE}", "x".repeat(2 << 20));
    let answer = function.post_text("/v1/comments", &key, LINES, &large).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(3)));
    assert_eq!(
        (&answer.json()["refused"][0]["line"], &answer.json()["refused"][0]["reason"]),
        (&json!(1), &json!("too_large"))
    );
}

#[tokio::test(start_paused = true)]
async fn comments_are_taken_without_a_model() {
    let world = World::new();
    let (function, key) = (world.function(&[]), world.key("send,check").await);
    assert_eq!(function.post("/v1/comments", &key, &json!({ "id": "a", "body": "one" })).await.status, 202);
    let check = function.post("/v1/check", &key, &json!({ "body": "x" })).await;
    assert_eq!((check.status, &check.json()["error"]), (500, &json!("broken")));
    world.promote(&["rscience", "harm"]).await;
    assert_eq!(function.post("/v1/check", &key, &json!({ "body": "x" })).await.status, 200);
}
