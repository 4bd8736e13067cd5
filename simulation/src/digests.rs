//! The digests of what a run left in the ledger, with faults of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use digest_alerts::{Config, DigestAlerts, DigestRules, Links};
use jiff::{SignedDuration, Timestamp};
use modstream_digests::{Digests, Requested};
use modstream_events::{Alert, Event};
use modstream_ledger::{Hour, Reader};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTopic};
use modstream_platform::{Clock, Objects};

use crate::faults::{Effect, Faults, Process};
use crate::plan::Plan;
use crate::services::Faulty;
use crate::world::World;

type Function = DigestAlerts<Faulty<MemoryTopic>, Faulty<MemoryObjects>, Faulty<MemoryClock>>;

/// When the schedule is due, by event time.
const DUE: [&str; 3] = ["2026-01-05T10:01:00Z", "2026-01-05T10:06:00Z", "2026-01-05T10:11:00Z"];
/// When nothing goes wrong any more.
const LAST: &str = "2026-01-05T10:16:00Z";
/// Lambda makes an asynchronous invocation three times.
const ATTEMPTS: usize = 3;
/// What the function is told it has.
const TIME: Duration = Duration::from_secs(60);
/// Sets the digests' faults apart from the run's.
const SEED: u64 = 0x6469_6765_7374;

/// Runs the schedule over a world, and says what it broke: each alert is in one digest, there is one a subreddit and window,
/// and none is sent after it was recorded as sent.
pub(crate) async fn broken(world: &World, plan: &Plan) -> Vec<String> {
    let faults = Faults::new(&Plan::of_seed(plan.seed ^ SEED), world.clock, |_| String::new());
    let mut warm = None;
    for due in DUE {
        for _ in 0..ATTEMPTS {
            if invoke(world, &faults, &mut warm, due).await.is_ok() {
                break;
            }
        }
    }
    faults.end();
    let mut broken = Vec::new();
    for _ in 0..2 {
        let before = faults.effects().len();
        match invoke(world, &faults, &mut warm, LAST).await {
            Ok(digests) if digests == published(&faults.effects()[before..]) => {}
            Ok(digests) => broken.push(format!("digests: {digests} sent, and the topic took another number")),
            Err(error) => broken.push(format!("digests: nothing goes wrong, and it fails: {error}")),
        }
    }
    if invoke(world, &faults, &mut warm, LAST).await != Ok(0) {
        broken.push("digests: a repeat sends something".to_owned());
    }
    broken.extend(broken_in_effects(&faults.effects()));
    broken.extend(broken_in_bucket(world).await);
    broken
}

/// One invocation, in the warm environment if there is one: how many digests were sent.
async fn invoke(
    world: &World,
    faults: &Faults,
    warm: &mut Option<(Process, Function)>,
    due: &str,
) -> Result<usize, String> {
    let (process, function) = warm.take().unwrap_or_else(|| start(world, faults));
    let deadline = world.clock.now() + TIME;
    let payload = format!(r#"{{"time":"{due}"}}"#);
    let rules = |_: &str, _| DigestRules::default();
    let answer = process.live(function.handle(payload.as_bytes(), deadline, rules)).await.ok_or("crashed")?;
    *warm = Some((process, function));
    answer.map(|digested| digested.digests).map_err(|error| error.to_string())
}

fn start(world: &World, faults: &Faults) -> (Process, Function) {
    let config = Config {
        digests_topic_arn: "digests".to_owned(),
        bucket: "bucket".to_owned(),
        window: SignedDuration::from_mins(5),
        allowed_lateness: SignedDuration::from_mins(1),
        decisions_stream: None,
        links: None,
    };
    let process = Process::default();
    let topic = Faulty::new(MemoryTopic::new("digests"), faults, &process);
    let objects = Faulty::new(world.objects.clone(), faults, &process);
    let clock = Faulty::new(world.clock, faults, &process);
    let function = DigestAlerts::new(&config, topic, objects, clock, Links::none());
    (process, function.expect("five minutes are a length"))
}

fn published(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Published { .. })).count()
}

fn broken_in_effects(effects: &[Effect]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut requested: BTreeSet<&str> = BTreeSet::new();
    let mut sent: BTreeSet<&str> = BTreeSet::new();
    for effect in effects {
        match effect {
            Effect::Written { key } => {
                let mut parts = key.rsplit('/');
                let (name, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let _ = if name == "sent.json" { sent.insert(id) } else { requested.insert(id) };
            }
            Effect::Published { id, .. } => {
                if !requested.contains(id.as_str()) {
                    broken.push(format!("digest {id} was published before it was requested"));
                }
                if sent.contains(id.as_str()) {
                    broken.push(format!("digest {id} was published after its sent.json"));
                }
            }
            _ => {}
        }
    }
    broken
}

fn makes_no_digest(bytes: &[u8]) -> bool {
    Event::<'_, Alert<'_>>::decode(bytes).is_ok_and(|alert| alert.data.exploration.is_some() || alert.data.probe)
}

async fn broken_in_bucket(world: &World) -> Vec<String> {
    let World { objects, clock, .. } = world;
    let deadline = clock.now() + TIME;
    let last: Timestamp = LAST.parse().expect("a time");
    let first = last - digest_alerts::LOOK_BACK;
    let mut broken = Vec::new();
    for key in objects.list(modstream_digests::PREFIX).await.expect("the memory bucket lists") {
        if objects.versions(&key).len() > 1 {
            broken.push(format!("{key} was written more than once"));
        }
    }
    let digests = Digests::new(objects, clock, deadline);
    let mut windows: BTreeMap<_, usize> = BTreeMap::new();
    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    for entry in digests.between(Hour::of(first), Hour::of(last)).await.expect("the memory bucket lists") {
        if !entry.is_sent {
            broken.push(format!("digest {} was not sent", entry.id));
        }
        match digests.requested(entry.hour, &entry.id).await {
            Ok(Some(digest)) => {
                digest.covered().for_each(|alert| *covered.entry(alert.id.clone()).or_default() += 1);
                let Requested { subreddit, start, .. } = digest;
                *windows.entry((subreddit, start)).or_default() += 1;
            }
            other => broken.push(format!("digest {}: {other:?}", entry.id)),
        }
    }
    broken.extend(windows.iter().filter(|(_, count)| **count > 1).map(|(of, _)| format!("{of:?} has two digests")));
    let reader = Reader::new(objects, clock, deadline);
    for hour in Hour::between(first, last) {
        for alert in reader.hour(hour).await.expect("the memory bucket lists") {
            match covered.get(&alert.id).copied().unwrap_or_default() {
                1 => {}
                // An exploration goes with an alert's digest, and makes none alone; a probe is in none.
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
