//! The deployed system on LocalStack. `cargo xtask test` starts a stack, applies `infra/`, and runs these in order: before
//! there is a model; with the mappings on; from a question to its answer; from alerts to decisions; under policies that withhold; under faults, each
//! on a copy of the functions; with the schedule on; what all of it left behind; after everything is destroyed.
//! One call in three to put records fails there, all its records or as a whole.

mod a_before_model;
mod b_asked;
mod b_decided;
mod b_faults;
mod b_moderated;
mod b_running;
mod c_scheduled;
mod d_kept;
mod e_destroyed;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::ids;
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::table::Item;
use modstream_platform::{Clock, PutRecord};
use modstream_tests::localstack::{LocalWorld, Names, Sdk, Stack, until};
use modstream_tests::{MadeUp, Which, World};
use serde_json::{Value, json};

/// The queue that hears all alerts.
const ALL_ALERTS: &str = "modstream-test-all";
/// The queue that Terraform subscribes to the urgent ones of one subreddit.
const SOME_ALERTS: &str = "modstream-test-science";
/// The longest that any of it may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The deployed system.
async fn deployed() -> (Stack, LocalWorld) {
    let stack = Stack::from_environment();
    let sdk = Sdk::at(&stack.endpoint).await;
    let names = Names {
        comments: stack.output("comments_stream"),
        predictions: stack.output("predictions_stream"),
        table: stack.output("table"),
        bucket: stack.output("bucket"),
        topic_arn: stack.output("alerts_topic_arn"),
        queue_url: format!("{}/000000000000/{ALL_ALERTS}", stack.endpoint),
    };
    (stack, LocalWorld::of(sdk, names))
}

/// The item of an alert about a made-up comment; none before it is made.
async fn alert_of(world: &LocalWorld, comment: MadeUp) -> Option<Item> {
    let partition = format!("comment#{}", comment.comment_key());
    let sort = format!("alert#{}", comment.alert_id());
    let items = world.sdk.partition(&world.names.table, &partition).await;
    items.into_iter().find(|item| item.key.sort == sort)
}

/// Invokes a function and waits for its answer, or its error and the end of its log.
async fn invoke(stack: &Stack, world: &LocalWorld, function: &str, payload: &str) -> Result<Value, String> {
    invoke_named(world, &stack.function(function), payload).await
}

/// The same by the name that the function has on the stack.
async fn invoke_named(world: &LocalWorld, name: &str, payload: &str) -> Result<Value, String> {
    use aws_sdk_lambda::types::LogType;
    use base64::Engine as _;
    let call = world.sdk.lambda.invoke().function_name(name).log_type(LogType::Tail);
    let answer = call.payload(payload.as_bytes().into()).send().await.expect("the function is there");
    let said = answer.payload.map(aws_sdk_lambda::primitives::Blob::into_inner).unwrap_or_default();
    let said: Value = serde_json::from_slice(&said).unwrap_or_default();
    if answer.function_error.is_none() {
        return Ok(said);
    }
    let log = base64::engine::general_purpose::STANDARD.decode(answer.log_result.unwrap_or_default());
    Err(format!("{said}\n{}", String::from_utf8_lossy(&log.unwrap_or_default())))
}

/// Puts records on a stream, whatever of it fails at first.
async fn put(world: &LocalWorld, which: Which, records: Vec<(String, Vec<u8>)>) {
    let records = records.into_iter().map(|(partition_key, data)| PutRecord { partition_key, data }).collect();
    let deadline = world.clock().now() + Duration::from_secs(60);
    for delivery in put_all(&world.stream(which), &world.clock(), deadline, records).await {
        assert!(matches!(delivery, Delivery::Stored { .. }), "{delivery:?}");
    }
}

/// The predictions there are: of which comment event, and how often under which id.
async fn predictions(world: &LocalWorld) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in world.records(Which::Predictions).await {
        let event: Value = serde_json::from_slice(&record.data).unwrap_or_default();
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let is_prediction = event["type"] == "modstream.prediction.v1";
        if let (true, Some(id), Some(of)) = (is_prediction, text("/id"), text("/data/comment_event/id")) {
            found.entry(of).or_default().insert(id);
        }
    }
    found
}

/// Waits until each of these comment events has a prediction: one id each.
async fn until_predicted(world: &LocalWorld, comment_events: &[String]) {
    let what = format!("{} comments have their predictions", comment_events.len());
    let found = until(&what, LIMIT, async || {
        let found = predictions(world).await;
        comment_events.iter().all(|id| found.contains_key(id)).then_some(found)
    })
    .await;
    for id in comment_events {
        assert_eq!(found[id].len(), 1, "{id}: one id");
    }
}

/// The ids of what a schedule event generates.
fn generated(schedule_event: &str, comments: u64) -> Vec<String> {
    (0..comments).map(|index| ids::generated_comment(schedule_event, index).to_string()).collect()
}

/// When invocations of these tests are due.
const TIME: &str = "2026-01-05T10:00:00Z";

/// An invocation of the generator.
fn invocation(schedule_event: &str, comments: u64) -> String {
    json!({ "id": schedule_event, "time": TIME, "comments": comments, "offset": 0, "spread_seconds": 0 }).to_string()
}

fn now() -> Timestamp {
    Timestamp::now()
}
