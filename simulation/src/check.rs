//! What must hold after any run.

use std::collections::{BTreeMap, BTreeSet};

use modstream_archive::{Content, Reader};
use modstream_ledger::digests::Digest;
use modstream_platform::Objects;
use modstream_platform::memory::{MemoryObjects, MemoryStream, Notification};
use modstream_tests::{Audit, Notice, StoredRecord};
use publish_alerts::Condition;

use crate::faults::Effect;
use crate::lambda::POLICY;
use crate::policies;
use crate::world::World;

/// What was put back after it had been given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Redriven {
    pub(crate) put_back: usize,
    /// Stream and sequence number of records that are bad, and lie in an on-failure object.
    pub(crate) still_bad: BTreeSet<(String, String)>,
    pub(crate) failed: Vec<String>,
}

pub(crate) async fn broken(
    world: &World,
    document: Option<usize>,
    effects: &[Effect],
    notices: &[Notification],
    redriven: &Redriven,
) -> Vec<String> {
    let mut broken = redriven.failed.clone();
    let audit = audit(world, notices, redriven).await;
    broken.extend(audit.broken_in_scoring());
    match document {
        Some(number) => broken.extend(policies::broken(&audit, &world.objects, &policies::document(number)).await),
        None => {
            let condition: Condition = POLICY.parse().expect("a policy");
            broken.extend(audit.broken_in_alerting(condition));
        }
    }
    broken.extend(broken_in_effects(effects, &digests_by_window(&world.objects).await));
    broken.extend(broken_in_ledger(&world.objects).await);
    broken.extend(broken_in_archive(world, &audit.comments).await);
    broken
}

async fn audit(world: &World, notices: &[Notification], redriven: &Redriven) -> Audit {
    let mut objects = BTreeMap::new();
    for prefix in ["quarantine/", "alerts/"] {
        for key in world.objects.list(prefix).await.expect("the memory bucket lists") {
            let contents = world.objects.versions(&key);
            objects.insert(key, contents);
        }
    }
    Audit {
        comments_stream: "comments".to_owned(),
        predictions_stream: "predictions".to_owned(),
        comments: records(&world.comments),
        predictions: records(&world.predictions),
        objects,
        notices: notices
            .iter()
            .map(|notice| Notice { body: notice.body.clone(), attributes: notice.attributes.clone() })
            .collect(),
        settled_elsewhere: redriven.still_bad.clone(),
        keeps_order: redriven.put_back == 0,
        may_withhold: BTreeSet::new(),
    }
}

/// In the order of their sequence numbers, which are the whole stream's.
fn records(stream: &MemoryStream) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    for shard_id in stream.shard_ids() {
        let of_shard = stream.get_records(&shard_id, None, usize::MAX).expect("the shard is there");
        all.extend(of_shard.iter().map(|record| StoredRecord {
            shard_id: shard_id.clone(),
            sequence_number: record.sequence_number.clone(),
            partition_key: record.partition_key.clone(),
            data: record.data.clone(),
        }));
    }
    all.sort_by(|one, other| one.sequence_number.cmp(&other.sequence_number));
    all
}

/// The ids of digests, by the key of their window.
async fn digests_by_window(objects: &MemoryObjects) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for key in objects.list(modstream_ledger::digests::PREFIX).await.expect("the memory bucket lists") {
        let content = objects.versions(&key).pop().unwrap_or_default();
        if let Ok(digests) = serde_json::from_slice::<Vec<Digest>>(&content) {
            found.insert(key, digests.iter().map(Digest::id).collect());
        }
    }
    found
}

/// What happened in which order.
fn broken_in_effects(effects: &[Effect], digests: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    // By invocation: how many records each comment event has, and when it began.
    let mut batches: BTreeMap<u64, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    let mut versions: BTreeMap<u64, &str> = BTreeMap::new();
    let mut stored: BTreeMap<(u64, &str), usize> = BTreeMap::new();
    let mut published: BTreeSet<(u64, &str)> = BTreeSet::new();
    let mut requested: BTreeSet<&str> = BTreeSet::new();
    // Those that are sent or withheld, and since when.
    let mut settled: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (time, effect) in effects.iter().enumerate() {
        match effect {
            Effect::Began { invocation, comment_events, .. } => {
                let mut records = BTreeMap::new();
                for id in comment_events {
                    *records.entry(id.as_str()).or_default() += 1;
                }
                batches.insert(*invocation, (time, records));
            }
            Effect::Stored { invocation, comment_event, id, version, told } => {
                if *versions.entry(*invocation).or_insert(version) != version.as_str() {
                    broken.push(format!("invocation {invocation} scored with two models"));
                }
                let records = batches.get(invocation).and_then(|(_, records)| records.get(comment_event.as_str()));
                let before = stored.entry((*invocation, id)).or_default();
                if *before >= records.copied().unwrap_or_default() {
                    broken
                        .push(format!("invocation {invocation} put prediction {id} again, and knew that it is stored"));
                }
                *before += usize::from(*told);
            }
            Effect::Written { key } if digests.contains_key(key) => {
                requested.extend(digests[key].iter().map(String::as_str));
            }
            Effect::Written { key } => {
                let Some((folder, name)) = key.rsplit_once('/') else { continue };
                let id = folder.rsplit('/').next().unwrap_or_default();
                match name {
                    "requested.json" => drop(requested.insert(id)),
                    "sent.json" | "withheld.json" => drop(settled.entry(id).or_insert((time, name))),
                    _ => {}
                }
            }
            Effect::Published { invocation, id, told } => {
                if !requested.contains(id.as_str()) {
                    broken.push(format!("{id} was published before the ledger knew of it"));
                }
                let began = batches.get(invocation).map_or(0, |(began, _)| *began);
                if let Some((_, name)) = settled.get(id.as_str()).filter(|(time, _)| *time < began) {
                    broken.push(format!("{id} was published by an invocation that began after its {name}"));
                }
                if published.contains(&(*invocation, id.as_str())) {
                    broken.push(format!("invocation {invocation} published {id} again, and knew that it is published"));
                }
                if *told {
                    published.insert((*invocation, id));
                }
            }
            Effect::Answered { invocation, late: true } => {
                broken.push(format!("invocation {invocation} answered after its deadline"));
            }
            Effect::Answered { late: false, .. } => {}
        }
    }
    broken
}

/// An object of the ledger has one content, for ever.
async fn broken_in_ledger(objects: &MemoryObjects) -> Vec<String> {
    let keys = objects.list("alerts/").await.expect("the memory bucket lists");
    let changed = keys.into_iter().filter(|key| objects.versions(key).len() > 1);
    changed.map(|key| format!("{key} was written more than once")).collect()
}

/// Every record of the comments' stream lies in the archive as it came, under its place or, put back, under a later one.
async fn broken_in_archive(world: &World, comments: &[StoredRecord]) -> Vec<String> {
    let (from, to) = ("2026-01-05T00:00:00Z", "2026-02-05T00:00:00Z");
    let (from, to) = (from.parse().expect("a time"), to.parse().expect("a time"));
    let mut reader = match Reader::open(&world.objects, &world.clock, "comments", from, to).await {
        Ok(reader) => reader,
        Err(error) => return vec![format!("the archive: {error}")],
    };
    let mut broken = Vec::new();
    let mut archived: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    loop {
        match reader.next().await {
            Ok(Some(stored)) => {
                let number = stored.record.sequence_number.clone();
                let Content::Data(bytes) = stored.record.content else { continue };
                if archived.insert(number.clone(), bytes).is_some() {
                    broken.push(format!("the archive's reader gave record {number} twice"));
                }
            }
            Ok(None) => break,
            Err(error) => return vec![format!("the archive: {error}")],
        }
    }
    broken.extend(reader.unreadable().iter().map(|object| format!("{}: {}", object.key, object.error)));
    let contents: BTreeSet<&Vec<u8>> = archived.values().collect();
    for record in comments {
        let lies_there = archived.get(&record.sequence_number).is_some_and(|bytes| *bytes == record.data);
        let was_put_back = contents.contains(&record.data);
        if !lies_there && !was_put_back {
            broken.push(format!("comment record {} is not in the archive", record.sequence_number));
        }
    }
    broken
}
