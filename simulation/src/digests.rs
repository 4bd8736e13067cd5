//! The digests of what a run left in the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::{Alert, Event};
use modstream_ledger::digests::{Digest, Digests};
use modstream_ledger::{Hour, Reader};
use modstream_platform::{Clock, Objects};

use crate::lambda::Lambda;
use crate::moderators::{due_payload, run_due};
use crate::plan::{Function, RUNS_DUE};
use crate::world::World;

/// When an attempt at a decision that is in no log is dropped.
const LATER: Duration = Duration::from_secs(2 * 3_600);

/// Sends what is left, where nothing goes wrong any more. Says what that broke: it works, a repeat sends nothing, and the outbox
/// of the decisions is emptied.
pub(crate) async fn finish(world: &World, lambda: &Lambda) -> Vec<String> {
    let mut broken = Vec::new();
    let mut send = async || {
        let answer = lambda.run(Function::Digest, due_payload(last())).await;
        let sent = answer.and_then(|bytes| serde_json::from_slice::<usize>(&bytes).map_err(|error| error.to_string()));
        sent.unwrap_or_else(|error| {
            broken.push(format!("digests: nothing goes wrong, and they fail: {error}"));
            0
        })
    };
    send().await;
    world.clock.sleep(LATER).await;
    if send().await > 0 {
        broken.push("digests: a repeat sends something".to_owned());
    }
    broken
}

/// Due after all windows of a run.
fn last() -> Timestamp {
    run_due(RUNS_DUE)
}

/// What is broken in the bucket: each alert is in one digest, there is one a subreddit and window, and each was sent.
pub(crate) async fn broken(world: &World) -> Vec<String> {
    let World { objects, clock, .. } = world;
    let deadline = Timestamp::MAX;
    let last = last();
    let first = last - digest_alerts::LOOK_BACK;
    let mut broken = Vec::new();
    for key in objects.list(modstream_ledger::digests::PREFIX).await.expect("the memory bucket lists") {
        if objects.versions(&key).len() > 1 {
            broken.push(format!("{key} was written more than once"));
        }
    }
    let digests = Digests::new(objects, clock, deadline);
    let mut windows: BTreeMap<_, usize> = BTreeMap::new();
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    let listed = digests.between(Hour::of(first), Hour::of(last)).await.expect("the memory bucket lists");
    for key in &listed.windows {
        for digest in digests.window(key).await.expect("a window").expect("there") {
            if !listed.sent.contains(&digest.id()) {
                broken.push(format!("the digest {} was not sent", digest.id()));
            }
            digest.covered().for_each(|alert| *covered.entry(alert.id.clone()).or_default() += 1);
            let Digest { subreddit, start, .. } = digest;
            *windows.entry((subreddit, start)).or_default() += 1;
        }
    }
    broken.extend(windows.iter().filter(|(_, count)| **count > 1).map(|(of, _)| format!("{of:?} has two digests")));
    let reader = Reader::new(objects, clock, deadline);
    for hour in Hour::between(first, last) {
        for alert in reader.hour(hour).await.expect("the memory bucket lists") {
            match covered.get(&alert.id).copied().unwrap_or_default() {
                1 => {}
                // An exploration goes with an alert's digest, and makes none alone.
                0 if reader
                    .alert(hour, &alert.id)
                    .await
                    .is_ok_and(|bytes| bytes.is_some_and(|it| makes_no_digest(&it))) => {}
                count => broken.push(format!("alert {} is in {count} digests", alert.id)),
            }
        }
    }
    broken
}

fn makes_no_digest(bytes: &[u8]) -> bool {
    Event::<'_, Alert<'_>>::decode(bytes).is_ok_and(|alert| alert.data.exploration.is_some())
}
