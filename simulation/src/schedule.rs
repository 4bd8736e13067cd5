//! The schedule of the digests.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use modstream_platform::Clock as _;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::plan::{Function, Incident, Plan, SCHEDULED_RUNS};
use crate::world::World;

/// Lambda makes an asynchronous invocation three times
/// ([reference](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)).
const RETRY_PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// When an attempt at a decision that is in no log is dropped.
const ATTEMPTS_ARE_DROPPED_AFTER: Duration = Duration::from_secs(2 * 3_600);

/// Does every run of the schedule that a plan has, at its time.
pub(crate) async fn work(plan: &Plan, lambda: &Lambda, faults: &Faults) {
    let start = Instant::now();
    let runs = plan.incidents.iter().filter_map(|incident| match *incident {
        Incident::Digest { at, run } => Some(async move {
            sleep_until(start + at).await;
            digest(lambda, faults, run).await;
        }),
        _ => None,
    });
    join_all(runs).await;
}

async fn digest(lambda: &Lambda, faults: &Faults, run: usize) {
    faults.count("digests due");
    let payload = payload(due(run));
    if lambda.invoke(Function::Digest, payload.clone()).await.is_ok() {
        return;
    }
    for pause in RETRY_PAUSES {
        sleep(pause).await;
        faults.count("digests due, invoked again");
        if lambda.invoke(Function::Digest, payload.clone()).await.is_ok() {
            return;
        }
    }
}

/// When a run of the schedule is due, by event time: five minutes apart.
fn due(run: usize) -> Timestamp {
    let first: Timestamp = "2026-01-05T10:01:00Z".parse().expect("a time");
    first + SignedDuration::from_mins(5) * i32::try_from(run).unwrap_or(i32::MAX)
}

/// When the schedule is due first after the window of `now` is complete.
fn due_after(now: Timestamp) -> Timestamp {
    let due = (SCHEDULED_RUNS..).map(due).find(|due| due.duration_since(now) > SignedDuration::from_mins(6));
    due.unwrap_or(now)
}

fn payload(due: Timestamp) -> Vec<u8> {
    json!({ "time": due }).to_string().into_bytes()
}

/// Sends what is left, where nothing goes wrong any more. Says what that broke: it works, a repeat sends nothing, and the outbox
/// of the decisions is emptied. And when the schedule was due last.
pub(crate) async fn finish(world: &World, lambda: &Lambda) -> (Timestamp, Vec<String>) {
    let mut broken = Vec::new();
    let last_due = due_after(world.clock.now());
    let mut send = async || {
        let answer = lambda.run(Function::Digest, payload(last_due)).await;
        let sent = answer.and_then(|bytes| serde_json::from_slice::<usize>(&bytes).map_err(|error| error.to_string()));
        sent.unwrap_or_else(|error| {
            broken.push(format!("digests: nothing goes wrong, and they fail: {error}"));
            0
        })
    };
    send().await;
    world.clock.sleep(ATTEMPTS_ARE_DROPPED_AFTER).await;
    if send().await > 0 {
        broken.push("digests: a repeat sends something".to_owned());
    }
    (last_due, broken)
}
