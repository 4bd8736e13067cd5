//! What a run left behind.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use modstream_platform::Objects as _;
use modstream_platform::memory::{MemoryObjects, MemoryStream, Notification};
use modstream_platform::table::Item;
use modstream_tests::{Audit, Notice, StoredRecord, unpacked};
use serde_json::{Value, json};

use super::json::{parse, text};
use super::policy::Policies;
use crate::facts::{OF_AN_ALERT, place};
use crate::faults::{Effect, Noted};
use crate::moderators::{Answer, SignIn};
use crate::world::World;

/// What was put back after it had been given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Redriven {
    pub(crate) put_back: usize,
    /// Stream and sequence number of records that are bad, and lie in an on-failure object.
    pub(crate) still_bad: BTreeSet<(String, String)>,
    pub(crate) failed: Vec<String>,
}

/// What a run left behind.
pub(crate) struct Evidence {
    document: Value,
    /// The contents of every object that is there but for models, and of every fact that the table's items hold, as if each were
    /// an object; oldest first.
    pub(super) objects: BTreeMap<String, Vec<Vec<u8>>>,
    /// The table's items, as they are.
    pub(super) items: Vec<Item>,
    pub(super) comments: Vec<StoredRecord>,
    pub(super) predictions: Vec<StoredRecord>,
    /// What the stream of decisions has.
    pub(super) decisions: Vec<Vec<u8>>,
    /// What the topic of alerts took.
    pub(super) notices: Vec<Notice>,
    pub(super) effects: Vec<Noted>,
    pub(super) answers: Vec<Answer>,
    pub(super) sign_ins: Vec<SignIn>,
    /// The ids of alerts that the topic refuses.
    pub(super) refused: BTreeSet<String>,
    pub(super) redriven: Redriven,
    /// When the schedule of the digests was due last.
    pub(super) last_due: Timestamp,
}

/// What others than bucket and streams know of a run.
pub(crate) struct Witnessed {
    pub(crate) notices: Vec<Notification>,
    pub(crate) effects: Vec<Noted>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) sign_ins: Vec<SignIn>,
    pub(crate) refused: BTreeSet<String>,
    pub(crate) redriven: Redriven,
    pub(crate) last_due: Timestamp,
}

impl Evidence {
    /// Reads everything back. `document` is the policies that the run went by, in JSON.
    pub(crate) async fn of(world: &World, document: &str, witnessed: Witnessed) -> Self {
        let Witnessed { notices, effects, answers, sign_ins, refused, redriven, last_due } = witnessed;
        let items = world.table.items();
        let mut objects = contents(&world.objects).await;
        objects.extend(facts(&items, &effects));
        Evidence {
            document: serde_json::from_str(document).expect("the documents of runs are JSON"),
            objects,
            items,
            comments: records(&world.comments),
            predictions: records(&world.predictions),
            decisions: records(&world.decisions).into_iter().map(|record| record.data).collect(),
            notices: notices
                .into_iter()
                .map(|notice| Notice { body: notice.body, attributes: notice.attributes })
                .collect(),
            effects,
            answers,
            sign_ins,
            refused,
            redriven,
            last_due,
        }
    }

    pub(super) fn policies(&self) -> Policies<'_> {
        Policies(&self.document)
    }

    /// The keys with a prefix, each with its first content.
    pub(super) fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let from = self.objects.range(prefix.to_owned()..);
        let all = from.take_while(move |(key, _)| key.starts_with(prefix));
        all.map(|(key, contents)| (key.as_str(), contents.first().map(Vec::as_slice).unwrap_or_default()))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.objects.contains_key(key)
    }

    /// The first content of an object.
    pub(super) fn object(&self, key: &str) -> Option<&[u8]> {
        self.objects.get(key)?.first().map(Vec::as_slice)
    }

    /// How many places of a scope's budget of an hour are taken.
    pub(super) fn places_taken(&self, hour: &str, scope: &str) -> i64 {
        let is_it = |item: &&Item| item.key.sort == scope && item.key.partition.strip_prefix("budget#") == Some(hour);
        self.items.iter().find(is_it).and_then(|item| item.number("taken")).unwrap_or_default()
    }

    /// The same for the scenario kit's checks of scoring and quarantine.
    pub(super) fn audit(&self) -> Audit {
        let objects = self.objects.iter().filter(|(key, _)| key.starts_with("quarantine/"));
        Audit {
            comments_stream: "comments".to_owned(),
            predictions_stream: "predictions".to_owned(),
            comments: self.comments.clone(),
            predictions: self.predictions.clone(),
            objects: objects.map(|(key, contents)| (key.clone(), contents.clone())).collect(),
            // The oracle has checks of its own for them.
            alerts: Vec::new(),
            notices: self.notices.clone(),
            settled_elsewhere: self.redriven.still_bad.clone(),
            keeps_order: self.redriven.put_back == 0,
            may_withhold: BTreeSet::new(),
        }
    }

    /// Kinds of what was held back or announced, one each time, as the simulation's table counts them.
    pub(crate) fn held_back(&self) -> Vec<&'static str> {
        let kinds = self.objects.iter().filter_map(|(key, contents)| {
            if key.starts_with("breakers/") && key.ends_with("/sent.json") {
                return Some("breaker opened, message sent");
            }
            let content = parse(contents.first()?).filter(|_| key.ends_with("/withheld.json"))?;
            match text(&content, "/reason")? {
                "budget" => Some("alert held back: budget"),
                "breaker" => Some("alert held back: breaker"),
                "quiet_hours" => Some("alert held back: quiet hours"),
                "channel" => Some("alert held back: channel"),
                "exploration" => Some("alert held back: exploration"),
                "superseded" => Some("alert held back: superseded"),
                _ => None,
            }
        });
        kinds.collect()
    }

    /// What was written more than once, of what never changes.
    pub(super) fn written_once(&self) -> Vec<String> {
        let never_changes = ["alerts/", "breakers/", "windows/", "decisions/", "sign-in/", "missed/"];
        // What was said is taken out of an alert whose comment is gone.
        let writes = |key: &str| {
            let folder = key.strip_suffix("requested.json");
            1 + usize::from(folder.is_some_and(|folder| self.has(&format!("{folder}withdrawn.json"))))
        };
        let changed = self.objects.iter().filter(|(key, contents)| {
            contents.len() > writes(key) && never_changes.iter().any(|prefix| key.starts_with(prefix))
        });
        changed.map(|(key, contents)| format!("{key} was written {} times", contents.len())).collect()
    }
}

/// What the table's items say, fact by fact, each as often as it was written.
fn facts(items: &[Item], effects: &[Noted]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    let mut events: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    for Noted { effect, .. } in effects {
        if let Effect::Written { key, content, .. } = effect {
            *written.entry(key).or_default() += 1;
            events.entry(key).or_default().extend(content.clone());
        }
    }
    let mut facts: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    // Under the place where it was written, or another name.
    let mut put = |key: String, written_as: &str, content: Vec<u8>| {
        let times = written.get(written_as).copied().unwrap_or(1);
        facts.entry(key).or_default().extend(std::iter::repeat_n(content, times));
    };
    let attempts: BTreeMap<&str, &str> = items
        .iter()
        .filter(|item| item.key.sort == "record")
        .filter_map(|item| Some((item.key.partition.strip_prefix("window#")?, item.text("attempt")?)))
        .collect();
    for item in items {
        let place = place(&item.key);
        let in_json = |value: Value| value.to_string().into_bytes();
        if place.starts_with("alerts/") {
            for (attribute, fact) in OF_AN_ALERT.into_iter().filter(|(name, _)| item.attributes.contains_key(*name)) {
                let key = format!("{place}/{fact}");
                if attribute == "event" {
                    for event in events.get(key.as_str()).into_iter().flatten() {
                        put(key.clone(), "", event.clone());
                    }
                    continue;
                }
                let content = match attribute {
                    "withheld" => json!({ "reason": item.text("withheld"), "time": item.text("withheld_at") }),
                    _ => json!({ "time": item.text(attribute) }),
                };
                put(key.clone(), &key, in_json(content));
            }
            for number in 0..item.number("reports").unwrap_or_default() {
                put(format!("{place}/reports/{number}.json"), "", Vec::new());
            }
        } else if place.starts_with("decisions/") {
            put(place.clone(), &place, unpacked(item, "event"));
        } else if let Some((window, rest)) = place.strip_prefix("windows/").and_then(|rest| rest.split_once('/')) {
            put(place.clone(), &place, unpacked(item, "digest"));
            let position = attempts.get(window).and_then(|attempt| rest.strip_prefix(&format!("digest/{attempt}/")));
            if let Some(position) = position {
                put(format!("digests/{window}/{position}.json"), "", unpacked(item, "digest"));
                if item.attributes.contains_key("sent") {
                    put(format!("digests/{window}/{position}/sent.json"), "", Vec::new());
                }
            }
            let sent = format!("{place}/sent.json");
            if item.attributes.contains_key("sent") {
                put(sent.clone(), &sent, Vec::new());
            }
        } else if place.starts_with("breakers/") {
            let opened = format!("{place}/opened.json");
            let content = json!({
                "time": item.text("opened"),
                "until": item.text("until"),
                "alerts": item.number("alerts"),
                "predictions": item.number("predictions"),
            });
            put(opened.clone(), &opened, in_json(content));
            if item.attributes.contains_key("sent") {
                let sent = format!("{place}/sent.json");
                put(sent.clone(), &sent, Vec::new());
            }
        } else if place.starts_with("sign-in/") {
            put(place.clone(), &place, Vec::new());
        } else if place.starts_with("missed/") || place.starts_with("decisions-unsent/") {
            put(place.clone(), "", Vec::new());
        }
    }
    facts
}

async fn contents(objects: &MemoryObjects) -> BTreeMap<String, Vec<Vec<u8>>> {
    let keys = objects.list("").await.expect("the memory bucket lists").into_iter();
    let keys = keys.filter(|key| !key.starts_with("models/"));
    keys.map(|key| (key.clone(), objects.versions(&key))).collect()
}

/// All records in the order of their sequence numbers, which are the whole stream's.
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
